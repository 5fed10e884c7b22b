"""Whether a change is better, from pairs of runs with the same seeds: looked at after each pair, and seldom wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from math import isfinite

from mnistlab.runs.metrics import PERCENT, Measure
from mnistlab.runs.statistics import ERROR, Paired
from mnistlab.text.values import counted, percent

METHOD = "confidence sequence of Student's t, mixed over normal effects (Lai 1976)"
"""How the bounds of a gain are found."""

_MOST_PAIRS = 1000
"""Of more pairs nobody wants to be told."""


class Verdict(Enum):
    """What a judgement comes to."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference"
    UNDECIDED = "undecided"

    @property
    def exit_code(self) -> int:
        """That of the command: 0 for a change that is better, 3 for one that is not."""
        return {Verdict.BETTER: 0, Verdict.UNDECIDED: 4}.get(self, 3)


@dataclass(frozen=True)
class Judgement:
    """What some pairs say of a change."""

    gains: Sequence[float]  # by how much the change is better in each pair
    effect: float  # a difference of no more than that is none

    @cached_property
    def found(self) -> Paired:
        """Their mean and its bounds."""
        return Paired.of(self.gains)

    @cached_property
    def verdict(self) -> Verdict:
        """What they come to."""
        return _verdict(self.found, self.effect)

    @property
    def more(self) -> int | None:
        """About how many more pairs would decide, were they as those so far; None where that cannot be said."""
        now = self.found
        if self.verdict is not Verdict.UNDECIDED or now.count < 2:  # noqa: PLR2004 - one pair has no deviation
            return None
        later = (Paired(count, now.mean, now.deviation) for count in range(now.count + 1, now.count + _MOST_PAIRS))
        return next((each.count - now.count for each in later if _decides(each, self.effect)), None)


def judge_pairs(gains: Sequence[float], effect: float = 0.0) -> Judgement:
    """Judge as after each pair: by the first pairs that decide, else by all.

    Args:
        gains: By how much the change is better in each pair.
        effect: A difference of no more than that is none.
    """
    looks = (Judgement(gains[:count], effect) for count in range(1, len(gains) + 1))
    return next((each for each in looks if each.verdict is not Verdict.UNDECIDED), Judgement(gains, effect))


def in_words(judged: Judgement, measure: Measure, metric: str, why: str = "") -> str:
    """A judgement in a line.

    Args:
        judged: The judgement.
        measure: What was judged by; the gains are in its unit.
        metric: Its column.
        why: What ended it, where it is undecided: `in 10 min 00 s`.
    """
    by, pairs = f"{gain_text(judged.found, measure)} {_of(measure, metric)}", counted(judged.found.count, "pair")
    sure = f"{pairs}, wrong verdicts at most {percent(ERROR, 0)}"
    if judged.verdict is Verdict.UNDECIDED:
        more = "" if judged.more is None else f"; about {judged.more} more would decide"
        return f"not decided {why}: {by}, {pairs}{more}" if judged.gains else f"not decided {why}: no pair has ended"
    if judged.verdict is not Verdict.NO_DIFFERENCE:
        far = gain_text(replace(judged.found, mean=abs(judged.found.mean)), measure)
        return f"{judged.verdict.value} by {far} {_of(measure, metric)}, {sure}"
    if judged.effect:
        return f"no difference above {judged.effect:g} {_of(measure, metric)}: {by}, {sure}"
    return f"no difference: {metric} is the same in each of {pairs}"


def gain_text(found: Paired, measure: Measure) -> str:
    """A gain with its bounds: `0.11 [0.05 to 0.18]`."""
    middle, low, high = (_number(each, measure) for each in (found.mean, *found.interval))
    return f"{middle} [{low} to {high}]" if isfinite(found.half_width) else f"{middle} [no bounds yet]"


def _number(value: float, measure: Measure) -> str:
    return f"{round(value, 2) + 0.0:.2f}" if measure.unit == PERCENT else f"{value:.3g}"


def _of(measure: Measure, metric: str) -> str:
    return metric if not measure.unit else f"points of {metric}" if measure.unit == PERCENT else measure.unit


def _verdict(found: Paired, effect: float) -> Verdict:
    low, high = found.interval
    if low > 0:
        return Verdict.BETTER
    if high < 0:
        return Verdict.WORSE
    return Verdict.NO_DIFFERENCE if -effect <= low and high <= effect else Verdict.UNDECIDED


def _decides(found: Paired, effect: float) -> bool:
    return _verdict(found, effect) is not Verdict.UNDECIDED
