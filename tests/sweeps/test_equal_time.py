"""Runs of a comparison or a sweep that are each given the same time."""

import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from mnistlab.classifier import Classifier
from mnistlab.cli import main
from mnistlab.runs.supervision import Supervision
from mnistlab.training.running import run

pytestmark = pytest.mark.usefixtures("inline")


class Killed(BaseException):
    """Ends a run where it stands; no handler of the program catches it."""


def budget_of(folder: Path) -> str:
    """What the configuration of a run says of it."""
    budget: str = yaml.safe_load((folder / "config.yaml").read_text())["budget"]
    return budget


def test_models_are_compared_at_equal_time(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each has as many steps as it makes in that time."""
    models = "--models=TinyModel,SDN8K"

    assert main(["compare", *small_data, models, "--seeds=1", "--budget=1s", "--json"]) == 0

    assert {row["model"] for row in json.loads(capsys.readouterr().out)} == {"TinyModel", "SDN8K"}
    budgets = [budget_of(folder) for folder in here.glob("runs/compare-*/*-seed-0")]
    assert [budget.split()[:1] for budget in budgets] == [["1s"], ["1s"]]
    assert len(set(budgets)) == 2


def test_each_trial_of_a_sweep_has_its_time(here: Path, small_data: tuple[str, ...]) -> None:
    """So have all seeds."""
    sweep = ["--model=TinyModel", "--model.hidden_dim=choice:8,16", "--workers=1"]

    assert main(["sweep", *small_data, *sweep, "--budget=1s"]) == 0

    folders = [path.parent for path in here.glob("runs/*/*/config.yaml")]
    assert len(folders) == 2
    assert all(budget_of(folder).startswith("1s 0:") for folder in folders)


def test_a_trial_that_was_killed_keeps_to_what_it_had_decided(here: Path, small_data: tuple[str, ...]) -> None:
    """It gets no more time than the others, although its sweep says the same again."""
    arguments = ["--model=TinyModel", *small_data, "--budget=3s", "--run.checkpoint_every_n_steps=1"]
    supervision = Supervision(here / "runs" / "sweep" / "trial", {}, lambda _: True)
    training_step = Classifier.training_step

    def killing(self: Classifier, *given: Any) -> Any:
        if self.trainer.global_step == 8:
            raise Killed
        return training_step(self, *given)

    with mock.patch.object(Classifier, "training_step", killing), pytest.raises(Killed):
        run(arguments, supervision)
    run([*arguments, f"--ckpt_path={supervision.folder}"], supervision)

    decided = budget_of(supervision.folder).split()
    record = json.loads((supervision.folder / "run.json").read_text())
    assert all(int(turn.partition(":")[0]) <= 8 for turn in decided[1:])
    assert f":{record['metrics']['last']['step']}/" in decided[-1]
