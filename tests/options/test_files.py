"""Configuration files: merged, in parts, with limits."""

from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import SMALL_DATA

from mnistlab.cli import main

MODEL = "class_path: SDN8K\ninit_args:\n  optimizer:\n    class_path: SGD\n    init_args: {lr: 0.05}\n"


@pytest.fixture
def refused(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The one line that refuses a command."""
    del here

    def message(*arguments: str) -> str:
        assert main(["fit", *SMALL_DATA, *arguments, "--print_config"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return message


@pytest.fixture
def resolved(here: Path) -> Callable[..., Any]:
    """The configuration of a command."""
    del here

    def printed(*arguments: str) -> Any:
        out = StringIO()
        with redirect_stdout(out):
            assert main(["fit", *SMALL_DATA, *arguments, "--print_config"]) == 0
        return yaml.safe_load(out.getvalue())

    return printed


def test_a_mapping_takes_in_others(resolved: Callable[..., Any]) -> None:
    """What it says itself counts, then the first of those that it names; and all of a part, or nothing."""
    Path("c.yaml").write_text(
        "data: &data {class_path: SyntheticDigits, train_size: 500}\n"
        "model: {class_path: TinyModel, optimizer: &sgd {class_path: SGD, lr: 0.5, momentum: 0.5}}\n"
        "trainer: {<<: [{max_epochs: 2, min_epochs: 1}, {max_epochs: 9, max_steps: 7}], max_steps: 8}\n"
        "run: {<<: {name: below, test: false}, name: above}\n"
    )
    Path("d.yaml").write_text(
        "model:\n  class_path: TinyModel\n  init_args:\n"
        "    <<: {optimizer: {class_path: SGD, lr: 0.5, momentum: 0.5}, dropout: 0.3}\n"
        "    optimizer: {class_path: SGD, lr: 0.1}\n"
    )
    found = resolved("--config=c.yaml")
    model = resolved("--config=d.yaml")["model"]["init_args"]

    assert [found["trainer"][name] for name in ("max_epochs", "min_epochs", "max_steps")] == [2, 1, 8]
    assert (found["run"]["name"], found["run"]["test"]) == ("above", False)
    assert model["dropout"] == 0.3
    assert (model["optimizer"]["init_args"]["lr"], model["optimizer"]["init_args"]["momentum"]) == (0.1, 0)


@pytest.mark.parametrize(
    ("text", "where", "part"),
    [
        ("run: {<<: {name: a}, name: b, name: c}\n", ":1:31", "name stands here for the second time"),
        ("run: {<<: {name: a, name: b}}\n", ":1:21", "name stands here for the second time"),
        ("run: {<<: [a]}\n", ":1:12", "<< takes a mapping"),
        ("run: {<<: 3}\n", ":1:11", "<< takes a mapping"),
        ("trainer:\n  callbacks:\n  - class_path: Timer\n    duration: {days: 1, days: 2}\n", ":4:25", "second time"),
        ("run:\n  tags: [{a: 1, a: 2}]\n", ":2:17", "a stands here for the second time"),
        ("run:\n  name: !!timestamp 2026-01-01\n", ":2:9", "no value: a date"),
        ("run: &a\n  <<: *a\n", "", "in itself"),
    ],
)
def test_what_is_said_twice_or_is_no_mapping_is_told(
    refused: Callable[..., str], text: str, where: str, part: str
) -> None:
    """With line and column."""
    Path("c.yaml").write_text(text)

    line = refused("--config=c.yaml")

    assert line.startswith(f"mnistlab: c.yaml{where}")
    assert part in line


def bomb(key: str) -> str:
    """A few lines that stand for millions of values."""
    rows = [f"{key}:", "- &a0 [x, x, x, x, x, x, x]"]
    rows += [f"- &a{i} [{', '.join([f'*a{i - 1}'] * 7)}]" for i in range(1, 9)]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    "arguments",
    [["--config=bomb.yaml"], ["--model=bomb.yaml"], ["--model.optimizer=bomb.yaml"], ["--config=names.yaml"]],
)
def test_a_file_that_grows_without_end_is_refused(refused: Callable[..., str], arguments: list[str]) -> None:
    """At once and in one line, wherever it is read."""
    Path("bomb.yaml").write_text(bomb("tags"))
    Path("names.yaml").write_text("run: bomb.yaml\n")

    assert "bomb.yaml describes more than a run" in refused(*arguments)


@pytest.mark.parametrize("arguments", [["--model=parts/model.yaml"], ["--config=parts/all.yaml"]])
def test_a_part_stands_in_a_file_of_its_own(resolved: Callable[..., Any], arguments: list[str]) -> None:
    """As LightningCLI has it; a file that a file names lies beside it, and what comes later counts."""
    Path("parts").mkdir()
    Path("parts/model.yaml").write_text("class_path: SDN8K\ninit_args: {optimizer: sgd.yaml}\n")
    Path("parts/sgd.yaml").write_text("class_path: SGD\ninit_args: {lr: 0.05, momentum: 0.5}\n")
    Path("parts/all.yaml").write_text("model: model.yaml\n")
    found = resolved(*arguments, "--model.optimizer.lr=0.01")["model"]

    assert found["class_path"].endswith("SDN8K")
    assert found["init_args"]["optimizer"]["class_path"].endswith("SGD")
    assert found["init_args"]["optimizer"]["init_args"]["lr"] == 0.01
    assert found["init_args"]["optimizer"]["init_args"]["momentum"] == 0.5


def test_a_file_of_options_serves_a_section_without_a_class(resolved: Callable[..., Any]) -> None:
    """The trainer has one class only."""
    Path("trainer.yaml").write_text("max_epochs: 3\n")

    assert resolved("--trainer=trainer.yaml")["trainer"]["max_epochs"] == 3


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (
            ["--config=model.yaml"],
            "one class, SDN8K, and is no configuration. Give it to the option that takes it: --model=m",
        ),
        (["--config=sgd.yaml"], "--model.optimizer=sgd.yaml"),
        (["--model=nowhere.yaml"], "there is no file nowhere.yaml"),
        (["--data=model.yaml"], "model.yaml:1:1: no data is called SDN8K"),
        (["--model=loop.yaml"], "loop.yaml:2:1: loop.yaml names itself"),
        (["--class_path=SGD"], "Did you mean --model.optimizer=SGD?"),
    ],
)
def test_a_file_at_the_wrong_place_is_told(refused: Callable[..., str], arguments: list[str], part: str) -> None:
    """With the option that takes it."""
    Path("model.yaml").write_text(MODEL)
    Path("sgd.yaml").write_text("class_path: SGD\n")
    Path("loop.yaml").write_text("class_path: SDN8K\noptimizer: loop.yaml\n")

    assert part in refused(*arguments)


@pytest.mark.parametrize("name", ["ckpt_path", "config", "print_config"])
def test_null_for_what_stands_on_the_command_line_is_nothing(resolved: Callable[..., Any], name: str) -> None:
    """LightningCLI writes `ckpt_path: null` into every configuration."""
    Path("c.yaml").write_text(f"{name}: null\n")

    assert resolved("--config=c.yaml") == resolved()


def test_the_home_folder_is_meant_in_every_path(
    resolved: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the command line and in files; a text is left alone."""
    home = Path("home").absolute()
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "c.yaml").write_text("run: {dir: ~/runs, tags: [~/x]}\ntrainer: {default_root_dir: ~/root}\n")
    callback = ("--trainer.callbacks+=ModelCheckpoint", "--trainer.callbacks.dirpath=~/kept")
    found = resolved("--config=~/c.yaml", "--model.init_from=~/best.ckpt", *callback)

    assert found["run"]["dir"] == str(home / "runs")
    assert found["run"]["tags"] == ["~/x"]
    assert found["trainer"]["default_root_dir"] == str(home / "root")
    assert found["trainer"]["callbacks"][0]["init_args"]["dirpath"] == str(home / "kept")
    assert found["model"]["init_args"]["init_from"] == str(home / "best.ckpt")

    assert main(["fit", "--model=TinyModel", *SMALL_DATA, "--trainer.max_epochs=1", "--run.dir=~/runs"]) == 0
    (run,) = (home / "runs").glob("*/*")
    capsys.readouterr()
    checkpoint = f"--ckpt_path=~/{run.relative_to(home)}"
    assert main(["test", checkpoint]) == 0
    assert main(["runs", "--run.dir=~/runs"]) == 0
    assert main(["report", "--run.dir=~/runs", "--output=~/page.html"]) == 0
    assert (home / "page.html").is_file()
    assert not Path("~").exists()
