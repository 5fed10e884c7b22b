"""A long measurement shows how far it is."""

import io
import itertools

import pytest

from mnistlab import main
from mnistlab.catalogue import load_catalogue


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which every look takes eleven seconds."""
    load_catalogue()  # by which it is decided whether Lightning is wanted
    clock = itertools.count(step=11)
    monkeypatch.setattr("mnistlab.training.going.time.monotonic", lambda: float(next(clock)))


COMMAND = ("predict", "--untrained", "--model=SDN8K", "--data.eval_batch_size=50")


@pytest.mark.usefixtures("here", "slow")
def test_a_log_gets_a_line_now_and_then(small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """With what is done, how far it is, and for how long."""
    assert main([*COMMAND, *small_data]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("predicting")]

    assert lines == [f"predicting {done}/4  {11 * done} s" for done in (1, 2, 3, 4)]


@pytest.mark.usefixtures("here", "slow")
def test_a_proof_is_told_too(small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """The answers of the net itself, and those of each form."""
    assert main(["export", "--untrained", "--model=SDN8K", *small_data, "--data.test_size=300"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "/2 " in line]

    assert lines == [f"{what} {done}/2  {11 * done} s" for what in ("asking the net", "proving pt2") for done in (1, 2)]


@pytest.mark.usefixtures("here", "slow")
def test_a_terminal_gets_a_count_that_goes_away(small_data: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is left before what comes of the command."""
    monkeypatch.setattr("sys.stdout", screen := Terminal())

    assert main([*COMMAND, *small_data]) == 0
    assert "\rpredicting 4/4" in screen.getvalue()
    assert "\r              \r200 predictions are in " in screen.getvalue()
