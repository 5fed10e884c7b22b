"""A run that is given a time: it ends with it, and is the same without a clock."""

import csv
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from lightning.pytorch import Callback
from support import differences, only_run, outcome, quiet_trainer, record_of

from mnistlab import SyntheticDigits, TinyModel
from mnistlab.callbacks import Budget
from mnistlab.classifier import Classifier
from mnistlab.cli import main
from mnistlab.options.budget import ENDLESS

EVERY_STEP = "--run.checkpoint_every_n_steps=1"
SECONDS = 20.0

Fit = Callable[..., Path]


class Killed(BaseException):
    """Ends a run where it stands; no handler of the program catches it."""


class Machine(Callback):
    """A machine on which a step takes so many seconds of a clock of its own, and a validation so many steps."""

    def __init__(self, step_s: Callable[[float], float], validation: float) -> None:
        self.now = 0.0
        self.validations = 0
        self.rates: list[float] = []
        self._step_s, self._validation = step_s, validation

    def clock(self) -> float:
        """What its clock shows."""
        return self.now

    def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
        """Take the time of a step."""
        self.now += self._step_s(self.now)
        self.rates.append(float(trainer.optimizers[0].param_groups[0]["lr"]))

    def on_validation_start(self, *_: Any) -> None:
        """Take that of a validation."""
        self.now += self._validation * self._step_s(self.now)
        self.validations += 1


def trained(root: Path, step_s: Callable[[float], float], validation: float = 1.0) -> tuple[Budget, Machine]:
    """Train on such a machine, within `SECONDS`."""
    machine = Machine(step_s, validation)
    budget = Budget(f"{SECONDS:g}s", 0.0, tests=False, closing_s=0.0, clock=machine.clock)
    trainer = quiet_trainer(root, max_epochs=-1, max_steps=ENDLESS, callbacks=[budget, machine])
    trainer.fit(TinyModel(), datamodule=SyntheticDigits(train_size=600, test_size=200, val_size=100))
    return budget, machine


@pytest.fixture
def timed(here: Path, small_data: tuple[str, ...]) -> Fit:
    """Train TinyModel with a schedule that follows the run, and return the folder of the run."""

    def run(*arguments: str, code: int = 0) -> Path:
        before = set(here.glob("runs/*/*"))
        assert main(["fit", "--model=TinyModel", *small_data, *arguments]) == code
        (folder,) = set(here.glob("runs/*/*")) - before
        return folder

    return run


def budget_of(folder: Path) -> str:
    """What the configuration of a run says of it."""
    budget: str = yaml.safe_load((folder / "config.yaml").read_text())["budget"]
    return budget


def killed_at(step: int, *arguments: str) -> None:
    """Fit, and kill it before the step of this number."""
    training_step = Classifier.training_step

    def killing(self: Classifier, *given: Any) -> Any:
        if self.trainer.global_step == step:
            raise Killed
        return training_step(self, *given)

    with mock.patch.object(Classifier, "training_step", killing), pytest.raises(Killed):
        main(["fit", *arguments])


@pytest.mark.parametrize(
    "step_s",
    [
        pytest.param(lambda _: 0.05, id="quiet"),
        pytest.param(lambda now: 0.05 if now < SECONDS / 2 else 0.15, id="busy from the middle on"),
        pytest.param(lambda now: 0.05 if now > SECONDS / 2 else 0.15, id="busy until the middle"),
        pytest.param(lambda now: 0.05 if int(now) % 4 else 0.1, id="busy now and then"),
        pytest.param(lambda now: 3.0 if 8 <= now < 8.1 else 0.05, id="it stands still"),
    ],
)
def test_a_run_ends_with_its_time(tmp_path: Path, step_s: Callable[[float], float]) -> None:
    """Whatever the machine does meanwhile."""
    _, machine = trained(tmp_path, step_s)

    assert machine.now == pytest.approx(SECONDS, rel=0.01)


def test_steps_that_are_slow_for_a_while_do_not_end_a_run(tmp_path: Path) -> None:
    """Threads wait for each other where others begin to compute; what comes after the steps does not."""
    _, machine = trained(tmp_path, lambda now: 1.0 if 10 <= now < 14 else 0.01, validation=20)

    assert machine.now == pytest.approx(SECONDS, rel=0.05)


@pytest.mark.parametrize(
    "step_s",
    [
        lambda _: 0.05,
        lambda now: 0.05 if now < SECONDS / 2 else 0.15,
        lambda now: 3.0 if 8 <= now < 8.1 else 0.05,
    ],
)
def test_the_schedule_ends_where_the_run_does(tmp_path: Path, step_s: Callable[[float], float]) -> None:
    """It warms up, falls without a leap, and is at its end after the last step."""
    _, machine = trained(tmp_path, step_s)

    highest = machine.rates.index(max(machine.rates))
    steps = [after - before for before, after in zip(machine.rates, machine.rates[1:], strict=False)]
    assert max(machine.rates) == pytest.approx(1e-3, rel=0.01)
    assert highest < len(machine.rates) / 4
    assert max(steps[highest + 1 :]) < 1e-5
    assert min(steps[highest + 1 :]) > -1e-4
    assert machine.rates[-1] < 1e-5


def test_an_expensive_validation_comes_less_often(tmp_path: Path) -> None:
    """It takes no more than a tenth of the time of training, and the last weights are validated anyway."""
    budget, machine = trained(tmp_path, lambda _: 0.05, validation=3.9)

    epochs = len(machine.rates) / 4
    assert budget.turns[-1].every == 10
    assert machine.validations == pytest.approx(epochs / 10, abs=4)  # a few come before the first look


def test_a_run_with_a_budget_is_validated_and_tested_at_its_end(timed: Fit) -> None:
    """It says what it has decided, at which step, and its last row has a validation."""
    folder = timed("--budget=2s")

    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert re.fullmatch(r"2s( \d+:\d+/\d+)+", budget_of(folder))
    assert budget_of(folder).rpartition(":")[2].startswith(f"{rows[-1]['step']}/")
    assert rows[-1]["val/acc"]
    assert "test/acc" in record_of(folder)["metrics"]["test"]


def test_it_is_done_again_bit_for_bit(timed: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """From its record, and from its configuration; neither looks at a clock."""
    first = timed("--budget=2s", "--data.augment=RandomDistortion")

    assert main(["reproduce", str(first)]) == 0
    assert "Bit-identical" in capsys.readouterr().out
    again = timed(f"--config={first / 'config.yaml'}")
    assert not differences(outcome(first), outcome(again))
    assert budget_of(first) == budget_of(again)
    assert record_of(first)["config_hash"] == record_of(again)["config_hash"]


@pytest.mark.parametrize("step", [1, 5])
def test_it_goes_on_bit_for_bit(timed: Fit, step: int, here: Path) -> None:
    """What was decided later comes where it came."""
    first = timed("--budget=2s", "--data.augment=RandomDistortion")
    killed_at(step, f"--config={first / 'config.yaml'}", EVERY_STEP, "--run.dir=other")
    folder = only_run(here / "other")

    assert main(["fit", f"--ckpt_path={folder}"]) == 0

    assert not differences(outcome(first), outcome(folder))


def test_a_run_that_was_killed_keeps_to_what_it_had_decided(
    timed: Fit, here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """So it can be done again as one."""
    del timed
    killed_at(12, "--model=TinyModel", *small_data, "--budget=3s", EVERY_STEP)
    folder = only_run(here / "runs")

    assert main(["fit", f"--ckpt_path={folder}"]) == 0

    assert record_of(folder)["metrics"]["last"]["step"] == int(re.split("[:/]", budget_of(folder))[-2])
    capsys.readouterr()
    assert main(["reproduce", str(folder)]) == 0
    assert "Bit-identical" in capsys.readouterr().out


def test_a_budget_that_is_typed_again_is_a_new_one(timed: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left of the old one otherwise."""
    folder = timed("--budget=1.5s")
    steps = record_of(folder)["metrics"]["last"]["step"]

    assert main(["fit", f"--ckpt_path={folder}"]) == 0
    assert "Nothing was left to train: the run is as long as it should be. --budget=..." in capsys.readouterr().out

    assert main(["fit", f"--ckpt_path={folder}", "--budget=2s"]) == 0
    assert record_of(folder)["metrics"]["last"]["step"] > steps
    assert budget_of(folder).startswith("2s 0:")


def test_epochs_that_are_typed_take_the_place_of_a_budget(timed: Fit) -> None:
    """The command line counts before a file."""
    first = timed("--budget=1.5s")

    again = timed(f"--config={first / 'config.yaml'}", "--trainer.max_epochs=1")

    assert budget_of(again) is None
    assert record_of(again)["metrics"]["last"]["step"] == 4


def test_a_budget_counts_before_the_epochs_of_a_file(timed: Fit, here: Path) -> None:
    """A preset with a number of epochs can be given a time."""
    (here / "mine.yaml").write_text("trainer:\n  max_epochs: 100000\n")

    assert record_of(timed("--config=mine.yaml", "--budget=1.5s"))["status"] == "finished"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget=soon"], "--budget=soon: a time is wanted, such as 10m, 90s or 1h30m."),
        (["--budget=0s"], "--budget=0s: a time is wanted"),
        (["--budget=10s 5:x"], "a time is wanted"),
        (["--budget=10s", "--trainer.max_epochs=3"], "--budget=10s and --trainer.max_epochs=3 exclude each other"),
        (["--budget=10s", "--trainer.max_steps=30"], "--budget=10s and --trainer.max_steps=30 exclude each other"),
        (
            ["--budget=10s", "--model.scheduler=CosineAnnealingLR", "--model.scheduler.T_max=9"],
            "Use --model.scheduler=WarmupCosine, which ends where the run does",
        ),
        (["--budget=10s", "--trainer.devices=2", "--trainer.strategy=ddp"], "each go by their own clock"),
    ],
)
def test_what_a_budget_does_not_go_with_is_refused(told: Callable[..., str], arguments: list[str], said: str) -> None:
    """In one line, before anything is trained."""
    assert said in told("fit", "--model=TinyModel", "--data=SyntheticDigits", *arguments, code=2)


def test_a_constant_rate_and_a_schedule_of_epochs_go_with_a_budget(timed: Fit) -> None:
    """They need not know where the run ends."""
    for scheduler in ("null", "StepLR", "ReduceLROnPlateau"):
        options = ["--model.scheduler.step_size=2"] * (scheduler == "StepLR")
        assert record_of(timed("--budget=1s", f"--model.scheduler={scheduler}", *options))["status"] == "finished"


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_the_whole_command_takes_the_time_that_it_was_given(small_data: tuple[str, ...]) -> None:
    """From the start of the process to its end, within a twentieth where other tests run beside it."""
    begun = time.monotonic()

    subprocess.run(
        [sys.executable, "-m", "mnistlab", "fit", "--model=TinyModel", *small_data, "--budget=12s"],
        timeout=60,
        check=True,
    )

    assert time.monotonic() - begun == pytest.approx(12, rel=0.05)
