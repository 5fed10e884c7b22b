"""`mnistlab test --ckpt_path=A,B`: several nets as one."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import record_of

from mnistlab.cli import main
from mnistlab.data import SyntheticDigits
from mnistlab.runs.outcomes import load_outcomes

Told = Callable[..., str]
Trained = Callable[..., Path]


@pytest.fixture
def two(trained: Trained) -> list[Path]:
    """Two nets of different families, trained on the same images with a normalization of their own."""
    return [trained("--model=SDN8K"), trained("--model=CNN8K", "--data.mean=0.2", "--data.std=0.5")]


def names(runs: list[Path]) -> str:
    """The option that names them."""
    return f"--ckpt_path={','.join(map(str, runs))}"


def predictions(folder: Path) -> np.ndarray:
    """The probabilities that `predict` has written."""
    with (folder / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    return np.array([[float(row[f"prob_{number}"]) for number in range(10)] for row in rows])


def newest(here: Path, model: str) -> Path:
    """The run that was kept last."""
    return max((here / "runs" / model).iterdir(), key=lambda each: (each.stat().st_mtime_ns, each.name))


def test_the_mean_of_the_probabilities_is_tested(two: list[Path], told: Told, here: Path) -> None:
    """Each net sees the images with the normalization that it was trained with."""
    said = told("test", names(two))

    tested = newest(here, "ensemble")
    each = []
    for run in two:
        told("predict", f"--ckpt_path={run}")
        each.append(predictions(newest(here, run.parent.name)))
    mean = np.mean(each, axis=0)
    answers = load_outcomes(tested / "outcomes.safetensors").primary
    assert answers.prediction.tolist() == mean.argmax(axis=1).tolist()
    assert answers.confidence == pytest.approx(mean.max(axis=1), abs=1e-5)
    assert record_of(tested)["metrics"]["test/acc"] == pytest.approx(answers.right.mean())
    assert record_of(tested)["checkpoint"].count(",") == 1
    assert "Ensemble on the test images of SyntheticDigits" in said


def test_what_its_nets_have_each_for_itself_is_no_setting_of_an_ensemble(two: list[Path], told: Told) -> None:
    """It takes images raw, which nobody has chosen; its members are told, on the screen and of the run."""
    said = told("test", names(two), "--run.name=both")
    options = {each["option"] for each in json.loads(told("runs", "show", "both", "--json"))["settings"]}

    assert "data.mean" not in said
    assert "model.members" in said
    assert {name for name in options if name.startswith(("model", "data.m", "data.s"))} == {"model", "model.members"}


def test_the_mean_of_the_probabilities_is_predicted_and_validated(two: list[Path], told: Told, here: Path) -> None:
    """With the images that all of them have held out."""
    told("predict", names(two))
    probs = predictions(newest(here, "ensemble"))
    assert probs.sum(axis=1) == pytest.approx(1, abs=1e-4)

    assert "val/acc" in told("validate", names(two))


@pytest.mark.parametrize("precision", ["64-true", "bf16-true", "bf16-mixed"])
def test_an_ensemble_is_tested_with_any_precision(two: list[Path], told: Told, here: Path, precision: str) -> None:
    """That of one net is that of all."""
    told("test", names(two))
    figures = record_of(newest(here, "ensemble"))["metrics"]
    told("test", names(two), f"--trainer.precision={precision}")

    assert record_of(newest(here, "ensemble"))["metrics"]["test/loss"] == pytest.approx(figures["test/loss"], rel=0.05)


def test_pictures_are_answered_by_the_mean(two: list[Path], told: Told, here: Path) -> None:
    """Of several nets as of one."""
    data = SyntheticDigits(train_size=600, test_size=200, val_size=100)
    data.setup("test")
    sheet = 255 - data.test_images().images[0, 0].repeat_interleave(4, 0).repeat_interleave(4, 1)
    Image.fromarray(sheet.numpy()).save(here / "digit.png")

    answered = json.loads(told("predict", names(two), "--json", "digit.png"))

    assert sum(answered[0]["label"]["probs"]) == pytest.approx(1, abs=1e-3)


def test_a_folder_of_runs_is_an_ensemble(two: list[Path], told: Told, here: Path) -> None:
    """Of all of its runs that have weights; by its path, or by its name."""
    folder = here / "runs" / "several"
    for run in two:
        shutil.copytree(run, folder / run.name)
    (folder / "sweep.json").write_text("{}")

    told("test", f"--ckpt_path={folder}")
    told("test", "--ckpt_path=several")

    for run in (here / "runs" / "ensemble").iterdir():
        assert len(record_of(run)["checkpoint"].split(",")) == 2
    for weights in folder.glob("*/*/*.ckpt"):
        weights.unlink()
    for weights in folder.glob("*/*.safetensors"):
        weights.unlink()
    assert "none of the 2 runs in this folder has weights" in told("test", f"--ckpt_path={folder}", code=2)


def test_runs_of_a_folder_that_are_left_out_are_named(
    two: list[Path], capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    """Those of a sweep that has kept the weights of its best trials only; a name that is none of them is told."""
    folder = here / "runs" / "several"
    for run in two:
        shutil.copytree(run, folder / run.name)
    (folder / "sweep.json").write_text("{}")
    for weights in (folder / two[0].name).rglob("*.ckpt"):
        weights.unlink()
    (folder / two[0].name / "model.safetensors").unlink()

    for command in (("test",), ("predict", "--each")):
        assert main([*command, "--ckpt_path=several"]) == 0
        told = capsys.readouterr().err
        assert "note: 1 of 2 runs in runs/several left out, which have no weights (a sweep keeps those of" in told
        assert f": {two[0].name}\n" in told
    assert main(["test", "--ckpt_path=several/best"]) == 2
    near = f"several is a sweep. Name one of its runs, such as several/{two[1].name}."
    assert near in capsys.readouterr().err


def test_nets_that_do_not_go_together_are_refused(trained: Trained, told: Told) -> None:
    """In one line, before any work."""
    first = trained("--model=CNN8K")
    others = {
        "they have nothing to average": trained("--model=CNN8K", "--data.labels=DigitTable"),
        "on with --data.test_size=...": trained("--model=CNN8K", "--data.test_size=99"),
    }

    for said, other in others.items():
        assert said in told("test", names([first, other]), code=2)
    assert "has the nets of its checkpoints" in told("test", names([first, other]), "--model=CNN8K", code=2)
    assert "it names one net twice" in told("test", names([first, first]), code=2)
    assert "there is no such file" in told("test", f"--ckpt_path={first},nothing", code=2)
    assert "explain looks into one net, and these are 2" in told("explain", names([first, others.popitem()[1]]), code=2)


def test_images_that_one_of_them_has_learnt_are_no_validation(trained: Trained, told: Told) -> None:
    """The test images of all of them are the same."""
    runs = [trained("--model=CNN8K", "--data.val_size=null", f"--data.fold={fold}") for fold in (0, 1)]

    said = told("validate", names(runs), code=2)
    assert "data.fold=0" in said
    assert "what one of them is measured on, another has learnt" in said
    told("test", names(runs))


def test_an_ensemble_is_exported_as_one_net(two: list[Path], told: Told, here: Path) -> None:
    """Each file answers as the mean of the nets does."""
    told("test", names(two))
    expected = record_of(newest(here, "ensemble"))["metrics"]["test/acc"]

    said = told("export", names(two).removeprefix("--ckpt_path="), "--format=pt2,c", "--output=out/")

    assert "Each has answered 200 test images" in said
    told("test", "--model_file=out/net.pt2", "--trust=./out/net.pt2")
    assert record_of(newest(here, "exported"))["metrics"]["test/acc"] == expected
    assert "html shows one net" in told("export", names(two).partition("=")[2], "--format=html", code=2)
