"""`mnistlab data`."""

from functools import partial

from mnistlab.commands.declaring.model import TRAIN, Command, Work
from mnistlab.options.arguments import JSON, Arguments, Option


def _data(asked: Arguments) -> Work:
    from mnistlab.training.data_asked import find_data  # noqa: PLC0415 - not for help
    from mnistlab.training.typed import refuse_mistakes  # noqa: PLC0415 - not for help

    wanted = find_data(asked)
    refuse_mistakes("fit", wanted.arguments)
    from mnistlab.training.data_summary import summarize  # noqa: PLC0415 - brings torch in

    return partial(summarize, wanted, for_machines="json" in asked.switches)


COMMAND = Command(
    "count images by class and split, find duplicates, show samples",
    _data,
    TRAIN,
    order=8,
    about="""\
Reads images as fit would, trains nothing, and says how many of which class are
in which split, their size, channels, mean and deviation, and which are there
twice. Some of each class are drawn on a page, a PNG.""",
    names=(
        Option("DATA", "A data set", "[PATH|DATA]", completes="data"),
        Option("PATH", "A folder or a file with pictures of your own", completes="folder"),
    ),
    options=(
        Option(
            "data",
            "The same as in fit, with the options of a data set as --data.OPTION=VALUE",
            "DATA",
            completes="data",
            parts=True,
        ),
        Option(
            "output", "The page of samples", "FILE", default="data-NAME.png in the current folder", completes=".png"
        ),
        JSON,
    ),
    notes="""\
  mnistlab data MNIST
  mnistlab data animals --data.image_size=32
  mnistlab data EMNIST --data.split=letters --json""",
)
