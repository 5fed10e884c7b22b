"""A line in a notebook that is drawn anew where it stands; IPython is asked, and never imported for it."""

import sys
from importlib import import_module
from typing import Any


class NotebookLine:
    """A line of the cell that runs: one, however often its text changes, also in the file that is saved."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        """Show a text in place of the one before."""
        data = {"text/plain": text}
        if self._handle is None:
            self._handle = import_module("IPython.display").display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


def notebook_line() -> NotebookLine | None:
    """A line of the cell that runs; None where no kernel runs one."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return NotebookLine() if getattr(shell, "kernel", None) is not None else None
