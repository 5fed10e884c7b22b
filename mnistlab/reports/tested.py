"""What a test says of each class and each image, as a part of a page."""

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistlab.errors import LabError
from mnistlab.reports.behind import Trust
from mnistlab.reports.curves import reliability
from mnistlab.reports.markup import Markup, element, note, scrolling, table
from mnistlab.reports.scores import (
    Bin,
    calibration,
    calibration_error,
    check_answers,
    class_scores,
    confusion,
)
from mnistlab.runs.folder import OUTCOMES
from mnistlab.runs.hints import command_for
from mnistlab.runs.outcomes import Answers, Outcomes
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import wilson
from mnistlab.text.values import UNKNOWN, in_percent, percent

_COLOURS = 3
_FEW_CLASSES = 12  # a matrix of so many fits a telephone
_MANY_CLASSES = 70  # a matrix of more is left out


Part = tuple[str, Iterable[object]]
"""A heading, and what stands below."""


def tested(run: Run, trust: Trust) -> Iterator[list[Part]]:
    """The parts about the test; those of one list stand side by side where there is room."""
    try:
        outcomes, folder = _outcomes(run)
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
    yield [(f"Confusion matrix{named}", _matrix(matrix, names)), (f"Classes{named}", [_classes(matrix, names)])]
    bins = calibration(answers)
    yield [(f"Calibration{named}", _calibration(bins)), ("Confidence in numbers", [_bins(bins)])]
    yield [(f"Worst mistakes{named}", _mistakes(folder, outcomes, head, trust))]


def interval(run: Run) -> str:
    """What the accuracy on other images like those of the test lies between, with a certainty of 95 %; or nothing."""
    if run.test_acc is None:
        return ""
    try:
        outcomes, _ = _outcomes(run)
    except LabError:
        return ""
    right = outcomes.primary.right
    low, high = wilson(int(right.sum()), len(right))
    return f"{in_percent(low)} to {percent(high)}"


def _outcomes(run: Run) -> tuple[Outcomes, Path]:
    """What the test has left, if it is what a test leaves, and the folder that it lies in."""
    test = run.tested_in(run.folder.parent.parent)
    if test is None:
        raise LabError(f"There is no {OUTCOMES} in the folder of this run: {_why_untested(run)}")
    outcomes = test.outcomes
    for head, answers in outcomes.answers.items():
        odd = int(np.isnan(answers.confidence).sum())
        if odd:
            raise LabError(
                f"The net has given no numbers (NaN) for {odd:,} of {len(answers.confidence):,} test images."
            )
        try:
            check_answers(answers, outcomes.num_classes[head])
        except LabError as error:
            raise LabError(f"{test.folder / OUTCOMES} does not hold the answers of a test: {error}.") from error
    return outcomes, test.folder


def _why_untested(run: Run) -> str:
    if run.status == "running":
        return "it is still running."
    if run.status in ("interrupted", "failed", "diverged", "pruned", "lost"):
        return "it ended before its test."
    why = "it was not tested." if run.test_acc is None else "its answers to single images are not kept."
    if run.weights is None:
        return why
    return f"{why} After {command_for('test', run.folder)} a new report has them."


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


def _matrix(matrix: NDArray[np.int64], names: Sequence[str]) -> Iterator[Markup]:
    """The counts, with colour: of right answers one, of mistakes another that shows few of them too."""
    size = len(matrix)
    total, right = int(matrix.sum()), int(matrix.trace())
    yield element(
        "p", f"{right:,} of {total:,} test images are right. Rows are the classes, columns what they were taken for."
    )
    if size > _MANY_CLASSES:
        yield note(f"A matrix of {size} classes is too large to be read here.")
        return
    wrong = matrix - np.diag(matrix.diagonal())
    most = max(1, int(wrong.max()))
    head = [element("th", "", scope="col"), *(element("th", name, scope="col") for name in names)]
    rows = []
    for row, counts in enumerate(matrix.tolist()):
        whole = max(1, sum(counts))
        cells = [
            _cell(value, names[row], names[column], (value / whole) if row == column else (value / most) ** 0.5)
            for column, value in enumerate(counts)
        ]
        rows.append(element("tr", element("th", names[row], scope="row"), *cells))
    caption = element("caption", "How often each class was taken for each")
    kind = "confusion few" if size <= _FEW_CLASSES else "confusion"
    inner = element("table", caption, element("thead", element("tr", *head)), element("tbody", *rows), class_=kind)
    yield scrolling(inner, "Confusion matrix")


def _cell(value: int, row: str, column: str, strength: float) -> Markup:
    if not value:
        return element("td", 0, class_="none")
    kind = "right" if row == column else "wrong"
    title = f"{value:,} right" if row == column else f"{value:,} of {row} taken for {column}"
    return element("td", f"{value:,}", class_=kind, style=f"--strength:{100 * strength:.0f}%", title=title)


def _classes(matrix: NDArray[np.int64], names: Sequence[str]) -> Markup:
    columns = ("Class", "Precision", "Recall", "F1", "Images")
    rows = [
        (name, _share(score.precision), _share(score.recall), _share(score.f1), f"{score.count:,}")
        for name, score in zip(names, class_scores(matrix), strict=True)
    ]
    return table(columns, rows, caption="How well each class is told from the others", numeric=columns)


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.4f}"


def _calibration(bins: Sequence[Bin]) -> Iterator[Markup]:
    error = percent(calibration_error(bins))
    yield element("p", f"The expected calibration error (ECE) over {len(bins)} bins is {error}.")
    yield reliability(bins)
    yield element("p", "On the dotted line confidence is as high as accuracy. The numbers are images.", class_="small")


def _bins(bins: Sequence[Bin]) -> Markup:
    columns = ("Confidence", "Images", "Mean", "Accuracy")
    parts = [f"{in_percent(each.low, 0)} to {percent(each.high, 0)}" for each in bins]
    figures = [(f"{each.count:,}", percent(each.confidence), percent(each.accuracy)) for each in bins]
    rows = [(part, *figure) for part, figure in zip(parts, figures, strict=True)]
    return table(columns, rows, caption="Answers by their confidence", numeric=columns)


def _mistakes(folder: Path, outcomes: Outcomes, head: str, trust: Trust) -> Iterator[Markup]:
    answers, names = outcomes.answers[head], outcomes.names(head)
    rows = answers.worst()
    wrong = int((~answers.right).sum())
    if not wrong:
        yield note("None of the test images was mistaken.")
        return
    which = f"These are the {len(rows)} with the highest confidence." if wrong > len(rows) else "By falling confidence:"
    yield element("p", f"{wrong:,} of {len(answers.target):,} test images are mistaken. {which}")
    try:
        images = outcomes.mistakes.images if outcomes.mistakes else trust.tested_images(folder, outcomes, rows)
    except LabError as error:
        yield note(f"The images themselves are left out: {error}")
        yield _listed(rows, answers, names)
        return
    yield element("ul", *(_mistake(*each, answers, names) for each in zip(images, rows, strict=True)), class_="images")


def _mistake(image: NDArray[np.uint8], row: int, answers: Answers, names: Sequence[str]) -> Markup:
    target, taken = names[answers.target[row]], names[answers.prediction[row]]
    said = element("span", f"{target}, taken for {taken} ", element("small", f"({_confidence(answers, row)})"))
    alt = f"Test image {row}: a {target} that was taken for a {taken}"
    picture = element("img", src=png(image), alt=alt, title=f"test image {row}")
    return element("li", picture, said)


def _listed(rows: Iterable[int], answers: Answers, names: Sequence[str]) -> Markup:
    columns = ("Test image", "Class", "Taken for", "Confidence")
    cells = [
        (row, names[answers.target[row]], names[answers.prediction[row]], _confidence(answers, row)) for row in rows
    ]
    return table(columns, cells, caption="The worst mistakes", numeric=columns)


def _confidence(answers: Answers, row: int) -> str:
    return percent(float(answers.confidence[row]), 1)


def png(image: NDArray[np.uint8]) -> str:
    """An image (channels, height, width) as an address that holds it."""
    pixels = image[:_COLOURS].transpose(1, 2, 0) if len(image) >= _COLOURS else image[0]
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
