"""A run is read in one place; its files may be of an older mnistlab, half written, missing, or of anyone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import mnistlab
from mnistlab.errors import LabError
from mnistlab.runs.run import Run

ODD: list[object] = [
    {},
    {"metrics": [], "segments": {}, "tags": "a", "timings": None, "started": 5, "point": [1]},
    {"metrics": {"test": {"test/acc": "high"}, "best": {"val/acc": float("nan")}}, "parameters": True, "segments": [1]},
    {"status": "running", "process": "x", "host": [], "segments": [{"command": 1}, {"error": {}}], "started": "soon"},
]


@pytest.mark.parametrize("record", ODD)
def test_an_odd_record_is_read_too(here: Path, record: object) -> None:
    """What is not there, or something else, is not known."""
    (here / "run.json").write_text(json.dumps(record))
    run = Run.salvage(here)

    assert (run.test_acc, run.val_acc, run.parameters, run.seconds) == (None,) * 4
    assert (run.tags, run.point, list(run.rows), run.epoch_seconds) == ((), {}, [], [])
    assert all(isinstance(each, str) for each in (run.title, run.name, run.status, run.started, run.error))
    assert all(isinstance(command, str) for command in run.commands)
    assert run.verdict is None


def test_a_folder_without_a_record_is_called_by_its_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Or with one that cannot be read, which is told once."""
    (here / "run.json").write_text("{")
    run = Run.salvage(here)

    assert (run.title, run.status) == (here.name, "")
    assert capsys.readouterr().err == f"note: {here}/run.json cannot be read: it is no JSON, or nested without end.\n"


def test_rows_hold_finite_numbers_only(here: Path) -> None:
    """A loss that is none leaves a gap in the curve."""
    (here / "metrics.csv").write_text("epoch,val/loss,val/acc\n0,nan,0.5\n1,2.5,\n2,x,inf,7\n")

    assert Run(here).rows == [{"epoch": 0, "val/acc": 0.5}, {"epoch": 1, "val/loss": 2.5}, {"epoch": 2}]


def test_whoever_asks_for_a_run_hears_why_there_is_none(here: Path) -> None:
    """In a line; who only looks whether there is one gets none."""
    with pytest.raises(LabError, match=r"has no run\.json: the run was not begun, or its record was removed"):
        Run.of(here)
    assert Run.find(here) is None

    (here / "run.json").write_text("[]")
    for read in (Run.of, Run.find):
        with pytest.raises(LabError, match="is not the record of a run"):
            read(here)


def test_a_run_is_read_from_python(fit: Callable[..., Path]) -> None:
    """As README says, by the name of its folder; what stands in its files is what it says."""
    folder = fit()
    run = mnistlab.Run.of(str(folder))

    assert (run.folder, run.status, run.command, run.architecture) == (folder, "finished", "fit", "TinyModel")
    assert [row["epoch"] for row in run.rows] == list(range(run.epochs or 0))
    assert run.val_acc == max(row["val/acc"] for row in run.rows)
    assert run.test_acc == float(run.outcomes.answers["label"].right.mean())
    assert run.tested_in(folder.parent.parent) is run
    assert run.weights == folder / "checkpoints/best.ckpt"
    assert {entry.key: entry.data for entry in run.configuration}["model",] == "mnistlab.models.TinyModel"
