"""The tables of what there is are drawn from the code itself."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from mnistlab import EMNIST, Classifier, ImageData, LargeModel, TinyModel, main
from mnistlab.catalogue import load_catalogue
from mnistlab.losses import Loss
from mnistlab.losses.torch_losses import GIVEN, REFUSED
from mnistlab.options.classes import candidates

TABLES = {"models": "model", "datasets": "data", "losses": "loss", "optimizers": "optimizer", "schedules": "scheduler"}
Said = Callable[..., str]


@pytest.fixture
def said(here: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """What a command prints that ends well."""
    del here

    def printed(*arguments: str) -> str:
        assert main(arguments) == 0
        outcome = capsys.readouterr()
        assert not outcome.err
        return outcome.out

    return printed


def rows(text: str) -> list[dict[str, Any]]:
    """The rows of a table as JSON."""
    found: list[dict[str, Any]] = json.loads(text)
    return found


@pytest.mark.parametrize("command", TABLES)
@pytest.mark.parametrize("columns", ["50", "80", "120"])
def test_a_table_has_every_class_of_its_kind(
    said: Said, monkeypatch: pytest.MonkeyPatch, command: str, columns: str
) -> None:
    """One row each with the name whole, the default marked, no line too wide and no escape code."""
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    text = said(command)
    lines = text.splitlines()

    assert max(map(len, lines)) <= int(columns)
    assert "\x1b" not in text
    for name, entry in load_catalogue().kinds[TABLES[command]].classes.items():
        assert entry.summary
        assert len([line for line in lines if f"{line} ".startswith(f"  {name} ")]) == (0 if entry.problem else 1)
    assert len([line for line in lines if line.split()[1:2] == ["*"]]) == 1
    assert "mnistlab fit --" in text


@pytest.mark.parametrize("command", [*TABLES, "presets"])
def test_json_is_a_list_of_objects(said: Said, command: str) -> None:
    """All with the same keys, in the order of the table."""
    found = rows(said(command, "--json"))

    assert found
    assert {tuple(row) for row in found} == {tuple(found[0])}
    assert {"name", "default", "description", "command"} <= set(found[0])
    text = said(command)
    positions = [text.index(f"\n  {row['name']} ") for row in found]
    assert positions == sorted(positions)


@pytest.mark.parametrize("command", [*TABLES, "presets"])
def test_the_command_of_each_row_works(said: Said, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """It chooses what the row is about; where it ends in ... a value is missing, which the description names.

    The page of a class shows the values that it has then.
    """
    tried = 0
    for row in rows(said(command, "--json")):
        _, *arguments = str(row["command"]).split()
        if any(argument.endswith("...") for argument in arguments):
            assert row["needs"]
            continue
        if arguments[0] == "sweep":
            assert main(["fit", *arguments[1:]]) == 2  # tests of sweeps run it
            assert f"To sweep it:\n  {row['command']}\n" in capsys.readouterr().err
            continue
        config = yaml.safe_load(said(*arguments, "--print_config"))
        if "class" in row:
            key, _, name = arguments[1].removeprefix("--").partition("=")
            chosen = part_of(config, key)
            assert chosen["class_path"] == row["class"]
            page = said("fit", f"--{key}.help={name}")
            for option, value in re.findall(rf"^  --{key}\.(\w+)=(\S+)", page, re.MULTILINE):
                counting = chosen["init_args"][option]
                if isinstance(counting, dict) and "class_path" not in counting:
                    continue  # a mapping, which is typed by its parts
                counting = counting.get("class_path", "").rpartition(".")[2] if isinstance(counting, dict) else counting
                assert value == counting or json.loads(value) == counting, (name, option)
        tried += 1
    assert tried >= 5


def part_of(config: dict[str, Any], key: str) -> dict[str, Any]:
    """The class at a dotted key."""
    for name in key.split("."):
        config = config.get("init_args", config)[name]
    return config


def test_parameters_images_and_classes_are_counted(said: Said) -> None:
    """They are those of the objects."""
    models = {row["name"]: row["parameters"] for row in rows(said("models", "--json"))}
    data = {row["name"]: row for row in rows(said("datasets", "--json"))}

    for cls in (TinyModel, LargeModel):
        assert models[cls.__name__] == sum(parameter.numel() for parameter in cls().parameters())
    found = candidates((Classifier,)).items()
    assert set(models) == {name for name, (cls, *_) in found if cls.__module__.startswith("mnistlab.models.")}
    assert set(data) == {name for name, (cls, *_) in candidates((ImageData,)).items() if "mnistlab" in cls.__module__}
    assert data["EMNIST"]["classes"] == next(iter(EMNIST().heads.values()))
    assert (data["MNIST"]["train"], data["MNIST"]["test"], data["MNIST"]["classes"]) == (60_000, 10_000, 10)
    assert f"{models['TinyModel']:,}" in said("models")


def test_the_losses_are_those_that_the_lab_takes(said: Said) -> None:
    """Those that need more than logits and a class are not offered."""
    names = {row["name"] for row in rows(said("losses", "--json"))}

    own = {name for name, (cls, *_) in candidates((Loss,)).items() if cls.__module__.startswith("mnistlab.")}
    assert {cls.__name__ for cls in GIVEN} | own == names
    assert not names & {cls.__name__ for cls in REFUSED}


def test_the_defaults_are_those_of_fit(said: Said) -> None:
    """One in each table."""
    defaults = {command: [row["name"] for row in rows(said(command, "--json")) if row["default"]] for command in TABLES}

    assert defaults == {
        "models": ["MediumModel"],
        "datasets": ["MNIST"],
        "losses": ["CrossEntropyLoss"],
        "optimizers": ["AdamW"],
        "schedules": ["WarmupCosine"],
    }


def test_schedules_say_which_arguments_they_need(said: Said) -> None:
    """Those without a default in torch's own signature."""
    found = {row["name"]: row["needs"] for row in rows(said("schedules", "--json"))}

    assert found["StepLR"] == ["step_size"]
    assert found["CyclicLR"] == ["base_lr", "max_lr"]
    assert found["WarmupCosine"] == []
    with pytest.raises(TypeError, match="step_size"):
        torch.optim.lr_scheduler.StepLR(torch.optim.SGD([torch.zeros(1)]))  # type: ignore[call-arg]
    assert "Needs step_size." in said("schedules")


def test_what_cannot_be_used_is_not_offered(said: Said) -> None:
    """An optimizer that refuses biases, a schedule that takes a function or other schedules; the rest is there."""
    text = said("optimizers") + said("schedules")

    for name in ("Muon", "SparseAdam", "LambdaLR", "MultiplicativeLR", "SequentialLR", "ChainedScheduler"):
        assert f" {name} " not in text
    assert "Not for the models here: the optimizer cannot be used" in said("fit", "--model.optimizer.help=Muon")
    assert "Muon" not in said("fit", "--model.optimizer.help")
    for name in ("LBFGS", "SGD", "MultiStepLR", "CyclicLR", "SWALR", "OneCycleLR"):
        assert f" {name} " in text
    with pytest.raises(ValueError, match="2D"):
        torch.optim.Muon([torch.zeros(1, requires_grad=True)])


def test_presets_of_this_folder_are_seen_at_once(said: Said) -> None:
    """YAML and Python, new, changed and deleted, and one that hides a shipped one; the file that is broken too."""
    folder = Path("presets")
    assert "QuickTest" in said("presets")
    folder.mkdir()
    (folder / "Wide.yaml").write_text("# Wider than usual.\nmodel:\n  init_args: {hidden_dim: 999}\n")
    (folder / "QuickTest.yaml").write_text("# My own.\ntrainer: {max_epochs: 77}\n")
    (folder / "mine.py").write_text('class Deep(Preset):\n    """Deeper."""\n')
    (folder / "broken.py").write_text("class (:\n")

    text, found = said("presets"), {row["name"]: row for row in rows(said("presets", "--json"))}

    assert "Wider than usual." in text
    assert "hides one" in text
    assert found["Deep"]["description"] == "Deeper."
    assert found["QuickTest"]["shadows"].endswith("QuickTest.yaml")
    assert found["Wide"]["path"] == str(folder / "Wide.yaml")
    assert "cannot be read" in found["broken"]["description"]
    assert "--model.hidden_dim=999" in said("fit", "--config=Wide", "--help")
    assert "--trainer.max_epochs=77" in said("fit", "--config=QuickTest", "--help")
    (folder / "Wide.yaml").write_text("# Narrow now.\nmodel:\n  init_args: {hidden_dim: 11}\n")
    assert "Narrow now." in said("presets")
    assert "--model.hidden_dim=11" in said("fit", "--config=Wide", "--help")
    (folder / "Wide.yaml").unlink()
    assert "Narrow" not in said("presets")


@pytest.mark.parametrize("command", [*TABLES, "presets"])
def test_a_table_has_help(said: Said, command: str) -> None:
    """It names its option and what to do with an entry."""
    text = said(command, "--help")

    assert "--json" in text
    assert "mnistlab fit --" in text
    assert said("help", command) == text


@pytest.mark.parametrize(
    ("arguments", "part"),
    [(["models", "--jsn"], "Did you mean --json?"), (["losses", "MSELoss"], "got MSELoss"), (["model"], "models")],
)
def test_an_unknown_argument_is_a_mistake(capsys: pytest.CaptureFixture[str], arguments: list[str], part: str) -> None:
    """With the nearest right one."""
    assert main(arguments) == 2

    assert part in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        *(f"{name} --help" for name in ("fit", "sweep", "compare", "runs", "report", "explain", "doctor")),
        "runs",
    ],
)
def test_a_narrow_terminal_breaks_no_word(
    here: Path, said: Said, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Lines end between words, and none is too wide but a command that is to be copied."""
    whole = said(*command.split())
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    text = said(*command.split())

    assert [line for line in text.splitlines() if len(line) > 50 and not line.startswith("  mnistlab ")] == []
    if not command.startswith("fit"):  # which says less where there is less room
        assert text.split() == whole.split()
    assert not list(here.iterdir())
