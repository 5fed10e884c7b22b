"""What the answers of a test come to: the confusion matrix, the scores of each class, the calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import LabError
from mnistlab.runs.outcomes import Answers, check_images

BINS = 10
"""Of equal width, into which confidences from 0 to 1 are divided."""

_MOST_CLASSES = 1000
_ROUNDING = 1e-3  # by so much a probability may miss 1: it was computed with few digits


@dataclass(frozen=True)
class ClassScore:
    """How well one class is told from the others."""

    precision: float | None  # the share of right ones among the images that were taken for it; None where none was
    recall: float | None  # the share of its images that were taken for it; None where it has none
    f1: float | None  # their harmonic mean; None where neither is above 0 or either is not known
    count: int


@dataclass(frozen=True)
class Bin:
    """The images whose confidence lies between two values."""

    low: float  # the lower end, which is not in it
    high: float  # the upper end, which is
    count: int
    confidence: float | None  # their mean confidence; None where there are none
    accuracy: float | None  # the share of right answers; None where there are none


def check_answers(answers: Answers, num_classes: int) -> None:
    """Refuse answers that cannot be those of a test: a stranger may have written them.

    Raises:
        LabError: If they are not about the same images, or name classes that there are not.
    """
    check_images(answers, num_classes)
    if num_classes > _MOST_CLASSES:
        raise LabError(f"{num_classes:,} classes are too many for a page")
    shares = np.concatenate([answers.confidence, answers.target_prob])
    if not ((shares >= 0) & (shares <= 1 + _ROUNDING)).all():
        raise LabError("they have probabilities that are not from 0 to 1")


def confusion(answers: Answers, num_classes: int) -> NDArray[np.int64]:
    """How often each class (row) was taken for each (column): (num_classes, num_classes)."""
    pairs = answers.target * num_classes + answers.prediction
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_scores(matrix: NDArray[np.int64]) -> list[ClassScore]:
    """The scores of each class, from the confusion matrix."""
    right, taken, there = (values.tolist() for values in (matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)))
    found = []
    for hits, guesses, images in zip(right, taken, there, strict=True):
        precision, recall = (hits / whole if whole else None for whole in (guesses, images))
        both = precision is not None and recall is not None and precision + recall > 0
        f1 = 2 * hits / (guesses + images) if both else None
        found.append(ClassScore(precision, recall, f1, images))
    return found


def calibration(answers: Answers) -> list[Bin]:
    """The answers by their confidence, in `BINS` bins."""
    number = np.clip(np.ceil(answers.confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    found = []
    for index in range(BINS):
        inside = number == index
        count = int(inside.sum())
        both = answers.confidence[inside], answers.right[inside]
        means = [float(values.mean(dtype=np.float64)) if count else None for values in both]
        found.append(Bin(index / BINS, (index + 1) / BINS, count, *means))
    return found


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error (ECE): the mean gap between confidence and accuracy, each bin by its images.

    Source: Guo, Pleiss, Sun and Weinberger (2017), arXiv:1706.04599, equation 3.
    """
    total = sum(each.count for each in bins)
    gaps = [
        each.count * abs(each.accuracy - each.confidence)
        for each in bins
        if each.accuracy is not None and each.confidence is not None
    ]
    return sum(gaps) / total
