"""`mnistlab compare`."""

from collections.abc import Sequence
from functools import partial

from mnistlab.commands.declaring.model import MANY, Command, Work
from mnistlab.commands.help.sweeping import sweep_options
from mnistlab.errors import LabError, announce
from mnistlab.options.arguments import JSON, Arguments, Option, words

_WAYS = "Write --models=SDN68K,CNN68K, or =all; or --presets=A,B."
_DEFAULTS = {"seeds": "3", "workers": "1"}
_OTHERS = {"folds": "", "threads": "as many as fit would take", "name": "", "storage": "", "launcher": "processes"}
_SWITCHES = {"retry_failed": "", "allow_drift": ""}


def _options() -> Sequence[Option]:
    return (
        Option("models", "Names with commas between them, or all", "NAMES", ("all",), several=True, completes="model"),
        Option("presets", "Presets in their place", "NAMES", several=True, completes="presets"),
        Option("tag", "The presets with a tag", "TAG", completes="tags"),
        Option("quick", "One epoch of ten batches each, to see that all is well"),
        *sweep_options({**_DEFAULTS, **_OTHERS, **_SWITCHES}),
        JSON,
        Option("csv", "The same as a table"),
    )


def _compare(asked: Arguments) -> Work:
    _refuse_unnamed(asked)
    if {"json", "csv"} <= asked.switches:
        raise LabError("--json and --csv exclude each other.")
    announce("checking the models before anything is trained ...")
    from mnistlab.sweeps.typed import asked_comparison  # noqa: PLC0415 - not for help

    typed = asked_comparison(asked.values, asked.others, _DEFAULTS, quick="quick" in asked.switches)
    from mnistlab.sweeps.compare import compare  # noqa: PLC0415 - brings torch in

    own = [*(f"--{name}={value}" for name, value in asked.values.items()), *(f"--{name}" for name in asked.switches)]
    return partial(compare, typed, asked.switches, ["compare", *own, *words(asked.others)])


def _refuse_unnamed(asked: Arguments) -> None:
    """Refuse models that stand alone, or after another option."""
    typed = words(asked.others)
    alone = [word.strip(",") for word in typed if not word.startswith("--")]
    models = asked.values.get("models")
    if alone and not (models or "").endswith(",") and not _are_models(alone):
        import shlex  # noqa: PLC0415 - only here

        both = "runs diff" if len(alone) == 2 else "report"  # noqa: PLR2004 - two stand side by side
        raise LabError(
            f"`{alone[0]}` is no model, and compare trains models: --models=SDN68K,CNN68K. Of runs that are there:\n"
            f"  {shlex.join(['mnistlab', *both.split(), *alone])}"
        )
    if models is None and not {"presets", "tag"} & set(asked.values):
        named = [*alone, *(word.removeprefix("--model=") for word in typed if word.startswith("--model="))]
        way_out = f"Did you mean --models={','.join(named)}?" if named else _WAYS
        raise LabError(f"--models is missing. {way_out}")
    if alone and models and models.endswith(","):
        whole = ",".join([models.strip(","), *alone])
        raise LabError(f"--models={models}: a space has cut the list. Write --models={whole}")


def _are_models(names: Sequence[str]) -> bool:
    """Whether words are names of models, all of them; one of one's own has a dot."""
    from mnistlab.catalogue import load_catalogue  # noqa: PLC0415 - only here

    known = {name.lower() for name in load_catalogue().kinds["model"].classes}
    return all(part.lower() in known or "." in part for name in names for part in name.split(",") if part)


COMMAND = Command(
    "train models or presets under the same conditions",
    _compare,
    MANY,
    order=2,
    usage="--models=SDN68K,CNN421K ... and the options of fit",
    about="""\
Trains each model, or each preset, with each seed under the same conditions, for
one table: parameters, multiply-adds, test accuracy, seconds, images per second.
What has been trained before is not trained again, so that more can be added.""",
    options=_options,
    like="fit",
)
