"""What is drawn of metrics over epochs: the course of a run, and that of several."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mnistlab.reports.alike import FEW, Group, Points, groups_of, told
from mnistlab.reports.charts import SIZE, Chart, Draw
from mnistlab.reports.markup import Markup, element, note, table
from mnistlab.reports.placing import legend_below
from mnistlab.runs.metrics import LOSS, SPLITS, Measure, measures_of
from mnistlab.runs.run import Run

_SPLITS = {"train": "C0", "val": "C1"}
_DIGITS = 4  # decimals in the table of an only epoch
_STYLES = ("-", "--", ":")  # of the first six groups of curves, of the next ones, and so on
_COLOURS = 6  # of the cycle
_MOST = len(_STYLES) * _COLOURS  # groups that have a look each
_ROWS, _ROW = 2, 0.16  # rows of a legend for which there is room, and the inches of each further one
_HALF = 16  # letters of a name, two of which stand beside each other
_THIN, _SMALL_MARK = 1.1, 2.5  # of curves of which several look alike
_MARKED = 20  # epochs up to which each has a mark
_FAINT = 0.45


def course(run: Run) -> Iterator[Markup]:
    """What was measured over the epochs of a run."""
    measures = measures_of(run.record)
    if len(run.rows) > 1:
        yield element("div", *(chart.html() for chart in course_charts(run)), class_="pair")
    elif run.rows:
        rows = [
            (split, each.label, f"{each.scaled(run.rows[0][f'{split}/{each.name}']):.{_DIGITS}f}")
            for split in _SPLITS
            for each in measures
            if f"{split}/{each.name}" in run.rows[0]
        ]
        yield element("p", "One epoch makes no curve. This was measured in it:")
        yield table(("Split", "Metric", "Value"), rows, caption="The only epoch", numeric=["Value"])
    else:
        yield note("No epoch has been completed, or the table of metrics is not there or cannot be read.")


def course_charts(run: Run) -> list[Chart]:
    """A chart for each metric that was measured over the epochs of a run."""
    return [chart for measure in measures_of(run.record) if (chart := _course(run, measure)) is not None]


def courses(runs: Sequence[Run], best: Run | None, names: Mapping[Run, str], data: str = "") -> Markup:
    """The validation of several runs over their epochs; the training where none has any.

    Args:
        runs: The runs.
        best: The one that stands out where they are many.
        names: What each is called.
        data: What all were trained on, if it is to be said.
    """
    charts = courses_charts(runs, best, names, data)
    where = f" on {data}" if data else ""
    none = note(f"None of those{where} has completed two epochs." if data else "None of them has completed two epochs.")
    return element("div", *(chart.html() for chart in charts), class_="pair") if charts else none


def courses_charts(runs: Sequence[Run], best: Run | None, names: Mapping[Run, str], data: str = "") -> list[Chart]:
    """The same as charts, one for each metric of which some run has two epochs; for the arguments see `courses`."""
    split = "val" if any(points_of(run, f"val/{LOSS.name}") for run in runs) else "train"
    what = SPLITS[split].capitalize()
    where = f" on {data}" if data else ""
    charts = []
    for measure in measures_of(*(run.record for run in runs)):
        lines = [(run, points_of(run, f"{split}/{measure.name}")) for run in runs]
        lines = [(run, points) for run, points in lines if points]
        if any(len(points) > 1 for _, points in lines):
            groups = groups_of(dict(lines), names)
            draw = _overlay(groups, replace(measure, title=f"{what} {measure.title}{where}"), best)
            text = f"{what} {measure.label}{where} over the epochs of {told(groups)}; their table has their outcomes."
            charts.append(Chart(f"{split}-{measure.name}", draw, text, (SIZE[0], SIZE[1] + _further(groups))))
    return charts


def points_of(run: Run, metric: str) -> Points:
    """A metric over the epochs."""
    return [(row["epoch"] + 1, row[metric]) for row in run.rows if "epoch" in row and metric in row]


def _course(run: Run, measure: Measure) -> Chart | None:
    """A metric of training and validation over the epochs."""
    found = {split: points_of(run, f"{split}/{measure.name}") for split in _SPLITS}
    lines = {split: points for split, points in found.items() if points}
    if not lines:
        return None

    def draw(axes: Axes) -> None:
        for split, points in lines.items():
            _line(axes, points, measure, color=_SPLITS[split], label=split)
        axes.set(xlabel="epoch", title=measure.label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.legend()

    ends = [
        f"{split} from {measure.scaled(points[0][1]):.4g} to {measure.scaled(points[-1][1]):.4g}"
        for split, points in lines.items()
    ]
    return Chart(measure.name, draw, f"{measure.label} over {len(run.rows)} epochs: {', '.join(ends)}.")


def _further(groups: Sequence[Group]) -> float:
    """The inches that a legend takes for which there is no room."""
    if len(groups) > _MOST:
        return 0.0
    beside = 1 if len(groups) <= FEW and any(len(group.name) > _HALF for group in groups) else 2
    return _ROW * max(0, ceil(len(groups) / beside) - _ROWS)


def _overlay(groups: Sequence[Group], measure: Measure, best: Run | None) -> Draw:
    """A curve for each run, those that differ in their seed alone in one look; where there are too many, the best's."""

    def draw(axes: Axes) -> None:
        if len(groups) <= _MOST:
            thin = len(groups) > FEW or any(len(group.lines) > 1 for group in groups)
            for number, group in enumerate(groups):
                colour, style = f"C{number % _COLOURS}", _STYLES[number // _COLOURS]
                labels = [_visible(group.name), *[None] * (len(group.lines) - 1)]
                for points, label in zip(group.lines.values(), labels, strict=True):
                    _line(axes, points, measure, color=colour, label=label, style=style, thin=thin)
        else:
            _only_best(axes, groups, measure, best)
        axes.set(xlabel="epoch", title=measure.label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if axes.get_legend_handles_labels()[1]:
            legend_below(axes, small=FEW < len(groups) <= _MOST)  # within, it would hide one of many curves

    return draw


def _only_best(axes: Axes, groups: Sequence[Group], measure: Measure, best: Run | None) -> None:
    for group in groups:
        for run, points in group.lines.items():
            if run is best:
                name = group.name if len(group.lines) == 1 else f"of {group.name}"
                _line(axes, points, measure, color="C0", label=f"{_visible(name)}, the best")
            else:
                axes.plot(*_scaled(points, measure), color="C5", linewidth=0.9, alpha=_FAINT)


def _line(
    axes: Axes, points: Points, measure: Measure, *, color: str, label: str | None, style: str = "-", thin: bool = False
) -> None:
    marker = "o" if len(points) <= _MARKED else None
    width, size = (_THIN, _SMALL_MARK) if thin else (None, None)
    axes.plot(
        *_scaled(points, measure),
        color=color,
        marker=marker,
        label=label,
        linestyle=style,
        linewidth=width,
        markersize=size,
    )


def _scaled(points: Points, measure: Measure) -> tuple[list[float], list[float]]:
    return [epoch for epoch, _ in points], [measure.scaled(value) for _, value in points]


def _visible(name: str) -> str:
    """A name as a legend has it: one that begins with _ would be left out."""
    return f" {name}" if name.startswith("_") else name
