"""The losses for classes in an order."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mnistlab.losses import (
    DistanceWeightedLoss,
    GaussianLoss,
    LabelSmoothingLoss,
    Loss,
    OrdinalRegressionLoss,
    TriangularLoss,
)

THREE = torch.tensor([[1.0, 2.0, 5.0]]).log()
"""Logits whose softmax is 1/8, 2/8, 5/8."""

ORDINAL = [TriangularLoss(), GaussianLoss(), DistanceWeightedLoss(), OrdinalRegressionLoss()]
every_loss = pytest.mark.parametrize("loss", ORDINAL, ids=lambda loss: type(loss).__name__)


def batch(size: int = 16, num_classes: int = 6) -> tuple[Tensor, Tensor]:
    """Logits and class indices."""
    return torch.randn(size, num_classes, requires_grad=True), torch.randint(num_classes, (size,))


def sure_of(guess: int, num_classes: int = 9) -> Tensor:
    """Logits for nine parts in ten of the probability on one class."""
    return functional.one_hot(torch.tensor([guess]), num_classes) * math.log(9 * (num_classes - 1))


# Values on paper ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "true", "by_hand"),
    [
        (TriangularLoss(2.0), 0, 2 / 3 * math.log(8) + 1 / 3 * math.log(4)),
        (TriangularLoss(2.0), 1, (math.log(8) + 2 * math.log(4) + math.log(8 / 5)) / 4),
        (TriangularLoss(3.0), 0, (3 * math.log(8) + 2 * math.log(4) + math.log(8 / 5)) / 6),
        # With this sigma a step is a factor of 1/2, two steps one of 1/16.
        (GaussianLoss((2 * math.log(2)) ** -0.5), 1, (math.log(8) + 2 * math.log(4) + math.log(8 / 5)) / 4),
        (
            GaussianLoss((2 * math.log(2)) ** -0.5),
            0,
            (16 * math.log(8) + 8 * math.log(4) + math.log(8 / 5)) / 25,
        ),
        (DistanceWeightedLoss(0.0), 0, math.log(8 / 6) + math.log(8 / 3)),
        (DistanceWeightedLoss(1.0), 0, math.log(8 / 6) + 2 * math.log(8 / 3)),
        (DistanceWeightedLoss(2.0), 0, math.log(8 / 6) + 4 * math.log(8 / 3)),
        (DistanceWeightedLoss(2.0), 1, math.log(8 / 7) + math.log(8 / 3)),
        # Beyond the first is 7/8, beyond the second 5/8.
        (OrdinalRegressionLoss(), 0, math.log(8 / 1) + math.log(8 / 3)),
        (OrdinalRegressionLoss(), 1, math.log(8 / 7) + math.log(8 / 3)),
        (OrdinalRegressionLoss(), 2, math.log(8 / 7) + math.log(8 / 5)),
    ],
)
def test_odds_of_1_to_2_to_5_cost_what_the_formula_says(loss: Loss, true: int, by_hand: float) -> None:
    """Three classes, the value of each loss on paper."""
    assert loss(THREE, torch.tensor([true])).item() == pytest.approx(by_hand, rel=1e-5)


def test_soft_targets_by_hand() -> None:
    """Symmetric within, cut and filled up to 1 at either end."""
    target = torch.tensor([0, 2, 3])

    assert torch.allclose(
        TriangularLoss(2.0).targets(target, 4),
        torch.tensor([[2 / 3, 1 / 3, 0, 0], [0, 1 / 4, 1 / 2, 1 / 4], [0, 0, 1 / 3, 2 / 3]]),
    )
    bell = torch.tensor([[1.0, math.exp(-0.5), math.exp(-2)]])
    assert torch.allclose(GaussianLoss(1.0).targets(torch.tensor([0]), 3), bell / bell.sum())


# Limits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [TriangularLoss(1.0), GaussianLoss(0.01), GaussianLoss(1e-30)])
def test_a_target_without_neighbours_is_cross_entropy(loss: Loss) -> None:
    """A width of 1, or a sigma towards 0."""
    logits, target = batch()

    assert torch.allclose(loss(logits, target), functional.cross_entropy(logits, target))


@pytest.mark.parametrize("loss", [TriangularLoss(1e6), GaussianLoss(1e6)])
def test_a_very_wide_target_is_the_same_for_all(loss: Loss) -> None:
    """That of label smoothing at 1."""
    logits, target = batch()

    assert torch.allclose(loss(logits, target), LabelSmoothingLoss(1.0)(logits, target), rtol=1e-4)


@pytest.mark.parametrize("loss", [DistanceWeightedLoss(0.0), DistanceWeightedLoss(3.0), OrdinalRegressionLoss()])
def test_with_two_classes_it_is_logistic_regression(loss: Loss) -> None:
    """The only wrong class is one step off, and there is one question."""
    logits, target = batch(num_classes=2)
    logistic = functional.binary_cross_entropy_with_logits(logits[:, 1] - logits[:, 0], target.float())

    assert torch.allclose(loss(logits, target), logistic)
    assert torch.allclose(loss(logits, target), functional.cross_entropy(logits, target))


def test_without_power_the_order_does_not_count() -> None:
    """Classes may then change places; with a power they may not."""
    logits, target = batch()
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    shuffled = logits[:, order], order.argsort()[target]

    assert torch.allclose(DistanceWeightedLoss(0.0)(logits, target), DistanceWeightedLoss(0.0)(*shuffled))
    assert not torch.allclose(DistanceWeightedLoss(1.0)(logits, target), DistanceWeightedLoss(1.0)(*shuffled))


def test_questions_agree_with_torchs_binary_cross_entropy() -> None:
    """On P(y > k) summed up from the softmax, one question for each step."""
    logits, target = batch()
    beyond = logits.softmax(dim=1).flip(1).cumsum(dim=1).flip(1)[:, 1:]
    asked = (target[:, None] > torch.arange(5)).float()
    reference = functional.binary_cross_entropy(beyond.clamp(0, 1), asked, reduction="none").sum(dim=1).mean()

    assert torch.allclose(OrdinalRegressionLoss()(logits, target), reference, rtol=1e-5)


# What the order is for ----------------------------------------------------------------------------------------------


@every_loss
def test_a_near_miss_costs_less_than_a_far_one(loss: Loss) -> None:
    """As far as the target of a triangle reaches: beyond it all classes are alike."""
    true = torch.tensor([4])
    costs = [loss(sure_of(guess), true).item() for guess in (4, 5, 6, 7, 8)]
    reach = 2 if isinstance(loss, TriangularLoss) else 5

    assert costs[:reach] == sorted(set(costs[:reach]))
    assert costs[1] < costs[4]


@every_loss
def test_both_directions_of_the_order_cost_the_same(loss: Loss) -> None:
    """Read from its other end, nothing changes."""
    logits, target = batch()

    assert torch.allclose(loss(logits, target), loss(logits.flip(1), 5 - target), rtol=1e-5)


def learnt(loss: Loss, truth: Tensor) -> Tensor:
    """The probabilities at which the loss is lowest if the classes come up as often as `truth` says."""
    size = len(truth)
    logits = torch.zeros(1, size, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], lr=0.5, max_iter=500, line_search_fn="strong_wolfe")

    def evaluate() -> Tensor:
        optimizer.zero_grad()
        expected = torch.stack([loss(logits, torch.tensor([true])) * truth[true] for true in range(size)]).sum()
        expected.backward()
        return expected

    optimizer.step(evaluate)
    return loss.probs(logits).detach()[0]


def test_ordinal_regression_learns_the_true_probabilities() -> None:
    """The lowest point is where cross-entropy has it, so its probabilities are frequencies."""
    truth = torch.tensor([0.4, 0.1, 0.2, 0.3], dtype=torch.float64)

    assert torch.allclose(learnt(OrdinalRegressionLoss(), truth), truth, atol=1e-4)


def test_distance_weights_choose_the_class_of_least_expected_distance() -> None:
    """With power 0 the most frequent class, with 1 the median, with 2 that near the mean."""
    truth = torch.tensor([0.4, 0.15, 0.1, 0.0, 0.35], dtype=torch.float64)  # median 1, mean 1.75

    assert [learnt(DistanceWeightedLoss(power), truth).argmax().item() for power in (0.0, 1.0, 2.0)] == [0, 1, 2]


# Refused ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TriangularLoss(0.5), r"^`width` must .* from 1 on, got 0.5\. At 1 this is cross-entropy"),
        (lambda: TriangularLoss(math.inf), r"^`width` must .* finite .* got inf"),
        (lambda: GaussianLoss(0.0), r"^`sigma` must .* above 0, got 0.0\."),
        (lambda: GaussianLoss(math.nan), r"^`sigma` must .* finite .* got nan"),
        (lambda: DistanceWeightedLoss(-1.0), r"^`power` must .* from 0 on, got -1.0"),
        (lambda: DistanceWeightedLoss(math.inf), r"^`power` must .* finite .* got inf"),
    ],
)
def test_a_bad_option_is_refused_at_once(make: Callable[[], nn.Module], message: str) -> None:
    """With the option, the rule and what came."""
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "options",
    [
        ("TriangularLoss", "width=3"),
        ("GaussianLoss", "sigma=1"),
        ("DistanceWeightedLoss", "power=2"),
        ("OrdinalRegressionLoss",),
    ],
    ids=lambda options: options[0],
)
def test_the_command_line_finds_each_by_name(fit: Callable[..., Path], options: tuple[str, ...]) -> None:
    """And trains with it."""
    name, *settings = options
    folder = fit(f"--model.loss={name}", *(f"--model.loss.{setting}" for setting in settings))

    assert name in (folder / "config.yaml").read_text()
