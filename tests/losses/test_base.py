"""The base class of losses."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mnistlab.losses import Loss


class Squared(Loss):
    """The example of the base class's docstring."""

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Sum the squared differences over the classes, mean over the batch."""
        return (self.probs(logits) - functional.one_hot(target, logits.shape[1])).square().sum(dim=1).mean()


def test_a_loss_of_ones_own_is_one_method() -> None:
    """What the docstring shows works: two classes at even odds are 0.5 from the truth."""
    loss = Squared()(torch.zeros(4, 2), torch.tensor([0, 1, 1, 0]))

    assert loss.shape == ()
    assert loss.item() == pytest.approx(0.5)


def test_probabilities_are_the_softmax() -> None:
    """By default, with one row for each example that sums to 1."""
    logits = torch.randn(5, 10)

    assert torch.equal(Squared().probs(logits), logits.softmax(dim=1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_probabilities_are_never_in_half_precision(dtype: torch.dtype) -> None:
    """Their sum is 1 to float32's precision although the logits were rounded."""
    probs = Squared().probs(torch.randn(5, 10).to(dtype))

    assert probs.dtype == torch.float32
    assert torch.allclose(probs.sum(dim=1), torch.ones(5), atol=1e-6)


def test_probabilities_keep_double_precision() -> None:
    """Nobody who asks for float64 is given less."""
    assert Squared().probs(torch.randn(5, 10, dtype=torch.float64)).dtype == torch.float64


def test_the_weight_of_a_batch_is_its_size() -> None:
    """By default, known without asking the device."""
    weight = Squared().weight_of_batch(torch.randint(10, (7,)))

    assert isinstance(weight, float)
    assert weight == 7


def test_the_base_class_itself_has_no_loss() -> None:
    """A subclass that forgot `forward` says so."""
    with pytest.raises(NotImplementedError):
        Loss()(torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64))
