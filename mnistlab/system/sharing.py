"""What is made in a folder that several people share, is theirs as the folder is, whatever umask each of them has."""

import os
import stat
from contextlib import suppress
from pathlib import Path

_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITE = stat.S_IWGRP | stat.S_IWOTH
_FOLDER, _FILE = _OF_OTHERS | stat.S_ISVTX, _OF_OTHERS & ~(stat.S_IXGRP | stat.S_IXOTH)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; where others may write in what is there, they may in what is made.

    Raises:
        OSError: If it cannot be made.
    """
    try:
        folder.mkdir()
    except FileNotFoundError:  # so there is none above it
        make_folder(folder.parent)
        make_folder(folder)
    except OSError:
        if not folder.is_dir():
            raise
    else:
        _share(folder, _FOLDER)


def shared(path: str, flags: int) -> int:
    """Open a file as `open` does: its `opener`. Where others may write in its folder, they may in one that is made.

    One that is there is opened as it is: in a folder where only owners remove, Linux refuses who would make it anew.
    """
    while True:
        with suppress(FileNotFoundError):
            return os.open(path, flags & ~os.O_CREAT)
        with suppress(FileExistsError):  # another process was faster
            number = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
            _share(Path(path), _FILE)
            return number


def _share(made: Path, most: int) -> None:
    """Give to others what they have in the folder, where they may write there."""
    with suppress(OSError):  # a file system without such rights
        theirs = made.parent.stat().st_mode
        if theirs & _WRITE:
            made.chmod(stat.S_IMODE(made.stat().st_mode) | theirs & most)
