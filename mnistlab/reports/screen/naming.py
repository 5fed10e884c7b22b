"""`mnistlab runs rename` and `mnistlab runs note`: what a person says of a run that is there already."""

from pathlib import Path

from mnistlab.errors import LabError, say, tell
from mnistlab.options.arguments import Arguments
from mnistlab.reports.screen.whose import find_to_change
from mnistlab.runs.listing import called, namesakes
from mnistlab.runs.run import Run
from mnistlab.runs.words import check_length, check_name, say_of
from mnistlab.text.values import counted


def rename_run(asked: Arguments) -> int:
    """Give a run another name; the exit code.

    Raises:
        LabError: If there is no such run, or it cannot be called so.
    """
    folder, name = _said(asked, "name")
    before = Run.of(folder).name
    say_of(folder, name=name)
    others = namesakes(name, folder, asked.root) if name else []
    if others:
        tell(f"note: another run has this name ({called(others[0])}), so each is found by its id alone.")
    was = f", which was called {before}," if before else ""
    say([f"{folder}{was} is called {name}" if name else f"{folder}{was} has no name"])
    return 0


def note_run(asked: Arguments) -> int:
    """Note something about a run; the exit code.

    Raises:
        LabError: If there is no such run.
    """
    folder, note = _said(asked, "note")
    say_of(folder, note=note)
    say([f"noted of {folder}: {note}" if note else f"{folder} has no note"])
    return 0


def _said(asked: Arguments, what: str) -> tuple[Path, str]:
    """The run that is named, and what is said of it."""
    if len(asked.names) != 2:  # noqa: PLR2004 - a run and a text
        got = f"got {counted(len(asked.names), 'word')}" if asked.names else "got nothing"
        example = "rename ID baseline" if what == "name" else 'note ID "what I tried"'
        raise LabError(f"{asked.command} takes a run and a {what}, {got}: mnistlab runs {example}. Quote words.")
    name, text = asked.names
    said = text.strip()
    try:
        check_name(said) if what == "name" else check_length(what, said)
    except LabError as error:
        raise LabError(f"{error} Nothing was changed.") from error
    return find_to_change(name, asked.root, "changed", "changes"), said
