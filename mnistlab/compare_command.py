"""`mnistlab compare`: its options and its help, for which torch is not needed."""

from collections.abc import Sequence

from mnistlab.discovery.asking import asked_of_many
from mnistlab.errors import LabError

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
    if "models" not in asked.values:
        raise LabError("--models is missing: --models=SDN68K,CNN68K, or --models=all.")
    if {"json", "csv"} <= asked.switches:
        raise LabError("--json and --csv exclude each other.")
    from mnistlab.sweeps.compare import compare  # noqa: PLC0415 - brings torch in

    return compare(asked.values, asked.others, asked.switches)
