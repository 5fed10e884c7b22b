"""What a training begins from: `--model.init_from`."""

import csv
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from support import quiet_trainer
from torch import Tensor
from torch.optim import SGD

from mnistlab import SyntheticDigits, TinyModel, main
from mnistlab.checkpoints.reading import read_checkpoint

Fit = Callable[..., Path]
STILL = ("--model.optimizer=SGD", "--model.optimizer.lr=0", "--model.scheduler=null")
"""What a run ends with is what it began with, but for running statistics."""


def weights(folder: Path) -> dict[str, Tensor]:
    """The parameters that a run ended with."""
    state = read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"]
    return {name: tensor for name, tensor in state.items() if "running" not in name and "num_batches" not in name}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> set[str]:
    """The names under which both have the same tensor."""
    return {name for name in first if name in second and torch.equal(first[name], second[name])}


@pytest.mark.parametrize("what", ["{run}", "last", "{run}/checkpoints/last.ckpt", "{run}/weights.safetensors"])
def test_a_run_begins_with_the_weights_of_another(fit: Fit, capsys: pytest.CaptureFixture[str], what: str) -> None:
    """By the name of its folder, by `last`, as a checkpoint or as a safetensors file; a note says so."""
    run = fit("--seed_everything=1")
    capsys.readouterr()
    source = what.format(run=run) if "weights" not in what else str(next(run.glob("**/*.safetensors")))
    again = fit(f"--model.init_from={source}", "--seed_everything=2", *STILL)

    assert same(weights(run), weights(again)) == set(weights(run))
    assert "note: init_from: 7 of 7 layers taken from /" in capsys.readouterr().err


def test_best_is_the_best_checkpoint_and_not_the_last(fit: Fit) -> None:
    """Of a run that ruined itself after its first epoch."""
    ruin = ("--model.scheduler=StepLR", "--model.scheduler.step_size=1", "--model.scheduler.gamma=1000000")
    run = fit("--model.optimizer.lr=0.003", *ruin, "--trainer.max_epochs=2")
    best = read_checkpoint(run / "checkpoints" / "best.ckpt")["state_dict"]
    began = weights(fit("--model.init_from=best", *STILL))

    assert same(began, best) == set(began)
    assert not same(began, weights(run))


def test_what_fits_is_taken_and_the_rest_is_said(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Here a deeper net for other labels."""
    run = fit()
    capsys.readouterr()
    options = ("--model.layers=3", "--data.labels=DigitTable", "--seed_everything=2", *STILL)
    began = weights(fit(f"--model.init_from={run}", *options))
    (note,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: init_from")]

    assert same(began, weights(run)) == {name for name in weights(run) if "heads" not in name}
    assert "6 of 11 layers taken" in note
    assert "net.heads.digit (not in it)" in note
    assert "Not used of it: net.heads.label." in note


def test_a_net_with_other_classes_learns_from_where_another_stopped(fit: Fit) -> None:
    """Frozen but for its new head, it is better after one epoch than a new net so frozen."""
    run = fit("--model.optimizer.lr=0.003", "--trainer.max_epochs=5")
    tuned = ("--data.labels=DigitTable", "--model.freeze=backbone", "--model.optimizer.lr=0.01")
    taught, untaught = (fit(*tuned, *more) for more in ((f"--model.init_from={run}",), ()))

    assert same(weights(taught), weights(run)) == {name for name in weights(run) if "heads" not in name}
    accuracies = []
    for folder in (taught, untaught):
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        accuracies.append(record["metrics"]["test"]["test/acc"])
    assert accuracies[0] > accuracies[1] + 0.2


@pytest.mark.parametrize("how", ["fit", "test", "predict"])
def test_the_file_is_read_once(fit: Fit, how: str) -> None:
    """Neither a run that goes on nor a test needs what it once began from."""
    begin = fit()
    run = fit(f"--model.init_from={begin / 'checkpoints' / 'last.ckpt'}")
    (begin / "checkpoints" / "last.ckpt").unlink()
    more = ("--trainer.max_epochs=2",) if how == "fit" else ()

    assert main([how, f"--ckpt_path={run}", *more]) == 0


def test_a_continued_run_goes_on_with_its_own_weights(fit: Fit) -> None:
    """Two epochs and one more are three, whatever it began from."""
    begin = fit("--seed_everything=1")
    options = (f"--model.init_from={begin}", "--model.scheduler=null")
    whole, parts = fit(*options, "--trainer.max_epochs=3"), fit(*options, "--trainer.max_epochs=2")
    assert main(["fit", f"--ckpt_path={parts}", "--trainer.max_epochs=3"]) == 0

    assert (parts / "metrics.csv").read_text(encoding="utf-8") == (whole / "metrics.csv").read_text(encoding="utf-8")


def test_what_is_typed_and_too_late_is_said(trained: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that goes on has its weights, and a test trains nothing."""
    run = trained()
    capsys.readouterr()
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2", "--model.init_from=nothing"]) == 0
    assert main(["test", f"--ckpt_path={run}", "--model.init_from=nothing", "--model.freeze=heads"]) == 0

    said = capsys.readouterr().err
    assert "--model.init_from=nothing has no effect: the run goes on with the weights of its checkpoint" in said
    assert "--model.init_from=nothing has no effect: test does not train" in said
    assert "--model.freeze=heads has no effect: test does not train" in said


def test_in_python_a_loaded_model_keeps_what_it_has_learnt(fit: Fit, tmp_path: Path) -> None:
    """Trained further it does not fall back to what it once began from."""
    begin = fit("--seed_everything=1")
    run = fit(f"--model.init_from={begin}", "--seed_everything=2")
    checkpoint = run / "checkpoints" / "last.ckpt"
    model = TinyModel.load_from_checkpoint(checkpoint, optimizer=partial(SGD, lr=0.0), scheduler=None)
    quiet_trainer(tmp_path).fit(model, SyntheticDigits(600, 200, val_size=100))

    assert same(weights(run), model.state_dict()) == set(weights(run))


def test_in_python_a_model_begins_from_a_file(fit: Fit, tmp_path: Path) -> None:
    """When its training begins, and not when it is made."""
    run = fit("--seed_everything=1")
    model = TinyModel(init_from=str(run / "checkpoints" / "last.ckpt"), optimizer=partial(SGD, lr=0.0), scheduler=None)
    assert not torch.equal(model.state_dict()["net.heads.label.weight"], weights(run)["net.heads.label.weight"])
    quiet_trainer(tmp_path).fit(model, SyntheticDigits(600, 200, val_size=100))

    assert same(weights(run), model.state_dict()) == set(weights(run))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model.init_from=nothing.ckpt",), "--model.init_from=nothing.ckpt: there is no such file"),
        (("--model.init_from=best",), "--model.init_from=best: looked in"),
        (("--model.init_from=.",), "--model.init_from=.: this folder is not a run"),
        (("--model.init_from=text.ckpt",), "is not a checkpoint"),
        (("--model.init_from=cnn.ckpt",), "cnn.ckpt has nothing that fits TinyModel: net.backbone.stem"),
    ],
)
def test_a_start_that_cannot_be_is_refused_before_work(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    """In one line, and no run is left behind."""
    Path("text.ckpt").write_text("text", encoding="utf-8")
    torch.save({"state_dict": {"net.conv.weight": torch.zeros(3)}}, "cnn.ckpt")
    assert main(["fit", "--model=TinyModel", *small_data, *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()

    assert said in line
    assert not list(here.glob("runs/*/*"))


def test_the_configuration_names_the_file_that_was_meant(fit: Fit) -> None:
    """`best` may be another one tomorrow: the same configuration begins from the same weights."""
    first = fit("--seed_everything=1")
    second = fit("--model.init_from=best", "--seed_everything=2")
    better = fit("--trainer.max_epochs=3")
    third = fit(f"--config={second / 'config.yaml'}", "--trainer.max_epochs=1")
    tables = [
        list(csv.reader((run / "metrics.csv").read_text(encoding="utf-8").splitlines())) for run in (second, third)
    ]

    assert str(first) in (second / "config.yaml").read_text(encoding="utf-8")
    assert str(better) not in (third / "config.yaml").read_text(encoding="utf-8")
    assert tables[0] == tables[1]
