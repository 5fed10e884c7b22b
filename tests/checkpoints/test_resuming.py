"""What is typed when a run is continued counts, for what torch keeps in the states of optimizer and schedule too."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mnistlab.cli import main

Fit = Callable[..., Path]


def rates(folder: Path) -> list[float]:
    """The learning rate at the end of each epoch, from the run's table."""
    rows = csv.DictReader((folder / "metrics.csv").read_text(encoding="utf-8").splitlines())
    return [float(row["lr"]) for row in rows]


@pytest.fixture
def run(fit: Fit) -> Path:
    """Two epochs of SGD, whose rate is halved after each."""
    schedule = ("--model.scheduler=StepLR", "--model.scheduler.step_size=1", "--model.scheduler.gamma=0.5")
    return fit("--model.optimizer=SGD", "--model.optimizer.lr=0.01", *schedule, "--trainer.max_epochs=2")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ((), 0.01 / 4),
        (("--model.optimizer.lr=0.08",), 0.08 / 4),
        (("--model.scheduler=null",), 0.01 / 4),
        (("--model.optimizer=Adam", "--model.optimizer.lr=0.02"), 0.02),
    ],
)
def test_the_learning_rate_follows_what_is_typed(run: Path, typed: tuple[str, ...], expected: float) -> None:
    """A new rate keeps the place in the schedule; a new class starts anew."""
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=3", *typed]) == 0

    assert rates(run) == pytest.approx([0.01, 0.005, expected])


def test_an_option_of_the_schedule_counts_from_the_next_step_on(run: Path) -> None:
    """The third epoch was fixed at the end of the second; the fourth is not."""
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=4", "--model.scheduler.gamma=0.1"]) == 0

    assert rates(run) == pytest.approx([0.01, 0.005, 0.0025, 0.00025])


@pytest.mark.parametrize("again", ["--config={}/config.yaml", "--ckpt_path={}"])
def test_the_defaults_of_a_run_do_not_follow_into_another_class(
    fit: Fit, again: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run writes all its values down; only those that somebody chose are kept when the class changes."""
    folder = fit("--model.optimizer.lr=0.003")
    capsys.readouterr()

    assert main(["fit", again.format(folder), "--model.optimizer=SGD", "--print_config"]) == 0

    config = yaml.safe_load(capsys.readouterr().out)
    options = config["model"]["init_args"]["optimizer"]["init_args"]
    assert options["lr"] == 0.003
    assert options["weight_decay"] == 0


def test_what_is_not_typed_goes_on_to_the_bit(fit: Fit) -> None:
    """Two epochs and one more are three epochs."""
    constant = ("--model.scheduler=null", "--model.optimizer.lr=0.002")
    whole = fit(*constant, "--trainer.max_epochs=3")
    parts = fit(*constant, "--trainer.max_epochs=2")
    assert main(["fit", f"--ckpt_path={parts}", "--trainer.max_epochs=3"]) == 0

    assert (parts / "metrics.csv").read_text(encoding="utf-8") == (whole / "metrics.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "first_step"), [("best", 4), ("last", 12)])
def test_best_and_last_mean_what_they_say_for_fit_too(fit: Fit, here: Path, name: str, first_step: int) -> None:
    """The run goes on where that checkpoint was written: before the rate ruined everything, or after."""
    ruin = ("--model.scheduler=StepLR", "--model.scheduler.step_size=1", "--model.scheduler.gamma=100")
    folder = fit("--model.optimizer.lr=0.003", *ruin, "--trainer.max_epochs=3")
    assert here in folder.parents

    assert main(["fit", f"--ckpt_path={name}", "--trainer.max_epochs=4", "--model.scheduler.gamma=1"]) == 0

    segment = json.loads((folder / "run.json").read_text(encoding="utf-8"))["segments"][-1]
    assert segment["first_step"] == first_step
