"""`mnistlab fit --folds=3`, from its arguments to the ensemble."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from support import record_of

from mnistlab.classifier import Classifier
from mnistlab.data import SyntheticDigits
from mnistlab.errors import LabError
from mnistlab.runs.out_of_fold import load_out_of_fold
from mnistlab.runs.outcomes import load_outcomes
from mnistlab.sweeps.plan import plan_from
from mnistlab.sweeps.study import Study

DATA = ("--data=SyntheticDigits", "--data.train_size=600", "--data.test_size=200")
SHORT = "--trainer.max_epochs=1"
TRAINING = (*DATA, SHORT, "--model=CNN8K", "--data.batch_size=32")

Told = Callable[..., str]


@pytest.fixture
def folds(here: Path, inline: None, told: Told) -> Callable[..., tuple[Path, str]]:
    """Train three folds; their folder, and what was said."""
    del inline

    def run(*arguments: str) -> tuple[Path, str]:
        said = told("fit", "--folds=3", *TRAINING, *arguments)
        (folder,) = here.glob("runs/*/sweep.json")
        return folder.parent, said

    return run


def _probabilities(folder: Path, split: str) -> torch.Tensor:
    """What the net of a run says, computed without a command."""
    weights = folder / "model.safetensors"
    model = Classifier.load_from_checkpoint(weights).eval()
    options = record_of(folder)["point"]
    data = SyntheticDigits(train_size=600, test_size=200, folds=3, fold=options["data.fold"])
    data.setup("fit")
    data.setup("test")
    images, rows = data.rows_of(split)
    with torch.inference_mode():
        probs: torch.Tensor = model(data.normalize(images.images[rows])).softmax(dim=1)
    return probs


def test_each_training_image_is_answered_by_the_net_that_has_not_learnt_it(
    folds: Callable[..., tuple[Path, str]],
) -> None:
    """The predictions are kept with their rows, and are as right as the nets were in their validation."""
    folder, said = folds()

    found = load_out_of_fold(folder / "oof.safetensors")
    assert found.rows.tolist() == list(range(600))
    for number in range(3):
        own = found.fold == number
        run = folder / f"fold-{number}"
        assert own.sum() == 200
        assert found.right[own].mean() == pytest.approx(record_of(run)["metrics"]["best"]["val/acc"], abs=1e-6)
        assert found.probs["label"][own] == pytest.approx(_probabilities(run, "val").numpy(), abs=1e-5)
    assert found.probs["label"].sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert f"{100 * found.right.mean():.2f} % of 600 training images" in said


def test_the_table_has_each_fold_and_the_ensemble_is_one_look_at_the_test_images(
    folds: Callable[..., tuple[Path, str]], here: Path
) -> None:
    """No fold looks at them; the ensemble is the mean of the probabilities."""
    folder, said = folds()

    figures = [record_of(folder / f"fold-{number}")["metrics"] for number in range(3)]
    assert not any("test" in each for each in figures)
    for number, each in enumerate(figures):
        assert re.search(rf"^ *{number} +{100 * each['best']['val/acc']:.2f} +\d+\.\d$", said, re.MULTILINE)
    accuracies = [100 * each["best"]["val/acc"] for each in figures]
    assert f"{np.mean(accuracies):.2f} ± {np.std(accuracies, ddof=1):.2f} over 3 folds" in said
    assert "share training images" in said
    assert len((here / "runs/looks.csv").read_text().splitlines()) == 2

    (tested,) = (here / "runs/ensemble").iterdir()
    mean = torch.stack([_probabilities(folder / f"fold-{number}", "test") for number in range(3)]).mean(dim=0)
    answers = load_outcomes(tested / "outcomes.safetensors").primary
    assert answers.prediction.tolist() == mean.argmax(dim=1).tolist()
    assert answers.confidence == pytest.approx(mean.amax(dim=1).numpy(), abs=1e-5)


def test_the_same_command_trains_nothing_again_and_does_not_look_again(
    folds: Callable[..., tuple[Path, str]], here: Path
) -> None:
    """It shows what there is; what was removed is trained again."""
    folder, said = folds("--run.name=mine")
    before = {path: path.read_bytes() for path in here.glob("runs/**/*.json")}

    _, again = folds("--run.name=mine")

    assert folder.name == "mine"
    assert {path: path.read_bytes() for path in here.glob("runs/**/*.json")} == before
    assert len((here / "runs/looks.csv").read_text().splitlines()) == 2
    accuracy = record_of(next((here / "runs/ensemble").iterdir()))["metrics"]["test/acc"]
    assert f"ensemble: test/acc {100 * accuracy:.2f} %" in again
    assert said.splitlines()[-1].startswith("kept in ")


def test_the_ensemble_is_not_tested_where_nobody_wants_it(folds: Callable[..., tuple[Path, str]], here: Path) -> None:
    """And with the word for it left out, the same folds are."""
    folds("--run.test=false", "--run.name=mine")
    assert not (here / "runs/looks.csv").exists()

    folds("--run.name=mine")
    assert (here / "runs/looks.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--folds=1",), "--folds=1: a number from 2 to 100 is needed"),
        (("--folds=5", "--data.fold=1"), "--data.fold=1: --folds=5 trains all of them"),
        (("--folds=5", "--data.val_size=50"), "`fold` and `val_size` exclude each other"),
        (("--folds=5", "--model.dropout=choice:0,0.1"), "all folds are trained with the same value"),
        (("--folds=5", "--ckpt_path=last"), "--ckpt_path is for one run"),
        (("--folds=5", "--trainer.limit_val_batches=0"), "folds are validated"),
    ],
)
def test_what_folds_cannot_be_is_refused(here: Path, told: Told, arguments: tuple[str, ...], said: str) -> None:
    """Before anything is written."""
    assert said in told("fit", *DATA, "--model=TinyModel", *arguments, code=2)
    assert not (here / "runs").exists()


def test_one_fold_alone_is_a_run(told: Told, here: Path) -> None:
    """Its checkpoint knows which images it has not learnt."""
    told("fit", *TRAINING, "--data.fold=4")
    said = told("validate", "--ckpt_path=last")

    (validated,) = [each for each in here.glob("runs/cnn_8k/*") if record_of(each)["command"] == "validate"]
    (trained,) = [each for each in here.glob("runs/cnn_8k/*") if record_of(each)["command"] == "fit"]
    assert "val/acc" in said
    assert record_of(validated)["metrics"]["val/acc"] == record_of(trained)["metrics"]["best"]["val/acc"]
    assert sum(record_of(trained)["class_counts"]["val"]["digit"]) == 120


def test_a_file_that_holds_no_predictions_of_folds_is_told(tmp_path: Path) -> None:
    """One that is missing with the command that writes it."""
    with pytest.raises(LabError, match=r"There is no file .*`mnistlab fit --folds=5` writes one"):
        load_out_of_fold(tmp_path / "oof.safetensors")
    (tmp_path / "oof.safetensors").write_bytes(b"nothing")
    with pytest.raises(LabError, match="does not hold the predictions of folds"):
        load_out_of_fold(tmp_path / "oof.safetensors")


def test_a_sweep_ranks_each_choice_by_the_mean_over_its_folds(here: Path, inline: None, told: Told) -> None:
    """All folds are runs of one trial, and the test images are left alone."""
    del inline
    options = ("--model.optimizer.lr=choice:0,0.02", "--folds=2", "--name=it", "--workers=1")
    told("sweep", *TRAINING, *options)

    values = dict(optuna_values(here / "runs/it"))
    for trial, value in values.items():
        runs = [record_of(here / f"runs/it/{trial}-fold-{fold}")["metrics"] for fold in (0, 1)]
        assert value == pytest.approx(np.mean([run["best"]["val/acc"] for run in runs]))
        assert not any("test" in run for run in runs)
    assert len(values) == 2
    told("test", "--ckpt_path=it")
    (tested,) = (here / "runs/ensemble").iterdir()
    assert len(record_of(tested)["checkpoint"].split(",")) == 4
    refused = told("sweep", *TRAINING, *options, "--pruner=median", code=2)
    assert "--pruner=median: with several folds nothing is stopped early" in refused


def optuna_values(folder: Path) -> list[tuple[str, float]]:
    """What each trial of a sweep has come to."""
    study = Study(plan_from((folder / "sweep.json").read_text()))
    return [(each.stem, each.last.value or 0.0) for each in study.jobs().values()]


def test_models_are_compared_by_the_mean_over_folds(here: Path, inline: None, told: Told) -> None:
    """On the images that are held out; the test images are left alone."""
    del inline
    said = told("compare", "--models=CNN8K,SDN8K", "--folds=2", "--seeds=2", "--name=it", *DATA, SHORT, "--json")

    found = {each["model"]: each for each in json.loads(said)}
    for model in ("CNN8K", "SDN8K"):
        for seed, accuracy in enumerate(found[model]["accuracies"]):
            runs = [record_of(here / f"runs/it/{model}-seed-{seed}-fold-{fold}") for fold in (0, 1)]
            assert accuracy == pytest.approx(np.mean([run["metrics"]["best"]["val/acc"] for run in runs]))
    assert not (here / "runs/looks.csv").exists()
    assert "val acc, %" in told("compare", "--models=CNN8K,SDN8K", "--folds=2", "--seeds=2", "--name=it", *DATA, SHORT)
    assert ">validation accuracy, %</text>" in (here / "runs/it/plots/pareto-parameters.svg").read_text()
