"""Which of several models can be told apart: paired by the seeds that both have been trained with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import sqrt
from statistics import median_low

from mnistlab.runs.statistics import ERROR, Student, holm, letters, smallest_difference

DIFFERENCES = "paired Student's t, p-values by Holm, groups as a compact letter display"
"""How models are told apart."""


@dataclass(frozen=True)
class Gap:
    """By how much one model is better than another, with the seeds that both have been trained with."""

    found: Student  # the differences
    p_value: float  # corrected for all pairs of the comparison

    @property
    def told(self) -> bool:
        """Whether it is more than chance."""
        return self.p_value < ERROR


@dataclass(frozen=True)
class Apart:
    """What can be told of several models."""

    gaps: Mapping[tuple[int, int], Gap]  # by the numbers of both models; of those that share at least two seeds
    letters: Sequence[str]  # of each model; those with one in common cannot be told apart

    @property
    def seeds(self) -> int:
        """How many seeds a pair shares at most."""
        return max((gap.found.count for gap in self.gaps.values()), default=1)

    @cached_property
    def smallest(self) -> float | None:
        """What the middle pair would have to differ by to show it in 80 % of all cases; None where none can be told."""
        found = [gap.found for gap in self.gaps.values()]
        return smallest_difference(_typical(found), self.seeds) if found else None


def tell_apart(accuracies: Sequence[Mapping[int, float]]) -> Apart:
    """Tell models apart.

    Args:
        accuracies: What each has come to, by seed; the best first.
    """
    found: dict[tuple[int, int], Student] = {}
    for a, b in combinations(range(len(accuracies)), 2):
        shared = accuracies[a].keys() & accuracies[b].keys()
        if len(shared) > 1:
            found[a, b] = Student.of([accuracies[a][seed] - accuracies[b][seed] for seed in sorted(shared)])
    corrected = holm([each.p_value for each in found.values()])
    gaps = {pair: Gap(each, p_value) for (pair, each), p_value in zip(found.items(), corrected, strict=True)}
    return Apart(gaps, letters(len(accuracies), [pair for pair, gap in gaps.items() if gap.told]))


def _typical(found: Sequence[Student]) -> float:
    """The standard deviation of a difference: that of the middle pair, for one model may vary far more than others.

    The middle one of several estimates is too low where there are few seeds, by so much as Wilson and Hilferty (1931),
    Proceedings of the National Academy of Sciences 17, 684-688, say of chi-square.
    """
    return median_low((each.deviation or 0.0) / sqrt(1 - 2 / (9 * (each.count - 1))) ** 3 for each in found)
