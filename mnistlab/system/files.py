"""Files that may be anyone's: only what is a file is read, and none without end; one is written whole or not at all."""

import errno
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mnistlab.errors import LabError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


_NOT_SYNCED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # what a file system says that does not know how
_LONGEST = 80  # characters of its own that a file lends to what is written beside it


NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a system says of a disk that is full."""


class FullDiskError(LabError):
    """There is no room on a disk."""

    exit_code = 1

    def __init__(self, name: str | None = None) -> None:
        place = f" while {name} was written" if name else ""
        super().__init__(f"the disk is full{place}. Make room: what was written before is whole.")


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
    return read_now(path, most_bytes)[0]


def read_now(path: Path | str, most_bytes: int) -> tuple[bytes, os.stat_result]:
    """The same without a look at what stands there first; and what the system says of the file that was read.

    Raises:
        FileNotFoundError: If there is nothing.
        UnreadableError: If it is something else than a file of that size at most.
    """
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            found = os.fstat(number)
            _check(path, found, most_bytes)
            content = os.read(number, found.st_size + 1)
            if len(content) != found.st_size:  # it grows, or the system gives it in parts
                with open(os.dup(number), "rb") as file:  # noqa: PTH123
                    content += file.read(most_bytes + 1 - len(content))
        finally:
            os.close(number)
    except NotADirectoryError as error:  # a file stands where a folder of it would be
        raise FileNotFoundError(error.errno, error.strerror, str(path)) from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(content) > most_bytes:
        raise _too_large(path, most_bytes)
    return content, found


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


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` to be written within, which then takes its place; whatever fails leaves the old one whole.

    Where a link stands, what it leads to is replaced; what is no file, such as a pipe, is written to as it is.

    Raises:
        OSError: Naming `path`, if there is no room, or nobody may write there.
    """
    target = path.resolve() if path.is_symlink() else path
    if target.exists() and not target.is_file():
        yield target
        return
    start = f".{target.name[:_LONGEST]}."
    clear_left_over(target.parent, start)
    temporary = target.with_name(f"{start}{os.getpid()}.tmp")
    try:
        yield temporary
        put(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise


@contextmanager
def telling(path: Path, way_out: str) -> Iterator[None]:
    """Tell in a line why a file cannot be written.

    Args:
        path: The file, as the user calls it.
        way_out: What to do where the disk is not full.

    Raises:
        LabError: If something within cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise FullDiskError(str(path)) from error
        raise LabError(f"{path} cannot be written: {error.strerror or error}. {way_out}") from error


def put(temporary: Path, target: Path) -> None:
    """Let a file that has been written take the place of another, once all of it lies on the disk."""
    with temporary.open("rb") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in _NOT_SYNCED:
                error.filename = str(target)
                raise
    if target.exists():
        shutil.copymode(target, temporary)
    temporary.replace(target)


def stream(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a new file bit by bit, so that all of it never lies in memory."""
    with path.open("wb") as file:
        write(file)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_bytes(path, text.encode(errors="surrogateescape"))


def clear_left_over(folder: Path, start: str = ".") -> None:
    """Remove what a process that is gone was writing with `replacing` when it ended.

    Args:
        folder: Where.
        start: How the names of these files begin.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            found = re.fullmatch(r"\..+\.(\d+)\.tmp", path.name)
            if found and path.name.startswith(start) and not _lives(int(found[1])):
                path.unlink()


def _lives(process: int) -> bool:
    """Whether there is a process of that number on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _check(path: Path | str, found: os.stat_result, most_bytes: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise UnreadableError(f"{path} cannot be read: it is {kind}, and a file is wanted.")
    if found.st_size > most_bytes:
        raise _too_large(path, most_bytes)


def _too_large(path: Path | str, most_bytes: int) -> UnreadableError:
    return UnreadableError(f"{path} cannot be read: it is larger than {most_bytes >> 20} MiB, as no such file is.")


def _unreadable(path: Path | str, error: OSError) -> UnreadableError:
    what = error.strerror or str(error)
    return UnreadableError(f"{path} cannot be read: {what[:1].lower()}{what[1:]}.")
