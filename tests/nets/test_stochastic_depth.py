"""Stochastic depth."""

import pytest
import torch
from torchvision import ops

from mnistlab.nets import StochasticDepth


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_it_is_torchvision_s_to_the_bit(p: float, training: bool, dtype: torch.dtype) -> None:
    """With the same seed: the same images lose their branch, and the others gain as much."""
    branch = torch.randn(64, 3, 2, 2, dtype=dtype)
    own, reference = StochasticDepth(p).train(training), ops.StochasticDepth(p, "row").train(training)

    torch.manual_seed(1)
    out = own(branch)
    torch.manual_seed(1)
    assert torch.equal(out, reference(branch))
