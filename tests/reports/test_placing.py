"""The words of a chart hide nothing of it, in a column of a paper: measured as it is drawn."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from mnistlab.reports.answered import calibration_chart
from mnistlab.reports.charts import Chart
from mnistlab.reports.figures import COLUMN, in_column
from mnistlab.reports.judged import Judged, pairs_chart
from mnistlab.reports.placing import legend_below
from mnistlab.runs.outcomes import Answers, Outcomes
from mnistlab.sweeps.pareto import pareto_charts
from mnistlab.sweeps.table import Standing

NETS = [
    Standing("SDN68K", 67_978, [0, 1], [0.45, 0.57], 0.09, 30_000),
    Standing("CNN68K", 68_994, [0, 1], [0.47, 0.49], 0.62, 9_000),
    Standing("SDN8K", 8_470, [0, 1], [0.11, 0.23], 0.06, 60_000),
    Standing("CNN8K", 7_851, [0, 1], [0.13, 0.15], 0.31, 11_000),
    Standing("EfficientNet66K", 66_016, [0, 1], [0.11, 0.11], 1.5, 1_000),
]


def drawn(chart: Chart) -> Axes:
    """A chart of the width of a column, as it is on paper."""
    figure = Figure(figsize=in_column(chart), layout="constrained")
    axes = figure.add_subplot()
    chart.draw(axes)
    FigureCanvasAgg(figure).draw()
    return axes


def apart(boxes: Sequence[Bbox]) -> bool:
    """Whether none of them lies on another."""
    return not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


@pytest.mark.parametrize("chart", pareto_charts(NETS), ids=lambda chart: chart.name)
def test_names_of_near_points_can_be_read(chart: Chart) -> None:
    """Each is on no other, on no point and not cut off; the legend is outside."""
    axes = drawn(chart)
    names = [Text.get_window_extent(text) for text in axes.texts]
    points = axes.transData.transform([text.xy for text in axes.texts])  # type: ignore[attr-defined]
    (legend,) = axes.get_figure().legends  # type: ignore[union-attr]

    assert {text.get_text() for text in axes.texts if text.get_visible()} == {each.title for each in NETS}
    assert apart(names)
    assert not any(name.contains(*point) for name in names for point in points)
    assert all(axes.bbox.contains(*corner) for name in names for corner in (name.min, name.max))
    around = axes.get_tightbbox()
    assert around is not None
    assert not legend.get_window_extent().overlaps(around)


@pytest.mark.parametrize("count", [12, 30])
def test_many_points_have_numbers_and_a_key(count: int) -> None:
    """Each has its own, which can be read; the key has every name, and lies on nothing."""
    nets = [Standing(f"SomeNet{n}", 8_000 + 3_000 * n, [0], [0.9 + 0.01 * (n % 9)], 1.0, 1) for n in range(count)]

    axes = drawn(pareto_charts(nets)[0])

    named = [text for text in axes.texts if text.get_visible()]
    assert {text.get_text() for text in named} == {str(number) for number in range(1, count + 1)}
    assert apart([Text.get_window_extent(text) for text in named])
    figure = axes.get_figure()
    assert figure is not None
    key, look = figure.legends
    assert {text.get_text() for text in key.get_texts()} == {f"{n}  SomeNet{n - 1}" for n in range(1, count + 1)}
    assert all(
        figure.bbox.contains(*corner) for text in key.get_texts() for corner in text.get_window_extent().get_points()
    )
    around = axes.get_tightbbox()
    assert around is not None
    assert apart([around, key.get_window_extent(), look.get_window_extent()])


def test_numbers_of_a_logarithmic_axis_stand_on_one_line(here: Path) -> None:
    """Those of powers of ten and those between them."""
    (chart, _) = pareto_charts(NETS)
    drawing = replace(chart, size=COLUMN).save(here / "it.svg").read_text()

    ticks = re.findall(r'<text [^>]*\by="([\d.]+)"[^>]*>(\d+k)</text>', drawing)
    assert {"10k", "20k", "50k"} <= {tick for _, tick in ticks}
    assert len({height for height, _ in ticks}) == 1


def test_counts_of_thousands_stand_within_their_bars() -> None:
    """From units to hundreds of thousands, each below its own bar."""
    confidence = np.repeat(np.linspace(0.35, 0.95, 7, dtype=np.float32), [9, 968, 1602, 5058, 12345, 999, 1])
    some = np.zeros(len(confidence), np.int64)
    outcomes = Outcomes({"label": Answers(some, some, confidence, confidence)}, "", {"label": 2})

    axes = drawn(calibration_chart(outcomes, "label"))

    assert [text.get_text() for text in axes.texts] == ["9", "968", "1.6k", "5.1k", "12k", "999", "1"]
    assert apart([text.get_window_extent() for text in axes.texts])


@pytest.mark.parametrize(("pairs", "bounds"), [(4, 0), (9, 4)])
def test_the_mean_of_a_judgement_leaves_room_for_its_bounds_alone(pairs: int, bounds: int) -> None:
    """It stands beside the gains where it has an interval to be told from them, else upon the pairs."""
    gains = [1.2, -0.3, 0.8, 1.5, 0.6, 0.9, 1.1, 0.2, 0.7][:pairs]

    axes = drawn(pairs_chart(Judged({"gains": gains, "metric": "val/acc", "unit": "%"})))

    (mean,) = (line for line in axes.lines if line.get_label() == "mean so far")
    beside = np.asarray(mean.get_xdata()) - np.arange(1, pairs + 1)
    intervals = [len(each.lines[2][0].get_segments()) for each in axes.containers]  # type: ignore[attr-defined]
    assert sum(intervals) == bounds
    assert ((beside > 0) & (beside < 0.5) if bounds else beside == 0).all()
    assert axes.get_xlim() == (0.5, pairs + 0.5)


@pytest.mark.parametrize("names", [["short", "brief"], ["a-name-of-28-letters-in-words", "other"], ["W" * 28, "x"]])
def test_a_legend_is_not_cut_off(names: list[str]) -> None:
    """Names that have no room beside each other stand one below the other."""

    def draw(axes: Axes) -> None:
        for name in names:
            axes.plot([1, 2], [1, 2], label=name)
        legend_below(axes)

    axes = drawn(Chart("it", draw, ""))
    (legend,) = axes.get_figure().legends  # type: ignore[union-attr]
    box, width = legend.get_window_extent(), axes.get_figure().bbox.width  # type: ignore[union-attr]
    assert (box.x0 >= 0, box.x1 <= width) == (True, True)
