"""Which runs there are, what they are called in short, and which one a name means."""

import json
from collections import Counter
from collections.abc import Container, Sequence
from contextlib import suppress
from pathlib import Path

from mnistlab.errors import LabError, visible
from mnistlab.runs.folder import SWEEP, is_run
from mnistlab.runs.newest import LAST, newest
from mnistlab.runs.reading import read_name
from mnistlab.runs.run import Runs, read_runs
from mnistlab.system.files import is_file, read_file
from mnistlab.system.user import current_user
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import counted

_KINDS = {"compare": "comparison", "judge": "judgement", "folds": "training of folds"}
_MOST_BYTES = 16 << 20

_SEVERAL = 2


def short_ids(folders: Sequence[Path], taken: Container[str] = (), of: Sequence[Path] | None = None) -> dict[Path, str]:
    """The shortest id of each run that `find_run` takes, if these are all runs.

    It is the part after the time, else the folder's name, else that with the folder above; so it is for all trials
    where there are several sweeps.

    Args:
        folders: Those of all runs.
        taken: The names that were given to runs: an id that is one of them would mean that run.
        of: Those whose ids are wanted; all of them if not given.
    """
    sweeps = {folder.parent for folder in folders if _end(folder.name) == folder.name}
    ends = Counter(_end(folder.name) for folder in folders)
    names = Counter(folder.name for folder in folders)

    def short(folder: Path) -> str:
        end = _end(folder.name)
        if ends[end] == 1 and (end != folder.name or len(sweeps) == 1) and end not in taken:
            return end
        unique = names[folder.name] == 1 and end != folder.name and folder.name not in taken
        return folder.name if unique else f"{folder.parent.name}/{folder.name}"

    return {folder: short(folder) for folder in (folders if of is None else of)}


def find_run(name: str, root: Path) -> Path:
    """The folder of the run that a name means.

    Args:
        name: A path, `last` for the newest training run, or whatever `runs_called` takes.
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
    """The folders of all runs below `root` that a name may mean, which is neither `last` nor a path.

    That is the name that was given with `--run.name`, of several runs that have it those that are one's own; where no
    run has it, an id: the name of a folder, or the part of it after the time; where none is that, the beginning of an
    id. An id is as good in any case, and with the folder above and a slash before it.
    """
    runs = read_runs(root)
    named = _own_of(sorted(folder for folder, name in runs.names.items() if name == wanted), runs)
    above, _, own = wanted.rpartition("/")
    ids = [
        (folder, {folder.name.lower(), _end(folder.name).lower()})
        for folder in runs.folders
        if above in ("", folder.parent.name)
    ]
    exact = named or [folder for folder, known in ids if own.lower() in known]
    return exact or [folder for folder, known in ids if any(each.startswith(own.lower()) for each in known)]


def _own_of(named: list[Path], runs: Runs) -> list[Path]:
    """Those among runs of a name that are the current user's own; all of them where none is."""
    if len(named) < _SEVERAL:
        return named
    user, of_name = current_user(), {*named}
    return sorted(run.folder for run in runs.all if run.folder in of_name and user and run.user == user) or named


def namesakes(name: str, folder: Path, root: Path) -> list[Path]:
    """The other runs that a name means which a run has: where that is one's own, only those that are, too.

    Args:
        name: The name.
        folder: The run that has it, which may be about to begin.
        root: The folder of all runs.
    """
    runs, user = read_runs(root), current_user()
    named = [path for path, known in runs.names.items() if known == name and path.resolve() != folder.resolve()]
    users = {run.folder: run.user for run in runs.all}
    is_own = user and next((who for path, who in users.items() if path.name == folder.name), user) == user
    return [path for path in named if not is_own or users.get(path) == user]


def only(found: Sequence[Path], name: str) -> Path:
    """The only one of these runs.

    Args:
        found: At least one run.
        name: What means them.

    Raises:
        LabError: If there are several.
    """
    if len(found) > 1:
        lines = [f"  {_with_user(folder)}" for folder in found]
        raise LabError("\n".join([f"{name} means {len(found)} runs. Name one of them:", *lines]))
    return found[0]


def called(folder: Path) -> str:
    """The id of a run with the folder above, and the name that was given to it."""
    said = read_name(folder)
    return told(folder, said.name if said else "")


def _with_user(folder: Path) -> str:
    said = read_name(folder)
    return told(folder, f"{said.name}{f', of {said.user}' if said.user else ''}" if said else "")


def told(folder: Path, name: str) -> str:
    """The same where the name is known."""
    return visible(f"{folder.parent.name}/{folder.name}{f'  {name}' if name else ''}")


def _end(name: str) -> str:
    """What tells a run from the others of its second; the whole name where there is no time in it."""
    time, _, end = name.rpartition("-")
    return end if time[:1].isdigit() and time.upper().endswith("Z") else name


def sweep_called(name: str, root: Path) -> Path | None:
    """The folder of the sweep, the comparison, the judgement or the folds that a name means; None where it means none.

    Args:
        name: A folder, or what it is called in `root`.
        root: The folder of all runs.
    """
    return next((place for place in (Path(name), root / name) if is_file(place / SWEEP)), None)


def kind_of(sweep: Path) -> str:
    """Which of these it is, as a word."""
    return _KINDS.get(str(plan_of(sweep).get("kind")), "sweep")


def plan_of(sweep: Path) -> dict[str, object]:
    """What its file says of it; nothing where that cannot be read."""
    with suppress(LabError, ValueError):
        said = json.loads(read_file(sweep / SWEEP, _MOST_BYTES))
        return said if isinstance(said, dict) else {}
    return {}


def _unknown(name: str, root: Path) -> LabError:
    runs = read_runs(root)
    folders = runs.folders
    if not folders:
        return LabError(f"{name}: there are no runs in {root}. Where they lie is said with --run.dir=...")
    sweep = sweep_called(name, root)
    parts = [folder for folder in folders if sweep and folder.parent.resolve() == sweep.resolve()]
    if sweep:
        such = f" Name one of them, such as {parts[0]}." if parts else ""
        return LabError(f"{sweep} is a {kind_of(sweep)}, which has {counted(len(parts), 'run')}.{such}")
    inner = [folder for folder in folders if folder.parent.name == name.strip("/")]
    if inner:
        return LabError(f"{name} is a folder of {len(inner)} runs. Name one of them, such as {name}/{inner[-1].name}.")
    names = runs.names.values()
    known = [*names, *short_ids(folders, {*names}).values(), *(folder.name for folder in folders), LAST]
    hint = suggestion(name, known) or " `mnistlab runs` lists them."
    return LabError(f"{name}: there is no such run in {root} (--run.dir).{hint}")
