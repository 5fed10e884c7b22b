"""Compact convolutional nets for high accuracy in little time."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mnistlab.models.assembled import Assembled
from mnistlab.nets import Backbone
from mnistlab.numbers import PositiveInt


class MeanMaxPool(nn.Module):
    """The mean and the largest value of each channel: (batch, channels, height, width) -> (batch, 2 * channels)."""

    def forward(self, x: Tensor) -> Tensor:
        """Look where a pattern is strongest, and how much of it there is."""
        return torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)


class CompactBackbone(Backbone):
    """A Conv 3x3 with BatchNorm and ReLU for each number of channels, mean and maximum at the end.

    After the first two convolutions the map is halved by MaxPool.

    Shape: images (batch, in_channels, height, width) -> (batch, 2 * channels[-1]).

    Args:
        channels: Channels of each convolution.
        in_channels: Channels of an image, 1 for grey.
    """

    def __init__(self, channels: Sequence[PositiveInt] = (16, 32, 64, 64), in_channels: PositiveInt = 1) -> None:
        sizes = [in_channels, *channels]
        stages: dict[str, nn.Module] = {}
        for number, (before, after) in enumerate(zip(sizes, channels, strict=False), start=1):
            layers = [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            stages[f"conv{number}"] = nn.Sequential(*layers, *([nn.MaxPool2d(2)] if number <= _POOLED else []))
        stages["pool"] = MeanMaxPool()
        super().__init__(2 * channels[-1], stages)


_POOLED = 2
"""Convolutions after which the map is halved: 28 to 14 to 7 pixels."""


class CompactCNN(Assembled):
    """Four convolutions and one linear layer, 16 to 64 channels; 62,X parameters.

    Args:
        channels: Channels of each convolution.
        in_channels: Channels of an image, 1 for grey.
    """

    name = "compact_cnn"

    def __init__(
        self, channels: Sequence[PositiveInt] = (16, 32, 64, 64), in_channels: PositiveInt = 1, **kwargs: Any
    ) -> None:
        super().__init__(CompactBackbone(channels, in_channels), **kwargs)
