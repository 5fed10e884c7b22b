"""Every wrong value, and every wrong place in a file: exit code 2, one message, nothing on disk."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback

from mnistlab.classifier import Classifier
from mnistlab.cli import main
from mnistlab.data import Augmentation, ImageData
from mnistlab.errors import tell
from mnistlab.losses import Loss
from mnistlab.options.classes import candidates, listed
from mnistlab.options.kinds import expected
from mnistlab.options.signatures import options
from mnistlab.schedules import RunSchedule

Refused = Callable[..., str]


@pytest.fixture
def refused(here: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """The message of a command that must be refused as a mistake in the input, before any work."""

    def message(*arguments: str) -> str:
        before = sorted(here.rglob("*"))
        assert main(arguments) == 2
        assert sorted(here.rglob("*")) == before
        printed = capsys.readouterr()
        assert not printed.out
        assert printed.err.startswith("mnistlab: ")
        assert printed.err.count("\n") == 1
        assert not any(word in printed.err for word in ("Traceback", "usage:", "Parser key", "<unicode", "<class"))
        return printed.err

    return message


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("model.hidden_dim", "-4"),
        ("model.hidden_dim", "0"),
        ("model.hidden_dim", "2.5"),
        ("model.hidden_dim", "many"),
        ("model.hidden_dim", "true"),
        ("model.hidden_dim", ""),
        ("model.dropout", "1.5"),
        ("model.dropout", "-0.1"),
        ("model.dropout", "nan"),
        ("model.scheduler_interval", "batch"),
        ("model.scheduler.min_lr", "-1"),
        ("model.optimizer.betas", "[0.8]"),
        ("model.loss.weight", "[a]"),
        ("model.compile", "perhaps"),
        ("data.batch_size", "0"),
        ("data.partition", "all"),
        ("data.std", "0"),
        ("run.checkpoint_every_n_steps", "0"),
        ("run.test", "maybe"),
        ("trainer.max_epochs", "1.5"),
        ("trainer.precision", "99"),
        ("seed_everything", "-1"),
        ("seed_everything", "1.5"),
        ("seed_everything", "tomorrow"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_with_what_is_wanted(refused: Refused, option: str, value: str) -> None:
    """The message says where it stands, which option, what is wanted and what came."""
    message = refused("fit", f"--{option}={value}")

    name = option.rpartition(".")[2]
    assert message.startswith(f"mnistlab: --{option}={value}: {name}")
    assert "must be " in message


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--model.optimizer.lr=-3"], "Invalid learning rate: -3.0"),
        (["--model.optimizer=SGD", "--model.optimizer.momentum=-1"], "Invalid momentum"),
        (["--model.optimizer.betas=[2, 3]"], "Invalid beta"),
        (["--model.scheduler.min_lr=1"], "`min_lr`"),
        (["--model.scheduler=StepLR", "--model.scheduler.step_size=x"], "step_size"),
        (["--model.loss.reduction=sum"], "`reduction`"),
        (["--model.loss.weight=[1, 2]"], "10"),
        (["--model.loss=torch.nn.Linear"], "mnistlab.losses.Loss"),
        (["--data.augment=RandomDistortion", "--data.augment.scale=1"], "`scale`"),
        (["--model.loss.label_smoothing=2"], "label_smoothing"),
        (["--model.optimizer=SparseAdam"], "dense gradients"),
        (["--data.batch_size=1"], "batch normalization"),
        (["--trainer.max_epochs=-4"], "max_epochs"),
        (["--trainer.accelerator=xpu9"], "xpu9"),
    ],
)
def test_what_a_class_itself_refuses_is_told_before_any_work(refused: Refused, arguments: list[str], part: str) -> None:
    """Classes from elsewhere are made once before a run begins."""
    assert part in refused("fit", *arguments)


BAD = {
    "a whole number above 0": ["0", "-1", "1.5", "x", "true"],
    "a whole number from 0 on": ["-1", "0.5", "x"],
    "a number above 0": ["0", "-0.1", "x", "nan"],
    "a number from 0 on": ["-0.1", "x", "nan"],
    "a number from 0 to 1": ["-0.1", "1.1", "x", "nan"],
}


def restricted() -> Iterator[tuple[str, str, list[str]]]:
    """Every class, and every option of it that takes a restricted number."""
    prefixes = {Classifier: "model", ImageData: "data", Augmentation: "data.augment", Loss: "model.loss"}
    for base, prefix in {**prefixes, RunSchedule: "model.scheduler"}.items():
        for name, (cls, *_) in candidates((base,)).items():
            if cls.__module__.startswith("mnistlab."):
                for option in options(cls, supplied=base is RunSchedule).values():
                    kinds = expected(option.type).split(" or ")
                    yield from (
                        (f"--{prefix}={name}", f"--{prefix}.{option.name}", BAD[k]) for k in kinds[:1] if k in BAD
                    )


@pytest.mark.parametrize(("choice", "option", "values"), list(restricted()))
def test_every_number_is_checked_against_its_range(
    refused: Refused, choice: str, option: str, values: list[str]
) -> None:
    """Found by walking the classes, so that a new one is tested unasked."""
    for value in values:
        if option.endswith("num_classes") and value == "true":
            continue
        assert f"{option}={value}: " in refused("fit", choice, f"{option}={value}")


@pytest.mark.parametrize(
    ("text", "where", "part"),
    [
        ("model:\n  hidden_dim: [1, 2\n", ":3:1", "not YAML"),
        ("model:\n\thidden_dim: 3\n", ":2:1", "not YAML"),
        ("a: 1\n---\nb: 2\n", ":2:1", "not YAML"),
        ("model: !!python/object/apply:os.system ['touch HACKED']\n", ":1:8", "not YAML"),
        ("model:\n  hidden_dim: !foo 3\n", ":2:15", "not YAML"),
        ("model:\n  hidden_dim: !!int x\n", ":2:15", "no value"),
        ("model: TinyModel\nmodel: SmallModel\n", ":2:1", "second time; the first is at broken.yaml:1:1"),
        ("model:\n  layers: 3\n  layers: 4\n", ":3:3", "second time; the first is at broken.yaml:2:3"),
        ("model:\n  init_args:\n    layers: 3\nmodel.layers: 4\n", ":4:1", "second time"),
        ("", "", "empty"),
        ("# nothing\n", "", "empty"),
        ("- a\n- b\n", "", "mapping"),
        ("hello\n", "", "mapping"),
        ("{a: 1}: 2\n", ":1:1", "name of an option"),
        ("a: &a\n  b: *a\n", "", "in itself"),
        ("1: 2\n", ":1:1", "no option 1"),
        ("modle: TinyModel\n", ":1:1", "Did you mean --model?"),
        ("test:\n  model: TinyModel\n", ":2:3", "nothing is said to fit"),
        ("model:\n  hiden_dim: 3\n", ":2:3", "Did you mean hidden_dim?"),
        ("model:\n  layers: 2\n  hidden_dim: -4\n", ":3:3", "above 0, got -4"),
        ("model:\n  optimizer: Sgdd\n", ":2:3", "Did you mean SGD"),
        ("model:\n", ":1:1", "model cannot be null"),
        ("model: [TinyModel]\n", ":1:1", "name of a class"),
        ("model:\n  class_path: 3\n", ":2:3", "name of a class"),
        ("model+: TinyModel\n", ":1:1", "takes one class"),
        ("trainer:\n  callbacks:\n  - class_path: EarlyStopping\n    montor: 3\n", ":4:5", "Did you mean monitor?"),
        ("trainer:\n  callbacks:\n  - class_path: EarlyStoping\n", ":3:5", "Did you mean EarlyStopping?"),
        ("trainer:\n  callbacks: EarlyStopping\n", ":2:3", "needs monitor"),
        ("config: other.yaml\n", ":1:1", "command line"),
        ("trust: mine\n", ":1:1", "command line"),
        ("run:\n  test: yes\n", ":2:3", "Did you mean true?"),
        ("trainer:\n  max_epochs: 1e1\n", ":2:3", "Did you mean 10?"),
        ("run:\n  dir: null\n", ":2:3", "literal:null"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_line_and_column(refused: Refused, text: str, where: str, part: str) -> None:
    """The position is that of the wrong key or value."""
    Path("broken.yaml").write_text(text)

    message = refused("fit", "--config=broken.yaml")

    assert message.startswith(f"mnistlab: broken.yaml{where}")
    assert part in message
    assert not Path("HACKED").exists()


def test_a_file_that_is_no_text_is_refused(refused: Refused) -> None:
    """As is a link to nowhere."""
    Path("bytes.yaml").write_bytes(b"\xff\xfe\x00\x01")
    Path("link.yaml").symlink_to("nowhere")

    assert "cannot be read" in refused("fit", "--config=bytes.yaml")
    assert "no file link.yaml" in refused("fit", "--config=link.yaml")


def test_of_several_files_the_wrong_one_is_named(refused: Refused) -> None:
    """Even if another one repairs it."""
    Path("a.yaml").write_text("model:\n  hiden_dim: 3\n")
    Path("b.yaml").write_text("model:\n  hidden_dim: 3\n")

    assert "a.yaml:2:3" in refused("fit", "--config=b.yaml", "--config=a.yaml", "--model=TinyModel")


@pytest.mark.parametrize(
    "contents", [b"", b"not a checkpoint", b"PK\x03\x04 cut off"], ids=["empty", "text", "damaged"]
)
def test_a_file_that_is_no_checkpoint_is_refused(refused: Refused, contents: bytes) -> None:
    """With its name."""
    Path("x.ckpt").write_bytes(contents)

    assert "x.ckpt" in refused("test", "--ckpt_path=x.ckpt")


def test_a_checkpoint_of_another_program_is_refused(refused: Refused) -> None:
    """It does not say which model it holds."""
    torch.save({"state_dict": {"weight": torch.zeros(3)}}, "other.ckpt")
    torch.save([1, 2, 3], "list.ckpt")
    torch.save({"state_dict": {}, "mnistlab": {"format": 99, "model": {}}}, "newer.ckpt")

    assert "not made by mnistlab" in refused("test", "--ckpt_path=other.ckpt")
    assert "no state_dict" in refused("test", "--ckpt_path=list.ckpt")
    assert "Update mnistlab" in refused("test", "--ckpt_path=newer.ckpt")


def test_a_command_to_be_copied_is_never_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """However narrow the terminal is; the sentences around it are."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    command = "  mnistlab sweep --data=SyntheticDigits --model=TinyModel"
    tell(f"mnistlab: interrupted. What has finished is kept. Go on with:\n{command}")

    *sentences, last = capsys.readouterr().err.splitlines()
    assert last == command
    assert len(sentences) > 2
    assert max(map(len, sentences)) <= 20


def test_every_offered_callback_has_its_name_in_the_list(refused: Refused) -> None:
    """The list that an error shows is of classes that exist, without what the lab adds by itself."""
    shown = refused("fit", "--trainer.callbacks=Nothing").partition("There are ")[2].rstrip(".\n").split(", ")

    assert set(shown) == set(listed((Callback,)))
    assert "EarlyStopping" in shown
    assert not {"Recorder", "Continuity", "EpochBar", "SaveConfigCallback"} & set(shown)


def test_without_validation_images_there_is_nothing_to_validate(refused: Refused) -> None:
    """It says what there is instead."""
    data = ("--data=SyntheticDigits", "--data.train_size=60", "--data.test_size=20", "--data.val_size=0")

    assert "Use test" in refused("validate", "--untrained", "--model=TinyModel", *data)
