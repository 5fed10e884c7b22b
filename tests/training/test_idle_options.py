"""A value that is accepted and changes nothing is spoken of; one that changes something is not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mnistlab.cli import main

STOP = "--trainer.callbacks=EarlyStopping --trainer.callbacks.monitor=val/loss --trainer.callbacks.patience"
ACCURACY = "--trainer.callbacks=EarlyStopping --trainer.callbacks.monitor=val/acc --trainer.callbacks.patience=0"
ONE_CYCLE = "--model.scheduler=OneCycleLR --model.scheduler.max_lr=0.1 --model.scheduler.total_steps"
SGD = "--model.optimizer=SGD --model.optimizer.dampening=0.5"
PLATEAU = "--model.scheduler=ReduceLROnPlateau --model.scheduler.patience"

Notes = Callable[..., list[str]]


@pytest.fixture
def notes(here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Notes:
    """What a command says about its own options; an epoch has 4 steps."""

    def said(command: str, *arguments: str) -> list[str]:
        name, *options = [*command.split(" "), *arguments]
        assert main([name, "--model=TinyModel", *small_data, *options]) == 0, capsys.readouterr().err
        return [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]

    assert here.is_dir()
    return said


TABLE = "--data.labels=DigitTable --model.losses.digit=FocalLoss"
# What is typed for a run of 3 epochs, what is said of it, and what would have had an effect.
CASES = [
    (
        f"{TABLE} --model.losses.thickness=MSELoss --model.losses.smoothness=MSELoss --model.loss=MSELoss",
        "--model.loss=MSELoss has no effect: every head has a loss of its own.",
        f"{TABLE} --model.loss=MSELoss",
    ),
    (f"{STOP}=5", "EarlyStopping cannot end this run: its patience is 5, the run has 3 validations.", f"{STOP}=1"),
    (f"{STOP}=2", "its patience is 2, the run has 3 validations.", f"{STOP}=2 --trainer.val_check_interval=2"),
    (ACCURACY, "Add --trainer.callbacks.mode=max.", f"{ACCURACY} --trainer.callbacks.mode=max"),
    (f"{PLATEAU}=2", "never changes the learning rate: patience is 2, the run has 3 validated", f"{PLATEAU}=0"),
    (
        f"{PLATEAU}=0 --model.scheduler.monitor=val/acc",
        "Add --model.scheduler.mode=max.",
        f"{PLATEAU}=0 --model.scheduler.monitor=val/acc --model.scheduler.mode=max",
    ),
    (
        "--model.scheduler=CosineAnnealingLR --model.scheduler.T_max=200",
        "T_max is 200, but the run has 3 epochs: CosineAnnealingLR is cut off.",
        "--model.scheduler=CosineAnnealingLR --model.scheduler.T_max=3",
    ),
    (
        "--model.scheduler=CosineAnnealingLR --model.scheduler.T_max=20 --model.scheduler_interval=step",
        "the run has 12 steps",
        "--model.scheduler=CosineAnnealingLR --model.scheduler.T_max=12 --model.scheduler_interval=step",
    ),
    (
        "--model.scheduler=StepLR --model.scheduler.step_size=3",
        "StepLR never changes the learning rate: step_size is 3, the run has 3 epochs.",
        "--model.scheduler=StepLR --model.scheduler.step_size=2",
    ),
    (
        "--model.scheduler=MultiStepLR --model.scheduler.milestones=[1,3]",
        "milestones is [1, 3], but the run has 3 epochs",
        "--model.scheduler=MultiStepLR --model.scheduler.milestones=[1,2]",
    ),
    (
        "--model.scheduler=LinearLR",
        "total_iters is 5, but the run has 3 epochs",
        "--model.scheduler=LinearLR --model.scheduler.total_iters=2",
    ),
    (
        "--model.scheduler=ConstantLR",
        "ConstantLR never changes the learning rate: total_iters is 5",
        "--model.scheduler=ConstantLR --model.scheduler.total_iters=2",
    ),
    (
        "--model.scheduler=PolynomialLR --model.scheduler.total_iters=8",
        "PolynomialLR is cut off",
        "--model.scheduler=PolynomialLR --model.scheduler.total_iters=3",
    ),
    (
        "--model.scheduler=ExponentialLR --model.scheduler.gamma=1",
        "ExponentialLR never changes the learning rate: the run has 3 epochs.",
        "--model.scheduler=ExponentialLR --model.scheduler.gamma=0.9",
    ),
    (f"{ONE_CYCLE}=500", "total_steps is 500, but the run has 12 steps: OneCycleLR is cut off.", f"{ONE_CYCLE}=12"),
    ("--model.scheduler.warmup_epochs=3", "does not leave its warm-up", "--model.scheduler.warmup_epochs=1"),
    (
        "--model.scheduler=null --model.scheduler_interval=step",
        "--model.scheduler_interval=step has no effect without a --model.scheduler.",
        "--model.scheduler=null",
    ),
    (SGD, "dampening=0.5 has no effect without --model.optimizer.momentum.", f"{SGD} --model.optimizer.momentum=0.9"),
    (
        "--trainer.gradient_clip_algorithm=value",
        "has no effect without --trainer.gradient_clip_val.",
        "--trainer.gradient_clip_algorithm=value --trainer.gradient_clip_val=1",
    ),
    (
        "--trainer.log_every_n_steps=2",
        "has no effect without --trainer.logger.",
        "--trainer.log_every_n_steps=2 --trainer.logger=CSVLogger --trainer.logger.save_dir=logs",
    ),
    (
        "--trainer.check_val_every_n_epoch=4",
        "nothing is validated, the run has 3 epochs and 12 steps.",
        "--trainer.check_val_every_n_epoch=3",
    ),
    (
        "--run.checkpoint_every_n_steps=12",
        "has no effect: the run has 3 epochs and 12 steps.",
        "--run.checkpoint_every_n_steps=11",
    ),
    (
        "--trainer.max_steps=6",
        "--trainer.max_epochs=3 has no effect: max_steps=6 ends the run first, in epoch 2.",
        "--trainer.max_steps=12",
    ),
    ("--trainer.max_steps=13", "max_epochs=3 ends the run first, after 12 steps.", "--trainer.max_steps=12"),
    ("--trainer.min_epochs=2", "has no effect without early stopping.", f"--trainer.min_epochs=2 {STOP}=0"),
    (
        "--model.hidden_dim=8 --model.hidden_dim=9",
        "--model.hidden_dim=8 has no effect: --model.hidden_dim=9 comes after it.",
        "--model.hidden_dim=9",
    ),
    (
        f"{STOP}=0 --trainer.callbacks.patience=1",
        "--trainer.callbacks.patience=0 has no effect",
        f"{STOP}=0 --trainer.callbacks+=EarlyStopping --trainer.callbacks.monitor=lr --trainer.callbacks.patience=1",
    ),
    (
        "--trainer.limit_test_batches=1 --run.test=false",
        "has no effect without --run.test=true.",
        "--trainer.limit_test_batches=1",
    ),
    ("--trainer.limit_predict_batches=1", "has no effect without the command predict.", "--run.test=true"),
]


@pytest.mark.parametrize(("idle", "said", "effective"), CASES, ids=[case[0].rpartition("--")[2] for case in CASES])
def test_what_has_no_effect_is_told_and_nothing_else(notes: Notes, idle: str, said: str, effective: str) -> None:
    """The first command is told once what is idle in it, where it was written; the second is told nothing."""
    epochs = "fit --trainer.max_epochs=3"
    (note,) = notes(f"{epochs} {idle}")

    assert said in note
    assert note.startswith("note: --")
    assert notes(f"{epochs} {effective}") == []


@pytest.mark.parametrize("command", ["test", "validate", "predict"])
@pytest.mark.parametrize(
    "option",
    [
        "run.test=false",
        "trainer.max_epochs=3",
        "model.optimizer=SGD",
        "model.scheduler=null",
        "data.batch_size=8",
        "budget=9s",
    ],
)
def test_an_option_of_training_is_told_where_nothing_is_trained(notes: Notes, command: str, option: str) -> None:
    """It would be believed to have changed the outcome."""
    assert notes(f"{command} --untrained --{option}") == [f"note: --{option} has no effect: {command} does not train."]


@pytest.mark.parametrize(
    "options",
    [
        "--config=QuickTest --trainer.max_epochs=1",
        "--config=DryRun --trainer.max_epochs=3",
        "--config=ProfiledRun",
        "--config=LimitedRun --run.test=false",
        "--config=FullTraining --trainer.max_steps=2",
    ],
)
def test_a_shipped_preset_is_told_nothing(notes: Notes, options: str) -> None:
    """Its values go with others, and not each has an effect every time."""
    assert notes(f"fit {options}") == []


def test_a_preset_of_ones_own_is_told(notes: Notes) -> None:
    """It was written for such a run; what it inherits from a shipped one was not."""
    Path("presets").mkdir()
    Path("presets/Own.yaml").write_text("run:\n  test: false\ntrainer:\n  max_epochs: 1\n  limit_test_batches: 1\n")

    assert notes("fit --config=LimitedRun --config=Own")[-1:] == [
        "note: presets/Own.yaml:5:3 has no effect without --run.test=true."
    ]


def test_shipped_presets_are_named_in_notes(notes: Notes) -> None:
    """Their files lie where nobody looks."""
    (note,) = notes("fit --config=FullTraining --config=LimitedRun")

    assert note == (
        "note: trainer.max_epochs is 2 (preset LimitedRun), not 200 (preset FullTraining): the later one counts."
    )


def test_a_run_of_steps_without_a_number_of_epochs_is_told_nothing(notes: Notes) -> None:
    """Its length in epochs is known to nobody."""
    assert notes("fit --trainer.max_steps=5 --trainer.max_epochs=-1") == []


def test_a_progress_bar_of_the_trainers_is_taken_without_a_terminal(notes: Notes) -> None:
    """Whoever names it wants it."""
    assert notes("fit --trainer.max_epochs=1 --trainer.callbacks=TQDMProgressBar") == []


def test_an_option_of_testing_is_not_told(notes: Notes) -> None:
    """It changes what is measured, or how."""
    assert notes("test --untrained --data.eval_batch_size=8 --trainer.limit_test_batches=1 --run.name=x") == []


def test_a_file_is_told_with_its_line(notes: Notes) -> None:
    """And what a file says about training is no mistake in a test."""
    Path("a.yaml").write_text("trainer:\n  max_epochs: 2\n  gradient_clip_algorithm: norm\n")

    assert notes("fit --config=a.yaml") == ["note: a.yaml:3:3 has no effect without --trainer.gradient_clip_val."]
    assert notes("test --untrained --config=a.yaml") == []


def test_a_continued_run_keeps_its_random_numbers(notes: Notes) -> None:
    """Another seed comes too late; one for a new run does not."""
    more = "--ckpt_path=last --trainer.max_epochs=2"

    assert notes("fit --trainer.max_epochs=1 --seed_everything=5") == []
    assert notes(f"fit {more} --seed_everything=6") == [
        "note: --seed_everything=6 has no effect: the run goes on with the random numbers of its checkpoint."
    ]


def test_defaults_and_a_run_that_is_repeated_are_not_spoken_of(notes: Notes) -> None:
    """Nobody has chosen each of their values."""
    assert notes("fit --trainer.max_epochs=1") == []
    (config,) = Path("runs").glob("*/*/config.yaml")
    repeated = config.read_text().replace("gradient_clip_algorithm: null", "gradient_clip_algorithm: norm")
    Path("again.yaml").write_text(repeated)

    assert "gradient_clip_algorithm: norm" in repeated
    assert notes("fit --config=again.yaml") == []


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (f"{STOP}=1 --trainer.callbacks.monitor=val_loss", ["no metric is called val_loss. Did you mean val/loss?"]),
        (f"{STOP}=1 --data.val_size=0", ["waits for val/loss, but nothing is validated: data.val_size is 0."]),
        (f"{STOP}=1 --trainer.limit_val_batches=0", ["nothing is validated: trainer.limit_val_batches is 0."]),
        (f"{ONE_CYCLE}=5", ["OneCycleLR ends after 5 steps, but the run has 12 steps."]),
    ],
)
def test_what_would_fail_only_later_is_refused_at_once(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], arguments: str, parts: list[str]
) -> None:
    """Before the first step."""
    code = main(["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=3", *arguments.split(" ")])
    message = capsys.readouterr().err.splitlines()[-1]

    assert code == 2
    assert message.startswith("mnistlab: --")
    assert all(part in message for part in parts)
    assert not list(here.glob("runs/*/*/metrics.csv"))
