"""What a net answers about images, as Python has it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import LabError
from mnistlab.reports.markup import Markup, element, joined
from mnistlab.reports.markup import table as markup_table
from mnistlab.reports.mistakes import png
from mnistlab.reports.shown import Shown
from mnistlab.text.layout import screen_width, table
from mnistlab.text.values import counted, percent

_SHOWN = 20  # rows
_COLUMNS = ("image", "answer", "probability", "second")

NO_ANSWER = -1
"""The label of what is none of the classes."""


@dataclass(frozen=True)
class Prediction:
    """What a net answers about one image.

    Attributes:
        source: The picture and the number of its sign, or the place of the image among those that were given.
        label: The class, as `Predictions.labels` has it.
        name: What it is called.
        probability: Of that class; NaN where there is none.
        refused: Why there is no answer; nothing where there is one.
    """

    source: str
    label: int
    name: str
    probability: float
    refused: str = ""


@dataclass(frozen=True, repr=False)
class Predictions(Shown, Sequence[Prediction]):
    """The answers of one head about images, in their order; those of the others by `of`.

    Attributes:
        probs: (images, classes) the probability of each class, NaN where nothing was seen.
        head: Whose they are.
        images: What the net has seen, each (channels, height, width) uint8; None where there was nothing.
        sources: The picture and the number of its sign, or the place of the image among those that were given.
        refused: Why there is no answer, for each; nothing where there is one.
        class_names: What the classes are called.
        thing: What the net knows, such as `digit`.
        heads: The probabilities and the names of the classes of all heads.
    """

    probs: NDArray[np.float32]
    head: str
    images: Sequence[NDArray[np.uint8] | None]
    sources: Sequence[str]
    refused: Sequence[str]
    class_names: Sequence[str]
    thing: str
    heads: Mapping[str, tuple[NDArray[np.float32], Sequence[str]]]

    @classmethod
    def among(
        cls,
        heads: Mapping[str, tuple[NDArray[np.float32], Sequence[str]]],
        images: Sequence[NDArray[np.uint8] | None],
        sources: Sequence[str],
        refused: Sequence[str],
        thing: str,
        head: str | None = None,
    ) -> Self:
        """Those of a head, the primary one if none is named; for the arguments see the class."""
        name = next(iter(heads)) if head is None else head
        probs, names = heads[name]
        return cls(probs, name, images, sources, refused, names, thing, heads)

    def of(self, head: str) -> Self:
        """The answers of another head.

        Raises:
            LabError: If there is no such head.
        """
        if head not in self.heads:
            raise LabError(f"there is no head {head!r}: the net has {', '.join(self.heads)}.")
        return self.among(self.heads, self.images, self.sources, self.refused, self.thing, head)

    @property
    def labels(self) -> NDArray[np.int64]:
        """(images,) the most probable class of each; -1 where it is none of them.

        Where all classes are whole numbers it is that number, as in the labels that the net has learnt; else its place
        among the classes.
        """
        numbered = all(map(_is_number, self.class_names))
        labels = np.array([int(name) if numbered else place for place, name in enumerate(self.class_names)])
        return np.where(self._refused, NO_ANSWER, labels[self._best])

    @property
    def names(self) -> list[str]:
        """What the classes of the labels are called."""
        found = zip(self._refused, self._best, strict=True)
        return [f"no {self.thing}" if refused else self.class_names[place] for refused, place in found]

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(images,) the probability of each label; NaN where there is none."""
        return np.where(self._refused, np.float32("nan"), np.nan_to_num(self.probs).max(axis=1))

    @property
    def _best(self) -> NDArray[np.int64]:
        """(images,) the place of the most probable class of each."""
        best: NDArray[np.int64] = np.nan_to_num(self.probs, nan=-1.0).argmax(axis=1)
        return best

    @property
    def _refused(self) -> NDArray[np.bool_]:
        """(images,) whether there is no answer."""
        return np.array([bool(why) for why in self.refused], dtype=bool)

    @overload
    def __getitem__(self, index: int) -> Prediction: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Prediction]: ...
    def __getitem__(self, index: int | slice) -> Prediction | Sequence[Prediction]:
        """The answer about one image, or about some."""
        return list(self)[index]

    def __iter__(self) -> Iterator[Prediction]:
        """The answers in the order of the images."""
        confidence = self.confidence.tolist()
        return map(Prediction, self.sources, self.labels.tolist(), self.names, confidence, self.refused)

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.probs)

    def html(self) -> Markup:
        """A table with the images."""
        rows = [[self._picture(at), *cells] for at, cells in enumerate(self._cells())]
        shown = markup_table(("", *_COLUMNS), rows, caption="What the net answers", numeric=["probability"])
        return joined([shown, *(element("p", line, class_="small") for line in self._rest())])

    def _picture(self, at: int) -> Markup:
        image = self.images[at]
        return element("img", src=png(image), alt=self.sources[at], class_="seen") if image is not None else Markup()

    def lines(self) -> str:
        """A table."""
        rest = self._rest()
        return "\n".join([*table(_COLUMNS, self._cells(), screen_width(), right=(2,)), *rest])

    def _cells(self) -> list[list[str]]:
        return [[self.sources[at], *self._said(at)] for at in range(min(len(self), _SHOWN))]

    def _said(self, at: int) -> list[str]:
        if self.refused[at]:
            return [f"no {self.thing}", "", self.refused[at]]
        first, *others = np.argsort(-self.probs[at], kind="stable").tolist()
        second = f"{self.class_names[others[0]]} ({percent(float(self.probs[at][others[0]]), 1)})" if others else ""
        return [self.class_names[first], percent(float(self.probs[at][first]), 1), second]

    def _rest(self) -> list[str]:
        more = len(self) - _SHOWN
        return [f"and {counted(more, 'more image')}"] if more > 0 else []


def _is_number(name: str) -> bool:
    """Whether the name of a class is a whole number, as it is written as a label."""
    return name.removeprefix("-").isdecimal() and str(int(name)) == name
