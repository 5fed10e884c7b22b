"""Which checkpoint a name means."""

from pathlib import Path

from mnistlab.checkpoints.exported import SUFFIX
from mnistlab.errors import LabError
from mnistlab.nearest import nearest
from mnistlab.options.notation import at_home
from mnistlab.runs.folder import BEST, CONFIG, LAST, fit_runs, is_run, newest_with, weights_of
from mnistlab.runs.listing import only, run_folders, runs_called, short_ids


def find_checkpoint(name: str, root: Path, *, where: str, continues: bool = False) -> tuple[Path | None, Path | None]:
    """The file that `name` means, and the run that it is kept in.

    Args:
        name: A file, a run's folder, `best`, or `last`; where there is no such file, whatever `find_run` takes.
        root: Where `best` and `last` are looked for: the folder of all runs.
        where: How a message calls the name.
        continues: A training is to go on from it. Then a folder means its last checkpoint, not its best, and the file
            is None where a run has written none yet.

    Raises:
        LabError: If it names nothing, or nothing that serves.
    """
    if name in ("best", "last"):
        return _newest(BEST if name == "best" else LAST, root, where)
    path = Path(at_home(name))
    if not path.exists():
        path = _run(name, root, where)
    if path.is_dir():
        return _in_folder(path, where, continues=continues), path
    if not path.is_file():
        raise LabError(f"{where}: there is no such file.{_near(path, root)}")
    if continues and path.suffix == SUFFIX:
        raise LabError(f"{where}: it holds weights only, no optimizer and no position to continue from.{_last(path)}")
    folder = path.resolve().parent.parent
    return path, folder if path.resolve().parent.name == LAST.parent.name and is_run(folder) else None


def _run(name: str, root: Path, where: str) -> Path:
    """The folder of the run that an id or a name means; the path itself where it means none."""
    found = runs_called(name.rstrip("/"), root) if name.rstrip("/") else []
    return only(found, where) if found else Path(name)


def _in_folder(folder: Path, where: str, *, continues: bool) -> Path | None:
    if not is_run(folder):
        raise LabError(f"{where}: this folder is not a run: it has no {CONFIG}.")
    last = next((folder / name for name in (LAST, BEST) if (folder / name).is_file()), None)
    present = last if continues else weights_of(folder)
    if present is None and not continues:
        raise LabError(f"{where}: this run has not written a checkpoint.")
    return present


def _newest(wanted: Path, root: Path, where: str) -> tuple[Path, Path]:
    folder = newest_with(root, wanted) or newest_with(root, LAST)
    if folder is None:
        state = "has written a checkpoint yet" if fit_runs(root) else "lies there"
        raise LabError(f"{where}: looked in {root} (--run.dir), but no training run {state}.")
    return (folder / wanted if (folder / wanted).is_file() else folder / LAST), folder


def _near(path: Path, root: Path) -> str:
    """A hint at what is there."""
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    serving = [other for other in beside if other.suffix in (LAST.suffix, SUFFIX)]
    ids = short_ids(run_folders(root)).values() if path.parent == Path() else ()
    known = {**{name: name for name in ("best", "last", *ids)}, **{other.name: str(other) for other in serving}}
    close = [known[name] for name in nearest(path.name, known)]
    return (
        f" Did you mean {' or '.join(close)}?"
        if close
        else " Name a file, a run by its id or its folder, best, or last."
    )


def _last(weights: Path) -> str:
    """Where the checkpoint is that a training can continue from."""
    if (weights.parent / LAST).is_file():
        return f" Use --ckpt_path={weights.parent}."
    return f" Use the folder of its run, or {LAST} in it."
