"""Intervals and tests: quantiles of Student's t, and pairs that are looked at again and again."""

from itertools import combinations
from math import exp, inf, sqrt
from statistics import NormalDist

import pytest

from mnistlab.runs.statistics import Paired, Student, holm, letters, smallest_difference, student_quantile

KNOWN = {  # scipy 1.18 and, to 20 digits, mpmath
    1: 12.706204736174694,
    2: 4.302652729749462,
    3: 3.1824463052837078,
    4: 2.7764451051977934,
    5: 2.5705818356363146,
    10: 2.228138851986274,
    29: 2.045229642132703,
    30: 2.0422724563012378,
    31: 2.039513446396408,
    32: 2.0369333434601016,
    99: 1.9842169515864174,
    100: 1.9839715185235518,
    999: 1.9623414611334493,
    1000: 1.9623390808264083,
    9999: 1.960201263621357,
    10000: 1.960201239890626,
}


@pytest.mark.parametrize("freedom", KNOWN)
def test_quantiles_are_the_known_ones(freedom: int) -> None:
    """For few degrees of freedom as for many, odd and even."""
    assert student_quantile(freedom) == pytest.approx(KNOWN[freedom], rel=1e-9)


def test_each_degree_of_freedom_brings_them_nearer_to_the_normal_ones() -> None:
    """Without a step anywhere, and never to it."""
    quantiles = [student_quantile(freedom) for freedom in range(1, 300)]
    normal = NormalDist().inv_cdf(0.975)

    assert quantiles == sorted(set(quantiles), reverse=True)
    assert quantiles[-1] > normal
    assert student_quantile(10_000) - normal == pytest.approx((normal**3 + normal) / 40_000, rel=1e-3)  # Cornish-Fisher


GAINS = (0.3, 0.9, 0.1, 0.6, 0.8, 0.2, 0.7)


def test_the_evidence_is_the_mixture_that_it_says() -> None:
    """By adding up over scales and effects what the differences were as likely with an effect as without."""
    step, total, squares = 0.01, sum(GAINS), sum(each**2 for each in GAINS)

    def likely(effect: float) -> float:
        scales = [step * number for number in range(1, 1200)]
        power = len(GAINS) - 1
        exponents = [effect * scale * total - squares * scale**2 / 2 - len(GAINS) * effect**2 / 2 for scale in scales]
        return sum(scale**power * exp(each) for scale, each in zip(scales, exponents, strict=True))

    prior = NormalDist(0, sqrt(0.5))
    effects = [0.05 * number for number in range(-120, 121)]
    mixed = sum(0.05 * prior.pdf(effect) * likely(effect) for effect in effects)

    assert Paired.of(GAINS).evidence == pytest.approx(mixed / likely(0.0), rel=1e-6)


def test_the_bounds_are_the_means_that_are_not_ruled_out() -> None:
    """Against each of the two the evidence is 20-fold, and less between them."""
    low, high = Paired.of(GAINS).interval

    for bound in (low, high):
        assert Paired.of([each - bound for each in GAINS]).evidence == pytest.approx(20)
    assert Paired.of([each - (low + high) / 2 for each in GAINS]).evidence < 1


@pytest.mark.parametrize("count", range(8))
def test_bounds_need_six_pairs(count: int) -> None:
    """With fewer of them, equal ones too, nothing is ruled out; equal differences leave no doubt then."""
    found = Paired.of([0.5] * count)

    assert (found.half_width == inf) == (count < 6)
    assert (found.evidence >= 20) == (count >= 6)
    assert Paired.of([0.5] * 1000).evidence < inf


@pytest.mark.parametrize(
    ("values", "expected"),
    [(GAINS, 0.004852040248192927), ((1, 2, 3, 4, 5.5), 0.016550539701028155), ((0.3, -0.1), 0.7048327646991335)],
)
def test_chances_are_the_known_ones(values: tuple[float, ...], expected: float) -> None:
    """Of scipy 1.18, for odd and even degrees of freedom; a single figure says nothing, equal ones leave no doubt."""
    assert Student.of(values).p_value == pytest.approx(expected, rel=1e-9)
    assert Student.of([0.5]).p_value == 1
    assert Student.of([0.5, 0.5]).p_value == 0
    assert Student.of([0.0, 0.0]).p_value == 1


@pytest.mark.parametrize(
    ("count", "expected"), [(2, 11.549888), (3, 3.264044), (5, 1.681997), (10, 0.996001), (100, 0.282913)]
)
def test_the_smallest_difference_is_that_of_the_non_central_distribution(count: int, expected: float) -> None:
    """An integral of scipy 1.18; that of 10 pairs is the 0.996 of R's power.t.test."""
    assert smallest_difference(1.0, count) == pytest.approx(expected, rel=1e-5)
    assert smallest_difference(0.5, count) == pytest.approx(expected / 2, rel=1e-5)


def test_several_chances_are_corrected_step_by_step() -> None:
    """The least by their number, the next by one less; never below one before, and never above 1."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_letters_are_shared_by_what_is_not_told_apart_and_by_nothing_else() -> None:
    """For every choice of pairs of five things."""
    pairs = list(combinations(range(5), 2))
    for number in range(2 ** len(pairs)):
        apart = [pair for at, pair in enumerate(pairs) if number >> at & 1]
        found = letters(5, apart)
        assert [pair for pair in pairs if not {*found[pair[0]]} & {*found[pair[1]]}] == apart
    assert letters(4, [(0, 2), (0, 3), (1, 3)]) == ["a", "ab", "bc", "c"]
