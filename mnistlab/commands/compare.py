"""`mnistlab compare`: its options and its help, for which torch is not needed."""

import shlex
from collections.abc import Sequence

from mnistlab.commands.asking import Asked, asked_of_many
from mnistlab.errors import LabError, announce
from mnistlab.options.arguments import words

USAGE = """\
Usage: mnistlab compare --models=SDN68K,CNN421K [--seeds=3] ... and the options
       of fit

Trains each model with each seed under the same conditions and prints one table:
parameters, test accuracy, seconds, images per second. What has been trained
before is not trained again, so models and seeds can be added later.

  --models    names with commas between them, or all
  --seeds     how many seeds (default 3)
  --quick     one epoch of ten batches each, to see that all is well
  --workers   how many at the same time (default 1: seconds are then a model's
              own)
  --threads   threads of each (default as many as fit would take)
  --name      a name for the comparison; its folder is runs/NAME
  --json, --csv  the table for machines
  --storage, --launcher, --retry_failed, --allow_drift  as in mnistlab sweep

--trainer.max_epochs, --data and the other options of fit: mnistlab fit --help"""

SWITCHES = ("quick", "json", "csv")
OWN = ("models", "seeds", "workers", "threads", "name", "storage", "launcher", "retry_failed", "allow_drift")


def run(command: str, arguments: Sequence[str]) -> int:
    """Run `mnistlab compare arguments`; the exit code.

    Raises:
        LabError: For what a user can mend.
    """
    asked = asked_of_many(command, arguments, USAGE, OWN, SWITCHES)
    if asked is None:
        return 0
    _refuse_unnamed(asked)
    if {"json", "csv"} <= asked.switches:
        raise LabError("--json and --csv exclude each other.")
    announce("checking the models before anything is trained ...")
    from mnistlab.sweeps.compare import compare  # noqa: PLC0415 - brings torch in

    return compare(asked.values, asked.others, asked.switches)


def _refuse_unnamed(asked: Asked) -> None:
    """Refuse models that stand alone, or after another option."""
    typed = words(asked.others)
    alone = [word.strip(",") for word in typed if not word.startswith("--")]
    models = asked.values.get("models")
    if alone and not (models or "").endswith(",") and not _are_models(alone):
        both = "runs diff" if len(alone) == 2 else "report"  # noqa: PLR2004 - two stand side by side
        raise LabError(
            f"`{alone[0]}` is no model, and compare trains models: --models=SDN68K,CNN68K. Of runs that are there:\n"
            f"  {shlex.join(['mnistlab', *both.split(), *alone])}"
        )
    if models is None:
        named = [*alone, *(word.removeprefix("--model=") for word in typed if word.startswith("--model="))]
        way_out = f"Did you mean --models={','.join(named)}?" if named else "Write --models=SDN68K,CNN68K, or =all."
        raise LabError(f"--models is missing. {way_out}")
    if alone and models.endswith(","):
        whole = ",".join([models.strip(","), *alone])
        raise LabError(f"--models={models}: a space has cut the list. Write --models={whole}")


def _are_models(names: Sequence[str]) -> bool:
    """Whether words are names of models, all of them; one of one's own has a dot."""
    from mnistlab.catalogue import load_catalogue  # noqa: PLC0415 - only here

    known = {name.lower() for name in load_catalogue().kinds["model"].classes}
    return all(part.lower() in known or "." in part for name in names for part in name.split(",") if part)
