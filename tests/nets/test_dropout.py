"""Dropout that draws four values at once."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnistlab import CNN421K, EfficientNet66K, SmallModel, ViT38K
from mnistlab.nets import Dropout, MLPHead

SIZES = [(1,), (3, 5), (7, 2, 3), (64, 128)]


def drop(p: float, x: Tensor, seed: int = 0) -> Tensor:
    """What dropout in training makes of a batch, from a seed."""
    torch.manual_seed(seed)
    out: Tensor = Dropout(p)(x)
    return out


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_so_many_are_dropped_and_the_mean_stays(p: float) -> None:
    """Each value is 0 or scaled by what is kept; of a million the share is within five standard deviations."""
    out = drop(p, torch.ones(1000, 1000))
    zero, kept = out.unique()

    deviation = (p * (1 - p) / out.numel()) ** 0.5
    assert zero == 0
    assert kept.item() == pytest.approx(1 / (1 - p), rel=1e-4)
    assert (out == 0).double().mean().item() == pytest.approx(p, abs=5 * deviation)
    assert out.double().mean().item() == pytest.approx(1, abs=5 * deviation / (1 - p))


def test_values_are_dropped_independently_of_those_beside_them() -> None:
    """The four that share a draw are no more alike than any others."""
    gone = (drop(0.5, torch.ones(4_000_000)) == 0).double().view(-1, 4)

    correlations = torch.corrcoef(gone.T) - torch.eye(4)
    assert correlations.abs().max() < 5 / 1_000_000**0.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("size", SIZES)
def test_type_and_shape_stay(size: tuple[int, ...], dtype: torch.dtype) -> None:
    """Whatever is no multiple of four too."""
    x = torch.ones(size, dtype=dtype)

    out = drop(0.5, x)

    assert out.shape == x.shape
    assert out.dtype == dtype
    assert all(value in (0, 2) for value in out.unique())


def test_it_takes_tensors_however_they_lie_in_memory() -> None:
    """Channels last, transposed, parts of larger ones, and none at all."""
    images = torch.ones(2, 3, 4, 4)
    whole = drop(0.5, images)

    assert torch.equal(drop(0.5, torch.ones(3, 2, 4, 4).transpose(0, 1)) != 0, whole != 0)
    assert torch.equal(drop(0.5, images.to(memory_format=torch.channels_last)) != 0, whole != 0)
    assert drop(0.5, torch.ones(8, 8)[2:5, ::2]).shape == (3, 4)
    assert drop(0.5, torch.ones(0, 4)).shape == (0, 4)
    assert drop(0.5, torch.tensor(1.0)).shape == ()


def test_at_the_ends_it_is_that_of_torch() -> None:
    """Nothing is dropped, or all of it; in evaluation nothing ever, and no number is drawn."""
    x = torch.randn(5, 7)
    before = torch.get_rng_state()

    assert torch.equal(Dropout(0.0)(x), x)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(Dropout(1.0)(x), torch.zeros_like(x))


def test_a_seed_repeats_it() -> None:
    """To the bit; another one does not."""
    x = torch.randn(50, 60)

    assert torch.equal(drop(0.3, x, seed=1), drop(0.3, x, seed=1))
    assert not torch.equal(drop(0.3, x, seed=1), drop(0.3, x, seed=2))


def test_gradients_pass_where_values_do() -> None:
    """Checked by differences, in the first and the second degree."""
    x = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(lambda x: drop(0.4, x), (x,))
    assert torch.autograd.gradgradcheck(lambda x: drop(0.4, x), (x,))


def test_a_compiled_net_drops_too() -> None:
    """With torch's own dropout, whose numbers the compiler can draw."""
    compiled = torch.compile(Dropout(0.5), backend="aot_eager", fullgraph=True)

    out = compiled(torch.ones(100, 100))

    assert set(out.unique().tolist()) == {0.0, 2.0}
    assert (out == 0).double().mean().item() == pytest.approx(0.5, abs=0.025)


@pytest.mark.parametrize("model", [SmallModel, CNN421K, ViT38K, EfficientNet66K, lambda: nn.Sequential(MLPHead(4, 2))])
def test_every_net_takes_this_one(model: Callable[[], nn.Module]) -> None:
    """Of all that torch would call a dropout."""
    assert all(type(part) is Dropout for part in model().modules() if isinstance(part, nn.Dropout))


def test_a_net_in_evaluation_is_as_with_torch() -> None:
    """Where nothing is dropped the two are the same module."""
    x = torch.randn(4, 6)

    assert torch.equal(Dropout(0.3).eval()(x), F.dropout(x, 0.3, training=False))
