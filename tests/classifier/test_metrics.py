"""Metrics: what they say about logits, and where a run shows them."""

import csv
import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from pages import Page
from support import LAST, record_of
from torch import Tensor

from mnistlab import SDN8K, main
from mnistlab.classifier.metrics import (
    Accuracy,
    CalibrationError,
    Counts,
    EpochLoss,
    Metric,
    Top3Accuracy,
    TopKAccuracy,
    sums_of,
)
from mnistlab.losses import Loss, as_loss
from mnistlab.runs.metrics import ACC, LOSS, Measure, measure_of, measures_of, recorded

Fit = Callable[..., Path]

BOTH = "--model.metrics=Top3Accuracy,CalibrationError"
HEADS = "--data.labels=MeasuredLabels"
CROSS_ENTROPY = as_loss(torch.nn.CrossEntropyLoss, 10)

OWN = """
from dataclasses import dataclass
from torch import Tensor
from mnistlab.classifier.metrics import Bundle, Metric

@dataclass(frozen=True)
class Doubt(Metric):
    power: int = 1
    name, title, unit, higher_is_better = "doubt", "mean doubt", "%", False

    def count(self, bundle: Bundle) -> Tensor:
        return (1 - bundle.answers.confidence) ** self.power

class Nameless(Metric):
    def count(self, bundle: Bundle) -> Tensor:
        return bundle.target

class OneNumber(Metric):
    name = "one_number"
    def count(self, bundle: Bundle) -> Tensor:
        return bundle.losses.sum()

class TwoWords(Metric):
    name = "two words"
    def count(self, bundle: Bundle) -> Tensor:
        return bundle.target

class Other:
    pass
"""


@pytest.fixture
def own(here: Path) -> str:
    """A module with metrics in the current folder; each test has one of its own name."""
    module = f"metrics_{''.join(part for part in here.name if part.isalnum())}"
    (here / f"{module}.py").write_text(OWN)
    return module


def value(metric: Metric, logits: Tensor, target: Tensor, loss: Loss = CROSS_ENTROPY) -> float:
    """What a metric says of images, which come in batches of 5."""
    counts = Counts([metric], loss)
    for some, classes in zip(logits.split(5), target.split(5), strict=True):
        counts.add(torch.zeros(()), 1.0, some, classes)
    return metric.value(counts.sums()[metric.name])


def expected_calibration_error(probs: Sequence[Sequence[float]], target: Sequence[int], bins: int) -> float:
    """Equation 3 of Guo et al. (2017), written out: bins are open below and closed above."""
    found: dict[int, list[tuple[float, bool]]] = {}
    for row, right in zip(probs, target, strict=True):
        confidence = max(row)
        found.setdefault(math.ceil(confidence * bins), []).append((confidence, row.index(confidence) == right))
    gaps = [abs(sum(hit for _, hit in part) - sum(sure for sure, _ in part)) for part in found.values()]
    return sum(gaps) / len(target)


@pytest.mark.parametrize("k", [1, 2, 3, 9])
def test_the_right_class_is_among_the_k_largest_logits(k: int) -> None:
    """As a stable sort has them: of equal ones the first counts, and with k = 1 it is the accuracy."""
    logits, target = torch.randint(4, (300, 10)).float(), torch.randint(10, (300,))
    order = logits.argsort(dim=1, descending=True, stable=True)[:, :k]

    assert value(TopKAccuracy(k), logits, target) == (order == target[:, None]).any(dim=1).double().mean()
    assert value(TopKAccuracy(1), logits, target) == value(Accuracy(), logits, target)


@pytest.mark.parametrize("bins", [1, 10, 15])
@pytest.mark.parametrize("loss", [torch.nn.CrossEntropyLoss, torch.nn.MultiMarginLoss])
def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy(
    bins: int, loss: Callable[[], torch.nn.modules.loss._Loss]
) -> None:
    """In bins of equal width, of what the loss calls probabilities."""
    logits, target, of_head = 3 * torch.randn(400, 10), torch.randint(10, (400,)), as_loss(loss, 10)
    reference = expected_calibration_error(of_head.probs(logits).tolist(), target.tolist(), bins)

    assert value(CalibrationError(bins), logits, target, of_head) == pytest.approx(reference, rel=1e-12)


def test_who_is_sure_and_right_is_calibrated_and_who_is_sure_and_wrong_is_not() -> None:
    """From 0 to 1, also where a confidence is exactly 1."""
    logits, target = 200 * torch.eye(10), torch.arange(10)

    assert value(CalibrationError(), logits, target) == 0
    assert value(CalibrationError(), logits, target.roll(1)) == 1


def test_a_confidence_between_two_bins_belongs_to_the_lower_one() -> None:
    """As in the paper: one half, with two bins, stands beside one quarter."""
    logits, target = torch.tensor([[0.0, 0.0, -200.0, -200.0], [0.0, 0.0, 0.0, 0.0]]), torch.tensor([0, 3])

    assert value(CalibrationError(2), logits, target) == pytest.approx(abs((0.5 - 1) + (0.25 - 0)) / 2)


def test_what_is_no_number_is_no_right_answer() -> None:
    """And no calibration either; nothing breaks."""
    logits, target = torch.full((10, 10), math.nan), torch.arange(10)

    assert value(TopKAccuracy(9), logits, target) == 0
    assert math.isnan(value(CalibrationError(), logits, target))


def test_a_checkpoint_of_before_has_its_sums_in_a_row() -> None:
    """Loss, weight, right answers and images; what is measured besides begins anew."""
    sums = sums_of(torch.tensor([6.5, 3.5, 4.0, 6.0], dtype=torch.float64))
    metrics = [EpochLoss(), Accuracy(), Top3Accuracy()]
    counts = Counts(metrics, CROSS_ENTROPY, sums)
    counts.add(torch.tensor(1.0), 0.5, torch.eye(10)[:2], torch.tensor([0, 2]))

    assert [metric.value(counts.sums()[metric.name]) for metric in metrics] == [7 / 4, 5 / 8, 1 / 2 + 1 / 2]


def test_a_column_is_that_of_the_longest_name_that_ends_it() -> None:
    """Heads stand before it; records say what else there is, and one that is odd says nothing."""
    balanced = Measure("balanced_acc", "balanced accuracy", "%")
    known = measures_of(recorded([LOSS, ACC, balanced]))

    assert known == [LOSS, ACC, balanced]
    assert [measure_of(name, known) for name in ("val/acc", "val/digit_acc", "val/digit_balanced_acc", "lr")] == [
        ACC,
        ACC,
        balanced,
        None,
    ]
    assert measures_of({"measures": [{"name": 3}]}, {"measures": "top3"}, {}) == [LOSS, ACC]
    assert (ACC.figure(0.98123), LOSS.figure(0.06432), ACC.label) == ("98.12 %", "0.0643", "accuracy, %")


def test_metrics_appear_wherever_loss_and_accuracy_do(
    fit: Fit, capsys: pytest.CaptureFixture[str], report: Callable[..., Page]
) -> None:
    """In the table, the record, on the screen, in callbacks, the schedule, `runs` and the report."""
    callbacks = ("--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/ece")
    more = ("--trainer.callbacks+=ModelCheckpoint", "--trainer.callbacks.monitor=val/top3")
    plateau = (
        "--model.scheduler=ReduceLROnPlateau",
        "--model.scheduler.monitor=val/top3",
        "--model.scheduler.mode=max",
    )
    run = fit(BOTH, "--trainer.max_epochs=2", *callbacks, *more, "--trainer.callbacks.mode=max", *plateau)
    screen = capsys.readouterr().out
    rows = list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))
    record = record_of(run)
    test = record["metrics"]["test"]
    top3, ece = (f"{100 * test[name]:.2f} %" for name in ("test/top3", "test/ece"))

    assert all(row[f"{split}/{name}"] for row in rows for split in ("train", "val") for name in ("top3", "ece"))
    assert {"val/top3", "val/ece"} < record["metrics"]["best"].keys()
    assert [each["name"] for each in record["measures"]] == ["top3", "ece"]
    assert f"  top3 {top3}  ece {ece}\n" in screen
    assert f"val loss {float(rows[0]['val/loss']):.4f} acc" in screen
    for asked, wanted in (
        (("runs",), ("  val top3 %", "val ece %", "No room for test top3 %, test ece %")),
        (("runs", "show", run.name), ("train top3 %", "val ece %", f"test/top3 {top3}")),
        (("test", f"--ckpt_path={run}"), (f"test/top3 {top3}", f"test/ece  {ece}")),
    ):
        capsys.readouterr()
        assert main(asked) == 0
        out = capsys.readouterr().out
        assert not [text for text in wanted if text not in out], out
    (tested,) = set(run.parent.iterdir()) - {run}
    assert main(("runs", "diff", run.name, tested.name)) == 0
    assert re.search(rf"test/top3 +{top3} +{top3}", capsys.readouterr().out)
    page = report(str(run)).text
    assert all(text in page for text in ("test top-3 accuracy", top3, "calibration error, %", ece))


def test_a_run_of_before_is_read_as_it_was(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a word about metrics in its record, and none is added where nothing else is measured."""
    run = fit()

    assert "measures" not in record_of(run)
    assert main(["runs", "show", run.name]) == 0
    assert "train acc %" in capsys.readouterr().out


def test_each_head_is_measured_as_far_as_a_metric_says_something_of_it(fit: Fit) -> None:
    """Top-3 of three classes is left out; the calibration error is each head's, the first one's stands for the run."""
    test = record_of(fit(HEADS, BOTH))["metrics"]["test"]

    assert test["test/ece"] == test["test/digit_ece"]
    assert test["test/top3"] == test["test/digit_top3"]
    assert "test/loops_ece" in test
    assert "test/loops_top3" not in test


def test_an_epoch_that_was_interrupted_has_the_same_metrics(fit: Fit) -> None:
    """Bit for bit, and a checkpoint of before that lacks the sums of the new ones is continued as well."""
    options = (BOTH, "--model.scheduler=null", "--trainer.max_epochs=2")
    whole, parts = fit(*options), fit(*options, "--trainer.max_steps=6")
    kept = torch.load(parts / LAST, weights_only=True)
    sums = kept["mnistlab"]["counts"]["train"]["label"]
    older = torch.cat([sums["loss"][:2], sums["acc"]])
    again = ["fit", f"--ckpt_path={parts}", "--trainer.max_steps=-1"]

    assert main(again) == 0
    assert (parts / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()

    kept["mnistlab"]["counts"]["train"]["label"] = older
    torch.save(kept, parts / LAST)
    assert main(again) == 0
    first, second = (list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))[1] for run in (whole, parts))
    assert {name for name in first if first[name] != second[name]} <= {"train/top3", "train/ece"}


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(("metric", "best"), [("val/top3", max), ("val/ece", min)])
def test_a_sweep_goes_by_any_metric_in_its_own_direction(
    here: Path,
    small_data: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    metric: str,
    best: Callable[..., float],
) -> None:
    """Also once it is read again from its folder."""
    options = ("--model=TinyModel", *small_data, "--trainer.max_epochs=1", BOTH, f"--metric={metric}")

    for _ in range(2):
        assert main(["sweep", *options, "--model.optimizer.lr=choice:0.00001,0.001,0.1"]) == 0
        values = {run: record_of(run)["metrics"]["best"][metric] for run in here.glob("runs/sweep-*/trial-*")}
        first = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("  trial-"))
        winner = next(run for run in values if run.name in first)
        assert values[winner] == best(values.values())
        assert f"{100 * values[winner]:.2f} %" in first


def test_a_sweep_is_refused_that_goes_by_what_is_not_measured(refused_sweep: Callable[..., list[str]]) -> None:
    """Before anything is trained."""
    lines = refused_sweep("--model=TinyModel", "--metric=val/top3", "--model.optimizer.lr=choice:0.001,0.01")

    assert lines == ["mnistlab: --metric=val/top3: there are val/loss, val/acc. Did you mean val/loss?"]


def test_a_metric_of_ones_own_is_used_like_any_other(fit: Fit, own: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With its options; its run is read without its module, and its checkpoint where that is trusted."""
    run = fit(f"--model.metrics={own}.Doubt", "--model.metrics.power=2")
    doubt = record_of(run)["metrics"]["test"]["test/doubt"]
    assert main(["test", f"--ckpt_path={run}", f"--trust={own}"]) == 0
    assert f"test/doubt {100 * doubt:.2f} %\n" in capsys.readouterr().out

    Path(f"{own}.py").unlink()
    assert main(["runs", "show", run.name]) == 0
    assert f"test/doubt {100 * doubt:.2f} %" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ("Top3", "Top3: no metric is called Top3. Did you mean Top3Accuracy?"),
        (
            "TopKAccuracy --model.metrics.k=10",
            "`metrics` cannot have TopKAccuracy: top10 of 10 classes is always 100 %.",
        ),
        ("Top3Accuracy,Top3Accuracy", "`metrics` cannot have Top3Accuracy: there is a top3 already."),
        ("{own}.Nameless", "`metrics` cannot have Nameless: it has no name, or no `count`."),
        ("{own}.OneNumber", "`metrics` cannot have OneNumber: `count` must give a tensor with a row for each image."),
        ("{own}.TwoWords", "`metrics` cannot have TwoWords: `name` must be letters, digits and _"),
        ("{own}.Other", "Other is not of the kind that is wanted. Derive it from mnistlab.classifier.metrics.Metric."),
        (
            "Top3Accuracy --trainer.callbacks=EarlyStopping --trainer.callbacks.monitor=val/top2",
            "no metric is called val/top2. Did you mean val/top3?",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_line(
    here: Path, small_data: tuple[str, ...], own: str, capsys: pytest.CaptureFixture[str], arguments: str, what: str
) -> None:
    """Before any work."""
    line = f"--model.metrics={arguments.format(own=own)}"

    assert main(["fit", "--model=TinyModel", *small_data, *line.split()]) == 2
    message = capsys.readouterr().err
    assert what in message
    assert message.count("\n") == 1
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    ("monitor", "mode", "note"),
    [
        ("val/top3", "min", "a growing top-3 accuracy counts as no improvement here."),
        ("val/ece", "max", "a falling calibration error counts as no improvement here."),
    ],
)
def test_a_monitor_that_looks_the_wrong_way_is_told(
    fit: Fit, capsys: pytest.CaptureFixture[str], monitor: str, mode: str, note: str
) -> None:
    """The metric knows which way is better."""
    fit(
        BOTH,
        "--trainer.callbacks=ModelCheckpoint",
        f"--trainer.callbacks.monitor={monitor}",
        f"--trainer.callbacks.mode={mode}",
    )

    assert note in capsys.readouterr().err


def test_metrics_made_in_python_are_written_down() -> None:
    """With their options, so that a checkpoint has them; a class in place of a metric is refused."""
    model = SDN8K(metrics=[TopKAccuracy(k=4), CalibrationError()])
    given: Any = Top3Accuracy

    assert [(each["class_path"].rpartition(".")[2], each["init_args"]) for each in _written(model)] == [
        ("TopKAccuracy", {"k": 4}),
        ("CalibrationError", {"bins": 15}),
    ]
    with pytest.raises(ValueError, match=r"it is no metric, such as Top3Accuracy\(\)"):
        SDN8K(metrics=given)
    with pytest.raises(ValueError, match="top3 of 3 classes is always 100 %"):
        SDN8K(num_classes=3, metrics=Top3Accuracy())


def _written(model: SDN8K) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(json.dumps(model.recorded().init_args["metrics"]))
    return found
