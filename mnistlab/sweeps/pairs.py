"""The pairs of a judgement: which are complete, what they say so far, and when there are enough of them."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite
from pathlib import Path

from mnistlab.runs.folder import JUDGEMENT
from mnistlab.runs.record import write_json
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import ERROR
from mnistlab.sweeps.contrast import Contrast
from mnistlab.sweeps.jobs import Progress, State
from mnistlab.sweeps.judgement import METHOD, Judgement, Verdict, gain_text, in_words, judge_pairs
from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.sides import BASELINE, CHANGED, changes
from mnistlab.sweeps.worker import value_of

Cell = tuple[str, int]
"""A side and a seed."""


@dataclass(frozen=True)
class Terms:
    """When a judgement ends.

    Attributes:
        effect: A difference of no more than that is none, in the unit of the metric.
        pairs: The most pairs.
        budget_s: The seconds within which it ends, if there is such a time.
        begun: When the command began, by `time.monotonic`.
    """

    effect: float
    pairs: int
    budget_s: float | None
    begun: float


class Pairs:
    """The pairs of a judgement.

    Args:
        plan: The judgement.
        kept: Runs that were there already.
        terms: When it ends.
        contrast: What the two sides are.
        at_once: Whether both runs of a pair go on at the same time.
    """

    def __init__(
        self, plan: Plan, kept: Mapping[Cell, Run], terms: Terms, contrast: Contrast, *, at_once: bool
    ) -> None:
        self.contrast = contrast
        self._plan, self._terms, self._at_once = plan, terms, at_once
        self._kept = {cell: value_of(run, plan) for cell, run in kept.items()}
        self._folders = {cell: run.folder for cell, run in kept.items()}
        self._told = 0

    def figures(self, jobs: Mapping[str, Progress]) -> list[tuple[float, float]]:
        """What baseline and change came to with each seed, up to the first that is not complete.

        Which pair ends first may depend on what it comes to; so they are looked at in the order of their seeds.
        """
        trained = {cell: each.last.value for cell, each in _cells(jobs).items() if each.state is State.FINISHED}
        known, found = {**self._kept, **trained}, []
        for seed in self._plan.seeds:
            baseline, change = (known.get((side, seed)) for side in (BASELINE, CHANGED))
            if baseline is None or change is None:
                break
            found.append((baseline, change))
        return found

    def judgement(self, jobs: Mapping[str, Progress]) -> Judgement:
        """What they say so far."""
        sign, scaled = -1 if self._plan.minimizes else 1, self._plan.measure.scaled
        gains = [sign * (scaled(change) - scaled(baseline)) for baseline, change in self.figures(jobs)]
        return judge_pairs(gains, self._terms.effect)

    def watch(self, jobs: Mapping[str, Progress]) -> tuple[Sequence[str], bool]:
        """A line for each pair that is new, and whether no more of them are needed, or can be had."""
        judged = self.judgement(jobs)
        gains, told = judged.gains, range(self._told, len(judged.gains))
        self._told = max(self._told, len(gains))
        lines = [self._line(judge_pairs(gains[: number + 1], self._terms.effect)) for number in told]
        if told:
            write_json(self._plan.folder / JUDGEMENT, self.plain(jobs))
        decided = judged.verdict is not Verdict.UNDECIDED
        return lines, (decided or len(gains) == len(self._plan.seeds) or bool(self.failed(jobs)) or self._is_late(jobs))

    def failed(self, jobs: Mapping[str, Progress]) -> list[Progress]:
        """The runs of the pair whose turn it is that have failed."""
        return [each for each in self._turn(jobs) if each.state is State.FAILED]

    def drop_begun(self, jobs: Mapping[str, Progress]) -> None:
        """Remove what was begun of pairs that nobody needs."""
        for each in jobs.values():
            if each.state is State.WAITING:
                folder = self._plan.run_folder(each.stem, seed_of(each))
                shutil.rmtree(folder, ignore_errors=True)

    def plain(self, jobs: Mapping[str, Progress]) -> dict[str, object]:
        """All that is known, for machines."""
        judged, figures = self.judgement(jobs), self.figures(jobs)
        low, high = judged.found.interval
        count, bounded = judged.found.count, isfinite(judged.found.half_width)
        seeds = self._plan.seeds[:count]
        return {
            "verdict": judged.verdict.value,
            "metric": self._plan.metric,
            "gain": judged.found.mean if count else None,
            "low": low if bounded else None,
            "high": high if bounded else None,
            "unit": self._plan.measure.unit,
            "effect": self._terms.effect,
            "pairs": count,
            "more_pairs": judged.more,
            "error": ERROR,
            "e_value": judged.found.evidence,
            "method": METHOD,
            "in_words": in_words(judged, self._plan.measure, self._plan.metric, "so far"),
            "options": changes(self._plan.arguments),
            "sides": self.contrast.plain(),
            "seeds": seeds,
            "gains": judged.gains,
            BASELINE: [baseline for baseline, _ in figures[:count]],
            CHANGED: [change for _, change in figures[:count]],
            "runs": [[str(self._folder(side, seed)) for side in (BASELINE, CHANGED)] for seed in seeds],
        }

    def _line(self, judged: Judgement) -> str:
        number, measure = len(judged.gains), self._plan.measure
        alone = gain_text(replace(judged.found, mean=judged.gains[-1]), measure).partition(" ")[0]
        return f"pair {number}: {alone}; so far {gain_text(judged.found, measure)}"

    def _folder(self, side: str, seed: int) -> Path:
        return self._folders.get((side, seed)) or self._plan.run_folder(side, seed)

    def _turn(self, jobs: Mapping[str, Progress]) -> list[Progress]:
        """The runs of the first pair that is not complete."""
        count = len(self.figures(jobs))
        return [each for (_, seed), each in _cells(jobs).items() if seed in self._plan.seeds[count : count + 1]]

    def _is_late(self, jobs: Mapping[str, Progress]) -> bool:
        """Whether the time is over, or the pair whose turn it is would not end within it."""
        if self._terms.budget_s is None:
            return False
        left = self._terms.begun + self._terms.budget_s - time.monotonic()
        begun = [each.last.datetime_start for each in self._turn(jobs)]
        starts = [each for each in begun if each is not None]
        since = (datetime.now() - min(starts)).total_seconds() if starts else 0.0  # noqa: DTZ005 - as Optuna's
        return left <= 0 or self._longest(jobs) - since > left

    def _longest(self, jobs: Mapping[str, Progress]) -> float:
        """The seconds of the longest pair so far."""
        took: dict[int, list[float]] = {}
        for (_, seed), each in _cells(jobs).items():
            if each.state is State.FINISHED and each.last.duration is not None:
                took.setdefault(seed, []).append(each.last.duration.total_seconds())
        return max((max(each) if self._at_once else sum(each) for each in took.values()), default=0.0)


def seed_of(job: Progress) -> int:
    """The seed of a run."""
    seed: int = job.last.user_attrs["seeds"][0]
    return seed


def _cells(jobs: Mapping[str, Progress]) -> dict[Cell, Progress]:
    return {(each.stem, seed_of(each)): each for each in jobs.values()}
