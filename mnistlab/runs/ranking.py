"""Which runs of a sweep are the best: the one place that decides it, whether there is a database or only its folder."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Self

from mnistlab.runs.listing import plan_of
from mnistlab.runs.metrics import ACC, MEASURES, PRIMARY, SECONDS, Measure, measure_of, measures_of
from mnistlab.runs.run import Run
from mnistlab.system.shapes import is_number


def figure_of(run: Run, metric: str, measure: Measure) -> float | None:
    """What a run is ranked by: the best of its epochs, its test, or how long it has trained; None where there is none.

    The best loss need not be that of the epoch with the best accuracy, which is the one that its record tells of.

    Args:
        run: The run.
        metric: Such as `val/loss`.
        measure: What is known of that.
    """
    if metric == SECONDS.name:
        return run.seconds
    told = [run.number("metrics", part, metric) for part in ("best", "test")]
    values = [each for each in (*told, *(row.get(metric) for row in run.rows)) if is_number(each)]
    return float(measure.better(values)) if values else None


@dataclass(frozen=True)
class Choice:
    """The runs of a sweep that have the same values, each with a seed or a fold of its own."""

    runs: Sequence[Run]  # in the order of their folders
    figures: Mapping[Run, float]  # what they are ranked by, of those that have it
    whole: bool  # whether all that belong to it have come to their end

    @property
    def mean(self) -> float | None:
        """The mean of what they are ranked by."""
        return fmean(self.figures.values()) if self.figures else None


@dataclass(frozen=True)
class Ranking:
    """What the runs of a sweep are ranked by."""

    metric: str
    measure: Measure
    parts: int  # how many runs belong to a choice of values; 0 where nobody knows
    partly: bool  # whether a choice of which a run has failed counts as much as the others

    @classmethod
    def of(cls, sweep: Path) -> Self:
        """That of the sweep in a folder; validation accuracy where that cannot be read."""
        said = plan_of(sweep)
        metric = str(said.get("metric") or PRIMARY)
        measure = measure_of(metric, measures_of({MEASURES: [said.get("described")]}))
        seeds, folds = said.get("seeds"), said.get("folds")
        parts = len(seeds) if isinstance(seeds, list) else 0
        times = folds if isinstance(folds, int) and folds > 0 else 1
        return cls(metric, measure or Measure(metric, metric), parts * times, said.get("kind") == "compare")

    def choices(self, runs: Sequence[Run]) -> list[Choice]:
        """The choices of values, that with the best mean first.

        Those that have not finished with all their seeds come after those that have, unless this is a comparison; last
        of all come those of which nothing is known.
        """
        groups: dict[str, list[Run]] = {}
        for run in sorted(runs, key=lambda run: str(run.folder)):
            groups.setdefault(choice_of(run), []).append(run)
        sign = -1 if self.measure.higher_is_better else 1

        def place(choice: Choice) -> tuple[bool, bool, float]:
            return choice.mean is None, not (choice.whole or self.partly), sign * (choice.mean or 0.0)

        return sorted(map(self._choice, groups.values()), key=place)

    def best(self, runs: Sequence[Run]) -> Run | None:
        """The best run of the best choice of values, of equal ones the first; None where nothing was measured.

        Of those that are ranked by their test it is that with the best validation accuracy.
        """
        first = next(iter(self.choices(runs)), None)
        if first is None or not first.figures:
            return None
        metric, measure = (self.metric, self.measure) if self.metric.startswith("val/") else (PRIMARY, ACC)
        figures = [(run, figure_of(run, metric, measure)) for run in first.runs]
        known = [(run, value) for run, value in figures if value is not None]
        best = measure.better(value for _, value in known) if known else None
        return next((run for run, value in known if value == best), first.runs[0])

    def _choice(self, runs: Sequence[Run]) -> Choice:
        figures = dict(self._figures(runs))
        ended = all(run in figures and run.status == "finished" for run in runs)
        return Choice(runs, figures, ended and len(runs) >= self.parts)

    def _figures(self, runs: Sequence[Run]) -> Iterator[tuple[Run, float]]:
        for run in runs:
            value = figure_of(run, self.metric, self.measure)
            if value is not None:
                yield run, value


def choice_of(run: Run) -> str:
    """What the runs of a sweep have in common that have the same values."""
    return run.text("trial") or json.dumps(dict(run.point), sort_keys=True)
