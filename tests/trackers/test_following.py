"""Trackers hear of a run, and never disturb it."""

import importlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from mnistlab.cli import main
from mnistlab.runs.reading import read_record
from mnistlab.runs.recorder import Recorder
from mnistlab.trackers import Followed, Tracker, Trackers

Fit = Callable[..., Path]

_OWN = """
import random
import sys
from pathlib import Path

import torch

from mnistlab.trackers import Tracker


class Diary(Tracker):
    \"\"\"Writes down what it hears, and draws random numbers.\"\"\"

    def begin(self, run):
        self.heard = ["begin", *(row["epoch"] for row in run.rows)]
        return "cat diary"

    def row(self, epoch, metrics):
        random.random(), torch.rand(3)
        self.heard.append(epoch)

    def end(self, run):
        Path("diary").write_text(" ".join(map(str, [*self.heard, run.record["status"]])))


class Broken(Tracker):
    \"\"\"Fails.

    Args:
        at: Where.
    \"\"\"

    def __init__(self, at: str = "row") -> None:
        self.at = at

    def begin(self, run):
        self.fail("begin")
        return "nowhere"

    def row(self, epoch, metrics):
        self.fail("row")

    def end(self, run):
        self.fail("end")

    def fail(self, place):
        if place == self.at:
            raise OSError("the server\\n is away \\033[31m")
        if self.at == "exit" and place == "row":
            sys.exit(3)
"""


@pytest.fixture
def own(here: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with trackers of the user's own."""
    name = f"own_{here.name.replace('-', '_')}"
    (here / f"{name}.py").write_text(_OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(here))
    return name


@pytest.mark.parametrize("at", ["begin", "row", "end", "exit"])
def test_a_tracker_that_fails_leaves_the_run_as_it_is(
    fit: Fit, own: str, at: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told once, in one line; rows, record and weights are those of a run without it."""
    alone = fit("--trainer.max_epochs=3")
    capsys.readouterr()

    run = fit("--trainer.max_epochs=3", f"--logger={own}.Broken", f"--logger.at={at}")

    (line,) = [line for line in capsys.readouterr().err.splitlines() if "max_epochs" not in line]
    assert line.startswith("note: the run goes on without Broken. ")
    assert "\033" not in line
    assert (run / "metrics.csv").read_bytes() == (alone / "metrics.csv").read_bytes()
    before, after = read_record(alone) or {}, read_record(run) or {}
    same = ("status", "config_hash", "metrics")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_a_long_error_is_told_with_its_end(
    fit: Fit, own: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There stands why."""
    fit("--trainer.max_epochs=1")
    module = importlib.import_module(own)
    why = f"asking http://there{' and there' * 30} failed (Caused by 'Failed: [Errno 111] Connection refused'))"
    monkeypatch.setattr(module.Broken, "fail", Mock(side_effect=OSError(why)))
    capsys.readouterr()

    fit(f"--logger={own}.Broken")

    (line,) = [line for line in capsys.readouterr().err.splitlines() if "max_epochs" not in line]
    assert line.startswith("note: the run goes on without Broken. OSError: asking http://there")
    assert line.endswith("Connection refused")
    assert len(line) < 220


def test_a_tracker_that_draws_random_numbers_changes_no_bit(fit: Fit, own: str) -> None:
    """Neither of the weights, nor of the numbers that would be drawn next."""
    alone, run = fit("--trainer.max_epochs=2"), fit("--trainer.max_epochs=2", f"--logger={own}.Diary")

    kept = [torch.load(each / "checkpoints" / "last.ckpt", weights_only=True) for each in (alone, run)]
    assert all(torch.equal(kept[0]["state_dict"][name], kept[1]["state_dict"][name]) for name in kept[0]["state_dict"])
    states = [each["callbacks"]["Continuity"] for each in kept]
    assert torch.equal(states[0]["torch"], states[1]["torch"])
    (version, numbers, gauss), (other_version, other_numbers, other_gauss) = (state["python"] for state in states)
    assert (version, gauss) == (other_version, other_gauss)
    assert torch.equal(numbers, other_numbers)


def test_a_run_that_is_continued_brings_its_rows_along(fit: Fit, own: str, here: Path) -> None:
    """And the trackers that it had; the first epoch has number 1, as on the screen."""
    run = fit("--trainer.max_epochs=2", f"--logger={own}.Diary")
    first = (here / "diary").read_text()

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=3", f"--trust={own}"]) == 0

    assert first == "begin 1 2 finished"
    assert (here / "diary").read_text() == "begin 0 1 3 finished"


def test_how_a_run_has_failed_is_passed_on(here: Path, own: str, small_data: tuple[str, ...]) -> None:
    """The record is complete before the trackers hear of the end."""
    (here / "failing.py").write_text(
        "from lightning.pytorch import Callback\n\n\n"
        "class Failing(Callback):\n"
        "    def on_validation_end(self, trainer, pl_module):\n"
        "        raise RuntimeError('on purpose')\n",
        encoding="utf-8",
    )
    arguments = ["fit", "--model=TinyModel", *small_data, f"--logger={own}.Diary"]

    assert main([*arguments, "--trainer.callbacks=failing.Failing"]) == 1

    assert (here / "diary").read_text() == "begin failed"


def test_another_command_tells_that_it_has_no_use_for_one(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Only training is followed."""
    fit()

    assert main(["validate", "--ckpt_path=last", "--logger=TensorBoard"]) == 0

    assert "--logger=TensorBoard has no effect: validate does not train." in capsys.readouterr().err


class Missing(Tracker):
    """Needs what nobody has."""

    abstract = True  # no choice for users
    module = "surely_not_installed"
    extra = "some"

    def begin(self, run: Followed) -> str:
        """Never reached."""
        raise NotImplementedError

    def row(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Never reached."""

    def end(self, run: Followed) -> None:
        """Never reached."""


def test_what_is_not_installed_is_told_before_training() -> None:
    """With what installs it."""
    with pytest.raises(Exception, match=re.escape("pip install 'mnistlab[some]'")):
        Trackers([Missing()], Recorder(Path(), "", {}), Path(), {})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--logger=mlfow"], "no tracker is called mlfow. Did you mean MLflow? There are "),
        (["--logger=mlflow", "--logger.url=x"], "MLflow has no option url. Did you mean uri?"),
        (["--logger=mlflow", "--logger.uri=runs"], "--logger.uri=runs: `uri` must be a server or a database"),
        (["--logger=wandb", "--logger.mode=on"], "mode of WandB must be offline or online, got on."),
        (["--logger.uri=x"], "logger has no class before this."),
        (["--mlflow"], "Did you mean --logger=mlflow?"),
    ],
)
def test_mistakes_are_named(
    here: Path, small_data: tuple[str, ...], arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, and nothing is begun."""
    assert main(["fit", "--model=TinyModel", *small_data, *arguments]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not list(here.iterdir())


def test_it_is_chosen_like_any_class(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In any case, several with a comma, in a file, and in Python."""
    (here / "mine.yaml").write_text("logger: [mlflow, {class_path: WandB, project: mine}]\n", encoding="utf-8")
    (here / "mine.py").write_text(
        "from mnistlab import Preset, config\nfrom mnistlab.trackers import MLflow, WandB\n\n\n"
        "class Mine(Preset):\n    logger = [MLflow, config(WandB, project='mine')]\n",
        encoding="utf-8",
    )
    typed = ["--logger=MLFLOW,wandb", "--logger.project=mine"]
    texts = []
    for arguments in (typed, ["--config=mine.yaml"], ["--config=mine.py"]):
        assert main(["fit", *arguments, "--print_config"]) == 0
        texts.append(capsys.readouterr().out)

    assert texts[0] == texts[1] == texts[2]
    assert "class_path: mnistlab.trackers.MLflow" in texts[0]
    assert "project: mine" in texts[0]


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1", "sqlite:////elsewhere/mlflow.db", "/elsewhere"])
def test_a_run_that_is_continued_sends_nothing_to_strangers(
    fit: Fit, uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its configuration came with its checkpoint; what the user trusts or chooses anew is not asked about."""
    run = fit()
    path = run / "config.yaml"
    chosen = f"logger: {{class_path: mnistlab.trackers.MLflow, init_args: {{uri: '{uri}'}}}}"
    path.write_text(path.read_text().replace("\nlogger: null\n", f"\n{chosen}\n"))
    assert chosen in path.read_text()
    capsys.readouterr()
    again = ["fit", f"--ckpt_path={run}", "--print_config"]

    assert main(again) == 2
    assert "lies neither here nor in the folder of the run. If you trust it, add --trust=" in capsys.readouterr().err
    assert main([*again, "--logger=null"]) == 0
    if "://127" in uri:
        assert main([*again, f"--trust={uri}"]) == 0
