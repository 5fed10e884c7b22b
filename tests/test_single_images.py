"""Whether a net can be trained on one image at a time is found out on a copy of it."""

import pytest
import torch
from torch import nn

from mnistlab.single_images import learns_from_single_images


def dense(features: int) -> nn.Sequential:
    """A net for flat images whose batch normalization sees one value of each channel."""
    return nn.Sequential(nn.Flatten(), nn.Linear(features, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))


@pytest.mark.parametrize(
    ("net", "learns"),
    [
        (dense(784), False),
        (dense(3 * 32 * 32), False),
        (dense(784).eval(), True),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), True),
        (nn.Sequential(nn.Conv2d(3, 4, 28), nn.BatchNorm2d(4)), False),
        (nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.BatchNorm1d(26**2)), False),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 4), nn.LayerNorm(4)), True),
        (nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.Linear(1, 4), nn.BatchNorm1d(4)), True),  # other images
    ],
)
def test_two_values_of_a_channel_are_what_it_takes(net: nn.Module, learns: bool) -> None:
    """Whatever images the first layer asks for; where the net does not say which, nothing is refused."""
    assert learns_from_single_images(net) is learns


def test_the_net_and_the_random_numbers_are_left_alone() -> None:
    """A run that goes on has the same outcome as if nothing had been tried."""
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)

    assert learns_from_single_images(net)

    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(module.training for module in net.modules())
    assert torch.equal(torch.rand(3), expected)
