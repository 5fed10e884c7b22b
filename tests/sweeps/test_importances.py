"""How much each swept option explains."""

from collections.abc import Callable

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, create_trial

from mnistlab.sections.parts import prepare
from mnistlab.sweeps.space import Space
from mnistlab.sweeps.summary import importances

WIDTH, RATE = "model.hidden_dim", "model.optimizer.lr"
DISTRIBUTIONS = {WIDTH: CategoricalDistribution([16, 32, 64]), RATE: FloatDistribution(1e-4, 1e-2, log=True)}


@pytest.fixture
def space() -> Space:
    """A choice and an interval."""
    prepare()
    domains = [f"--{WIDTH}=choice:16,32,64", f"--{RATE}=log:1e-4..1e-2"]
    return Space(["--model=TinyModel", "--data=SyntheticDigits", *domains])


def trials(value: Callable[[int, float], float]) -> list[FrozenTrial]:
    """Every width with each of four rates."""
    return [
        create_trial(params={WIDTH: width, RATE: rate}, distributions=DISTRIBUTIONS, value=value(width, rate))
        for width in (16, 32, 64)
        for rate in (1e-4, 5e-4, 2e-3, 1e-2)
    ]


def test_what_decides_alone_explains_all(space: Space) -> None:
    """And what does nothing explains nothing."""
    found = importances(trials(lambda _, rate: rate), space)

    assert found == {RATE: pytest.approx(1), WIDTH: 0}
    assert next(iter(found)) == RATE


def test_shares_are_those_of_an_analysis_of_variance(space: Space) -> None:
    """By hand: sums of squares of 12 trials, 3 widths and 4 rates, that add up."""
    steps = {1e-4: 0.0, 5e-4: 1.0, 2e-3: 2.0, 1e-2: 3.0}
    found = importances(trials(lambda width, rate: steps[rate] + (width == 64)), space)

    by_rate, by_width = 3 * (1.5**2 + 0.5**2) * 2, 4 * (2 * (1 / 3) ** 2 + (2 / 3) ** 2)
    total = by_rate + by_width
    assert found[RATE] == pytest.approx((by_rate - 3 * by_width / 8) / total)
    assert found[WIDTH] == pytest.approx((by_width - 2 * by_rate / 9) / total if by_width > 2 * by_rate / 9 else 0)


def test_few_trials_and_equal_ones_tell_nothing(space: Space) -> None:
    """There are no differences, or no telling what they come from."""
    assert importances(trials(lambda *_: 0.5), space) == {}
    assert importances(trials(lambda _, rate: rate)[:9], space) == {}
