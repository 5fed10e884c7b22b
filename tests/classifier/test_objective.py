"""What a model minimizes: the losses of its heads, weighted and summed."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mnistlab import TinyModel
from mnistlab.classifier.objective import Objective
from mnistlab.losses import FocalLoss, Loss

SIZES = {"digit": 10, "loops": 3}


def batch() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Logits and targets of both heads."""
    logits = {head: torch.randn(8, size) for head, size in SIZES.items()}
    return logits, {head: torch.randint(size, (8,)) for head, size in SIZES.items()}


def test_each_head_has_its_loss_and_the_total_is_the_weighted_sum() -> None:
    """A head without a loss of its own has that of all, and without a weight the weight 1."""
    objective = Objective(SIZES, nn.CrossEntropyLoss, {"loops": FocalLoss(2.0)}, {"digit": 0.25})
    logits, targets = batch()
    losses = objective(logits, targets)
    digit = functional.cross_entropy(logits["digit"], targets["digit"])
    loops = FocalLoss(2.0)(logits["loops"], targets["loops"])

    assert list(losses) == ["digit", "loops"]
    assert losses["digit"] == digit
    assert losses["loops"] == loops
    assert objective.total(losses).item() == pytest.approx(0.25 * digit.item() + loops.item())


def test_one_loss_serves_heads_of_different_sizes() -> None:
    """An instance as well as a class: what depends on the number of classes is made for each head."""
    for loss in (nn.KLDivLoss(), nn.MSELoss):
        objective = Objective(SIZES, loss)
        logits, targets = batch()

        assert all(value.isfinite() for value in objective(logits, targets).values())


def test_the_gradient_of_a_head_goes_with_its_weight() -> None:
    """With weight 0 a head is measured and learns nothing."""
    logits, targets = batch()
    leaves = {head: values.requires_grad_() for head, values in logits.items()}
    objective = Objective(SIZES, nn.CrossEntropyLoss, weights={"digit": 0.0, "loops": 3.0})
    objective.total(objective(leaves, targets)).backward()
    alone = leaves["loops"].detach().requires_grad_()
    functional.cross_entropy(alone, targets["loops"]).backward()

    assert leaves["digit"].grad is not None
    assert leaves["loops"].grad is not None
    assert alone.grad is not None
    assert not leaves["digit"].grad.any()
    assert torch.allclose(leaves["loops"].grad, 3 * alone.grad)


def test_a_single_head_is_weighted_too() -> None:
    """Its loss is not taken as it is where somebody asked for more."""
    logits, targets = torch.randn(4, 10), torch.randint(10, (4,))
    plain, twice = (Objective({"digit": 10}, nn.CrossEntropyLoss, weights={"digit": weight}) for weight in (1.0, 2.0))
    value = plain({"digit": logits}, {"digit": targets})

    assert plain.total(value) == functional.cross_entropy(logits, targets)
    assert twice.total(value).item() == pytest.approx(2 * value["digit"].item())


def test_losses_keep_nothing_in_a_checkpoint() -> None:
    """So that one loads with other losses."""
    assert Objective(SIZES, nn.CrossEntropyLoss, {"loops": nn.CrossEntropyLoss(torch.ones(3))}).state_dict() == {}


class Refusing(Loss):
    """A loss that only says when it is used what it does not like."""

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Refuse two classes or more."""
        del target
        raise ValueError(f"not with {logits.shape[1]} classes")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Objective(SIZES, nn.MSELoss, {"loop": nn.MSELoss}),
            r"^`losses` must name heads, got loop\. Did you mean loops\? There are digit, loops\.$",
        ),
        (
            lambda: Objective({"digit": 10}, nn.MSELoss, {"loops": nn.MSELoss}),
            r"There is one head, digit: use `loss` for it\.$",
        ),
        (lambda: Objective(SIZES, nn.MSELoss, weights={"digits": 1.0}), r"^`loss_weights` must name heads, got digits"),
        (lambda: Objective(SIZES, nn.MSELoss, weights={"digit": -1.0}), r"^`loss_weights` .* got -1\.0 for digit\.$"),
        (lambda: Objective(SIZES, nn.MSELoss, weights={"loops": math.nan}), r"^`loss_weights` .* got nan for loops"),
        (lambda: Objective(SIZES, nn.MSELoss, weights={"loops": math.inf}), r"^`loss_weights` .* finite"),
        (lambda: Objective(SIZES, nn.MSELoss, weights=dict.fromkeys(SIZES, 0.0)), r"^`loss_weights` .* not all be 0"),
        (lambda: Objective(SIZES, nn.CrossEntropyLoss(torch.ones(10))), r"^`weight` .* must hold 3 numbers.* got 10"),
        (lambda: Objective(SIZES, nn.MSELoss, {"loops": nn.CTCLoss}), r"^`loss` must compare .* got CTCLoss"),
        (lambda: Objective(SIZES, Refusing), r"^the loss cannot be used: not with 10 classes"),
        (lambda: Objective({}, nn.MSELoss), r"^`num_classes` must name a head, got none"),
        (lambda: Objective({"digit": 0}, nn.MSELoss), r"^`num_classes` must be at least 1, got 0 for digit"),
        (lambda: Objective({"a.b": 2}, nn.MSELoss), r"^`num_classes` must call heads by names .* got 'a\.b'"),
        (lambda: Objective({"": 2}, nn.MSELoss), r"^`num_classes` must call heads by names .* got ''"),
        (lambda: TinyModel(num_classes={"digit": 10, "type": 2}), r"^`num_classes` must not call a head type: "),
    ],
)
def test_every_misfit_is_refused(make: Callable[[], object], message: str) -> None:
    """With the option, the rule, what came, and the way out."""
    with pytest.raises(ValueError, match=message):
        make()
