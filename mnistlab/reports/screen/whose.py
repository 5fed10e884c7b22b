"""Whose a run is that a command changes: what names a run of somebody else's by accident touches nothing."""

from contextlib import suppress
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.runs.listing import find_run
from mnistlab.runs.newest import LAST
from mnistlab.runs.run import Run


def find_to_change(name: str, root: Path, done: str, does: str) -> Path:
    """The folder of a run that is to be changed: one of others by its id alone, as a name may mean anybody's.

    Args:
        name: What the user has typed.
        root: The folder of all runs.
        done: What is not done to it otherwise: `removed`.
        does: What its id does: `removes`.

    Raises:
        LabError: If there is no such run, or it is another user's and was not named by its id.
    """
    folder = find_run(name, root)
    run = read(folder)
    if run and not run.is_own and name in (LAST, run.name):
        raise LabError(f"{name} is a run of {run.user}: nothing was {done}. Its id {does} it: {folder.name}")
    return folder


def read(folder: Path) -> Run | None:
    """The run; None where its record cannot be read."""
    with suppress(LabError):
        return Run.find(folder)
    return None


def of_whom(folder: Path) -> str:
    """` of anna` for a run of hers, nothing for one's own."""
    run = read(folder)
    return f" of {run.user}" if run and not run.is_own and run.user else ""
