"""The figures of a report as files, sized for a column of a paper, in the colours of a page in print."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mnistlab.errors import LabError, tell
from mnistlab.reports.answered import calibration_chart, confusion_chart, outcomes_of
from mnistlab.reports.behind import Trust
from mnistlab.reports.charts import COLUMNS, SIZE, Chart, Size
from mnistlab.reports.curves import course_charts, courses_charts
from mnistlab.reports.judged import Judged, pairs_chart
from mnistlab.reports.mistakes import mistakes_chart
from mnistlab.reports.several import best_of, names_of, trial_names
from mnistlab.reports.wanted import Wanted
from mnistlab.runs.ranking import Ranking
from mnistlab.runs.run import Run
from mnistlab.text.values import UNKNOWN, counted

COLUMN = (COLUMNS[0], 2.4)
"""Inches of a figure in a column of two; images and what has many parts are as wide as they need."""


def pages_charts(
    wanted: Wanted,
    judged: Judged | None,
    trials: Sequence[Run],
    trust: Trust,
    plots: Callable[[Path], Sequence[Chart]],
) -> list[Chart]:
    """All charts of a page, each by a name of its own.

    Args:
        wanted: The page.
        judged: The judgement that it is about, if it is about one.
        trials: The trials of a sweep.
        trust: What configurations may name.
        plots: Draws what there is to see of a sweep in a folder.
    """
    if judged:
        return [pairs_chart(judged)]
    if wanted.sweep:
        best = Ranking.of(wanted.sweep).best(trials)
        curves = courses_charts(trials, best, trial_names(trials))
        of_best = [_called(chart, "best") for chart in _of_run(best, trust)] if best else []
        return [*curves, *plots(wanted.sweep), *of_best]
    if len(wanted.runs) == 1:
        return [*_of_run(wanted.runs[0], trust)]
    names = names_of(wanted.runs)
    each = [_called(chart, names[run]) for run in wanted.runs for chart in _of_run(run, trust)]
    return [*_side_by_side(wanted.runs), *each]


def written_figures(charts: Sequence[Chart], folder: Path, formats: Sequence[str]) -> Iterator[str]:
    """Write charts into a folder, each in each format; what was written, in lines.

    Raises:
        LabError: If one cannot be written.
    """
    if not charts:
        tell("note: there is nothing to draw: one epoch makes no curve, and it was not tested.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for chart in charts:
        size = in_column(chart)
        try:
            for form in formats:
                replace(chart, size=size).save(folder / f"{chart.name}.{form}")
        except _NotHereError as error:
            tell(f"note: {chart.name} is left out: {error}")
        else:
            written.append(chart.name)
    yield f"wrote {counted(len(written), 'figure')} as {' and '.join(formats)} in {folder}: {', '.join(written)}"


def in_column(chart: Chart) -> Size:
    """The inches of a chart in a column: as wide as that where it is of the usual width; what stands below is added."""
    width, height = chart.size
    if chart.in_print:
        return chart.in_print
    return (COLUMN[0], COLUMN[1] + height - SIZE[1]) if width == SIZE[0] else chart.size


class _NotHereError(LabError):
    """The images that would be drawn are not here."""


def _of_run(run: Run, trust: Trust) -> Iterator[Chart]:
    """The charts of a run."""
    if len(run.rows) > 1:
        yield from course_charts(run)
    try:
        outcomes, folder = outcomes_of(run)
    except LabError as error:
        tell(f"note: {error}")
        return
    for head in outcomes.answers:
        yield confusion_chart(outcomes, head)
        yield calibration_chart(outcomes, head)
    head = next(iter(outcomes.answers))
    mistakes = mistakes_chart(outcomes, head, folder, trust)
    yield replace(mistakes, draw=_or_not_here(mistakes))


def _or_not_here(chart: Chart) -> Callable[..., object]:
    def draw(axes: object) -> object:
        try:
            return chart.draw(axes)  # type: ignore[arg-type]
        except LabError as error:
            raise _NotHereError(str(error)) from error

    return draw


def _side_by_side(runs: Sequence[Run]) -> Iterator[Chart]:
    """The curves of several runs, those on other data apart."""
    names = names_of(runs)
    kinds = [*dict.fromkeys(run.data or UNKNOWN for run in runs)]
    for kind in kinds:
        group = [run for run in runs if (run.data or UNKNOWN) == kind]
        charts = courses_charts(group, best_of(group), names, kind if len(kinds) > 1 else "")
        yield from (_called(chart, kind) if len(kinds) > 1 else chart for chart in charts)


def _called(chart: Chart, whose: str) -> Chart:
    """The chart, with whose it is before its name, which is that of a file."""
    return replace(chart, name=f"{re.sub(r'[^A-Za-z0-9._-]+', '-', whose)}-{chart.name}")
