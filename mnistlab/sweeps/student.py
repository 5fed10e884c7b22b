"""The quantiles of Student's t, for confidence intervals of a mean."""

from math import cos, fsum, nextafter, pi, sin, sqrt, tan


def student_quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t: within plus or minus this, 95 % of it lies.

    Source: Abramowitz and Stegun (1964), 26.7.3 and 26.7.4, which are closed for whole degrees of freedom; bisected.

    Args:
        freedom: The degrees of freedom, at least 1.
    """
    low, high = 0.0, pi / 2
    while nextafter(low, high) < high:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)  # noqa: PLR2004 - the level
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
