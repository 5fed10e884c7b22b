"""What a classifier reports about an epoch."""

import csv
import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
import torchmetrics
from torch import Tensor
from torch.nn import functional as F

from mnistlab.classifier import Classifier
from mnistlab.cli import main

UNEVEN = ("--data.batch_size=96", "--data.eval_batch_size=64", "--data.val_size=101", "--data.test_size=199")
"""499 training, 101 validation and 199 test images: in each split some batches are smaller than others."""

WEIGHTS = [1.0, 2.0, 0.5, 4.0, 1.0, 3.0, 1.0, 0.25, 1.0, 2.0]


class Observed:
    """The logits and targets of every batch, by split, taken from the model's own steps."""

    def __init__(self) -> None:
        self.logits: dict[str, list[Tensor]] = {}
        self.targets: dict[str, list[Tensor]] = {}

    def accuracy(self, split: str) -> float:
        """What torchmetrics makes of them."""
        metric = torchmetrics.classification.MulticlassAccuracy(num_classes=10, average="micro")
        for logits, target in zip(self.logits[split], self.targets[split], strict=True):
            metric.update(logits, target)
        return float(metric.compute())

    def loss(self, split: str, weight: Tensor | None = None) -> float:
        """The cross-entropy over all images at once."""
        logits = torch.cat(self.logits[split]).double()
        target = torch.cat(self.targets[split])
        return float(F.cross_entropy(logits, target, weight if weight is None else weight.double()))


def _observed(fit: Any, *arguments: str) -> tuple[Path, Observed]:
    """Train for an epoch and watch."""
    observed = Observed()
    forward = Classifier.forward

    def spy(self: Classifier, images: Tensor) -> Any:
        output = forward(self, images)
        logits = output if isinstance(output, Tensor) else next(iter(output.values()))
        split = "train" if self.training else "test" if self.trainer.testing else "val"
        observed.logits.setdefault(split, []).append(logits.detach().clone())
        return output

    def targets(split: str) -> Any:
        name = {"train": "training_step", "val": "validation_step", "test": "test_step"}[split]
        step = getattr(Classifier, name)

        def watched(self: Classifier, batch: Any, batch_idx: int) -> Any:
            observed.targets.setdefault(split, []).append(next(iter(batch[1].values())).clone())
            return step(self, batch, batch_idx)

        return mock.patch.object(Classifier, name, watched)

    with mock.patch.object(Classifier, "forward", spy), targets("train"), targets("val"), targets("test"):
        folder = fit(*UNEVEN, *arguments)
    return folder, observed


def _reported(folder: Path) -> dict[str, float]:
    """What the run says of its one epoch and its test."""
    test = json.loads((folder / "run.json").read_text())["metrics"]["test"]
    with (folder / "metrics.csv").open() as file:
        (row,) = csv.DictReader(file)
    return {name: float(value) for name, value in {**row, **test}.items() if "/" in name}


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_metrics_are_exact_on_uneven_batches(fit: Any, split: str) -> None:
    """Every image counts alike, however the images fell into batches."""
    folder, observed = _observed(fit)
    reported = _reported(folder)

    assert len({len(target) for target in observed.targets[split]}) > 1
    assert reported[f"{split}/acc"] == pytest.approx(observed.accuracy(split), rel=1e-6)
    assert reported[f"{split}/loss"] == pytest.approx(observed.loss(split), rel=1e-6)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_a_weighted_loss_is_exact_on_uneven_batches(fit: Any, split: str) -> None:
    """Batches of a class-weighted loss count by the weights in them, not by their images."""
    folder, observed = _observed(fit, "--model.loss=CrossEntropyLoss", f"--model.loss.weight={WEIGHTS}")

    assert _reported(folder)[f"{split}/loss"] == pytest.approx(observed.loss(split, torch.tensor(WEIGHTS)), rel=1e-6)


def test_the_best_accuracy_never_falls(fit: Any) -> None:
    """`val/acc_best` is the highest `val/acc` so far."""
    folder = fit("--trainer.max_epochs=6", "--model.optimizer.lr=0.05")
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))

    accuracy = [float(row["val/acc"]) for row in rows]
    assert [float(row["val/acc_best"]) for row in rows] == [max(accuracy[: n + 1]) for n in range(6)]


def test_validating_does_not_report_a_best_accuracy(trained: Any) -> None:
    """Only training has a best epoch."""
    folder = trained()

    assert main(["validate", f"--ckpt_path={folder}", "--run.dir=validations"]) == 0

    (validation,) = Path("validations").glob("*/*")
    assert set(json.loads((validation / "run.json").read_text())["metrics"]) == {"val/loss", "val/acc"}


def test_nothing_is_logged_at_a_step(fit: Any) -> None:
    """Counts are added up on the device; a metric is logged once an epoch."""
    logged: list[str] = []
    log = Classifier.log

    def spy(self: Classifier, name: str, *args: Any, **kwargs: Any) -> None:
        logged.append(name)
        log(self, name, *args, **kwargs)

    with mock.patch.object(Classifier, "log", spy):
        fit("--trainer.max_epochs=2")

    epoch = ["val/loss", "val/acc", "val/acc_best", "train/loss", "train/acc", "lr"]
    assert logged == [*epoch, *epoch, "test/loss", "test/acc"]
