"""Help is short, and generated from signatures and docstrings."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistlab.cli import COMMANDS, main

Shown = Callable[..., str]


@pytest.fixture
def shown(here: Path, capsys: pytest.CaptureFixture[str]) -> Shown:
    """What a command prints that ends well and leaves nothing behind."""

    def printed(*arguments: str) -> str:
        assert main(arguments) == 0
        assert not list(here.iterdir())
        outcome = capsys.readouterr()
        assert not outcome.err
        return outcome.out

    return printed


def test_without_arguments_the_commands_are_listed(shown: Shown) -> None:
    """As with `--help`, `-h` and `help`."""
    overview = shown()

    assert all(f"  {command} " in overview for command in COMMANDS)
    assert shown("--help") == shown("-h") == shown("help") == overview


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_fits_on_a_screen(shown: Shown, command: str) -> None:
    """It names the sections, what steers a command, and how to read on."""
    text = shown(command, "--help")

    assert len(text.splitlines()) <= 40
    for part in ("--config", "--ckpt_path", "--seed_everything", "--model=CLASS", "TinyModel", "--data.help=CLASS"):
        assert part in text
    assert "--trainer.help" in text


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--help=model"], ["MediumModel:", "--model.hidden_dim", "512", "Width", "TinyModel"]),
        (["--model.help"], ["MediumModel:", "--model.hidden_dim", "512"]),
        (["--model.help=TinyModel"], ["TinyModel:", "--model.hidden_dim", "128", "--model.optimizer", "AdamW"]),
        (["--model.optimizer.help"], ["AdamW:", "--model.optimizer.lr", "0.001", "SGD"]),
        (["--model.optimizer.help=SGD"], ["SGD:", "--model.optimizer.momentum"]),
        (["--model.scheduler.help"], ["WarmupCosine:", "--model.scheduler.warmup", "from 0 to 1"]),
        (["--model.scheduler.help=StepLR"], ["--model.scheduler.step_size", "required"]),
        (["--model.loss.help=HuberLoss"], ["HuberLoss:", "--model.loss.delta"]),
        (["--help=model.loss"], ["CrossEntropyLoss:", "--model.loss.weight", "list of numbers"]),
        (["--data.help=EMNIST"], ["EMNIST:", "--data.split", "letters", "--data.batch_size", "above 0, 128"]),
        (["--data.augment.help"], ["RandomDistortion"]),
        (["--data.augment.help=RandomDistortion"], ["--data.augment.rotation", "degrees"]),
        (["--trainer.help"], ["--trainer.max_epochs", "--trainer.callbacks"]),
        (["--trainer.callbacks.help"], ["EarlyStopping"]),
        (["--trainer.callbacks.help=EarlyStopping"], ["--trainer.callbacks.monitor", "required"]),
        (["--run.help"], ["--run.dir", "--run.checkpoint_every_n_steps", "above 0 or null"]),
    ],
)
def test_every_section_and_class_explains_itself(shown: Shown, arguments: list[str], parts: list[str]) -> None:
    """With types in words, defaults, and the names that may be chosen."""
    text = shown("fit", *arguments)

    assert all(part in text for part in parts), text
    assert "typing." not in text
    assert "<class" not in text


def test_the_help_of_a_loss_is_short(shown: Shown) -> None:
    """It is about this loss, not about every module of torch."""
    assert len(shown("fit", "--model.loss.help").splitlines()) < 80


def test_the_trainers_help_shows_the_defaults_of_the_lab(capsys: pytest.CaptureFixture[str]) -> None:
    """What `fit` does where nothing is typed."""
    assert main(["fit", "--help=trainer"]) == 0

    assert "--trainer.max_epochs  [a whole number or null, 10]" in capsys.readouterr().out


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`mnistlab fit --help=trainer | head -1` ends quietly."""
    command = f"{sys.executable} -m mnistlab fit --help=trainer | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)  # noqa: S607

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Trainer")
