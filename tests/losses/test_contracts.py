"""What every loss of mnistlab keeps to; a new one is found and tested unasked."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mnistlab.losses import DistanceWeightedLoss, FocalLoss, GaussianLoss, Loss, TriangularLoss, as_loss
from mnistlab.losses.torch_losses import GIVEN
from mnistlab.options.classes import candidates

NUM_CLASSES = 10
WEIGHT = torch.arange(1.0, 11.0)

OFFERED = [
    cls for (cls, *_) in candidates((Loss,)).values() if cls.__module__.startswith("mnistlab.") and cls is not Loss
]
LOSSES = {
    **{cls.__name__: cls() for cls in OFFERED},
    "weighted FocalLoss": FocalLoss(gamma=0.5, weight=WEIGHT),
    "narrowest TriangularLoss": TriangularLoss(width=1),
    "narrow GaussianLoss": GaussianLoss(sigma=0.01),
    "DistanceWeightedLoss without power": DistanceWeightedLoss(power=0),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def batch(size: int = 16) -> tuple[Tensor, Tensor]:
    """Logits and class indices, each class among them where there is room."""
    return 2 * torch.randn(size, NUM_CLASSES, requires_grad=True), torch.arange(size) % NUM_CLASSES


def test_the_walk_reaches_what_it_should() -> None:
    """A walk that finds nothing would prove nothing; the base classes are not offered."""
    names = {cls.__name__ for cls in OFFERED}

    assert {"FocalLoss", "LabelSmoothingLoss", "TriangularLoss", "OrdinalRegressionLoss"} <= names
    assert not names & {"Loss", "SoftTargetLoss", "TorchLoss"}


def test_the_documentation_has_a_row_for_every_loss() -> None:
    """And for none that is not there: those of torch, and those of mnistlab."""
    text = (Path(__file__).parents[2] / "docs" / "losses.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]

    assert sorted(rows) == sorted(cls.__name__ for cls in (*GIVEN, *OFFERED))


@every_loss
def test_a_loss_is_one_finite_number_from_0_on(loss: Loss) -> None:
    """Shape (), float32, and the same number each time."""
    logits, target = batch()
    value = as_loss(loss, NUM_CLASSES)(logits, target)

    assert value.shape == ()
    assert value.dtype == torch.float32
    assert 0 <= value < torch.inf
    assert torch.equal(value, loss(logits, target))


@every_loss
def test_it_falls_while_the_true_class_catches_up(loss: Loss) -> None:
    """For each class, from far behind the others to ahead of them; a soft target may be met later."""
    for true in range(NUM_CLASSES):
        row = functional.one_hot(torch.tensor([true]), NUM_CLASSES).float()
        values = [loss(row * size, row.argmax(dim=1)).item() for size in torch.linspace(-5, 1, 13)]

        assert values == sorted(set(values), reverse=True)


@every_loss
def test_a_step_downhill_makes_every_true_class_more_probable(loss: Loss) -> None:
    """From even odds, whatever the class."""
    target = torch.arange(NUM_CLASSES)
    even = torch.zeros(NUM_CLASSES, NUM_CLASSES, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(even, target), even)

    assert (loss.probs(even - 0.1 * gradient)[target, target] > 1 / NUM_CLASSES).all()


@every_loss
def test_the_class_to_be_learnt_becomes_the_largest_logit(loss: Loss) -> None:
    """Accuracy counts the largest logit, so it must be right where the loss is lowest."""
    target = torch.arange(NUM_CLASSES)
    logits = torch.zeros(NUM_CLASSES, NUM_CLASSES, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        loss(logits, target).backward()
        optimizer.step()

    assert torch.equal(logits.argmax(dim=1), target)
    assert torch.equal(loss.probs(logits).argmax(dim=1), target)


@every_loss
@pytest.mark.parametrize("size", [0.0, 100.0, 1e4])
def test_extreme_logits_stay_finite(loss: Loss, size: float) -> None:
    """Value, gradient and probabilities, for logits of either sign and for equal ones; no number is below 0."""
    signs = torch.cat([torch.randn(64, NUM_CLASSES).sign(), torch.eye(NUM_CLASSES), -torch.eye(NUM_CLASSES)])
    logits = (signs * size).requires_grad_()
    for true in range(NUM_CLASSES):
        value = loss(logits, torch.full((len(logits),), true))
        (gradient,) = torch.autograd.grad(value, logits)

        assert value.isfinite()
        assert value >= 0
        assert gradient.isfinite().all()
    assert loss.probs(logits).isfinite().all()


@every_loss
def test_probabilities_sum_to_one_and_agree_with_the_largest_logit(loss: Loss) -> None:
    """One row for each example; the class predicted is the most probable one."""
    logits, _ = batch()
    probs = loss.probs(logits)

    assert probs.shape == logits.shape
    assert torch.allclose(probs.sum(dim=1), torch.ones(len(logits)))
    assert torch.equal(probs.argmax(dim=1), logits.argmax(dim=1))


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_full(loss: Loss, dtype: torch.dtype) -> None:
    """Under autocast, and without where the whole net is in 16 bits."""
    logits, target = batch()
    logits = logits.detach().to(dtype)
    for autocast in (True, False):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            value = loss(logits, target)

        assert value.dtype == torch.float32
        assert torch.equal(value, loss(logits.float(), target))


@every_loss
def test_double_precision_stays_double(loss: Loss) -> None:
    """And the gradient is that of the value."""
    logits = torch.randn(4, NUM_CLASSES, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0, 1, 5, 9])

    assert torch.autograd.gradcheck(lambda x: loss(x, target), logits)


@every_loss
def test_the_mean_over_uneven_batches_is_that_of_one_large_batch(loss: Loss) -> None:
    """Down to single rows, each with the weight of its batch."""
    logits, target = batch(57)
    for sizes in ([16, 16, 16, 8, 1], [1] * 57):
        parts = list(zip(logits.split(sizes), target.split(sizes), strict=True))
        values = torch.stack([loss(*part) for part in parts])
        weights = torch.tensor([float(loss.weight_of_batch(each)) for _, each in parts])

        assert torch.allclose((values * weights).sum() / weights.sum(), loss(logits, target), rtol=1e-5)


@every_loss
def test_options_are_no_part_of_the_state(loss: Loss) -> None:
    """A checkpoint loads with other options, class weights too."""
    assert loss.state_dict() == {}
    assert not list(loss.parameters())


@every_loss
def test_the_number_of_classes_is_that_of_the_row(loss: Loss) -> None:
    """Two or sixty-two; nothing is built for ten."""
    if isinstance(loss, FocalLoss) and loss.weight is not None:
        loss = FocalLoss(loss.gamma)
    for size in (2, 3, 62):
        value = as_loss(loss, size)(torch.zeros(2, size), torch.tensor([0, size - 1]))

        assert 0 < value < torch.inf
