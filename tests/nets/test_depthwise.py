"""Depthwise convolutions of maps that are smaller than their kernels."""

from itertools import product

import pytest
import torch
from torch.nn import functional as F

from mnistlab.nets import DepthwiseConv2d


@pytest.mark.parametrize(("kernel", "stride"), [*product((1, 3, 5, 7), (1, 2, 3))])
def test_a_kernel_cut_to_its_map_gives_what_the_whole_one_gives(kernel: int, stride: int) -> None:
    """Values and gradients of torch's convolution, whatever the sides of the map."""
    convolution = DepthwiseConv2d(3, kernel, stride).double()
    for height, width in product((1, 2, 3, 4, 8), (1, 2, 5, 9)):
        x = torch.randn(2, 3, height, width, dtype=torch.float64, requires_grad=True)
        inputs = [x, *convolution.parameters()]
        out = convolution(x)
        expected = F.conv2d(x, convolution.weight, convolution.bias, stride, kernel // 2, groups=3)

        torch.testing.assert_close(out, expected)
        torch.testing.assert_close(
            torch.autograd.grad(out.square().sum(), inputs), torch.autograd.grad(expected.square().sum(), inputs)
        )


def test_what_never_meets_the_map_has_no_gradient() -> None:
    """Of a kernel of 7x7 on a map of 1x1 only the middle learns; the state keeps all of it."""
    convolution = DepthwiseConv2d(2, 7, bias=False)

    convolution(torch.ones(4, 2, 1, 1)).sum().backward()

    assert convolution.weight.grad is not None
    assert convolution.weight.grad.nonzero().tolist() == [[0, 0, 3, 3], [1, 0, 3, 3]]
    assert {key: tuple(value.shape) for key, value in convolution.state_dict().items()} == {"weight": (2, 1, 7, 7)}


def test_no_images_give_no_maps() -> None:
    """An empty batch has the shape of any other."""
    assert DepthwiseConv2d(2, 5, stride=2)(torch.ones(0, 2, 7, 7)).shape == (0, 2, 4, 4)
