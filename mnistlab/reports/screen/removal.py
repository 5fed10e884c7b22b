"""`mnistlab runs rm`: removes runs, all of which are checked before the first one goes."""

import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mnistlab.errors import LabError, say, tell
from mnistlab.options.arguments import Arguments
from mnistlab.reports.screen.overview import chosen_of, runs_below
from mnistlab.reports.screen.whose import find_to_change, of_whom, read
from mnistlab.runs.reading import read_name
from mnistlab.runs.run import Run
from mnistlab.runs.selection import ASKED
from mnistlab.runs.writer import occupation, way_on
from mnistlab.text.values import counted, size


def remove_runs(asked: Arguments) -> int:
    """Remove the runs that are named, or those that filters leave; 1 where the user has thought better of it.

    Those of others are removed by their ids or with `--user` alone: a name, or how a run has ended, may mean anybody's.

    Raises:
        LabError: If one of them is no run, lies elsewhere, or is running, or nobody is there to be asked.
    """
    root = asked.root
    folders = _wanted(asked, root)
    if not folders:
        print("No run is left by these filters: nothing was removed.")
        return 0
    for folder in folders:
        _check(folder, root)
    if "yes" not in asked.switches and not _agreed(folders):
        print("Nothing was removed.")
        return 1
    for folder in folders:
        said = _said(folder)
        _remove(folder)
        say([f"removed {said}"])
    return 0


def _wanted(asked: Arguments, root: Path) -> list[Path]:
    filters = [name for name in asked.values if name in ASKED]
    if filters and asked.names:
        raise LabError(f"{asked.names[0]} and --{filters[0]} exclude each other: name runs, or filter them.")
    if filters:
        return _own(chosen_of(runs_below(root, asked), asked), asked)
    if not asked.names:
        raise LabError("runs rm needs the runs to remove: mnistlab runs rm ID..., or a filter such as --status=failed.")
    return list(dict.fromkeys(find_to_change(name, root, "removed", "removes") for name in asked.names))


def _own(chosen: Sequence[Run], asked: Arguments) -> list[Path]:
    """Those of one's own, unless it was said whose."""
    own = [run.folder for run in chosen if run.is_own or "user" in asked.values]
    if len(own) < len(chosen):
        of = ", ".join(sorted({run.user for run in chosen if not run.is_own}))
        tell(f"note: {counted(len(chosen) - len(own), 'run')} of {of} left alone; --user=NAME takes those of one.")
    return own


def _check(folder: Path, root: Path) -> None:
    """Refuse what must not be removed."""
    if folder.is_symlink() or folder.resolve().parent.parent != root.resolve():
        raise LabError(
            f"{folder} does not lie in {root} as runs do: nothing was removed. "
            "Name the folder of all runs with --run.dir=..., or remove it by hand."
        )
    run = read(folder)  # one whose record cannot be read is none that is running
    if run and run.status == "running":
        raise LabError(f"{run.folder} {occupation(run)}: nothing was removed. {way_on(run)}")


def _agreed(folders: Sequence[Path]) -> bool:
    """Whether the user wants it; nobody there is no yes."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        which = ", ".join(map(_said, folders))
        raise LabError(f"nothing was removed, since nobody can be asked: add --yes to remove {which}.")
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    bytes_in_all = sum(path.lstat().st_size for path in files)
    say([f"  {_said(folder)}" for folder in folders])
    try:
        answer = input(f"Remove {counted(len(folders), 'run')}, {size(bytes_in_all)}? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _said(folder: Path) -> str:
    """Where a run lies, which ends with its id, whose it is, and the name that was given to it."""
    given = read_name(folder)
    whose = of_whom(folder)
    return f"{folder}{whose}, called {given.name}" if given else f"{folder}{whose}"


def _remove(folder: Path) -> None:
    """Remove a run at once: under a hidden name half of one would not be taken for a run."""
    hidden = folder.with_name(f".{folder.name}.removed")
    try:
        folder.rename(hidden)
        shutil.rmtree(hidden)
    except OSError as error:
        with suppress(OSError):
            hidden.rename(folder)  # so that it is not out of sight
        raise LabError(f"{folder} cannot be removed: {error.strerror or error}.") from error
    with suppress(OSError):  # other runs lie there
        folder.parent.rmdir()
