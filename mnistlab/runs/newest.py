"""Which run `last` means: one and the same, whatever is asked of it."""

from collections.abc import Callable
from pathlib import Path

from mnistlab.errors import LabError, tell
from mnistlab.runs.folder import continues_from, weights_of
from mnistlab.runs.reading import tell_broken
from mnistlab.runs.run import read_runs

LAST = "last"
"""The word for the newest training run that has weights."""

MEANT = (LAST, "best")
"""The words that mean a run or a checkpoint before any name does."""


def newest(root: Path, where: str, *, continues: bool = False) -> Path:
    """The newest training run that has weights; where none has any, the newest one.

    Trials of a sweep count as others do: those whose weights it has removed are passed over. Of newer runs that are,
    and of records that cannot be read, a word is said.

    Args:
        root: The folder of all runs.
        where: How a message calls it.
        continues: A training is to go on from it: weights alone do not do.

    Raises:
        LabError: If there is no training run.
    """
    found = read_runs(root)
    tell_broken(found.broken)
    begun = [(run.started, run.folder) for run in found.all if run.command == "fit"]
    runs = [folder for _, folder in sorted(begun, reverse=True)]
    if not runs:
        raise LabError(f"{where}: looked in {root} (--run.dir), but no training run lies there.")
    with_weights = _first(runs, weights_of)
    chosen = _first(runs, continues_from) if continues else with_weights
    if chosen is None:
        return runs[0]
    passed = runs[: runs.index(chosen)]
    if passed:
        newer = f"{passed[0]} is newer" if len(passed) == 1 else f"{len(passed)} are newer, such as {passed[0]}"
        lack = "no weights" if with_weights == chosen else "nothing to continue from"
        tell(f"note: {where} is {chosen}; {newer}, with {lack}.")
    return chosen


def _first(runs: list[Path], serves: Callable[[Path], Path | None]) -> Path | None:
    return next((folder for folder in runs if serves(folder)), None)
