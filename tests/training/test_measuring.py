"""What is measured without Lightning has the digits of its trainer."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnistlab import main
from mnistlab.catalogue import load_catalogue
from mnistlab.models import __all__ as MODELS
from mnistlab.runs.outcomes import load_outcomes

BY_TRAINER = "--trainer.max_epochs=1"
"""An option that only a trainer heeds, and that changes nothing here."""

Measure = Callable[..., tuple[Path, dict[str, Any]]]


@pytest.fixture
def measure(here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Measure:
    """Run a command; the folder and the record of what it has kept."""
    load_catalogue()  # by which it is decided whether Lightning is wanted

    def run(command: str, *options: str) -> tuple[Path, dict[str, Any]]:
        before = set(here.glob("runs/*/*"))
        assert main([command, *small_data, *options]) == 0, capsys.readouterr().err
        (folder,) = set(here.glob("runs/*/*")) - before
        return folder, json.loads((folder / "run.json").read_text())

    return run


def both(measure: Measure, command: str, *options: str) -> tuple[tuple[Path, dict[str, Any]], ...]:
    """The outcome without Lightning, and that of its trainer."""
    return measure(command, *options), measure(command, *options, BY_TRAINER)


def outcomes(folder: Path) -> dict[str, list[list[float]]]:
    """What a test has said about each image, by label."""
    answers = load_outcomes(folder / "outcomes.safetensors").answers
    return {label: [values.tolist() for values in vars(each).values()] for label, each in answers.items()}


@pytest.mark.parametrize("model", [name for name in MODELS if not name.startswith("Multihead")])
def test_every_model_is_measured_alike(measure: Measure, model: str) -> None:
    """To the last digit that is kept, of every family and size."""
    needed = {
        "Assembled": "--model.backbone=CNNBackbone",
        "Wrapped": "--model.net=torchvision.models.shufflenet_v2_x0_5",
    }
    parts = [needed[model]] if model in needed else []
    few = "--data.eval_batch_size=32", "--trainer.limit_test_batches=2"
    (folder, record), (theirs, expected) = both(measure, "test", f"--model={model}", "--untrained", *few, *parts)

    assert record["metrics"] == expected["metrics"]
    assert (folder / "config.yaml").read_text().replace("max_epochs: 10", "max_epochs: 1") == (
        theirs / "config.yaml"
    ).read_text()
    assert outcomes(folder) == outcomes(theirs)


OPTIONS = (
    ("--trainer.precision=bf16-mixed",),
    ("--trainer.precision=bf16-true",),
    ("--trainer.precision=64-true",),
    ("--trainer.limit_test_batches=1", "--trainer.limit_val_batches=1", "--trainer.limit_predict_batches=1"),
    ("--data.labels=MeasuredLabels", "--model.loss_weights.digit=2"),
    ("--data.labels=MeasuredLabels", "--model.losses.digit=OrdinalRegressionLoss", "--trainer.precision=bf16-mixed"),
    ("--model.metrics=Top3Accuracy,CalibrationError", "--model.channels_last=true"),
    ("--data.partition=pooled", "--seed_everything=5", "--threads=1", "--trainer.accelerator=cpu"),
    ("--model.loss=FocalLoss", "--trainer.devices=1", "--trainer.deterministic=false"),
)


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("command", ["test", "validate"])
def test_a_loop_measures_what_the_trainer_measures(measure: Measure, command: str, options: tuple[str, ...]) -> None:
    """Whatever precision, heads, metrics, losses and parts of the data."""
    (_, record), (_, expected) = both(measure, command, "--untrained", "--model=CNN8K", *options)

    assert record["metrics"] == expected["metrics"]
    assert record["data_fingerprint"] == expected["data_fingerprint"]


@pytest.mark.parametrize("options", OPTIONS[:6], ids=" ".join)
def test_a_loop_predicts_what_the_trainer_predicts(measure: Measure, options: tuple[str, ...]) -> None:
    """Every probability of every head."""
    (folder, _), (theirs, _) = both(measure, "predict", "--untrained", "--model=CNN8K", *options)

    with (folder / "predictions.csv").open() as file:
        assert len(next(csv.reader(file))) > 10
    assert (folder / "predictions.csv").read_bytes() == (theirs / "predictions.csv").read_bytes()


@pytest.mark.parametrize("options", [(), *OPTIONS[:3]], ids=" ".join)
@pytest.mark.parametrize("model", ["CNN8K", "ViT38K", "SDN8K"])
def test_a_loop_explains_as_the_trainer_does(measure: Measure, model: str, options: tuple[str, ...]) -> None:
    """The picture is the same to the last pixel."""
    (folder, _), (theirs, _) = both(measure, "explain", "--untrained", f"--model={model}", *options)

    assert (folder / "explanation.png").read_bytes() == (theirs / "explanation.png").read_bytes()


def test_random_weights_are_those_of_the_seed(measure: Measure) -> None:
    """As `fit` begins with; another seed gives others."""
    first, again, other = (
        measure("test", "--untrained", "--model=SDN8K", f"--seed_everything={seed}")[1]["metrics"] for seed in (3, 3, 4)
    )

    assert first == again != other


HEAVY = ("lightning", "torchvision", "torchmetrics", "sympy", "matplotlib", "optuna", "triton")


@pytest.mark.parametrize("command", ["test", "validate", "predict", "explain"])
def test_a_net_that_is_only_measured_loads_no_lightning(here: Path, fit: Callable[..., Path], command: str) -> None:
    """Nor what makes an optimizer: in a process of its own, from a checkpoint; with the digits of the trainer."""
    load_catalogue()
    run = fit("--model=CNN8K", "--trainer.max_epochs=1")
    script = (
        f"import atexit, sys; atexit.register(lambda: print('LOADED', *sys.modules)); from mnistlab.cli import entry; "
        f"sys.argv[1:1] = ['{command}', '--ckpt_path={run}']; entry()"
    )
    before = set(here.glob("runs/*/*"))
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # as this process, where the trainer measures
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=alone)
    (folder,) = set(here.glob("runs/*/*")) - before
    assert main([command, f"--ckpt_path={run}", BY_TRAINER]) == 0
    (theirs,) = set(here.glob("runs/*/*")) - {*before, folder}

    assert not {name.partition(".")[0] for name in done.stdout.partition("LOADED")[2].split()} & set(HEAVY)
    assert left_by(folder, command) == left_by(theirs, command)
    assert all(line.startswith("note:") for line in done.stderr.splitlines())  # no adverts


def left_by(folder: Path, command: str) -> tuple[object, list[bytes], object]:
    """The figures, the files and the answers that a command has left."""
    files = [each.read_bytes() for each in sorted(folder.iterdir()) if each.suffix in (".csv", ".png")]
    answers = outcomes(folder) if command == "test" else None
    return json.loads((folder / "run.json").read_text()).get("metrics"), files, answers


@pytest.mark.usefixtures("here")
def test_a_program_that_measures_may_train_afterwards(small_data: tuple[str, ...]) -> None:
    """`main` belongs to whoever calls it: only the command itself does without Lightning."""
    script = (
        f"from mnistlab import main\nassert main(['test', '--untrained', '--model=SDN8K', *{small_data!r}]) == 0\n"
        f"assert main(['fit', '--model=SDN8K', '--trainer.max_epochs=1', *{small_data!r}]) == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_classes_of_ones_own_are_measured_by_the_trainer(measure: Measure, here: Path) -> None:
    """Which calls what they have written."""
    (here / "own_net.py").write_text(
        "from mnistlab import SDN8K\n\n\nclass OwnNet(SDN8K):\n"
        '    """Ours."""\n\n    name = "own_net"\n\n'
        "    def on_test_start(self) -> None:\n        print('heard')\n"
    )
    sys.path.insert(0, str(here))
    try:
        measure("test", "--untrained", "--model=own_net.OwnNet")
    finally:
        sys.path.remove(str(here))


def test_outcomes_are_kept_for_every_image(measure: Measure) -> None:
    """What `runs diff` compares."""
    folder, _ = measure("test", "--untrained", "--model=SDN8K")

    assert len(load_outcomes(folder / "outcomes.safetensors").answers["label"].prediction) == 200
