"""Keeps what a command has measured as a run: with all that belongs to it, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mnistlab.runs.folder import CONFIG, OUTCOMES, PICTURE, PREDICTED, PREDICTIONS, RECORD
from mnistlab.system.sharing import make_folder

_TABLES = [str(Path(PREDICTIONS).with_suffix(suffix)) for suffix in (".csv", ".npz", ".parquet")]


@contextmanager
def whole(folder: Path) -> Iterator[None]:
    """Keep a run with all that belongs to it, or none: on a full disk it would be one that cannot be read."""
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)  # a callback may have written there
    try:
        yield
    except BaseException:
        for name in (CONFIG, RECORD, OUTCOMES, PICTURE, PREDICTED, *_TABLES):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()
            folder.parent.rmdir()
        raise
