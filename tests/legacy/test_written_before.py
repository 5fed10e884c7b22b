"""What commit 69fd1d7 wrote is read and used: runs of each family, sweeps, presets with the names that there were.

`data/lab.tar.xz` is a folder in which somebody worked with it; `data/lab.sh` has the commands.
"""

import csv
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support import BEST, record_of

from mnistlab import CNN8K, Run
from mnistlab.cli import main

ARCHIVE = Path(__file__).parent / "data" / "lab.tar.xz"
FAMILIES = ("mlp", "dense", "cnn", "compact", "efficientnet", "convnext", "vit", "assembled", "multihead")
TINY = ("--trainer.max_epochs=1", "--model.lin1_size=1", "--model.lin2_size=4", "--model.lin3_size=4")
DATA = ("--data=SyntheticDigits", "--data.train_size=200", "--data.test_size=40", "--data.val_size=40")
SWEPT = (*DATA, "--data.batch_size=16", *TINY)
SWEEP = ("sweep", *SWEPT, "--model=SDN8K", "--model.optimizer.lr=log:1e-3..1e-1", "--sampler=random", "--name=tried")
COMPARE = ("compare", *SWEPT, "--models=SDN8K,SimpleDenseNet", "--name=compared", "--json")

Do = Callable[..., str]


@pytest.fixture
def lab(here: Path) -> Path:
    """The folder as it was left."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(here, filter="data")
    return here


@pytest.fixture
def do(lab: Path, capsys: pytest.CaptureFixture[str]) -> Do:
    """Run a command there; what it prints."""
    del lab

    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(arguments) == code, capsys.readouterr().err
        out, err = capsys.readouterr()
        return err if code else out

    return run


def called(name: str) -> Path:
    """The folder of the training run that was given this name."""
    (folder,) = {path.parent for path in Path("runs").glob("*/*/run.json") if record_of(path.parent)["name"] == name}
    return folder


def newest(command: str) -> Path:
    """The folder of the latest run of a command."""
    made = (path.parent for path in Path("runs").glob("*/*/run.json") if record_of(path.parent)["command"] == command)
    return max(made, key=lambda folder: str(record_of(folder)["started"]))


def rows(file: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_checkpoint_is_tested_and_trained_on(name: str, do: Do) -> None:
    """From the checkpoint alone it measures what its record says; then it goes on in its own folder."""
    folder = called(name)
    if name == "mlp":
        pytest.importorskip("tensorboard")  # it had that tracker
    before, record = rows(folder / "metrics.csv"), record_of(folder)
    said = {key: value for key, value in record["metrics"]["test"].items() if key != "checkpoint"}

    do("test", f"--ckpt_path={name}")
    found = record_of(newest("test"))["metrics"]
    assert {key: found[key] for key in said} == pytest.approx(said, rel=1e-4)

    do("fit", f"--ckpt_path={name}", f"--trainer.max_epochs={len(before) + 1}", "--run.test=false")
    after, now = rows(folder / "metrics.csv"), record_of(folder)
    assert after[:-1] == before
    assert float(after[-1]["train/loss"]) > 0
    assert now["status"] == "finished"
    assert len(now["segments"]) == len(record["segments"]) + 1


def test_runs_are_listed_shown_and_compared(do: Do) -> None:
    """With the figures of their records; a run that was continued has both epochs."""
    listed = {row["name"]: row for row in json.loads(do("runs", "--json")) if row["name"]}
    assert {*listed} == {*FAMILIES}
    shown = do("runs", "show", "cnn")
    assert "2 epochs in 0.1 s, in 2 parts" in shown
    assert "test/loss 2.346, test/acc 15.00 %" in shown
    compared = do("runs", "diff", "cnn", "mlp")
    assert "EarlyStopping" in compared
    assert "parted so far or further in 100 % of all cases" in compared

    run = Run.of(called("cnn"))
    assert (run.status, len(run.rows), run.parameters) == ("finished", 2, 512)
    assert len(run.outcomes.answers["label"].target) == 40
    assert "mnistlab.losses.FocalLoss" in do("inspect", "dense")


@pytest.mark.parametrize("what", ["cnn", "multihead", "runs/tried", "runs/compared", "runs/grid"])
def test_a_page_is_written(what: str, do: Do) -> None:
    """About a run, a sweep and a comparison."""
    assert "wrote" in do("report", what)


@pytest.mark.usefixtures("lab")
def test_a_run_is_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """With the same options; whether to the same bits is a matter of the machine, and is said."""
    code = main(["reproduce", "dense"])
    said = capsys.readouterr().out

    assert code in (0, 1)
    assert ("Bit-identical to" if code == 0 else "Not the same as") in said
    assert record_of(newest("fit"))["parameters"] == 1_672


def test_predictions_are_the_same(do: Do) -> None:
    """Image by image, as the table says that `predict` wrote."""
    before = rows(newest("predict") / "predictions.csv")
    do("predict", "--ckpt_path=vit")
    after = rows(newest("predict") / "predictions.csv")

    assert len(before) == len(after) == 40
    assert [*before[0]] == [*after[0]]
    for old, new in zip(before, after, strict=True):
        assert {key: float(value) for key, value in new.items()} == pytest.approx(
            {key: float(value) for key, value in old.items()}, abs=1e-4
        )


@pytest.mark.parametrize("name", ["cnn", "vit", "mlp"])
def test_a_net_is_explained(name: str, do: Do) -> None:
    """By Grad-CAM, attention and gradients."""
    assert "explained by" in do("explain", f"--ckpt_path={name}", "--images=2")
    assert (newest("explain") / "explanation.png").exists()


def test_weights_and_configurations_are_taken_over(do: Do) -> None:
    """Into a run of the same configuration, into another net, and from the file to give away."""
    folder = called("cnn")
    do("test", f"--ckpt_path={folder / 'model.safetensors'}")
    found = record_of(newest("test"))["metrics"]
    assert found["test/loss"] == pytest.approx(record_of(folder)["metrics"]["test"]["test/loss"], rel=1e-4)

    do("fit", f"--config={folder / 'config.yaml'}", "--run.name=again", "--model.init_from=cnn")
    assert record_of(called("again"))["parameters"] == 512


def test_a_checkpoint_is_loaded_in_python(lab: Path) -> None:
    """By Lightning's own method."""
    del lab
    file = called("cnn") / BEST
    model = CNN8K.load_from_checkpoint(file, weights_only=True)

    kept = torch.load(file, weights_only=True)["state_dict"]
    assert {*kept} == {*model.state_dict()}
    assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())


@pytest.mark.usefixtures("inline")
def test_a_sweep_goes_on(do: Do) -> None:
    """Once it is said that another state of the source may go on, its trials stand there already."""
    assert "--allow_drift=true goes on all the same" in do(*SWEEP, "--trials=2", code=2)

    table = do(*SWEEP, "--trials=3", "--allow_drift")
    assert "2 of 3 trials are there already." in table
    assert "3 finished" in table
    assert record_of(Path("runs/tried/trial-0002"))["status"] == "finished"


@pytest.mark.usefixtures("inline")
def test_a_sweep_of_a_preset_is_known_again(do: Do) -> None:
    """What the preset said is what it says, so nothing is left to do, and the best is shown."""
    table = do("sweep", "--config=Grid", "--name=grid", "--keep=1", "--allow_drift")

    assert "2 of 2 trials are there already." in table
    assert "2 finished" in table


@pytest.mark.usefixtures("inline")
def test_a_comparison_goes_on(do: Do) -> None:
    """With one more seed; the accuracy of the first is that of its record."""
    table: list[dict[str, Any]] = json.loads(do(*COMPARE, "--seeds=2", "--allow_drift"))

    kept = record_of(Path("runs/compared/SDN8K-seed-0"))["metrics"]["test"]["test/acc"]
    assert {row["model"]: row["seeds"] for row in table} == {"SDN8K": [0, 1], "SimpleDenseNet": [0, 1]}
    assert table[0]["accuracies"][0] == kept


@pytest.mark.parametrize("preset", ["Old", "OldStyle"])
def test_a_preset_with_the_names_that_there_were_runs(preset: str, do: Do) -> None:
    """In YAML with paths of classes, in Python with imports, of what stands elsewhere today."""
    assert "since the start" in do("fit", f"--config={preset}"), "the profiler's table"
    assert record_of(newest("fit"))["presets"]
