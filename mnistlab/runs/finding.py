"""Which checkpoint a name means."""

import os
from contextlib import suppress
from pathlib import Path

from mnistlab.checkpoints import SUFFIX
from mnistlab.errors import LabError
from mnistlab.options.notation import at_home
from mnistlab.runs.folder import BEST, CONFIG, LAST, continues_from, is_run, weights_of
from mnistlab.runs.listing import kind_of, only, runs_called, short_ids, sweep_called
from mnistlab.runs.newest import newest
from mnistlab.runs.reading import read_record
from mnistlab.runs.run import Runs, read_runs
from mnistlab.system.files import is_file, is_folder
from mnistlab.text.nearest import nearest
from mnistlab.text.values import counted

_MOST_NAMED = 6


def find_checkpoint(name: str, root: Path, *, where: str, continues: bool = False) -> tuple[Path | None, Path | None]:
    """The file that `name` means, and the run that it is kept in.

    Args:
        name: A file, a run's folder, `best`, or `last`; where there is neither, whatever `find_run` takes.
        root: Where `best` and `last` are looked for: the folder of all runs.
        where: How a message calls the name.
        continues: A training is to go on from it. Then a folder means its last checkpoint, not its best, and the file
            is None where a run has written none yet.

    Raises:
        LabError: If it names nothing, or nothing that serves.
    """
    if name in ("best", "last"):
        return _newest(name, root, where, continues=continues)
    path = Path(at_home(name))
    if not (is_run(path) or is_file(path)):  # a folder of something else may be called like a run
        path = _run(name, root, where)
    if is_folder(path):
        return _in_folder(path, where, continues=continues), path
    if not is_file(path):
        raise LabError(f"{where}: there is no such file.{_near(path, root)}")
    if continues and path.suffix == SUFFIX:
        raise LabError(f"{where}: it holds weights only, no optimizer and no position to continue from.{_last(path)}")
    folder = path.resolve().parent.parent
    return path, folder if path.resolve().parent.name == LAST.parent.name and is_run(folder) else None


def find_members(name: str, root: Path, *, where: str) -> tuple[list[Path], Path | None]:
    """The checkpoints of an ensemble, and the folder of its runs where that is named; none where `name` means one run.

    Args:
        name: Several names as `find_checkpoint` takes them, with commas between them, or the folder of a sweep, a
            comparison, a judgement or folds, also by its name alone.
        root: The folder of all runs.
        where: How a message calls the name.

    Raises:
        LabError: If one of them names nothing, one is named twice, or the folder has no run with weights.
    """
    path = Path(at_home(name))
    if is_run(path) or is_file(path):
        return [], None
    folder = sweep_called(at_home(name), root)
    if folder is not None:
        runs = sorted(each for each in folder.iterdir() if is_run(each))
        members = [weights for each in runs if (weights := weights_of(each))]
        if not members:
            raise LabError(f"{where}: none of the {len(runs)} runs in this folder has weights.")
        return members, folder
    if "," not in name:
        return [], None
    found = [find_checkpoint(part, root, where=f"{where}: {part}")[0] for part in name.split(",")]
    members = [each for each in found if each is not None]
    if len({each.resolve() for each in members}) < len(members):
        raise LabError(f"{where}: it names one net twice.")
    return members, None


def left_out(folder: Path | None) -> list[str]:
    """A note about the runs of a folder that are not among its members, if there are such.

    Args:
        folder: As `find_members` gives it.
    """
    runs = sorted(each for each in folder.iterdir() if is_run(each)) if folder else []
    lacking = [each.name for each in runs if not weights_of(each)]
    if not lacking:
        return []
    names = ", ".join([*lacking[:_MOST_NAMED], *(["..."] if len(lacking) > _MOST_NAMED else [])])
    which = f"{len(lacking)} of {counted(len(runs), 'run')} in {folder} left out"
    return [f"{which}, which have no weights (a sweep keeps those of its best trials): {names}"]


def _run(name: str, root: Path, where: str) -> Path:
    """The folder of the run that an id or a name means; the path itself where it means none."""
    found = runs_called(name.rstrip("/"), root) if name.rstrip("/") else []
    return only(found, where) if found else Path(at_home(name))


def _in_folder(folder: Path, where: str, *, continues: bool) -> Path | None:
    if not is_run(folder):
        raise LabError(f"{where}: this folder is not a run: it has no {CONFIG}.{_within(folder)}")
    present = continues_from(folder) if continues else weights_of(folder)
    if present is None and not os.access(folder, os.R_OK | os.X_OK):
        raise LabError(f"{where}: this folder cannot be read: permission denied.")
    if present is None and not continues:
        raise LabError(f"{where}: this run has not written a checkpoint.")
    if present is None and (read_record(folder) or {}).get("status") in ("finished", "pruned"):
        anew = f" Begin a new run with its weights, --model.init_from={folder}, or" if weights_of(folder) else ""
        raise LabError(
            f"{where}: this run has come to its end, and no checkpoint is kept from which it could go on."
            f"{anew or ' To'} train it again: mnistlab reproduce {folder}"
        )
    return present


def _newest(name: str, root: Path, where: str, *, continues: bool) -> tuple[Path, Path]:
    """The checkpoint of that name in the newest run, or the other one where it has only that."""
    folder = newest(root, where, continues=continues)
    wanted = folder / (BEST if name == "best" else LAST)
    path = wanted if is_file(wanted) else continues_from(folder) if continues else weights_of(folder)
    if path is None:
        raise LabError(f"{where}: looked in {root} (--run.dir), but no training run has written a checkpoint yet.")
    return path, folder


def _within(folder: Path) -> str:
    """A hint at the newest run that lies in a folder."""
    runs: list[Path] = []
    with suppress(OSError):
        runs = sorted(each for each in folder.iterdir() if is_run(each) and weights_of(each))
    return f" Its newest run that has weights is {runs[-1]}." if runs else ""


def _near(path: Path, root: Path) -> str:
    """A hint at what is there."""
    sweep = sweep_called(str(path.parent), root) if path.parent != Path() else None
    if sweep:
        within = sorted(each.name for each in sweep.iterdir() if is_run(each) and weights_of(each))
        close = nearest(path.name, within) or within[-1:]
        named = " or ".join(str(path.parent / each) for each in close)
        return f" {path.parent} is a {kind_of(sweep)}.{f' Name one of its runs, such as {named}.' if close else ''}"
    serving: list[Path] = []
    with suppress(OSError):
        serving = [other for other in path.parent.iterdir() if other.suffix in (LAST.suffix, SUFFIX)]
    runs = read_runs(root) if path.parent == Path() else Runs((), ())
    names = runs.names.values()
    ids = short_ids(runs.folders, {*names}).values()
    known = {**{name: name for name in ("best", "last", *names, *ids)}, **{other.name: str(other) for other in serving}}
    close = [known[name] for name in nearest(path.name, known)]
    return (
        f" Did you mean {' or '.join(close)}?"
        if close
        else " Name a file, a run by its id or its folder, best, or last."
    )


def _last(weights: Path) -> str:
    """Where the checkpoint is that a training can continue from."""
    if is_file(weights.parent / LAST):
        return f" Use --ckpt_path={weights.parent}."
    return f" Use the folder of its run, or {LAST} in it."
