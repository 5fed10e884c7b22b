"""Convolutions 3x3 and one linear layer."""

import pytest
import torch
from torch import Tensor, nn

from mnistlab import CompactCNN


def test_a_map_is_halved_before_it_is_normalized() -> None:
    """In training and in evaluation it computes what its definition does, layer by layer."""
    written = nn.Sequential(
        *(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(4), nn.ReLU()),
        *(nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU()),
        *(nn.Conv2d(6, 8, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(8), nn.ReLU()),
    )
    linear = nn.Linear(16, 10)
    net, images = CompactCNN(channels=[4, 6, 8], halved=[1, 3]).net, torch.randn(5, 1, 28, 28)
    states = [*written.state_dict().values(), *linear.state_dict().values()]
    net.load_state_dict(dict(zip(net.state_dict(), states, strict=True)))

    def logits() -> Tensor:
        maps = written(images)
        out: Tensor = linear(torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1))
        return out

    assert torch.equal(net(images), logits())
    net.eval()
    written.eval()
    assert torch.equal(net(images), logits())


def test_the_size_of_an_image_does_not_matter() -> None:
    """The maps are pooled as they are, so that 224x224x3 needs no other net."""
    model = CompactCNN(in_channels=3).eval()

    assert model(torch.randn(2, 3, 224, 224)).shape == (2, 10)
    assert model.net.backbone.features(torch.randn(2, 3, 64, 64))["conv4"].shape == (2, 64, 16, 16)


@pytest.mark.parametrize(
    ("channels", "halved", "message"),
    [
        ([8, 16], [1, 3], "`halved` must name convolutions from 1 to 2, got 3"),
        ([8, 16], [2, 2], "`halved` must name each convolution once"),
        ([], [], "`channels` must"),
    ],
)
def test_convolutions_that_are_not_there_are_refused(channels: list[int], halved: list[int], message: str) -> None:
    """The reason stands in the message."""
    with pytest.raises(ValueError, match=message):
        CompactCNN(channels=channels, halved=halved)
