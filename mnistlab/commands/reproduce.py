"""`mnistlab reproduce`."""

from functools import partial

from mnistlab.commands.declaring.model import MANY, Command, Work
from mnistlab.options.arguments import JSON, PACKAGES, RUN_DIR, Arguments, Option


def _reproduce(asked: Arguments) -> Work:
    from mnistlab.training.ended import ended_run  # noqa: PLC0415 - not for help

    first = ended_run(asked.names[0], asked.root)
    from mnistlab.training.reproduce import reproduce  # noqa: PLC0415 - brings torch in

    return partial(reproduce, first, asked)


COMMAND = Command(
    "run it again and say what differs",
    _reproduce,
    MANY,
    order=6,
    about="""\
Trains once more with the configuration, the seed and the threads of a run, and
says whether every figure and every weight is the same to the bit; if not, what
differs: versions, commit, machine, threads, metrics.""",
    names=(Option("RUN", "An id (mnistlab runs), a run's folder, or last", "RUN", completes="runs or folders"),),
    needs=1,
    options=(JSON, Option("debug", "Show where an error comes from"), PACKAGES, RUN_DIR),
    notes="The exit code is 0 if all is the same, 1 if something differs.",
)
