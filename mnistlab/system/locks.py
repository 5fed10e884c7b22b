"""One process at a time, among all that can reach a file."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mnistlab.system.sharing import shared


@contextmanager
def locked(path: Path, waiting: str = "") -> Iterator[None]:
    """Keep other processes out of what is within; one that is killed lets the next one in.

    Where a file system knows no locks, nobody is kept out.

    Args:
        path: The lock; there is such a file as long as somebody has it or waits for it.
        waiting: What to say on standard error where another process has it.
    """
    while True:
        with open(path, "a", opener=shared) as file:
            with suppress(OSError):
                _take(file.fileno(), waiting)
            if not _is_open(path, file.fileno()):
                continue  # removed by who had it before: another one may have made and locked a new one
            try:
                yield
            finally:
                with suppress(PermissionError):  # another user had it before, and was killed
                    path.unlink(missing_ok=True)
            return


def _take(number: int, waiting: str) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waiting:
            print(waiting, file=sys.stderr)
        fcntl.flock(number, fcntl.LOCK_EX)


def _is_open(path: Path, number: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(number).st_ino
    except FileNotFoundError:
        return False
