"""Files that may be anyone's: only what is a file is read, and none without end."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from mnistlab.errors import LabError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class UnreadableError(LabError):
    """Something stands where a file is wanted, and cannot be read as that."""


def is_file(path: Path) -> bool:
    """Whether there is a file, or a link to one; where nobody may look there is none."""
    with suppress(OSError):
        return path.is_file()
    return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder; where nobody may look there is none."""
    with suppress(OSError):
        return path.is_dir()
    return False


def stands(path: Path) -> bool:
    """Whether anything is there, be it a file or not; where nobody may look there may be."""
    try:
        path.lstat()
    except PermissionError:
        return True
    except (OSError, ValueError):  # there is none, or cannot be one of that name
        return False
    return True


def check_file(path: Path, most_bytes: int) -> None:
    """Refuse what is no file, or too large a one.

    Raises:
        FileNotFoundError: If there is nothing.
        UnreadableError: If it is something else than a file of that size at most.
    """
    try:
        found = path.stat()
    except NotADirectoryError as error:  # a file stands where a folder of it would be
        raise FileNotFoundError(error.errno, error.strerror, str(path)) from error
    except FileNotFoundError:
        if path.is_symlink():
            raise UnreadableError(f"{path} cannot be read: it is a link that leads nowhere.") from None
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
    _check(path, found, most_bytes)


def read_file(path: Path, most_bytes: int) -> bytes:
    """The contents of a file. Nothing is waited for, and no more than `most_bytes` is taken into memory.

    Raises:
        FileNotFoundError: If there is nothing.
        UnreadableError: If it is something else than a file of that size at most.
    """
    check_file(path, most_bytes)
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:  # noqa: PTH123
            _check(path, os.fstat(file.fileno()), most_bytes)  # it may have been exchanged since
            content = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(content) > most_bytes:
        raise _too_large(path, most_bytes)
    return content


def read_text(path: Path, most_bytes: int) -> str:
    """The same as text.

    Raises:
        FileNotFoundError: If there is nothing.
        UnreadableError: If it is something else than a file of UTF-8 of that size at most.
    """
    try:
        return read_file(path, most_bytes).decode()
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path} cannot be read: it is not UTF-8.") from error


def _check(path: Path, found: os.stat_result, most_bytes: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise UnreadableError(f"{path} cannot be read: it is {kind}, and a file is wanted.")
    if found.st_size > most_bytes:
        raise _too_large(path, most_bytes)


def _too_large(path: Path, most_bytes: int) -> UnreadableError:
    return UnreadableError(f"{path} cannot be read: it is larger than {most_bytes >> 20} MiB, as no such file is.")


def _unreadable(path: Path, error: OSError) -> UnreadableError:
    what = error.strerror or str(error)
    return UnreadableError(f"{path} cannot be read: {what[:1].lower()}{what[1:]}.")
