"""The same command gives the same weights, and every schedule moves the learning rate as it should."""

import csv
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mnistlab.cli import main

EPOCHS = 3
STEPS = 4


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return weights


def _equal(some: Path, other: Path) -> bool:
    first, second = _weights(some), _weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def _rates(folder: Path) -> list[float]:
    with (folder / "metrics.csv").open() as file:
        return [float(row["lr"]) for row in csv.DictReader(file)]


def test_the_same_command_gives_the_same_weights(fit: Any) -> None:
    """Bit for bit, with dropout and augmentation, after another run in the same process."""
    command = ("--data.augment=RandomDistortion", "--model.dropout=0.5", "--trainer.max_epochs=2")
    first = fit(*command)
    fit("--seed_everything=7")

    assert _equal(first, fit(*command))


@pytest.mark.slow
def test_a_fresh_process_gives_the_same_weights(fit: Any, here: Path, small_data: tuple[str, ...]) -> None:
    """Nothing that happened before in a process has a part in the outcome."""
    command = ("--data.augment=RandomDistortion", "--trainer.max_epochs=2")
    fit("--seed_everything=7")
    first = fit(*command)

    subprocess.run(
        [sys.executable, "-m", "mnistlab", "fit", "--model=TinyModel", *small_data, *command, "--run.dir=fresh"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=120,
        check=True,
    )

    (fresh,) = here.glob("fresh/*/*")
    assert _equal(first, fresh)


def test_the_seed_changes_the_weights(fit: Any) -> None:
    """Zero is a seed like any other, and the default."""
    default, zero, one = fit(), fit("--seed_everything=0"), fit("--seed_everything=1")

    assert _equal(default, zero)
    assert not _equal(zero, one)


def _cosine(step: int, total: int, lr: float) -> float:
    """Warm-up of a tenth, then half a cosine, as WarmupCosine describes itself."""
    warmup = round(0.1 * total)
    if step < warmup:
        return lr * (0.1 + 0.9 * step / warmup)
    return lr * (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2


def test_the_table_has_the_rate_of_the_last_step_of_each_epoch(fit: Any) -> None:
    """The default schedule counts steps and follows the length of the run."""
    rates = _rates(fit(f"--trainer.max_epochs={EPOCHS}", "--model.optimizer.lr=0.01"))

    steps = [STEPS * (epoch + 1) - 1 for epoch in range(EPOCHS)]
    assert rates == pytest.approx([_cosine(step, EPOCHS * STEPS, 0.01) for step in steps], rel=1e-6)


def test_no_schedule_is_a_constant_rate(fit: Any) -> None:
    """With null the optimizer's own learning rate stays."""
    assert _rates(fit("--model.scheduler=null", "--trainer.max_epochs=2")) == [0.001, 0.001]


def test_step_lr_counts_epochs(fit: Any) -> None:
    """The first epoch has the optimizer's own learning rate, the second a tenth of it."""
    folder = fit("--model.scheduler=StepLR", "--model.scheduler.step_size=1", f"--trainer.max_epochs={EPOCHS}")

    assert _rates(folder) == pytest.approx([1e-3, 1e-4, 1e-5])


def test_step_lr_counts_steps_where_it_is_told_to(fit: Any) -> None:
    """`scheduler_interval=step` is for every schedule that counts either."""
    options = ("--model.scheduler=StepLR", "--model.scheduler.step_size=4", "--model.scheduler_interval=step")

    assert _rates(fit(*options, f"--trainer.max_epochs={EPOCHS}")) == pytest.approx([1e-3, 1e-4, 1e-5])


def test_one_cycle_counts_steps(fit: Any) -> None:
    """It ends at its smallest learning rate, one step short of its length."""
    options = ("--model.scheduler=OneCycleLR", "--model.scheduler.max_lr=0.01", "--model.scheduler.total_steps=12")
    rates = _rates(fit(*options, f"--trainer.max_epochs={EPOCHS}"))

    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
    reference = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=EPOCHS * STEPS)
    expected = []
    for step in range(EPOCHS * STEPS):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < EPOCHS * STEPS - 1:
            reference.step()
    assert rates == pytest.approx(expected[STEPS - 1 :: STEPS], rel=1e-6)


PLATEAU = ("--model.scheduler=ReduceLROnPlateau", "--model.scheduler.patience=0", "--model.scheduler.factor=0.5")


def test_a_plateau_lowers_the_rate(fit: Any) -> None:
    """A metric that never improves by as much as wanted halves the rate after every epoch but the first."""
    folder = fit(*PLATEAU, "--model.scheduler.threshold=0.9", "--trainer.max_epochs=4")

    assert _rates(folder) == pytest.approx([1e-3, 1e-3, 5e-4, 2.5e-4])


def test_a_plateau_leaves_an_improving_metric_alone(fit: Any) -> None:
    """The accuracy of the first epochs rises, if it is watched as something to raise."""
    rising = fit(
        *PLATEAU, "--model.scheduler.monitor=train/acc", "--model.scheduler.mode=max", "--trainer.max_epochs=3"
    )
    falling = fit(*PLATEAU, "--model.scheduler.monitor=train/acc", "--trainer.max_epochs=3")

    assert _rates(rising) == [1e-3, 1e-3, 1e-3]
    assert _rates(falling) == [1e-3, 1e-3, 5e-4]


def test_a_plateau_counts_only_epochs_that_were_validated(fit: Any) -> None:
    """With a validation every other epoch the schedule looks every other epoch."""
    options = ("--model.scheduler.threshold=0.9", "--trainer.check_val_every_n_epoch=2", "--trainer.max_epochs=5")

    assert _rates(fit(*PLATEAU, *options)) == pytest.approx([1e-3, 1e-3, 1e-3, 1e-3, 5e-4])


def test_a_plateau_of_an_unknown_metric_is_an_error(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """The message has the metrics that there are."""
    arguments = ("--model=TinyModel", *small_data, *PLATEAU, "--model.scheduler.monitor=val/los")
    assert here.is_dir()
    assert main(["fit", *arguments]) != 0

    error = capsys.readouterr().err
    assert "'val/los'" in error
    assert "val/loss" in error


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on the CPU")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_compiled_model_writes_the_same_checkpoint(fit: Any) -> None:
    """Its keys are those of the plain model, and it loads with and without `compile`."""
    plain, compiled = fit(), fit("--model.compile=true")

    assert _weights(plain).keys() == _weights(compiled).keys()
    for folder in (plain, compiled):
        for choice in ("true", "false"):
            assert main(["test", f"--ckpt_path={folder}", f"--model.compile={choice}"]) == 0
            assert main(["fit", f"--ckpt_path={folder}", f"--model.compile={choice}"]) == 0
