"""Every checkpoint that a run writes, at whatever moment and by whatever callback, continues to the same run."""

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from lightning.pytorch import Trainer
from support import differences, only_run, outcome, rates

from mnistlab.cli import main

pytestmark = pytest.mark.slow

SEED = os.environ.get("MNISTLAB_TEST_SEED", "0")
"""CI takes another one each time, and prints it."""

DRAWS = 5
FEW = 3
"""Checkpoints of each run that are gone on with."""

CALLBACK = "--trainer.callbacks"


def callback(name: str, **options: object) -> tuple[str, ...]:
    """A callback as it is typed."""
    return (f"{CALLBACK}+={name}", *(f"{CALLBACK}.{option}={value}" for option, value in options.items()))


def schedule(name: str, **options: object) -> tuple[str, ...]:
    """A schedule as it is typed."""
    return (f"--model.scheduler={name}", *(f"--model.scheduler.{option}={value}" for option, value in options.items()))


CALLBACKS = [
    (),
    callback("WeightAveraging"),
    callback("EMAWeightAveraging", decay=0.5, update_starting_at_step=3, update_every_n_steps=2),
    callback("ModelCheckpoint", save_top_k=-1, every_n_epochs=1, dirpath="kept"),
    callback("ModelCheckpoint", save_top_k=2, monitor="val/acc", mode="max", save_last="true", dirpath="kept"),
    callback("ModelCheckpoint", save_top_k=-1, every_n_train_steps=2, dirpath="kept"),
    callback("EarlyStopping", monitor="val/loss", patience=1),
    callback("EarlyStopping", monitor="val/acc", mode="min", patience=1),
    (*callback("Unfreeze", epoch=1), "--model.freeze=backbone"),
]
SCHEDULES = [
    schedule("null"),
    schedule("WarmupCosine"),
    (*schedule("WarmupCosine"), "--model.scheduler_interval=epoch"),
    schedule("StepLR", step_size=1, gamma=0.5),
    (*schedule("StepLR", step_size=3, gamma=0.5), "--model.scheduler_interval=step"),
    schedule("MultiStepLR", milestones="[1,2]", gamma=0.1),
    schedule("CosineAnnealingWarmRestarts", T_0=2),
    schedule("CyclicLR", base_lr=1e-4, max_lr=1e-2, step_size_up=3, cycle_momentum="false"),
    schedule("OneCycleLR", max_lr=1e-2, total_steps=48),
    schedule("ReduceLROnPlateau", patience=0, threshold=0.5),
]
WAYS = [
    (),
    ("--trainer.accumulate_grad_batches=3",),
    ("--trainer.accumulate_grad_batches=2", "--trainer.val_check_interval=3", "--trainer.check_val_every_n_epoch=null"),
    ("--trainer.val_check_interval=0.5", "--trainer.accumulate_grad_batches=3"),
    ("--trainer.check_val_every_n_epoch=2",),
    ("--run.checkpoint_every_n_steps=1",),
    ("--run.checkpoint_every_n_steps=3", "--trainer.val_check_interval=0.5"),
    ("--trainer.precision=bf16-mixed", "--trainer.gradient_clip_val=0.5"),
    ("--data.augment=RandomDistortion", "--model.optimizer=SGD", "--model.optimizer.momentum=0.9"),
    ("--model.optimizer=RMSprop", "--data.batch_size=50"),
]
CHANGES = ["--data.batch_size=64", "--trainer.accumulate_grad_batches=2", "--model.optimizer.lr=0.002"]


class Draw:
    """One configuration, and what becomes of it.

    Attributes:
        options: What is typed.
        stop: After how many steps a limit stops it.
        change: What is typed when it goes on otherwise.
        choice: The draws that are left.
    """

    def __init__(self, number: int) -> None:
        self.choice = random.Random(f"{SEED} {number}")  # noqa: S311 - nothing is kept secret
        self.schedule = self.choice.choice(SCHEDULES)
        self.options = [*self.choice.choice(CALLBACKS), *self.schedule, *self.choice.choice(WAYS)]
        self.stop = self.choice.randrange(4, 12)
        self.change = self.choice.choice(CHANGES)


@contextmanager
def copied(folder: Path) -> Iterator[list[Path]]:
    """Copies of all checkpoints that are written meanwhile, in their order."""
    copies: list[Path] = []
    save = Trainer.save_checkpoint
    folder.mkdir()

    def save_checkpoint(self: Trainer, filepath: Path, *args: Any, **kwargs: Any) -> None:
        save(self, filepath, *args, **kwargs)
        copies.append(Path(shutil.copy(filepath, folder / f"{len(copies)}.ckpt")))

    with mock.patch.object(Trainer, "save_checkpoint", save_checkpoint):
        yield copies


@pytest.mark.parametrize("number", range(DRAWS))
def test_whatever_a_run_has_written_continues_to_its_end(here: Path, small_data: tuple[str, ...], number: int) -> None:
    """Weights, optimizer, table and record are those of the run without a break, to the bit."""
    draw = Draw(number)
    print(f"MNISTLAB_TEST_SEED={SEED}, draw {number}: {' '.join(draw.options)}")  # noqa: T201 - to repeat it
    fit = ["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=3", *draw.options]
    with copied(here / "copies") as copies:
        assert main([*fit, "--run.dir=whole"]) == 0
    whole = only_run(Path("whole"))
    expected = outcome(whole)

    for copy in draw.choice.sample(copies, min(FEW, len(copies))):
        folder = Path(shutil.copytree(whole, f"parts/{copy.stem}/tiny/{whole.name}"))
        for path in (folder / "checkpoints").glob("[!b]*.ckpt"):
            path.unlink()
        shutil.copy(copy, folder / "checkpoints" / "last.ckpt")
        assert main(["fit", f"--ckpt_path={folder}"]) == 0
        assert differences(outcome(folder), expected) == [], f"from checkpoint {copy.stem} of {len(copies)}"


@pytest.mark.parametrize("number", range(DRAWS))
def test_a_run_that_a_limit_has_stopped_goes_on_as_if_there_had_been_none(
    here: Path, small_data: tuple[str, ...], number: int
) -> None:
    """It may have been stopped within an epoch. A schedule as long as the run knows the limit, and is left out."""
    draw = Draw(number)
    print(f"MNISTLAB_TEST_SEED={SEED}, draw {number}, max_steps={draw.stop}: {' '.join(draw.options)}")  # noqa: T201
    constant = schedule("null") if "WarmupCosine" in draw.schedule[0] else ()
    fit = ["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=3", *draw.options, *constant]
    assert main([*fit, "--run.dir=whole"]) == 0
    assert main([*fit, "--run.dir=parts", f"--trainer.max_steps={draw.stop}"]) == 0
    folder = only_run(here / "parts")

    assert main(["fit", f"--ckpt_path={folder}", "--trainer.max_steps=-1"]) == 0

    assert differences(outcome(folder), outcome(only_run(here / "whole"))) == []


@pytest.mark.parametrize("number", range(DRAWS))
def test_what_is_typed_for_the_rest_acts_as_in_a_fresh_run(
    here: Path, small_data: tuple[str, ...], number: int
) -> None:
    """The learning rate after each later epoch; a plateau depends on what was learnt, and is left out."""
    draw = Draw(number)
    print(f"MNISTLAB_TEST_SEED={SEED}, draw {number}, {draw.change}: {' '.join(draw.schedule)}")  # noqa: T201
    other = draw.choice.choice([each for each in SCHEDULES if "Plateau" not in each[0]])
    fit = ["fit", "--model=TinyModel", *small_data, "--run.test=false"]
    typed = ["--model.scheduler_interval=auto", *other, draw.change, "--trainer.max_epochs=4"]
    assert main([*fit, *draw.schedule, "--trainer.max_epochs=2", "--run.dir=parts"]) == 0
    assert main([*fit, *typed, "--run.dir=fresh"]) == 0
    folder = only_run(here / "parts")

    assert main(["fit", f"--ckpt_path={folder}", *typed]) == 0

    assert rates(folder)[2:] == rates(only_run(here / "fresh"))[2:]
