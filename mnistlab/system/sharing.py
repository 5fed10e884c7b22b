"""What is made in a folder that several people share, is theirs as the folder is, whatever umask each of them has."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER = stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO
_FILE = _FOLDER & ~(stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; where others may write in what is there, they may in what is made.

    Raises:
        OSError: If it cannot be made.
    """
    try:
        with _rights(folder.parent, _FOLDER, stat.S_ISVTX) as rights:
            folder.mkdir(rights)
    except FileNotFoundError:  # so there is none above it
        make_folder(folder.parent)
        make_folder(folder)
    except OSError:
        if not folder.is_dir():
            raise


def shared(path: str, flags: int) -> int:
    """Open a file as `open` does: its `opener`. Where others may write in its folder, they may in one that is made.

    One that is there is opened as it is: in a folder where only owners remove, Linux refuses who would make it anew.
    """
    with suppress(FileNotFoundError):
        return os.open(path, flags & ~os.O_CREAT)
    with _rights(Path(path).parent, _FILE) as rights:
        return os.open(path, flags, rights)


@contextmanager
def _rights(above: Path, usual: int, more: int = 0) -> Iterator[int]:
    """The rights of what is made within: with those that others have in the folder above, where they may write there.

    Nothing is open to fewer for a moment, in which another one would be refused: for that moment there is no umask.
    """
    theirs = above.stat().st_mode
    if not theirs & _WRITE:
        yield usual
        return
    before = os.umask(0)
    try:
        yield usual & ~before | theirs & (usual | more) & ~stat.S_IRWXU
    finally:
        os.umask(before)
