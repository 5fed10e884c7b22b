"""`mnistlab new`."""

from typing import Never

from mnistlab.commands.declaring.model import Command
from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments, Option


def ask_for_kind(asked: Arguments) -> Never:
    """Ask for the kind of what shall be written.

    Raises:
        LabError: In any case.
    """
    kinds = ", ".join(COMMAND.commands)
    raise LabError(f"{asked.command} takes the kind of what is to be written, {kinds}: mnistlab new model MyNet.")


def _kind(summary: str, example: str) -> Command:
    return Command(
        summary,
        "mnistlab.catalogue.beginnings:write_new",
        about=f"Writes {summary}, and its test, into the current folder. What is there is never overwritten.",
        names=(Option("NAME", f"What it is called, such as {example}"),),
    )


COMMAND = Command(
    "write a model, a loss, a data set, a preset, or a class",
    "mnistlab.commands.new:ask_for_kind",
    order=6,
    about="Writes a file to begin with, which runs at once, and its test.",
    instead="Say of what kind: mnistlab new model {name}.",
    commands={
        "model": _kind("a model", "MyNet"),
        "loss": _kind("a loss", "MyLoss"),
        "data": _kind("a data set", "MyData"),
        "preset": _kind("a preset", "Wide"),
        "class": Command(
            "a folder for a class, with an exercise sheet",
            "mnistlab.catalogue.class_kit:write_class",
            about="""\
Writes a folder with mnistlab.yaml, which says for all below it where runs, data
and presets are and what fit does by default; a sheet of exercises that runs as
it is; and a preset to begin with. A folder that is there is left alone.""",
            names=(Option("NAME", "The folder, such as Digits"),),
        ),
    },
)
