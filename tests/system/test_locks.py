"""One process at a time, and nothing is left that could be in the way of the next."""

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from mnistlab.system.locks import locked

COUNTING = """
import sys
from pathlib import Path
from mnistlab.system.locks import locked
for _ in range(200):
    with locked(Path(".lock")):
        number = Path("number")
        number.write_text(str(int(number.read_text()) + 1))
"""
HOLDING = """
from pathlib import Path
from mnistlab.system.locks import locked
with locked(Path(".lock")):
    print("held", flush=True)
    input()
"""


def test_no_two_are_within_at_once(here: Path) -> None:
    """However often the lock is removed and made anew."""
    (here / "number").write_text("0")
    processes = [subprocess.Popen([sys.executable, "-c", COUNTING]) for _ in range(3)]

    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert (here / "number").read_text() == "600"
    assert not (here / ".lock").exists()


def test_who_waits_says_so_and_is_let_in_where_the_other_is_killed(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The system frees a lock however its holder ends."""
    lock = here / ".lock"
    other = subprocess.Popen([sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    ender = subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(0.5); os.kill({other.pid}, 9)"])

    with locked(lock, "Waiting ..."):
        assert other.wait(60) == -9
        assert lock.exists()
    assert ender.wait(60) == 0
    assert capsys.readouterr().err == "Waiting ...\n"
    assert not lock.exists()
    other.communicate()


def test_where_a_file_system_knows_no_locks_nobody_is_kept_out(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as some of a network."""

    def refuse(number: int, operation: int) -> None:
        del number, operation
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(here / ".lock"):
        assert (here / ".lock").exists()
    assert not (here / ".lock").exists()
