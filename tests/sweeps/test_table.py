"""The table of a comparison: quantiles of Student's t."""

from statistics import NormalDist

import pytest

from mnistlab.sweeps.table import student_quantile

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
