"""A terminal for what is measured: a bar is drawn only where somebody could see it."""

import os
import pty
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

_CHUNK = 65_536


@contextmanager
def terminal(log: Path) -> Iterator[None]:
    """Let standard output and error be a terminal of 80 columns, all of it kept in `log`."""
    ours, theirs = pty.openpty()
    copy = threading.Thread(target=_copy, args=(ours, log), daemon=True)
    copy.start()
    with os.fdopen(theirs, "w", buffering=1) as screen:
        before = os.environ.get("COLUMNS")
        os.environ["COLUMNS"] = "80"
        try:
            with redirect_stdout(screen), redirect_stderr(screen):
                yield
        finally:
            if before is None:
                del os.environ["COLUMNS"]
            else:
                os.environ["COLUMNS"] = before
    copy.join(timeout=5)
    os.close(ours)


def _copy(ours: int, log: Path) -> None:
    with log.open("ab") as file:
        while True:
            try:
                some = os.read(ours, _CHUNK)
            except OSError:  # what Linux says once nobody writes any more
                return
            if not some:
                return
            file.write(some)


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of what was shown."""
    sys.stdout.flush()
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
