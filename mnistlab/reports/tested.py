"""What a test says of each class and each image, as a part of a page."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import LabError
from mnistlab.reports.answered import (
    BIN_COLUMNS,
    bin_cells,
    calibration_chart,
    confusion_chart,
    outcomes_of,
)
from mnistlab.reports.behind import Trust
from mnistlab.reports.markup import Markup, note, table
from mnistlab.reports.mistakes import mistakes_chart
from mnistlab.reports.scores import Bin, calibration, calibration_error, class_scores, confusion
from mnistlab.runs.outcomes import Outcomes
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import wilson
from mnistlab.text.values import UNKNOWN, in_percent, percent

Part = tuple[str, Iterable[object]]
"""A heading, and what stands below."""


def tested(run: Run, trust: Trust) -> Iterator[list[Part]]:
    """The parts about the test; those of one list stand side by side where there is room."""
    try:
        outcomes, folder = outcomes_of(run)
    except LabError as error:
        yield [("Test, image by image", [note(str(error))])]
        return
    if folder != run.folder:
        yield [("Test, image by image", [note(f"What follows is of a later test of its weights, {folder}.")])]
    several = len(outcomes.answers) > 1
    head, answers = next(iter(outcomes.answers.items()))
    matrix = confusion(answers, outcomes.num_classes[head])
    names = outcomes.names(head)
    named = f" of {head}" if several else ""
    if several:
        yield [("Heads", [_heads(outcomes)])]
    taken = confusion_chart(outcomes, head).html()
    yield [(f"Confusion matrix{named}", [taken]), (f"Classes{named}", [_classes(matrix, names)])]
    trusted = calibration_chart(outcomes, head).html()
    yield [(f"Calibration{named}", [trusted]), ("Confidence in numbers", [_bins(calibration(answers))])]
    yield [(f"Worst mistakes{named}", [mistakes_chart(outcomes, head, folder, trust).html()])]


def interval(run: Run) -> str:
    """What the accuracy on other images like those of the test lies between, with a certainty of 95 %; or nothing."""
    if run.test_acc is None:
        return ""
    try:
        outcomes, _ = outcomes_of(run)
    except LabError:
        return ""
    right = outcomes.primary.right
    low, high = wilson(int(right.sum()), len(right))
    return f"{in_percent(low)} to {percent(high)}"


def _heads(outcomes: Outcomes) -> Markup:
    rows = []
    for head, answers in outcomes.answers.items():
        matrix = confusion(answers, outcomes.num_classes[head])
        f1 = [score.f1 or 0.0 for score in class_scores(matrix) if score.count]
        right, total = int(matrix.trace()), int(matrix.sum())
        rows.append(
            (
                head,
                outcomes.num_classes[head],
                percent(right / total),
                percent(int(matrix.sum(axis=1).max()) / total),
                f"{sum(f1) / len(f1):.3f}",
                percent(calibration_error(calibration(answers))),
            )
        )
    columns = ("Head", "Classes", "Accuracy", "Naming the largest class", "Mean F1", "ECE")
    return table(columns, rows, caption="The test of each head", numeric=columns[1:])


def _classes(matrix: NDArray[np.int64], names: Sequence[str]) -> Markup:
    columns = ("Class", "Precision", "Recall", "F1", "Images")
    rows = [
        (name, _share(score.precision), _share(score.recall), _share(score.f1), f"{score.count:,}")
        for name, score in zip(names, class_scores(matrix), strict=True)
    ]
    return table(columns, rows, caption="How well each class is told from the others", numeric=columns)


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.4f}"


def _bins(bins: Sequence[Bin]) -> Markup:
    rows = [bin_cells(each) for each in bins]
    return table(BIN_COLUMNS, rows, caption="Answers by their confidence", numeric=BIN_COLUMNS)
