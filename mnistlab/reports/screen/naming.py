"""`mnistlab runs rename` and `mnistlab runs note`: what a person says of a run that is there already."""

from pathlib import Path

from mnistlab.errors import LabError, say, tell
from mnistlab.options.arguments import Arguments
from mnistlab.runs.listing import called, find_run
from mnistlab.runs.newest import MEANT
from mnistlab.runs.run import Run, read_runs
from mnistlab.runs.words import say_of

_LONGEST = {"name": 200, "note": 10_000}  # characters


def rename_run(asked: Arguments) -> int:
    """Give a run another name; the exit code.

    Raises:
        LabError: If there is no such run, or it cannot be called so.
    """
    folder, name = _said(asked, "name")
    if name in MEANT:
        raise LabError(f"{name} is the word for the newest run: nothing was changed. Name it otherwise.")
    if "/" in name or not name.isprintable():
        raise LabError(f"{name!r}: a name has no slash and stands in a line: nothing was changed.")
    before = Run.of(folder).name
    say_of(folder, name=name)
    others = [path for path, known in read_runs(asked.root).names.items() if name and known == name and path != folder]
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
        got = f"got {len(asked.names)} words" if asked.names else "got nothing"
        example = "rename ID baseline" if what == "name" else 'note ID "what I tried"'
        raise LabError(f"{asked.command} takes a run and a {what}, {got}: mnistlab runs {example}. Quote words.")
    name, text = asked.names
    if len(text) > _LONGEST[what]:
        raise LabError(f"a {what} has {_LONGEST[what]:,} characters at most, got {len(text):,}: nothing was changed.")
    return find_run(name, asked.root), text.strip()
