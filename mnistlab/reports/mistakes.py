"""The worst mistakes of a test, with their images."""

import base64
import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from PIL import Image

from mnistlab.errors import LabError
from mnistlab.reports.answered import named
from mnistlab.reports.behind import Trust
from mnistlab.reports.charts import Chart
from mnistlab.reports.markup import Markup, element, joined, note
from mnistlab.reports.markup import table as markup_table
from mnistlab.reports.placing import SMALL
from mnistlab.runs.outcomes import Outcomes
from mnistlab.text.layout import screen_width, table
from mnistlab.text.values import cut, percent

_COLOURS = 3
_MISTAKEN = ("Test image", "Class", "Taken for", "Confidence")
_ACROSS, _TILE = 6, 1.05  # images beside each other in a drawing, and inches of each
_ROOM = 0.42  # of a tile, for what stands below
_SHORT = 9  # characters of a class there
_BRIEF = 2  # characters of classes of which two stand in a line


def mistakes_chart(outcomes: Outcomes, head: str, folder: Path, trust: Trust) -> Chart:
    """The wrong answers with the highest confidence, and their images.

    Args:
        outcomes: The test.
        head: Whose answers.
        folder: The run that has tested.
        trust: What its configuration may name, where the images are read anew.
    """
    worst = _Worst(outcomes, head, folder, trust)
    rows = -(-max(1, len(worst.rows)) // _ACROSS)
    return Chart(
        named("mistakes", outcomes, head),
        worst.draw,
        worst.text,
        (_ACROSS * _TILE, rows * _TILE * (1 + _ROOM)),
        "\n".join([worst.text, *(["", *worst.lines()] if len(worst.rows) else [])]),
        worst.html,
    )


class _Worst:
    """The worst mistakes of a head, whose images are looked for when they are shown."""

    def __init__(self, outcomes: Outcomes, head: str, folder: Path, trust: Trust) -> None:
        self._outcomes, self._folder, self._trust = outcomes, folder, trust
        self._answers, self._names = outcomes.answers[head], outcomes.names(head)
        self._is_primary = self._answers is outcomes.primary
        self.rows = self._answers.worst()

    @property
    def text(self) -> str:
        """How many there are, and which are shown."""
        wrong, shown = int((~self._answers.right).sum()), len(self.rows)
        if not wrong:
            return "None of the test images was mistaken."
        which = f"These are the {shown} with the highest confidence." if wrong > shown else "By falling confidence:"
        return f"{wrong:,} of {len(self._answers.target):,} test images are mistaken. {which}"

    def _images(self) -> NDArray[np.uint8]:
        if self._outcomes.mistakes and self._is_primary:
            return self._outcomes.mistakes.images
        return self._trust.tested_images(self._folder, self._outcomes, self.rows)

    def html(self) -> Markup:
        """For a page."""
        if not len(self.rows):
            return note(self.text)
        opening = element("p", self.text)
        try:
            images = self._images()
        except LabError as error:
            return joined([opening, note(f"The images themselves are left out: {error}"), self._table()])
        shown = [self._item(image, row) for image, row in zip(images, self.rows, strict=True)]
        return joined([opening, element("ul", *shown, class_="images")])

    def _item(self, image: NDArray[np.uint8], row: int) -> Markup:
        target, taken = self._classes(row)
        said = element("span", f"{target}, taken for {taken} ", element("small", f"({self._confidence(row)})"))
        alt = f"Test image {row}: a {target} that was taken for a {taken}"
        return element("li", element("img", src=png(image), alt=alt, title=f"test image {row}"), said)

    def _classes(self, row: int) -> tuple[str, str]:
        return self._names[self._answers.target[row]], self._names[self._answers.prediction[row]]

    def _confidence(self, row: int) -> str:
        return percent(float(self._answers.confidence[row]), 1)

    def _cells(self) -> list[list[str]]:
        return [[str(row), *self._classes(row), self._confidence(row)] for row in self.rows.tolist()]

    def _table(self) -> Markup:
        return markup_table(_MISTAKEN, self._cells(), caption="The worst mistakes", numeric=_MISTAKEN)

    def lines(self) -> list[str]:
        """For a terminal."""
        return table(_MISTAKEN, self._cells(), screen_width(), right=(0, 3))

    def draw(self, axes: Axes) -> None:
        """Draw the images, what each is and was taken for below it.

        Raises:
            LabError: If they are not here.
        """
        down = -(-max(1, len(self.rows)) // _ACROSS)
        gap = " " if max(map(len, self._names)) <= _BRIEF else "\n"
        for number, (image, row) in enumerate(zip(self._images() if len(self.rows) else (), self.rows, strict=True)):
            top, left = divmod(number, _ACROSS)
            place = (left, left + 0.9, top * (1 + _ROOM) + 0.9, top * (1 + _ROOM))
            axes.imshow(_pixels(image), extent=place, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            target, taken = (cut(name, _SHORT) for name in self._classes(row))
            below = f"{target},{gap}taken for {taken}\n{self._confidence(row)}"
            axes.text(left, place[2] + 0.05, below, va="top", fontsize=SMALL)
        if not len(self.rows):
            axes.text(0, 0.5, self.text)
        axes.set(xlim=(0, _ACROSS - 0.1), ylim=(down * (1 + _ROOM), 0), aspect="equal")
        axes.set_axis_off()


def _pixels(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image (channels, height, width) as (height, width) or (height, width, 3)."""
    return np.ascontiguousarray(image[:_COLOURS].transpose(1, 2, 0) if len(image) >= _COLOURS else image[0])


def png(image: NDArray[np.uint8]) -> str:
    """An image (channels, height, width) as an address that holds it."""
    content = io.BytesIO()
    Image.fromarray(_pixels(image)).save(content, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
