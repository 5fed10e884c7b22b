"""docs/notebook.ipynb runs as JupyterLab would run it."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent.parent / "docs" / "notebook.ipynb"


def test_the_notebook_is_kept_without_outputs() -> None:
    """What a cell has shown belongs to who has run it."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]

    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)


@pytest.mark.slow
def test_every_cell_of_the_notebook_runs_and_shows_something(here: Path) -> None:
    """In a kernel of its own: tables and charts as HTML, with words for who sees none; no warning."""
    notebook = nbformat.read(NOTEBOOK, 4)  # type: ignore[no-untyped-call] # its types end here
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(here)}}).execute()
    cells: list[Any] = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = {cell.source.splitlines()[-1]: cell.outputs for cell in cells}

    told = [each.text for outputs in shown.values() for each in outputs if each.get("name") == "stderr"]
    assert all(line.startswith("note: ") for text in told for line in text.splitlines())  # such as of busy cores
    assert all(outputs[-1].output_type == "execute_result" for outputs in shown.values())
    for name in ("history", "plot()", "confusion()", "mistakes()", "calibration()", "predict(page)"):
        data = shown[f"run.{name}"][-1].data
        assert data["text/html"].startswith('<div class="mnistlab"><style>')
        assert data["text/plain"].strip()
    assert shown["run"][-1].data["text/plain"].startswith("Run('first', runs")
