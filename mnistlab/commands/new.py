"""`mnistlab new`."""

from mnistlab.commands.declaring.model import Command
from mnistlab.options.arguments import Option


def _kind(summary: str, example: str) -> Command:
    return Command(
        summary,
        "mnistlab.catalogue.beginnings:write_new",
        about=f"Writes {summary}, and its test, into the current folder. What is there is never overwritten.",
        names=(Option("NAME", f"What it is called, such as {example}"),),
    )


COMMAND = Command(
    "write a model, a loss, a data set or a preset of your own",
    "mnistlab.catalogue.beginnings:ask_for_kind",
    order=6,
    about="Writes a file to begin with, which runs at once, and its test.",
    instead="Say of what kind: mnistlab new model {name}.",
    commands={
        "model": _kind("a model", "MyNet"),
        "loss": _kind("a loss", "MyLoss"),
        "data": _kind("a data set", "MyData"),
        "preset": _kind("a preset", "Wide"),
    },
)
