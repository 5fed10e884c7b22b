"""`mnistlab board`."""

from mnistlab.commands.declaring.model import MANY, Command
from mnistlab.commands.runs import FILTERS
from mnistlab.errors import LabError
from mnistlab.options.arguments import ONE_OF, RUN_DIR, Option

_LARGEST_PORT = 65_535


def _port(text: str) -> None:
    if not text.isdecimal() or len(text) > len(str(_LARGEST_PORT)) or not 0 < int(text) <= _LARGEST_PORT:
        raise LabError(f"--port={text}: a number from 1 to {_LARGEST_PORT} is wanted.")


COMMAND = Command(
    "a page of the best runs of a class, for a projector",
    "mnistlab.reports.board.command:show_board",
    MANY,
    order=8,
    about="""\
Writes a page with the best run of each person, how often they have looked at
the test images, and the best over time; served, new runs appear by themselves.
It ranks by validation accuracy: the test images are for the end.""",
    usage="[FILTER...] [--by=BY] [--best] [--output=FILE | --serve [--host=HOST] [--port=PORT]]",
    options=(
        *FILTERS,
        Option("by", "Whose best run counts", "BY", ("user", "name"), "user", ONE_OF),
        Option("best", "The best and their curve only, without the newest runs"),
        Option("output", "The file", "FILE", default="board.html", completes=".html"),
        Option("serve", "Serve it, until Ctrl-C, in place of writing a file"),
        Option("host", "Where it is served; 0.0.0.0: for whoever reaches this machine", "HOST", (), "127.0.0.1"),
        Option("port", "At which port", "PORT", (), "8321", checks=_port),
        RUN_DIR,
    ),
)
