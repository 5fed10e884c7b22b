"""Compact convolutional nets for high accuracy in little time."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from mnistlab.models.assembled import Assembled
from mnistlab.nets import Backbone
from mnistlab.options.numbers import PositiveInt


class MeanMaxPool(nn.Module):
    """The mean and the largest value of each channel: (batch, channels, height, width) -> (batch, 2 * channels)."""

    def forward(self, x: Tensor) -> Tensor:
        """Look where a pattern is strongest, and how much of it there is."""
        return torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)


class CompactBackbone(Backbone):
    """A Conv 3x3 with BatchNorm and ReLU for each number of channels, mean and maximum at the end.

    A map is halved before the normalization, which then costs a quarter.

    Shape: images (batch, in_channels, height, width) -> (batch, 2 * channels[-1]).

    Args:
        channels: Channels of each convolution.
        halved: The convolutions, counted from 1, after which the map is halved; `[1,2]` leaves 7 of 28 pixels.
        in_channels: Channels of an image, 1 for grey.

    Raises:
        ValueError: If there is no convolution, or `halved` names one that is not there, or one twice.
    """

    def __init__(
        self,
        channels: Sequence[PositiveInt] = (16, 32, 64, 64),
        halved: Sequence[PositiveInt] = (1, 2),
        in_channels: PositiveInt = 1,
    ) -> None:
        if not channels:
            raise ValueError("`channels` must have at least one number, got none. (16, 32, 64, 64) is usual.")
        unknown = [number for number in halved if number > len(channels)]
        if unknown:
            raise ValueError(
                f"`halved` must name convolutions from 1 to {len(channels)}, got {unknown[0]}. "
                "There is one for each number in `channels`."
            )
        if len(set(halved)) < len(halved):
            raise ValueError(f"`halved` must name each convolution once, got {list(halved)}.")
        stages: dict[str, nn.Module] = {}
        for number, (before, after) in enumerate(pairwise([in_channels, *channels]), start=1):
            pool = [nn.MaxPool2d(2)] if number in halved else []
            convolution = nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False)
            stages[f"conv{number}"] = nn.Sequential(convolution, *pool, nn.BatchNorm2d(after), nn.ReLU())
        stages["pool"] = MeanMaxPool()
        super().__init__(2 * channels[-1], stages)


class CompactCNN(Assembled):
    """Convolutions 3x3 and one linear layer, of any size; 61,690 parameters.

    Args:
        channels: Channels of each convolution.
        halved: The convolutions, counted from 1, after which the map is halved; `[1,2]` leaves 7 of 28 pixels.
        in_channels: Channels of an image, 1 for grey.

    Raises:
        ValueError: If there is no convolution, or `halved` names one that is not there, or one twice.
    """

    name = "compact_cnn"

    def __init__(
        self,
        channels: Sequence[PositiveInt] = (16, 32, 64, 64),
        halved: Sequence[PositiveInt] = (1, 2),
        in_channels: PositiveInt = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(CompactBackbone(channels, halved, in_channels), **kwargs)


class CompactCNN62K(CompactCNN):
    """Four convolutions of 16 to 64 channels; 61,690 parameters. For 99 % in seconds."""

    name = "compact_cnn_62k"

    def __init__(self, channels: Sequence[PositiveInt] = (16, 32, 64, 64), **kwargs: Any) -> None:
        super().__init__(channels=channels, **kwargs)


class CompactCNN104K(CompactCNN):
    """Five convolutions of 16 to 96 channels, three times halved; 103,962 parameters. For 99.6 % in a minute."""

    name = "compact_cnn_104k"

    def __init__(
        self,
        channels: Sequence[PositiveInt] = (16, 32, 48, 64, 96),
        halved: Sequence[PositiveInt] = (1, 2, 4),
        **kwargs: Any,
    ) -> None:
        super().__init__(channels=channels, halved=halved, **kwargs)
