"""Which runs there are, what they are called in short, and which one a name means."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.files import UnreadableError
from mnistlab.nearest import suggestion
from mnistlab.runs.folder import is_run, places
from mnistlab.runs.newest import LAST, newest
from mnistlab.runs.reading import read_record

_MOST_NAMED = 10


def run_folders(root: Path) -> list[Path]:
    """The folders of all runs below `root`, in the order of their names."""
    return sorted(folder for folder in (root / above / name for above, name in places(root)) if is_run(folder))


def short_ids(folders: Sequence[Path]) -> dict[Path, str]:
    """The shortest name of each run that `find_run` takes, if these are all runs.

    It is the part after the time, else the folder's name, else that with the folder above; so it is for all trials
    where there are several sweeps.
    """
    sweeps = {folder.parent for folder in folders if _end(folder.name) == folder.name}
    ends = Counter(_end(folder.name) for folder in folders)
    names = Counter(folder.name for folder in folders)

    def short(folder: Path) -> str:
        end = _end(folder.name)
        if ends[end] == 1 and (end != folder.name or len(sweeps) == 1):
            return end
        unique = names[folder.name] == 1 and end != folder.name
        return folder.name if unique else f"{folder.parent.name}/{folder.name}"

    return {folder: short(folder) for folder in folders}


def find_run(name: str, root: Path) -> Path:
    """The folder of the run that a name means.

    Args:
        name: The name of its folder, a beginning or an end of it that no other has, a beginning of what `short_ids`
            says, in any case; each also as `<folder above>/<name>`; a path, or `last` for the newest training run. What
            is none of these may be the name that was given with `--run.name`.
        root: The folder of all runs. Only a path may lead elsewhere.

    Raises:
        LabError: If it means no run, or several.
    """
    if name == LAST:
        return newest(root, LAST)
    wanted = name.rstrip("/")
    if not wanted:
        raise LabError(f"{name!r} names no run. `mnistlab runs` lists them.")
    if is_run(Path(wanted)):
        return Path(wanted)
    found = runs_called(wanted, root)
    if not found:
        raise _unknown(name, root)
    return only(found, name)


def runs_called(wanted: str, root: Path) -> list[Path]:
    """The folders of all runs below `root` that a name may mean, which is neither `last` nor a path; see `find_run`."""
    above, _, own = wanted.rpartition("/")
    among = [(folder, part) for folder, part in places(root) if above in ("", folder)]
    exact = _runs(root, [place for place in among if place[1] == own])
    part = exact or _runs(root, [place for place in among if _begins_or_ends(place[1], own)])
    return part or _named(wanted, root)


def only(found: Sequence[Path], name: str) -> Path:
    """The only one of these runs.

    Args:
        found: At least one run.
        name: What means them.

    Raises:
        LabError: If there are several.
    """
    if len(found) > 1:
        raise _ambiguous(name, found)
    return found[0]


def _runs(root: Path, among: Sequence[tuple[str, str]]) -> list[Path]:
    return sorted(folder for folder in (root / above / name for above, name in among) if is_run(folder))


def _named(name: str, root: Path) -> list[Path]:
    """The runs that were given this name; one that repeats another has it only where that is gone."""
    found: dict[Path, bool] = {}
    for above, own in places(root):
        with suppress(UnreadableError):
            record = read_record(root / above / own) or {}
            if record.get("name") == name:
                found[root / above / own] = "reproduces" in record
    firsts = [folder for folder, repeats in found.items() if not repeats]
    return sorted(firsts or found)


def _begins_or_ends(name: str, part: str) -> bool:
    name, part = name.lower(), part.lower()
    return name.startswith(part) or name.endswith(part) or _end(name).startswith(part)


def _end(name: str) -> str:
    """What tells a run from the others of its second; the whole name where there is no time in it."""
    time, _, end = name.rpartition("-")
    return end if time[:1].isdigit() and time.upper().endswith("Z") else name


def _ambiguous(name: str, found: Sequence[Path]) -> LabError:
    names = [f"  {folder.parent.name}/{folder.name}" for folder in found[:_MOST_NAMED]]
    more = [f"  and {len(found) - _MOST_NAMED} more"] if len(found) > _MOST_NAMED else []
    return LabError("\n".join([f"{name} means {len(found)} runs. Name one of them:", *names, *more]))


def _unknown(name: str, root: Path) -> LabError:
    folders = run_folders(root)
    if not folders:
        return LabError(f"{name}: there are no runs in {root}. Where they lie is said with --run.dir=...")
    inner = [folder for folder in folders if folder.parent.name == name.strip("/")]
    if inner:
        return LabError(f"{name} is a folder of {len(inner)} runs. Name one of them, such as {name}/{inner[-1].name}.")
    known = [*short_ids(folders).values(), *(folder.name for folder in folders), LAST]
    hint = suggestion(name, known) or " `mnistlab runs` lists them."
    return LabError(f"{name}: there is no such run in {root} (--run.dir).{hint}")
