"""What MLflow keeps."""

import csv
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnistlab.cli import main
from mnistlab.runs.reading import read_record

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Fit = Callable[..., Path]

mlflow = pytest.importorskip("mlflow")


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test learns of another's server, and logging is as before."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    level = logging.getLogger("mlflow").level
    yield
    logging.getLogger("mlflow").setLevel(level)


def only_run(uri: str, experiment: str = "mnistlab") -> "tuple[MlflowClient, Run]":
    """The run of an experiment, and who knows more of it."""
    file = uri.removeprefix("sqlite:///")
    client = mlflow.MlflowClient(f"sqlite:///{Path(file).absolute()}" if file != uri else uri)
    (run,) = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return client, run


def test_a_process_that_has_gone_elsewhere_keeps_its_runs_there(
    tmp_path: Path, small_data: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the database of the folder in which it was before, by the same address."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        options = ["--trainer.max_epochs=1", "--run.test=false", f"--run.name={name}", "--logger=mlflow"]
        assert main(["fit", "--model=SDN8K", *small_data, *options]) == 0

    assert only_run(f"sqlite:///{tmp_path}/one/runs/mlflow.db")[1].info.run_name == "one"
    assert only_run(f"sqlite:///{tmp_path}/other/runs/mlflow.db")[1].info.run_name == "other"


def test_a_run_is_kept_beside_the_runs(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Name, tags, parameters, curves, outcome, files; nothing else is said on the screen."""
    options = ["--trainer.max_epochs=2", "--run.tags=quick,first", "--model.hidden_dim=16", "--logger=mlflow"]
    assert main(["fit", "--model=TinyModel", *small_data, *options]) == 0
    (run,) = Path("runs/tiny").iterdir()
    printed = capsys.readouterr()
    client, kept = only_run("sqlite:///runs/mlflow.db")

    assert printed.err == ""
    assert "MLflow: mlflow ui --backend-store-uri=sqlite:///runs/mlflow.db\n" in printed.out
    assert kept.info.status == "FINISHED"
    assert kept.info.run_name == "tiny"
    assert kept.data.tags.items() >= {
        ("model", "tiny"),
        ("data", "SyntheticDigits"),
        ("run", str(run)),
        ("quick", "true"),
        ("first", "true"),
    }
    said = {"model": "TinyModel", "model.hidden_dim": "16", "model.optimizer": "AdamW", "trainer.max_epochs": "2"}
    assert kept.data.params.items() >= said.items()
    assert not [name for name in kept.data.params if "instantiator" in name or "class_path" in name]
    rows = list(csv.DictReader((run / "metrics.csv").read_text(encoding="utf-8").splitlines()))
    for name in ("train/loss", "val/acc", "lr", "step"):
        points = client.get_metric_history(kept.info.run_id, name)
        assert [(point.step, point.value) for point in points] == [
            (epoch, float(row[name])) for epoch, row in enumerate(rows, 1)
        ]
    metrics = (read_record(run) or {})["metrics"]
    assert kept.data.metrics["test/acc"] == metrics["test"]["test/acc"]
    assert kept.data.metrics["best/val/acc"] == metrics["best"]["val/acc"]
    assert {path.name for path in here.iterdir()} == {"runs"}
    files = {file.path for file in client.list_artifacts(kept.info.run_id)}
    assert files == {"config.yaml", "run.json", "best.ckpt", "model.safetensors"}
    assert Path("runs", "mlartifacts", kept.info.run_id, "artifacts", "best.ckpt").is_file()


def test_a_run_that_is_continued_stays_one_run(fit: Fit) -> None:
    """With each epoch once, also those from before it was tracked."""
    place = ("--logger=mlflow", "--logger.uri=sqlite:///kept/db.sqlite", "--logger.experiment=mine")
    run = fit("--trainer.max_epochs=1")

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2", *place]) == 0
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=3"]) == 0

    client, kept = only_run("sqlite:///kept/db.sqlite", "mine")
    assert [point.step for point in client.get_metric_history(kept.info.run_id, "val/acc")] == [1, 2, 3]
    assert kept.info.status == "FINISHED"
    assert Path("kept", "mlartifacts").is_dir()


def test_a_server_that_is_away_costs_seconds(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told once, whatever MLflow itself would do for minutes."""
    run = fit("--logger=mlflow", "--logger.uri=http://127.0.0.1:1")

    (line,) = capsys.readouterr().err.splitlines()
    assert "the run goes on without MLflow" in line
    record = read_record(run) or {}
    assert record["status"] == "finished"


def test_the_environment_names_a_place(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does for other programs that use MLflow."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")

    fit("--logger=mlflow")

    assert only_run("sqlite:///other.db")[1].info.status == "FINISHED"
