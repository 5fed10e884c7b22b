"""Which run `last` means: one and the same, whatever is asked of it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mnistlab.errors import LabError, tell
from mnistlab.runs.folder import continues_from, weights_of
from mnistlab.runs.reading import tell_broken
from mnistlab.runs.run import Run, read_runs

LAST = "last"
"""The word for the newest training run that has weights, one's own before those of others."""

MEANT = (LAST, "best")
"""The words that mean a run or a checkpoint before any name does."""


def newest(root: Path, where: str, *, continues: bool = False) -> Path:
    """The newest training run that has weights, of one's own before those of others; where none has any, the newest.

    Trials of a sweep count as others do: those whose weights it has removed are passed over. Of newer runs that are
    passed over, and of records that cannot be read, a word is said.

    Args:
        root: The folder of all runs.
        where: How a message calls it.
        continues: A training is to go on from it: weights alone do not do.

    Raises:
        LabError: If there is no training run.
    """
    found = read_runs(root)
    tell_broken(found.broken)
    runs = sorted((run for run in found.all if run.command == "fit"), key=_place, reverse=True)
    if not runs:
        raise LabError(f"{where}: looked in {root} (--run.dir), but no training run lies there.")
    with_weights = _first(runs, weights_of)
    chosen = _first(runs, continues_from) if continues else with_weights
    if chosen is None:
        return runs[0].folder
    at = runs.index(chosen)
    lack = "no weights" if with_weights is chosen else "nothing to continue from"
    _tell_newer(where, chosen, runs[:at], f"with {lack}")
    _tell_newer(where, chosen, runs[at + 1 :], "of somebody else")
    return chosen.folder


def _place(run: Run) -> tuple[bool, str, Path]:
    return run.is_own, run.started, run.folder


def _first(runs: Sequence[Run], serves: Callable[[Path], Path | None]) -> Run | None:
    return next((run for run in runs if serves(run.folder)), None)


def _tell_newer(where: str, chosen: Run, passed: Sequence[Run], why: str) -> None:
    """Say which newer runs are not meant."""
    newer = [run for run in passed if run.started > chosen.started]
    if newer:
        first = newer[0].folder
        said = f"{first} is newer" if len(newer) == 1 else f"{len(newer)} are newer, such as {first}"
        tell(f"note: {where} is {chosen.folder}; {said}, {why}.")
