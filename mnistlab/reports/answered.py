"""What a test says, as charts: what was taken for what, and how far confidence can be trusted."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mnistlab.errors import LabError
from mnistlab.reports.charts import COLUMNS, Chart, both
from mnistlab.reports.markup import Markup, element, joined, note, scrolling
from mnistlab.reports.placing import SMALL
from mnistlab.reports.scores import Bin, calibration, calibration_error, check_answers, confusion
from mnistlab.runs.folder import OUTCOMES
from mnistlab.runs.hints import command_for
from mnistlab.runs.outcomes import Outcomes
from mnistlab.runs.run import Run
from mnistlab.text.layout import screen_width, table
from mnistlab.text.values import in_letters, percent

_FEW_CLASSES = 12  # a matrix of so many fits a telephone
_MANY_CLASSES = 70  # a matrix of more is left out
_WORST_PAIRS = 10  # of a matrix that is wider than a terminal
_CELL, _BESIDE = 0.4, 1.0  # inches: of a matrix, and of what stands beside it
_SMALLEST = 3.2  # inches of a matrix
_MARGIN = 0.03  # of a cell, on each side
_LABEL, _LABEL_LETTER = 0.4, 0.07  # inches beside a matrix in print without its labels, and of each letter of these
_POINTS = 72  # in an inch
_DIGIT, _COMMA, _LINE = 4.5, 2.3, 11.0  # points: of small letters in a cell, and of usual ones in a row


def outcomes_of(run: Run) -> tuple[Outcomes, Path]:
    """What the test of a run has left, if it is what a test leaves, and the folder that it lies in.

    Raises:
        LabError: If there is none, or it is something else.
    """
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


def confusion_chart(outcomes: Outcomes, head: str) -> Chart:
    """How often each class was taken for each: of right answers one colour, of mistakes another."""
    names = outcomes.names(head)
    matrix = confusion(outcomes.answers[head], outcomes.num_classes[head])
    strength, size = _strength(matrix), len(matrix)
    total, right = int(matrix.sum()), int(matrix.trace())
    text = f"{right:,} of {total:,} test images are right. Rows are the classes, columns what they were taken for."

    def draw(axes: Axes) -> None:
        room = _room(axes.figure.get_window_extent().width / axes.figure.dpi, names)
        for row, column in np.argwhere(matrix).tolist():
            place, side = (column - 0.5 + _MARGIN, row - 0.5 + _MARGIN), 1 - 2 * _MARGIN
            colour, alpha = ("C0", 0.42) if row == column else ("C1", 0.5)
            axes.add_patch(Rectangle(place, side, side, color=colour, alpha=alpha * strength[row, column], linewidth=0))
            if room >= _longest(matrix):
                axes.text(column, row, f"{matrix[row, column]:,}", ha="center", va="center", fontsize=SMALL)
        ends = (-0.5, size - 0.5)
        axes.set(xlim=ends, ylim=ends[::-1], aspect="equal", xlabel="taken for", ylabel="class")
        small = SMALL if room < _LINE else None
        turned = 90 if max(map(len, names)) > 2 else 0  # noqa: PLR2004 - digits
        axes.set_xticks(range(size), names, rotation=turned, fontsize=small)
        axes.set_yticks(range(size), names, fontsize=small)
        axes.grid(visible=False)

    inches = max(_SMALLEST, _CELL * size) + _BESIDE
    printed = "\n".join([text, "", *_matrix_lines(matrix, names)])
    width = next((each for each in COLUMNS if _room(each, names) >= _longest(matrix)), COLUMNS[-1])
    return Chart(
        named("confusion", outcomes, head),
        draw,
        text,
        (inches, inches - _BESIDE / 4),
        printed,
        lambda: joined([element("p", text), _matrix(matrix, strength, names)]),
        (width, width - _BESIDE / 8),
    )


def _room(inches: float, names: Sequence[str]) -> float:
    """The points of a cell of a drawn matrix of these classes that is so wide."""
    return _POINTS * (inches - _LABEL - _LABEL_LETTER * max(map(len, names))) / len(names)


def _longest(matrix: NDArray[np.int64]) -> float:
    """The points of its largest number; more than there are where the numbers are left out."""
    text = f"{matrix.max():,}"
    commas = text.count(",")
    return _DIGIT * (len(text) - commas) + _COMMA * commas if len(matrix) <= _MANY_CLASSES else math.inf


def calibration_chart(outcomes: Outcomes, head: str) -> Chart:
    """The accuracy of answers beside their confidence."""
    bins = calibration(outcomes.answers[head])
    total = sum(each.count for each in bins)
    said = f"Accuracy over confidence for {total:,} answers in {len(bins)} bins; the table of the bins has the numbers."
    error = f"The expected calibration error (ECE) over {len(bins)} bins is {percent(calibration_error(bins))}."

    def draw(axes: Axes) -> None:
        axes.plot([0, 100], [0, 100], color=axes.yaxis.label.get_color(), linewidth=1, linestyle=":")
        for each in bins:
            if each.accuracy is None or each.confidence is None:
                continue
            low, width, height = 100 * each.low, 100 * (each.high - each.low), 100 * each.accuracy
            axes.bar(low + width / 2, height, width * 0.86, color="C0", alpha=0.35)
            axes.plot(100 * each.confidence, height, "o", color="C0")
            place = (low + width / 2, 1.5)
            axes.annotate(in_letters(each.count, digits=2), place, ha="center", va="bottom", fontsize=SMALL)
        axes.set(xlim=(0, 100), ylim=(0, 104), xlabel="confidence, %", title="accuracy, %")
        axes.grid(visible=False, axis="x")

    legend = "On the dotted line confidence is as high as accuracy. The numbers are images."

    def shown() -> Markup:
        chart = Markup(both(draw, text=said))
        return joined([element("p", error), chart, element("p", legend, class_="small")])

    rows = [[*bin_cells(each)] for each in bins]
    printed = "\n".join([error, "", *table(BIN_COLUMNS, rows, screen_width(), right=(0, 1, 2, 3))])
    return Chart(named("calibration", outcomes, head), draw, error, printed=printed, shown=shown)


BIN_COLUMNS = ("Confidence", "Images", "Mean", "Accuracy")


def bin_cells(each: Bin) -> tuple[str, str, str, str]:
    """What a table says of the answers of a bin, below `BIN_COLUMNS`."""
    part = f"{100 * each.low:.0f} to {percent(each.high, 0)}"
    return part, f"{each.count:,}", percent(each.confidence), percent(each.accuracy)


def named(what: str, outcomes: Outcomes, head: str) -> str:
    """What the chart of a head is called: by the head too where there are several."""
    return what if len(outcomes.answers) == 1 else f"{what}-{head}"


def _strength(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """How strong the colour of each count is, from 0 to 1: few mistakes are to be seen too."""
    right = np.diag(matrix.diagonal())
    wrong = matrix - right
    shares = right / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    return np.asarray(shares + np.sqrt(wrong / max(1, int(wrong.max()))))


def _matrix(matrix: NDArray[np.int64], strength: NDArray[np.float64], names: Sequence[str]) -> Markup:
    size = len(matrix)
    if size > _MANY_CLASSES:
        return note(f"A matrix of {size} classes is too large to be read here.")
    head = [element("th", "", scope="col"), *(element("th", name, scope="col") for name in names)]
    rows = []
    for row, counts in enumerate(matrix.tolist()):
        cells = [_cell(value, names[row], names[column], strength[row, column]) for column, value in enumerate(counts)]
        rows.append(element("tr", element("th", names[row], scope="row"), *cells))
    caption = element("caption", "How often each class was taken for each")
    kind = "confusion few" if size <= _FEW_CLASSES else "confusion"
    inner = element("table", caption, element("thead", element("tr", *head)), element("tbody", *rows), class_=kind)
    return scrolling(inner, "Confusion matrix")


def _cell(value: int, row: str, column: str, strength: float) -> Markup:
    if not value:
        return element("td", 0, class_="none")
    kind = "right" if row == column else "wrong"
    title = f"{value:,} right" if row == column else f"{value:,} of {row} taken for {column}"
    return element("td", f"{value:,}", class_=kind, style=f"--strength:{100 * strength:.0f}%", title=title)


def _matrix_lines(matrix: NDArray[np.int64], names: Sequence[str]) -> Iterator[str]:
    """The matrix, where it fits a terminal; else the most frequent mistakes."""
    widest = max(len(f"{matrix.max():,}"), *map(len, names)) + 1
    wide = max(map(len, names))
    if wide + 2 + widest * len(names) <= screen_width():
        yield " " * (wide + 2) + "".join(name.rjust(widest) for name in names)
        for name, counts in zip(names, matrix.tolist(), strict=True):
            yield f"  {name:>{wide}}" + "".join((f"{count:,}" if count else ".").rjust(widest) for count in counts)
        return
    wrong = matrix - np.diag(matrix.diagonal())
    for place in np.argsort(-wrong, axis=None, kind="stable")[:_WORST_PAIRS].tolist():
        row, column = divmod(place, len(matrix))
        if wrong[row, column]:
            yield f"  {wrong[row, column]:,} of {names[row]} taken for {names[column]}"
