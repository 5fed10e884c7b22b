"""In a notebook the bar is one line that is drawn anew."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mnistlab.callbacks import epoch_bar


class Cell:
    """What a cell shows, by the number of the display."""

    def __init__(self) -> None:
        self.shown: list[list[str]] = []

    def display(self, data: dict[str, str], *, raw: bool, display_id: bool) -> SimpleNamespace:
        """Show something new; what is given back changes it."""
        assert raw
        assert display_id
        mine = [data["text/plain"]]
        self.shown.append(mine)
        return SimpleNamespace(update=lambda data, **_: mine.append(data["text/plain"]))


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """A kernel, as IPython tells of one."""
    found = Cell()
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined] # as it has it
    display.display = found.display  # type: ignore[attr-defined] # as above
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(epoch_bar, "_REFRESH_S", 0.0)
    return found


def test_a_training_shows_one_line_that_changes(cell: Cell, fit: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the number of epochs and of steps; it is empty at the end, and the epochs' lines are printed."""
    fit("--trainer.max_epochs=2")
    (line,) = cell.shown
    printed = capsys.readouterr().out.splitlines()

    assert any("epoch 1/2" in text and "4/4" in text and "━" in text for text in line)
    assert any("epoch 2/2" in text and "1/4" in text for text in line)
    assert any("validating" in text for text in line)
    assert line[-1] == ""
    assert all("\n" not in text and len(text) <= 80 for text in line)
    assert len([text for text in printed if text.startswith("epoch")]) == 2
    assert not any("━" in text for text in printed)
