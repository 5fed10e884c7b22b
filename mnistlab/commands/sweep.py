"""`mnistlab sweep`: its options and its help, for which torch is not needed."""

from collections.abc import Sequence

from mnistlab.commands.asking import asked_of_many
from mnistlab.errors import announce

USAGE = """\
Usage: mnistlab sweep [--trials=40] [--workers=2] ... and the options of fit

Trains with many values of any options of fit: a value becomes a domain.
  --model.hidden_dim=choice:128,256    one of these; classes and null too
  --model.layers=int:2..8              whole numbers; a step: int:64..512:64
  --model.dropout=float:0..0.5         numbers; a step: float:0..0.5:0.1
  --model.optimizer.lr=log:1e-4..1e-2  every factor as likely; also logint

  --trials    how many choices of values (default 20; for a grid all)
  --sampler   grid, tpe or random (default a grid where that is small, else tpe)
  --pruner    stop what promises little: median, hyperband, or halving (hard)
  --seeds     seeds for each choice (default 1); a sweep keeps their number
  --metric    what is to be best on validation images (default val/acc)
  --workers   how many at the same time (default as many as cores, or GPUs)
  --threads   threads of each (default 1); they take part in the bits
  --keep      keep the weights of so many of the best (default 3)
  --name      a name; its folder is runs/NAME, where the same command goes on
  --storage   postgresql://user@host/db: the same command on several machines
  --launcher  ray: workers on the machines of a Ray cluster
  --sampler_seed, --retry_failed, --allow_drift (versions or source changed)
  the rest    mnistlab fit --help"""

OWN = (
    "trials",
    "workers",
    "threads",
    "seeds",
    "sampler",
    "pruner",
    "metric",
    "name",
    "keep",
    "storage",
    "launcher",
    "sampler_seed",
    "retry_failed",
    "allow_drift",
)


def run(command: str, arguments: Sequence[str]) -> int:
    """Run `mnistlab sweep arguments`; the exit code.

    Raises:
        LabError: For what a user can mend.
    """
    asked = asked_of_many(command, arguments, USAGE, OWN)
    if asked is None:
        return 0
    announce("checking all values before anything is trained ...")
    from mnistlab.sweeps.sweep import sweep  # noqa: PLC0415 - brings torch in

    return sweep(asked.values, asked.others)
