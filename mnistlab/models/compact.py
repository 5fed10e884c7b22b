"""Compact convolutional nets for high accuracy in little time."""

from collections.abc import Sequence
from itertools import pairwise
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

    The first two halve the map before the normalization, which costs a quarter there.

    Shape: images (batch, in_channels, height, width) -> (batch, 2 * channels[-1]).

    Args:
        channels: Channels of each convolution.
        in_channels: Channels of an image, 1 for grey.
    """

    def __init__(self, channels: Sequence[PositiveInt] = (16, 32, 64, 64), in_channels: PositiveInt = 1) -> None:
        stages: dict[str, nn.Module] = {}
        for number, (before, after) in enumerate(pairwise([in_channels, *channels]), start=1):
            halved = [nn.MaxPool2d(2)] if number <= _HALVED else []
            convolution = nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False)
            stages[f"conv{number}"] = nn.Sequential(convolution, *halved, nn.BatchNorm2d(after), nn.ReLU())
        stages["pool"] = MeanMaxPool()
        super().__init__(2 * channels[-1], stages)


_HALVED = 2
"""Convolutions after which the map is halved: 28 to 14 to 7 pixels."""


class CompactCNN(Assembled):
    """Convolutions 3x3 and one linear layer, of any size; made for high accuracy in little time.

    Args:
        channels: Channels of each convolution.
        in_channels: Channels of an image, 1 for grey.
    """

    name = "compact_cnn"

    def __init__(
        self, channels: Sequence[PositiveInt] = (16, 32, 64, 64), in_channels: PositiveInt = 1, **kwargs: Any
    ) -> None:
        super().__init__(CompactBackbone(channels, in_channels), **kwargs)


class CompactCNN62K(CompactCNN):
    """Four convolutions of 16 to 64 channels; 61,690 parameters. For 99 % in seconds."""

    name = "compact_cnn_62k"

    def __init__(self, channels: Sequence[PositiveInt] = (16, 32, 64, 64), **kwargs: Any) -> None:
        super().__init__(channels=channels, **kwargs)


class CompactCNN137K(CompactCNN):
    """Four convolutions of 24 to 96 channels; 137,458 parameters. For 99.6 % in a minute."""

    name = "compact_cnn_137k"

    def __init__(self, channels: Sequence[PositiveInt] = (24, 48, 96, 96), **kwargs: Any) -> None:
        super().__init__(channels=channels, **kwargs)
