"""What is in a checkpoint, without running anything of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from mnistlab import main

Fit = Callable[..., Path]
Inspect = Callable[..., dict[str, Any]]


@pytest.fixture
def inspect(capsys: pytest.CaptureFixture[str]) -> Inspect:
    """What `inspect --json` says."""

    def said(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["inspect", *arguments, "--json"]) == 0
        report: dict[str, Any] = json.loads(capsys.readouterr().out)
        return report

    return said


@pytest.fixture
def screen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What a person sees in 80 columns."""

    def seen(*arguments: str) -> list[str]:
        capsys.readouterr()
        monkeypatch.setenv("COLUMNS", "80")
        assert main(["inspect", *arguments]) == 0
        return capsys.readouterr().out.splitlines()

    return seen


@pytest.mark.parametrize("name", ["checkpoints/best.ckpt", "model.safetensors"])
def test_it_says_what_the_file_says(trained: Fit, inspect: Inspect, name: str) -> None:
    """Where it is from, how far it was trained, its specification, its figures and its weights."""
    run = trained("--trainer.max_epochs=2", "--model.hidden_dim=40")
    contents = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    record = json.loads((run / "run.json").read_text())

    report = inspect(str(run / name))

    assert report["size_bytes"] == (run / name).stat().st_size
    assert (report["versions"], report["metrics"]["best"]) == (record["versions"], record["metrics"]["best"])
    assert (report["epoch"], report["step"]) == (contents["epoch"], contents["global_step"])
    assert (report["model"], report["data"]) == (contents["mnistlab"]["model"], contents["mnistlab"]["data"])
    weights = contents["state_dict"]
    assert report["tensors"] == {key: list(weight.shape) for key, weight in weights.items()} or "safetensors" in name
    assert report["values"] == sum(weight.numel() for weight in weights.values())
    assert {each["name"] for each in report["classes"]} == {
        "mnistlab.models.TinyModel",
        "mnistlab.data.SyntheticDigits",
        "mnistlab.schedules.WarmupCosine",
        "torch.nn.CrossEntropyLoss",
        "mnistlab.nets.LinearHead",
        "torch.optim.AdamW",
    }
    assert all(each["allowed"] for each in report["classes"])
    assert report["problem"] is None


def test_a_run_best_and_last_name_a_checkpoint(trained: Fit, inspect: Inspect) -> None:
    """As they do for `test`."""
    run = trained()
    found = {
        name: Path(inspect(*arguments)["file"]).absolute()
        for name, arguments in {
            "run": [str(run)],
            "option": [f"--ckpt_path={run}"],
            "best": ["best"],
            "last": ["last", f"--run.dir={run.parent.parent}"],
        }.items()
    }

    assert found["run"] == found["option"] == found["best"] == run / "checkpoints" / "best.ckpt"
    assert found["last"] == run / "checkpoints" / "last.ckpt"


def test_a_person_sees_it_in_80_columns(trained: Fit, screen: Callable[..., list[str]]) -> None:
    """The specification as in a configuration file, the figures, and a verdict on each class."""
    run = trained("--model.hidden_dim=40")
    lines = screen(str(run / "checkpoints" / "best.ckpt"))

    assert all(len(line) <= 80 or " " not in line for line in lines)  # a path is not broken
    assert lines[0] == str(run / "checkpoints" / "best.ckpt")
    assert "model: mnistlab.models.TinyModel" in lines
    assert "  hidden_dim: 40" in lines
    assert "  optimizer: torch.optim.AdamW" in lines
    assert "    lr: 0.001" in lines
    assert [line for line in lines if line.startswith("  best        epoch 1, step 4, val/acc")]
    assert [line.split() for line in lines[-1:]] == [["mnistlab.data.SyntheticDigits", "allowed"]]


def test_weights_of_another_program_are_shown_as_far_as_can_be(
    here: Path, inspect: Inspect, screen: Callable[..., list[str]]
) -> None:
    """Their keys and tensors, and who made them."""
    weights = {f"layer{number}.weight": torch.zeros(3, 4) for number in range(20)}
    torch.save(weights, here / "bare.pt")
    torch.save({"state_dict": weights, "pytorch-lightning_version": "1.9", "epoch": 3}, here / "other.ckpt")
    save_file(weights, here / "other.safetensors", {"format": "pt"})
    torch.save([1, 2], here / "list.pt")

    for name in ("bare.pt", "other.ckpt", "other.safetensors"):
        report = inspect(name)
        assert (report["values"], len(report["tensors"])) == (240, 20)
        assert report["made_by"].startswith("another program")
        assert "not made by mnistlab" in report["problem"]
        lines = screen(name)
        assert "  layer0.weight  [3, 4]" in lines
        assert "  and 8 more tensors; --json lists all" in lines
    assert "Lightning 1.9" in inspect("other.ckpt")["made_by"]
    assert inspect("other.safetensors")["metadata"] == {"format": "pt"}
    assert inspect("list.pt")["values"] == 0


@pytest.mark.parametrize("key", ["model", "data", "format", "metrics", "versions"])
@pytest.mark.parametrize("value", [7, "text", [1, [2]], {"class_path": [1], "init_args": "x"}, None, {1: {2: 3}}])
def test_a_record_of_any_form_is_shown(
    trained: Fit, inspect: Inspect, screen: Callable[..., list[str]], key: str, value: object
) -> None:
    """It is as little trusted in its form as in its contents."""
    contents = torch.load(trained() / "checkpoints" / "best.ckpt", weights_only=True)
    contents["mnistlab"][key] = value
    contents["callbacks"]["Recorder"] = value
    torch.save(contents, "odd.ckpt")

    assert inspect("odd.ckpt")["kind"] == "checkpoint"
    assert screen("odd.ckpt")


def test_what_is_nested_in_itself_has_an_end(trained: Fit, inspect: Inspect, screen: Callable[..., list[str]]) -> None:
    """A pickle can hold such a thing, and a list that doubles at every level."""
    contents = torch.load(trained() / "checkpoints" / "best.ckpt", weights_only=True)
    endless: dict[str, object] = {}
    endless["again"] = endless
    contents["mnistlab"]["model"]["init_args"] = endless
    torch.save(contents, "endless.ckpt")

    assert inspect("endless.ckpt")["model"]["init_args"]["again"]["again"]
    assert screen("endless.ckpt")


def test_a_stranger_cannot_write_to_the_terminal(trained: Fit, screen: Callable[..., list[str]]) -> None:
    """Control characters are shown, not sent."""
    contents = torch.load(trained() / "checkpoints" / "best.ckpt", weights_only=True)
    contents["mnistlab"]["model"]["init_args"] = {"hidden_dim": "\x1b[2J\ud800\nclasses: all allowed"}
    contents["mnistlab"]["model"]["class_path"] = "os.\x1b]0;"
    torch.save(contents, "odd.ckpt")

    text = "\n".join(screen("odd.ckpt"))

    assert "\x1b" not in text
    assert r"hidden_dim: \x1b[2J\ud800\nclasses: all allowed" in text


def test_text_that_an_option_might_take_for_a_class_is_listed(
    trained: Fit, inspect: Inspect, screen: Callable[..., list[str]]
) -> None:
    """Whether it counts depends on the option."""
    contents = torch.load(trained() / "checkpoints" / "best.ckpt", weights_only=True)
    contents["mnistlab"]["model"]["init_args"]["hook"] = "os.system"
    torch.save(contents, "odd.ckpt")

    assert inspect("odd.ckpt")["other_names"] == ["os.system"]
    assert "text that reads like names: os.system" in screen("odd.ckpt")


def test_a_newer_format_is_told(trained: Fit, inspect: Inspect) -> None:
    """As far as it can be read, it is shown."""
    contents = torch.load(trained() / "checkpoints" / "best.ckpt", weights_only=True)
    contents["mnistlab"]["format"] = 99
    torch.save(contents, "newer.ckpt")

    report = inspect("newer.ckpt")

    assert "Update mnistlab" in report["problem"]
    assert report["model"]["class_path"] == "mnistlab.models.TinyModel"


def test_a_refused_pickle_is_shown_by_what_it_asks_for(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the screen and for machines; the exit code says that it was not opened."""
    (here / "bomb.ckpt").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")

    assert main(["inspect", "bomb.ckpt"]) == 2
    output, error = capsys.readouterr()
    assert "              it names posix.system" in output.splitlines()
    assert "it names posix.system" in error
    assert main(["inspect", "bomb.ckpt", "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["refused"], report["asks_for"]) == (True, ["posix.system"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "inspect takes one checkpoint, got none"),
        (["a.ckpt", "b.ckpt"], "got 2: a.ckpt, b.ckpt"),
        (["a.ckpt", "--jsn"], "--jsn: inspect has no such option. Did you mean --json?"),
        (["a.ckpt", "-j"], "-j: inspect has no such option."),
        (["a.ckpt", "--json=1"], "--json takes no value"),
        (["a.ckpt", "--trust"], "--trust needs a value"),
        (["right.ckp"], "right.ckp: there is no such file. Did you mean right.ckpt?"),
        (["bst"], "Did you mean best?"),
        (["best"], "no training run lies there"),
        (["."], "this folder is not a run"),
        (["right.ckpt"], "right.ckpt is not a checkpoint, or a damaged one"),
    ],
)
def test_a_mistake_is_told(here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """In one line, with the nearest right thing."""
    (here / "right.ckpt").write_text("text")

    assert main(["inspect", *arguments]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_is_short(capsys: pytest.CaptureFixture[str], option: str) -> None:
    """It names what can be inspected."""
    assert main(["inspect", option]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 12
    assert all(len(line) <= 80 for line in lines)
