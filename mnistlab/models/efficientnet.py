"""EfficientNet: inverted residual blocks with squeeze and excitation, scaled in width and depth; four sizes."""

from collections.abc import Iterator
from functools import partial
from math import ceil
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam

from mnistlab.classifier.optimization import OptimizerCallable
from mnistlab.models.assembled import Assembled
from mnistlab.nets import Backbone, DepthwiseConv2d, Dropout, StochasticDepth
from mnistlab.options.numbers import ClosedUnitInterval, PositiveFloat, PositiveInt

SqueezeFrom = Literal["input", "expanded"]


class Stage(NamedTuple):
    """Blocks of one shape; the first of them has the stride, and changes the number of channels."""

    expand: int
    channels: int
    blocks: int
    stride: int
    kernel: int


STAGES = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)
"""EfficientNet-B0, table 1 of the paper."""

_STEM, _HEAD = 32, 1280  # channels at width 1
_DIVISOR = 8
_SQUEEZE = 4  # channels to one value of the squeezed layer
_DROP = 0.2


class ChannelsLast(nn.Module):
    """Lays maps out with the channel as their last dimension in memory, as convolutions on the CPU want them."""

    def forward(self, x: Tensor) -> Tensor:
        """Lay out, on the CPU; what follows keeps the layout."""
        return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x


class SqueezeExcitation(nn.Module):
    """Scales each channel by what the means of all channels say of it.

    Source: Hu et al. (2018), arXiv:1709.01507, with Swish between the two layers.

    Shape: (batch, channels, height, width) -> the same.

    Args:
        channels: Number of channels.
        squeezed: Number of values between the two layers.
    """

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)  # for the keys and shapes of weights that others have published
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scale each channel between 0 and 1."""
        mean = x.sum((2, 3)) / (x.shape[2] * x.shape[3])  # whose gradient is spread out without being written out
        squeezed = F.silu(F.linear(mean, self.fc1.weight.flatten(1), self.fc1.bias))
        scale = F.linear(squeezed, self.fc2.weight.flatten(1), self.fc2.bias).sigmoid()
        return x * scale[:, :, None, None]


def _normalized(convolution: nn.Conv2d, *then: nn.Module) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels), *then)


class MBConv(nn.Module):
    """Inverted residual block: a wide depthwise convolution between two narrow ones.

    Source: Sandler et al. (2018), arXiv:1801.04381; with squeeze and excitation as in Tan and Le (2019).

    Conv 1x1 to `expand` times the channels (left out at 1), depthwise Conv, squeeze and excitation, Conv 1x1 back; each
    with BatchNorm, the first two with Swish. Where the shape stays, the input is added to what stochastic depth leaves.

    Shape: (batch, in_channels, height, width) -> (batch, out_channels, height / stride, width / stride), rounded up.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stage: What gives the expansion and the kernel; its stride is that of its first block only.
        stride: Stride of the depthwise convolution.
        squeeze_from: What the squeezed layer is a quarter of: the channels of the input or the expanded ones.
        drop: Probability of leaving the branch out, drawn for each image.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stage: Stage, stride: int, squeeze_from: SqueezeFrom, drop: float
    ) -> None:
        super().__init__()
        expanded = in_channels * stage.expand
        squeezed = max(1, (in_channels if squeeze_from == "input" else expanded) // _SQUEEZE)
        layers: list[nn.Module] = []
        if stage.expand > 1:
            layers.append(_normalized(nn.Conv2d(in_channels, expanded, 1, bias=False), nn.SiLU()))
        layers += [
            _normalized(DepthwiseConv2d(expanded, stage.kernel, stride, bias=False), nn.SiLU()),
            SqueezeExcitation(expanded, squeezed),
            _normalized(nn.Conv2d(expanded, out_channels, 1, bias=False)),
        ]
        self.branch = nn.Sequential(*layers)
        self.residual = stride == 1 and in_channels == out_channels
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        """Add what is left of the branch to `x` where the shapes agree."""
        out: Tensor = self.branch(x)
        return x + self.drop(out) if self.residual else out


class EfficientNetBackbone(Backbone):
    """Stem, seven stages of inverted residual blocks, Conv 1x1, global average, Dropout.

    Shape: images (batch, in_channels, height, width) -> (batch, 1280 * width, rounded up to a multiple of 8).

    Args:
        width: Factor of all channels, rounded up to eights.
        depth: Factor of the blocks of each stage, rounded up.
        squeeze_from: What the squeezed layer is a quarter of: the channels of the block's input, as in the paper, or
            the expanded ones.
        dropout: Probability of dropping a value after the global average.
        stochastic_depth: Probability of leaving out the last block's branch, drawn for each image; it grows evenly
            over the blocks.
        in_channels: Channels of an image, 1 for grey.
    """

    def __init__(
        self,
        width: PositiveFloat = 1.0,
        depth: PositiveFloat = 1.0,
        squeeze_from: SqueezeFrom = "input",
        dropout: ClosedUnitInterval = _DROP,
        stochastic_depth: ClosedUnitInterval = _DROP,
        in_channels: PositiveInt = 1,
    ) -> None:
        channels = scaled(_STEM, width)
        num_features = scaled(_HEAD, width)
        counts = [ceil(stage.blocks * depth) for stage in STAGES]
        drops = iter(torch.linspace(0, stochastic_depth, sum(counts)).tolist())
        stages: dict[str, nn.Module] = {
            "stem": _normalized(
                nn.Conv2d(in_channels, channels, 3, stride=2, padding=1, bias=False), nn.SiLU(), ChannelsLast()
            )
        }
        for number, (stage, count) in enumerate(zip(STAGES, counts, strict=True), start=1):
            out = scaled(stage.channels, width)
            stages[f"stage{number}"] = nn.Sequential(*_blocks(channels, out, stage, count, squeeze_from, drops))
            channels = out
        stages["conv"] = _normalized(nn.Conv2d(channels, num_features, 1, bias=False), nn.SiLU())
        stages["pool"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), Dropout(dropout))
        super().__init__(num_features, stages)


def scaled(channels: int, width: float) -> int:
    """Channels times `width`, rounded up to a multiple of 8."""
    return ceil(channels * width / _DIVISOR) * _DIVISOR


def _blocks(
    in_channels: int, out_channels: int, stage: Stage, count: int, squeeze_from: SqueezeFrom, drops: Iterator[float]
) -> Iterator[MBConv]:
    for number in range(count):
        first = number == 0
        yield MBConv(
            in_channels if first else out_channels,
            out_channels,
            stage,
            stage.stride if first else 1,
            squeeze_from,
            next(drops),
        )


class EfficientNet(Assembled):
    """EfficientNet of any width and depth, by default the paper's B0 for grey images; 4,019,782 parameters.

    Source: Tan and Le (2019), arXiv:1905.11946.

    Args:
        width: Factor of all channels, rounded up to eights.
        depth: Factor of the blocks of each stage, rounded up.
        squeeze_from: What the squeezed layer is a quarter of: the channels of the block's input, as in the paper, or
            the expanded ones.
        dropout: Probability of dropping a value after the global average.
        stochastic_depth: Probability of leaving out the last block's branch, drawn for each image; it grows evenly
            over the blocks.
        in_channels: Channels of an image, 1 for grey.
    """

    name = "efficientnet"

    def __init__(
        self,
        width: PositiveFloat = 1.0,
        depth: PositiveFloat = 1.0,
        squeeze_from: SqueezeFrom = "input",
        dropout: ClosedUnitInterval = _DROP,
        stochastic_depth: ClosedUnitInterval = _DROP,
        in_channels: PositiveInt = 1,
        optimizer: OptimizerCallable = partial(Adam, lr=1e-3, weight_decay=1e-4),
        **kwargs: Any,
    ) -> None:
        backbone = EfficientNetBackbone(width, depth, squeeze_from, dropout, stochastic_depth, in_channels)
        super().__init__(backbone, optimizer=optimizer, **kwargs)


class EfficientNet22K(EfficientNet):
    """EfficientNet, width 0.002, depth 0.3, so 8 channels in every stage; 21,880 parameters."""

    name = "efficientnet_22k"

    def __init__(
        self,
        width: PositiveFloat = 0.002,
        depth: PositiveFloat = 0.3,
        squeeze_from: SqueezeFrom = "expanded",
        **kwargs: Any,
    ) -> None:
        super().__init__(width=width, depth=depth, squeeze_from=squeeze_from, **kwargs)


class EfficientNet66K(EfficientNet):
    """EfficientNet, width 0.043, depth 0.7; 66,016 parameters."""

    name = "efficientnet_66k"

    def __init__(
        self,
        width: PositiveFloat = 0.043,
        depth: PositiveFloat = 0.7,
        squeeze_from: SqueezeFrom = "expanded",
        **kwargs: Any,
    ) -> None:
        super().__init__(width=width, depth=depth, squeeze_from=squeeze_from, **kwargs)


class EfficientNet4M(EfficientNet):
    """EfficientNet-B0 as in the paper; 4,019,782 parameters."""

    name = "efficientnet_4m"

    def __init__(
        self,
        width: PositiveFloat = 1.0,
        depth: PositiveFloat = 1.0,
        squeeze_from: SqueezeFrom = "input",
        **kwargs: Any,
    ) -> None:
        super().__init__(width=width, depth=depth, squeeze_from=squeeze_from, **kwargs)


class EfficientNet7M(EfficientNet):
    """EfficientNet-B0 with wider squeeze and excitation, a quarter of the expanded channels; 7,155,082 parameters."""

    name = "efficientnet_7m"

    def __init__(
        self,
        width: PositiveFloat = 1.0,
        depth: PositiveFloat = 1.0,
        squeeze_from: SqueezeFrom = "expanded",
        **kwargs: Any,
    ) -> None:
        super().__init__(width=width, depth=depth, squeeze_from=squeeze_from, **kwargs)
