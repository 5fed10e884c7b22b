"""Where the words of a chart stand, so that none hides what is drawn, nor another."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.lines import Line2D
from matplotlib.path import Path as Line
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox, Transform

SMALL = 7.0
"""Points of letters where those of `charts.SIZE` have no room."""

_POINT = 5.0  # points from the middle of what marks a place to its edge
_GAP = 1.5  # points between two names
_NEAR = (  # to which side a name stands, and how many points away; the first that is free is taken
    *(((right, up), 4.0) for up in (1, -1) for right in (1, -1)),
    *((side, _POINT + 2) for side in ((0, 1), (0, -1), (1, 0), (-1, 0))),
)
_FARTHER = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)  # times as far where no near place is free; a line leads there
_CUT, _HIDES, _TOUCHES = 12, 4, 1  # how bad it is to leave the chart, to stand on a name or a point, and on a line

Place = tuple[float, float]


def legend_below(axes: Axes, columns: int = 2, *, above: bool = False, small: bool = False) -> None:
    """Name what is drawn below the chart: in fewer columns, then in smaller letters, where the names are long.

    Args:
        axes: The chart.
        columns: At most so many beside each other.
        above: Whether it stands above the chart instead, since something else is below.
        small: Whether its letters are small anyway, since it is long.
    """
    place: Literal["outside upper left", "outside lower left"] = "outside upper left" if above else "outside lower left"
    sizes = [(count, SMALL if small else None) for count in range(columns, 0, -1)]
    for count, points in [*sizes, (1, SMALL)]:
        legend = axes.figure.legend(loc=place, ncols=count, fontsize=points, columnspacing=1.2 if small else None)
        if legend.get_window_extent().width <= axes.figure.bbox.width or (count, points) == (1, SMALL):
            return
        legend.remove()


def key_below(axes: Axes, names: Sequence[str]) -> None:
    """Say below the chart what its numbers stand for, in as many columns as there is room for.

    Args:
        axes: The chart.
        names: That of each number, from 1 on.
    """
    handles = [Line2D([], [], linestyle="none", label=f"{number}  {name}") for number, name in enumerate(names, 1)]
    for count in (4, 3, 2, 1):
        legend = axes.figure.legend(
            handles=handles,
            loc="outside lower left",
            ncols=count,
            fontsize=SMALL,
            handlelength=0,
            handletextpad=0,
            columnspacing=1.2,
            labelspacing=0.25,
        )
        if legend.get_window_extent().width <= axes.figure.bbox.width or count == 1:
            return
        legend.remove()


def name_places(axes: Axes, names: Sequence[tuple[str, Place]], lines: Sequence[Sequence[Place]]) -> None:
    """Write names beside their places in small letters, on no other name or place, and on no line where that can be.

    A name that finds no room is left out.

    Args:
        axes: The chart; its scales and limits are set.
        names: Each with its place, the most important first.
        lines: What else is drawn, each through some places.
    """
    muted = axes.yaxis.label.get_color()
    leads = {"arrowstyle": "-", "color": muted, "linewidth": 0.5, "shrinkA": 0, "shrinkB": _POINT}
    written: dict[Annotation, Place] = {}
    for name, place in names:
        text = axes.annotate(name, place, (0, 0), textcoords="offset points", fontsize=SMALL, arrowprops=leads)
        text.set_in_layout(False)
        written[text] = place
    axes.add_artist(_Placed(written, lines))


class _Placed(Artist):
    """Finds places for names when it is drawn: before it, nobody knows how large the chart is."""

    def __init__(self, names: Mapping[Annotation, Place], lines: Sequence[Sequence[Place]]) -> None:
        super().__init__()
        self._names, self._lines = names, lines
        self.set_zorder(-1)  # before the names
        self.set_in_layout(False)

    def draw(self, renderer: RendererBase) -> None:
        """Move the names; nothing is drawn."""
        axes = self.axes
        assert axes is not None
        scale = float(np.asarray(renderer.points_to_pixels(1.0)))
        lines = [Line(axes.transData.transform(pair)) for line in self._lines for pair in pairwise(line)]
        places = {name: _shown(axes.transData, place) for name, place in self._names.items()}
        taken: list[Bbox] = []
        for name, place in places.items():
            name.set_visible(True)  # what is hidden has no size
            others = [*taken, *(_around(other, _POINT * scale) for other in places.values() if other != place)]
            boxes = _candidates(place, Text.get_window_extent(name, renderer), scale)
            best = min(boxes, key=lambda box, others=others: _harm(box, others, lines, axes.bbox))  # type: ignore[misc]
            name.xyann = ((best.x0 - place[0]) / scale, (best.y0 - place[1]) / scale)
            name.set_visible(not any(best.overlaps(other) for other in others))
            taken += [best.padded(_GAP * scale)] if name.get_visible() else []


def _shown(transform: Transform, place: Place) -> Place:
    """Where a place of the data is, in pixels."""
    x, y = transform.transform(place).tolist()
    return x, y


def _candidates(place: Place, size: Bbox, scale: float) -> Iterator[Bbox]:
    """The boxes that a name of that size may have, the nearest first."""
    for times in _FARTHER:
        for sides, points in _NEAR:
            away, lengths = points * times * scale, (size.width, size.height)
            left, low = (
                at + side * away - length * (1 - side) / 2
                for at, side, length in zip(place, sides, lengths, strict=True)
            )
            yield Bbox.from_bounds(left, low, *lengths)


def _harm(box: Bbox, taken: Sequence[Bbox], lines: Sequence[Line], within: Bbox) -> int:
    """How much a name in that box would hide."""
    outside = not (within.contains(*box.min) and within.contains(*box.max))
    hidden = sum(box.overlaps(other) for other in taken)
    crossed = sum(line.intersects_bbox(box, filled=False) for line in lines)
    return _CUT * outside + _HIDES * hidden + _TOUCHES * crossed


def _around(place: Place, reach: float) -> Bbox:
    return Bbox.from_extents(place[0] - reach, place[1] - reach, place[0] + reach, place[1] + reach)
