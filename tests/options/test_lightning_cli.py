"""The configurations of any LightningCLI replay."""

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.cli import LightningCLI

from mnistlab import ImageData, SyntheticDigits, TinyModel
from mnistlab.classifier import Classifier

Told = Callable[..., str]
Resolved = Callable[..., Any]

SMALL = ("--data.train_size=600", "--data.test_size=200", "--data.val_size=100")
TRAINER = ("--trainer.max_epochs=1", "--trainer.accelerator=cpu", "--trainer.logger=CSVLogger")
CALLS = "return_predictions: null\nckpt_path: null\nweights_only: null\noptimizer: null\nlr_scheduler: null\n"


@pytest.fixture
def program(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Train with a LightningCLI of somebody's own; the configuration that it saves."""

    def run(model: type[Classifier], data: type[ImageData], *arguments: str, any_class: bool = False) -> Path:
        monkeypatch.setattr(sys, "argv", ["program"])
        typed = ["fit", *arguments, *SMALL, *TRAINER, "--trainer.logger.save_dir=theirs"]
        LightningCLI(model, data, args=typed, subclass_mode_model=any_class, subclass_mode_data=any_class)
        (path,) = here.glob("theirs/**/config.yaml")
        return path

    return run


@pytest.fixture(autouse=True)
def _own_warnings() -> Iterator[None]:
    """Lightning's own warnings, in a program that is not the lab, are no business of these tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_what_a_program_of_any_class_has_saved_runs(program: Callable[..., Path], told: Told) -> None:
    """As it is, with nothing typed beside it."""
    classes = ("--model=mnistlab.TinyModel", "--data=mnistlab.SyntheticDigits")
    path = program(Classifier, ImageData, *classes, any_class=True)

    assert "test  acc" in told("fit", f"--config={path}")


def test_what_a_program_of_one_class_has_saved_runs_with_its_class(
    program: Callable[..., Path], resolved: Resolved, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its configuration does not name it, so that the command line does."""
    path = program(TinyModel, SyntheticDigits)
    capsys.readouterr()
    found = resolved(f"--config={path}", "--model=TinyModel", "--data=SyntheticDigits")

    assert found["data"]["init_args"]["test_size"] == 200
    assert found["trainer"]["logger"][0]["class_path"].endswith("CSVLogger")


def test_an_option_of_no_class_that_is_chosen_is_told_all_the_same(told: Told) -> None:
    """With its line, whatever is typed beside it."""
    Path("c.yaml").write_text("data: {test_sise: 200}\n")

    assert told("fit", "--config=c.yaml", "--data=SyntheticDigits", code=2).startswith("mnistlab: c.yaml:1:8")


def test_null_says_nothing_of_what_lightning_alone_has(resolved: Resolved) -> None:
    """Its optimizer beside the model, and what its commands are called with."""
    Path("c.yaml").write_text(CALLS)

    assert resolved("--config=c.yaml") == resolved()


def test_what_its_commands_are_called_with_follows_from_the_command(resolved: Resolved) -> None:
    """`verbose` and `weights_only` are as they would be anyway."""
    Path("c.yaml").write_text("verbose: true\nweights_only: true\nsubcommand: fit\nreturn_predictions: false\n")

    assert resolved("--config=c.yaml") == resolved()


def test_a_checkpoint_is_not_run_on_demand(told: Told) -> None:
    """`weights_only: false` would."""
    Path("c.yaml").write_text("weights_only: false\n")

    assert "c.yaml:1:1: weights_only=false would run" in told("fit", "--config=c.yaml", code=2)


def test_a_template_without_model_takes_the_one_that_is_typed(resolved: Resolved) -> None:
    """Its `--print_config` writes `model: null` where nothing is chosen."""
    Path("c.yaml").write_text(f"model: null\ndata: null\n{CALLS}")

    assert resolved("--config=c.yaml", "--model=TinyModel") == resolved("--model=TinyModel")


def test_an_optimizer_beside_the_model_counts_in_place_of_its_own(resolved: Resolved) -> None:
    """As it does there; nothing of the model's own is left."""
    Path("c.yaml").write_text(
        "optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.1}}\n"
        "lr_scheduler: {class_path: StepLR, init_args: {step_size: 2}}\n"
        "model: {class_path: TinyModel, init_args: {optimizer: {class_path: AdamW, init_args: {weight_decay: 0.5}}}}\n"
    )
    found = resolved("--config=c.yaml")["model"]["init_args"]

    assert found["optimizer"]["class_path"] == "torch.optim.SGD"
    assert (found["optimizer"]["init_args"]["lr"], found["optimizer"]["init_args"]["weight_decay"]) == (0.1, 0)
    assert found["scheduler"]["init_args"]["step_size"] == 2


def test_the_section_of_the_command_counts(resolved: Resolved) -> None:
    """Beside what stands in none; a file of LightningCLI may have one for each command."""
    Path("c.yaml").write_text(
        "seed_everything: 3\nfit: {model: TinyModel, trainer: {max_epochs: 4}}\ntest: {model: SDN8K}\npredict: null\n"
    )
    found = resolved("--config=c.yaml")

    assert found["model"]["class_path"].endswith("TinyModel")
    assert (found["seed_everything"], found["trainer"]["max_epochs"]) == (3, 4)


def test_a_file_that_says_nothing_to_the_command_is_told(told: Told) -> None:
    """It would be left out without a word there."""
    Path("c.yaml").write_text("fit:\n  model: TinyModel\n")

    said = told("test", "--untrained", "--config=c.yaml", code=2)
    assert said == "mnistlab: c.yaml:2:3: this is for fit, and nothing is said to test. Write test: beside it.\n"


def test_c_is_short_for_config(resolved: Resolved) -> None:
    """With a space, as LightningCLI has it, or with a sign."""
    Path("c.yaml").write_text("model: TinyModel\n")

    assert resolved("-c", "c.yaml") == resolved("-c=c.yaml") == resolved("--config=c.yaml")


def test_a_part_may_stand_in_a_file_of_its_own_within_a_section(resolved: Resolved) -> None:
    """Beside the file that names it."""
    Path("parts").mkdir()
    Path("parts/model.yaml").write_text("class_path: TinyModel\ninit_args: {hidden_dim: 32}\n")
    Path("parts/all.yaml").write_text("fit: {model: model.yaml}\n")

    assert resolved("--config=parts/all.yaml")["model"]["init_args"]["hidden_dim"] == 32


def test_a_checkpoint_that_a_file_names_is_measured(trained: Callable[..., Path], told: Told) -> None:
    """As if it had been typed."""
    Path("c.yaml").write_text(f"ckpt_path: {trained()}\n")

    assert "TinyModel on the test images" in told("test", "--config=c.yaml")


def test_a_checkpoint_that_is_typed_counts_before_that_of_a_file(trained: Callable[..., Path], told: Told) -> None:
    """Like any other option."""
    Path("c.yaml").write_text("ckpt_path: nowhere.ckpt\n")

    assert "TinyModel on the test images" in told("test", "--config=c.yaml", f"--ckpt_path={trained()}")


@pytest.mark.parametrize(
    ("value", "why"),
    [("nowhere", "ckpt_path=nowhere: there is no such file"), ("[a, b]", "ckpt_path takes one run, or one file.")],
)
def test_a_checkpoint_that_is_not_there_is_told_with_its_line(told: Told, value: str, why: str) -> None:
    """Of the file."""
    Path("c.yaml").write_text(f"seed_everything: 1\nckpt_path: {value}\n")

    assert told("test", "--config=c.yaml", code=2).startswith(f"mnistlab: c.yaml:2:1: {why}")


def test_a_sweep_goes_on_with_no_checkpoint_of_a_file(told: Told) -> None:
    """It makes many runs."""
    Path("c.yaml").write_text("ckpt_path: last\n")

    assert "is for one run" in told("sweep", "--config=c.yaml", "--model.dropout=choice:0.1,0.2", code=2)
