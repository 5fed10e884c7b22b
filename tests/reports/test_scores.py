"""The figures about a test, against cases worked out by hand and against torchmetrics."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.functional.classification import (
    multiclass_calibration_error,
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from mnistlab.classifier.answers import answers_of, joined
from mnistlab.errors import LabError
from mnistlab.reports.scores import (
    calibration,
    calibration_error,
    check_answers,
    class_scores,
    confusion,
)
from mnistlab.runs.outcomes import Answers
from mnistlab.runs.statistics import wilson


def by_hand() -> Answers:
    """Five images: right at 0.95, 0.95 and 0.55, wrong at 0.85 and 0.55."""
    confidence = np.array([0.95, 0.95, 0.55, 0.85, 0.55], np.float32)
    return Answers(np.array([0, 1, 2, 2, 0]), np.array([0, 1, 2, 0, 1]), confidence, confidence * np.float32(0.5))


def drawn(images: int = 500, num_classes: int = 4) -> tuple[Answers, torch.Tensor, torch.Tensor]:
    """Answers to random logits, in two batches; their probabilities and the right classes."""
    logits, target = 2 * torch.randn(images, num_classes), torch.randint(num_classes, (images,))
    probs = logits.softmax(dim=1)
    batches = zip(logits.split(300), probs.split(300), target.split(300), strict=True)
    return joined([{"label": answers_of(*batch)} for batch in batches])["label"], probs, target


def test_the_calibration_error_is_that_worked_out_by_hand() -> None:
    """Two at 0.95 all right, one at 0.85 wrong, two at 0.55 half right: (2 * 0.05 + 0.85 + 2 * 0.05) / 5."""
    bins = calibration(by_hand())

    assert [each.count for each in bins] == [0, 0, 0, 0, 0, 2, 0, 0, 1, 2]
    assert [bins[5].accuracy, bins[8].accuracy, bins[9].accuracy] == [0.5, 0.0, 1.0]
    assert bins[0].accuracy is None
    assert calibration_error(bins) == pytest.approx(0.21)


@pytest.mark.parametrize(("confidence", "bin_"), [(0.0, 0), (0.1, 0), (0.3, 2), (0.7, 6), (0.71, 7), (1.0, 9)])
def test_a_bin_has_its_upper_end_and_not_its_lower(confidence: float, bin_: int) -> None:
    """As in the source."""
    one, value = np.array([0]), np.array([confidence], np.float32)
    counts = [each.count for each in calibration(Answers(one, one, value, value))]

    assert counts.index(1) == bin_


def test_the_calibration_error_is_that_of_torchmetrics() -> None:
    """With as many bins."""
    answers, probs, target = drawn()
    wanted = multiclass_calibration_error(probs, target, num_classes=4, n_bins=10)

    assert calibration_error(calibration(answers)) == pytest.approx(float(wanted), abs=1e-6)


def test_matrix_and_class_scores_are_those_of_torchmetrics() -> None:
    """For every class."""
    answers, probs, target = drawn()
    matrix = confusion(answers, 4)
    scores = class_scores(matrix)

    assert np.array_equal(matrix, multiclass_confusion_matrix(probs, target, 4))
    for name, metric in {
        "precision": multiclass_precision,
        "recall": multiclass_recall,
        "f1": multiclass_f1_score,
    }.items():
        wanted = metric(probs, target, num_classes=4, average=None)
        assert [getattr(score, name) for score in scores] == pytest.approx(wanted.tolist())
    assert [score.count for score in scores] == target.bincount(minlength=4).tolist()


def test_what_is_not_known_is_none() -> None:
    """A class that was never named has no precision, one without images no recall."""
    never_named, without_images = class_scores(np.array([[0, 3], [0, 0]]))

    assert (never_named.precision, never_named.recall, never_named.f1) == (None, 0.0, None)
    assert (without_images.precision, without_images.recall, without_images.count) == (0.0, None, 0)


def test_the_worst_mistakes_are_the_most_confident_ones() -> None:
    """Right answers are none."""
    assert by_hand().worst().tolist() == [3, 4]
    assert by_hand().worst(1).tolist() == [3]


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("prediction", np.array([0, 1, 2, 2, 7])),
        ("target", np.array([0, 1, 2, 2, -1])),
        ("confidence", np.array([0.5, 0.5, 0.5, 0.5, float("nan")])),
        ("target_prob", np.array([0.5, 0.5])),
    ],
)
def test_what_no_test_answers_is_refused(part: str, values: NDArray[Any]) -> None:
    """A stranger may have written the file."""
    parts = {**vars(by_hand()), part: values}
    check_answers(by_hand(), 3)

    with pytest.raises(LabError):
        check_answers(Answers(**parts), 3)


@pytest.mark.parametrize(
    ("right", "total", "low", "high"), [(0, 10, 0.0, 0.2775), (7, 10, 0.3968, 0.8922), (10, 10, 0.7225, 1.0)]
)
def test_an_interval_holds_the_accuracy_and_lies_between_none_and_all(
    right: int, total: int, low: float, high: float
) -> None:
    """As R says (`prop.test`, no correction), also where nothing or all is right."""
    assert wilson(right, total) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize("total", [1, 2, 3, 10, 9_999, 10**6, 10**12])
def test_an_interval_ends_at_none_and_at_all(total: int) -> None:
    """Exactly, and the other end says how few images there were: 3.84 / (n + 3.84)."""
    squared = 3.8414588206941236

    (none, some), (most, all_) = wilson(0, total), wilson(total, total)
    assert (none, all_) == (0.0, 1.0)
    assert some == pytest.approx(squared / (total + squared), rel=1e-3)
    assert most == pytest.approx(total / (total + squared), rel=1e-12)


@pytest.mark.parametrize(("right", "total"), [(1, 2), (1, 10**9), (5_000, 10_000), (9_999, 10_000), (10**9 - 1, 10**9)])
def test_both_ends_of_an_interval_solve_its_equation(right: int, total: int) -> None:
    """The share lies 1.96 standard errors of either end from it, also where it is very small or very large."""
    for end in wilson(right, total):
        assert (right - total * end) ** 2 == pytest.approx(3.8414588206941236 * total * end * (1 - end), rel=1e-6)
