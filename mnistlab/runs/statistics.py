"""How sure a figure is: intervals and tests, each by the name under which it is known."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import atan, cos, exp, fsum, inf, lgamma, log, nextafter, pi, sin, sqrt, tan
from statistics import NormalDist, fmean, stdev
from string import ascii_lowercase

from mnistlab.runs.metrics import Measure

ERROR = 0.05
"""How often an interval, or a verdict, may be wrong."""

_PRIOR = 2.0
"""How much the mixture expects small effects: in deviations they are normal, with a variance of 1 / _PRIOR."""

_MOST = 700.0  # of a logarithm of which there is a number

POWER = 0.8
"""How often a difference is to be found of which it is said that it could be."""

_STEPS = 400  # into which an integral is cut


@cache
def student_quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t: within plus or minus this, 95 % of it lies.

    Source: Abramowitz and Stegun (1964), 26.7.3 and 26.7.4, which are closed for whole degrees of freedom; bisected.

    Args:
        freedom: The degrees of freedom, at least 1.
    """
    low, high = 0.0, pi / 2
    while nextafter(low, high) < high:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 1 - ERROR else (low, middle)
    return sqrt(freedom) * tan(high)


def _within(angle: float, freedom: int) -> float:
    """The probability that |t| is less than sqrt(freedom) * tan(angle)."""
    squared = cos(angle) ** 2
    odd = freedom % 2
    terms = [cos(angle) if odd else 1.0] if freedom > 1 else []
    for factor in range(2 + odd, freedom - 1, 2):
        terms.append(terms[-1] * squared * (factor - 1) / factor)
    area = sin(angle) * fsum(terms)
    return 2 / pi * (angle + area) if odd else area


@dataclass(frozen=True)
class Student:
    """The mean of some figures, and within what that of all others like them lies, if they are normal.

    Source: Student (1908), Biometrika 6, 1-25.
    """

    count: int  # how many figures there are, at least one
    mean: float  # their mean
    deviation: float | None  # their standard deviation; None of a single one

    @classmethod
    def of(cls, values: Sequence[float]) -> "Student":
        """Add some figures up, of which there is at least one."""
        return cls(len(values), fmean(values), stdev(values) if len(values) > 1 else None)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean; None of a single figure."""
        if self.deviation is None:
            return None
        half = student_quantile(self.count - 1) * self.deviation / sqrt(self.count)
        return self.mean - half, self.mean + half

    @property
    def p_value(self) -> float:
        """How often chance alone would bring the mean so far from 0 or further; 1 of a single figure."""
        if self.deviation is None or not self.mean:
            return 1.0
        if not self.deviation:
            return 0.0
        t = abs(self.mean) * sqrt(self.count) / self.deviation
        return max(0.0, 1 - _within(atan(t / sqrt(self.count - 1)), self.count - 1))


def spread(values: Sequence[float], measure: Measure) -> str:
    """The mean of at least one value, with the standard deviation of several: `98.12 ± 0.07 %`."""
    found = Student.of(values)
    if found.deviation is None:
        return measure.figure(found.mean)
    return f"{measure.bare(found.mean)} ± {measure.figure(found.deviation)}"


def smallest_difference(deviation: float, count: int) -> float:
    """The mean that so many paired differences show in 80 % of all cases, where 5 % of those without one do.

    By the non-central distribution of Student's t, not by an approximation, which is too small for few pairs.

    Args:
        deviation: The standard deviation of a difference.
        count: How many pairs there are, at least two.
    """
    low, high = 0.0, 2 * student_quantile(count - 1) + 10
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _power(middle, count - 1) < POWER else (low, middle)
    return high * deviation / sqrt(count)


def _power(shift: float, freedom: int) -> float:
    """How often t is beyond its quantiles where its mean is moved: over all that the deviation may come to."""
    normal, quantile = NormalDist(), student_quantile(freedom)
    reach = 6 / sqrt(freedom)
    start = max(0.0, 1 - reach)
    step = (1 + reach - start) / _STEPS
    scale = log(2) + freedom / 2 * log(freedom / 2) - lgamma(freedom / 2)
    found, whole = [], []
    for number in range(_STEPS):
        ratio = start + (number + 0.5) * step  # of the deviation that is measured to the true one
        weight = exp(scale + (freedom - 1) * log(ratio) - freedom * ratio**2 / 2)
        whole.append(weight)
        found.append(weight * (normal.cdf(shift - quantile * ratio) + normal.cdf(-shift - quantile * ratio)))
    return fsum(found) / fsum(whole)


def holm(p_values: Sequence[float]) -> list[float]:
    """Several p-values, corrected for being several: one of them below 5 % comes of chance alone in 5 % of all cases.

    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
    """
    corrected, most = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        most = max(most, min(1.0, (len(p_values) - rank) * p_values[at]))
        corrected[at] = most
    return corrected


def letters(count: int, apart: Collection[tuple[int, int]]) -> list[str]:
    """A compact letter display: those that have a letter in common are not told apart, all others are.

    Source: Piepho (2004), Journal of Computational and Graphical Statistics 13, 456-466.

    Args:
        count: How many things there are, in the order in which they get their letters.
        apart: The pairs of them that are told apart.
    """
    groups = [frozenset(range(count))]
    for pair in apart:
        parts = {each for group in groups for each in _parted(group, pair)}
        groups = [each for each in parts if not any(each < other for other in parts)]
    names = {group: _letter(number) for number, group in enumerate(sorted(groups, key=sorted))}
    return ["".join(name for group, name in names.items() if at in group) for at in range(count)]


def _parted(group: frozenset[int], pair: tuple[int, int]) -> Iterator[frozenset[int]]:
    """A group, or where both of a pair are in it, without the one and without the other."""
    yield from (group - {each} for each in pair) if group.issuperset(pair) else (group,)


def _letter(number: int) -> str:
    return ascii_lowercase[number % 26] + "'" * (number // 26)


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of an accuracy, from its right answers of at least one: how far chance may have moved it.

    Source: Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    return _lower(right, total), 1 - _lower(total - right, total)


def _lower(hits: int, total: int) -> float:
    """The lower end for a share of hits: the smaller root from the larger one, so that nothing cancels."""
    squared = NormalDist().inv_cdf(1 - ERROR / 2) ** 2
    half = sqrt(squared * (hits * (total - hits) / total + squared / 4))
    return hits / total * hits / (hits + squared / 2 + half)


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p-value: both kinds of discordant images would be equally likely, were the nets equally good.

    Source: McNemar (1947), Psychometrika 12, 153-157, with the binomial distribution in place of chi-square.

    Args:
        only_a: Images that only the first net gets right.
        only_b: Those that only the second one does.
    """
    count = only_a + only_b
    term = total = 1  # binomial coefficients as whole numbers, so that nothing is rounded before the end
    for drawn in range(min(only_a, only_b)):
        term = term * (count - drawn) // (drawn + 1)
        total += term
    cases: int = 2**count
    return min(1.0, 2 * total / cases)


@dataclass(frozen=True)
class Paired:
    """The mean of paired differences, with bounds that hold after every pair: whoever looks may stop at any time.

    The bet against a mean is the mixture of likelihood ratios of Student's t over normal effects; the interval has the
    means against which it has not won 20-fold. In 95 % of all courses the true mean is in every one of the intervals,
    if the differences are normal and independent; their variance need not be known.

    Source: Lai (1976), Annals of Statistics 4, 265-280; Wang and Ramdas (2023), arXiv:2310.03722, section 4.
    """

    count: int  # how many differences there are
    mean: float  # their mean
    deviation: float  # their standard deviation, the sum of squares divided by their number

    @classmethod
    def of(cls, differences: Sequence[float]) -> "Paired":
        """Add some differences up, of which there may be none."""
        count = len(differences)
        mean = fsum(differences) / max(count, 1)
        return cls(count, mean, sqrt(fsum((each - mean) ** 2 for each in differences) / max(count, 1)))

    @property
    def evidence(self) -> float:
        """The e-value against a mean of 0: were it 0, it would come to 20 at any time in at most 5 % of all courses."""
        count, square = self.count, self.mean**2
        total = self.deviation**2 + square
        left = total - count * square / (count + _PRIOR)  # what remains of it once the mean has been betted upon
        won = count / 2 * log(total / left) if total else 0.0
        return exp(min(won + log(_PRIOR / (count + _PRIOR)) / 2, _MOST))

    @property
    def half_width(self) -> float:
        """How far the interval goes to either side of the mean; infinitely far with few pairs."""
        count = self.count
        if not count:
            return inf
        bound = ((count + _PRIOR) / _PRIOR / ERROR**2) ** (1 / count)
        left = count + _PRIOR - bound * _PRIOR
        return self.deviation * sqrt((bound - 1) * (count + _PRIOR) / left) if left > 0 else inf

    @property
    def interval(self) -> tuple[float, float]:
        """The bounds of the mean."""
        return self.mean - self.half_width, self.mean + self.half_width
