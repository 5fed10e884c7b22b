"""What is printed is as wide as the terminal."""

import fcntl
import os
import pty
import struct
import sys
import termios
from pathlib import Path


def printed(columns: int, *words: str) -> list[str]:
    """The lines that a program prints on a terminal of so many columns."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        said = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        os.execve(sys.executable, [sys.executable, "-m", "mnistlab", *words], said)  # noqa: S606 - this program
    seen = b""
    try:
        while part := os.read(terminal, 65536):
            seen += part
    except OSError:  # as Linux says that the program has ended
        pass
    os.close(terminal)
    assert os.waitpid(child, 0)[1] == 0
    return seen.decode().splitlines()


def test_a_table_is_as_wide_as_the_terminal(here: Path) -> None:
    """In a window that is wider than usual, and in one that is narrower."""
    del here

    wide, usual, narrow = (max(map(len, printed(columns, "models"))) for columns in (110, 80, 78))

    assert 100 < wide <= 110
    assert 75 < usual <= 80
    assert narrow <= 78
