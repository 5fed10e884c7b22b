"""Intervals and tests: quantiles of Student's t, and pairs that are looked at again and again."""

from math import exp, inf, sqrt
from statistics import NormalDist

import pytest

from mnistlab.runs.statistics import Paired, student_quantile

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
