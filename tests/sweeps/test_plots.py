"""What the plots of a sweep show."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from mnistlab.cli import main
from mnistlab.reports.charts import Chart


@pytest.mark.usefixtures("inline")
def test_every_trial_has_a_line_to_its_value(
    here: Path, small_data: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial without an option of another class passes its column by."""
    del here
    columns: list[tuple[int, set[float]]] = []

    def look(chart: Chart, path: Path) -> Path:
        if path.stem == "parallel":
            axes = Figure().subplots()
            chart.draw(axes)
            ends = {float(np.asarray(line.get_xdata())[-1]) for line in axes.lines}
            columns.append((len(axes.lines), ends))
        return path

    monkeypatch.setattr(Chart, "save", look)
    swept = ["--model=choice:TinyModel,SDN8K", "--model.dropout=choice:0.1,0.2", "--model.hidden_dim=choice:16,32"]
    assert main(["sweep", *swept, *small_data, "--trainer.max_epochs=1", "--trainer.limit_train_batches=1"]) == 0

    ((lines, ends),) = columns
    assert lines > 4
    assert len(ends) == 1
