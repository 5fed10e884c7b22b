"""ConvNeXt-V2: convolutions laid out like a transformer, with global response normalization; four sizes."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.optim import AdamW

from mnistlab.classifier.optimization import LRSchedulerCallable, OptimizerCallable
from mnistlab.models.assembled import Assembled
from mnistlab.nets import Backbone, DepthwiseConv2d, StochasticDepth, init_truncated_normal
from mnistlab.options.numbers import ClosedUnitInterval, PositiveInt
from mnistlab.schedules import WarmupCosine

_EPS = 1e-6
NUM_STAGES = 4


class LayerNorm2d(nn.LayerNorm):
    """LayerNorm over the channels of a map: (batch, channels, height, width) -> the same."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each place by itself."""
        return F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps).permute(
            0, 3, 1, 2
        )


class GRN(nn.Module):
    """Global response normalization: channels that answer strongly over the whole map are strengthened.

    At the start it changes nothing: gamma and beta are 0.

    Source: Woo et al. (2023), arXiv:2301.00808, section 3.3.

    Shape: (batch, height, width, channels) -> the same.

    Args:
        channels: Number of channels.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Scale each channel by its norm over the map, relative to the mean norm of all channels."""
        out: Tensor = _Respond.apply(x.to(self.gamma.dtype), self.gamma, self.beta)
        return out


class _Respond(torch.autograd.Function):
    """x * (1 + gamma * relative norm) + beta, in a third of the passes over the maps that autograd takes both ways."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        norm = (x * x).sum((1, 2), keepdim=True).sqrt()
        mean = norm.mean(-1, keepdim=True) + _EPS
        ctx.save_for_backward(x, gamma, norm, mean)
        return torch.addcmul(beta, x, 1 + gamma * norm / mean)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, gamma, norm, mean = ctx.saved_tensors
        relative = norm / mean
        of_scale = (grad * x).sum((1, 2), keepdim=True)
        of_relative = of_scale * gamma
        of_norm = (of_relative - (of_relative * relative).mean(-1, keepdim=True)) / mean
        of_x = grad * (1 + gamma * relative)
        of_x.addcmul_(x, torch.where(norm > 0, of_norm / norm, 0))  # an empty map has no direction to grow in
        return of_x, (of_scale * relative).sum((0, 1, 2)), grad.sum((0, 1, 2))


class Widening(nn.Linear):
    """A linear layer to more features than it is given: (..., in_features) -> (..., out_features).

    By the layout of a product's second factor autograd chooses how it finds the gradient of the weights: for 8 features
    on a CPU the choice that `nn.Linear` leads to takes six times as long as this one.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Multiply each row by the weights."""
        rows = torch.addmm(self.bias, x.reshape(-1, self.in_features), self.weight.t().contiguous())
        return rows.view(*x.shape[:-1], self.out_features)


class ConvNeXtBlock(nn.Module):
    """Depthwise Conv 7x7, LayerNorm, Linear to four times the channels, GELU, GRN, Linear back; added to the input.

    Shape: (batch, channels, height, width) -> the same.

    Args:
        channels: Number of channels.
        drop: Probability of leaving the branch out, drawn for each image.
    """

    def __init__(self, channels: int, drop: float) -> None:
        super().__init__()
        self.depthwise = DepthwiseConv2d(channels, kernel_size=7)
        self.mlp = nn.Sequential(
            nn.LayerNorm(channels, eps=_EPS),
            Widening(channels, 4 * channels),
            nn.GELU(),
            GRN(4 * channels),
            nn.Linear(4 * channels, channels),
        )
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        """Add what is left of the branch to `x`."""
        branch: Tensor = self.mlp(self.depthwise(x).permute(0, 2, 3, 1))
        out: Tensor = x + self.drop(branch.permute(0, 3, 1, 2))
        return out


class ConvNeXtBackbone(Backbone):
    """Stem, four stages of blocks with halved maps between them, mean over the map, LayerNorm.

    Shape: images (batch, in_channels, height, width) -> (batch, dims[3]).

    Args:
        depths: Number of blocks of each of the four stages.
        dims: Channels of each of the four stages.
        drop_path: Probability of leaving out the last block's branch, drawn for each image; it grows evenly over the
            blocks from 0.
        stem_size: Kernel and stride of the first convolution: 2 for images of 28 pixels, 4 for 224.
        in_channels: Channels of an image, 1 for grey.

    Raises:
        ValueError: If there are not four stages.
    """

    def __init__(
        self,
        depths: Sequence[PositiveInt] = (2, 2, 4, 2),
        dims: Sequence[PositiveInt] = (12, 24, 48, 96),
        drop_path: ClosedUnitInterval = 0.1,
        stem_size: PositiveInt = 2,
        in_channels: PositiveInt = 1,
    ) -> None:
        for option, given in (("depths", depths), ("dims", dims)):
            if len(given) != NUM_STAGES:
                raise ValueError(f"`{option}` must have {NUM_STAGES} numbers, one for each stage, got {list(given)}.")
        drops = iter(torch.linspace(0, drop_path, sum(depths)).tolist())
        stem = nn.Sequential(nn.Conv2d(in_channels, dims[0], stem_size, stem_size), LayerNorm2d(dims[0], eps=_EPS))
        stages: dict[str, nn.Module] = {"stem": stem}
        for number, (depth, channels) in enumerate(zip(depths, dims, strict=True)):
            halved = _halve(dims[number - 1], channels) if number else []
            blocks = [ConvNeXtBlock(channels, next(drops)) for _ in range(depth)]
            stages[f"stage{number + 1}"] = nn.Sequential(*halved, *blocks)
        stages["pool"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        stages["norm"] = nn.LayerNorm(dims[-1], eps=_EPS)
        super().__init__(dims[-1], stages)


def _halve(in_channels: int, out_channels: int) -> list[nn.Module]:
    return [LayerNorm2d(in_channels, eps=_EPS), nn.Conv2d(in_channels, out_channels, kernel_size=2, stride=2)]


class ConvNeXt(Assembled):
    """ConvNeXt-V2 of any size, for small images unless `stem_size` is 4; 288,118 parameters.

    Source: Woo et al. (2023), arXiv:2301.00808.

    Args:
        depths: Number of blocks of each of the four stages.
        dims: Channels of each of the four stages.
        drop_path: Probability of leaving out the last block's branch, drawn for each image; it grows evenly over the
            blocks from 0.
        stem_size: Kernel and stride of the first convolution: 2 for images of 28 pixels, 4 for 224.
        in_channels: Channels of an image, 1 for grey.
    """

    name = "convnext"

    def __init__(
        self,
        depths: Sequence[PositiveInt] = (2, 2, 4, 2),
        dims: Sequence[PositiveInt] = (12, 24, 48, 96),
        drop_path: ClosedUnitInterval = 0.1,
        stem_size: PositiveInt = 2,
        in_channels: PositiveInt = 1,
        optimizer: OptimizerCallable = partial(AdamW, lr=1e-3, weight_decay=1e-2),
        scheduler: LRSchedulerCallable | None = partial(WarmupCosine, min_lr=1e-5),
        **kwargs: Any,
    ) -> None:
        backbone = ConvNeXtBackbone(depths, dims, drop_path, stem_size, in_channels)
        super().__init__(backbone, optimizer=optimizer, scheduler=scheduler, **kwargs)
        init_truncated_normal(self.net)


class ConvNeXt18K(ConvNeXt):
    """ConvNeXt-V2, 4 blocks of 4 to 32 channels; 18,002 parameters."""

    name = "convnext_18k"

    def __init__(
        self,
        depths: Sequence[PositiveInt] = (1, 1, 1, 1),
        dims: Sequence[PositiveInt] = (4, 8, 16, 32),
        drop_path: ClosedUnitInterval = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(depths=depths, dims=dims, drop_path=drop_path, **kwargs)


class ConvNeXt73K(ConvNeXt):
    """ConvNeXt-V2, 5 blocks of 8 to 64 channels; 73,402 parameters."""

    name = "convnext_73k"

    def __init__(
        self,
        depths: Sequence[PositiveInt] = (1, 1, 2, 1),
        dims: Sequence[PositiveInt] = (8, 16, 32, 64),
        drop_path: ClosedUnitInterval = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(depths=depths, dims=dims, drop_path=drop_path, **kwargs)


class ConvNeXt288K(ConvNeXt):
    """ConvNeXt-V2, 10 blocks of 12 to 96 channels; 288,118 parameters."""

    name = "convnext_288k"

    def __init__(
        self,
        depths: Sequence[PositiveInt] = (2, 2, 4, 2),
        dims: Sequence[PositiveInt] = (12, 24, 48, 96),
        drop_path: ClosedUnitInterval = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(depths=depths, dims=dims, drop_path=drop_path, **kwargs)


class ConvNeXt725K(ConvNeXt):
    """ConvNeXt-V2, 15 blocks of 16 to 128 channels; 724,938 parameters."""

    name = "convnext_725k"

    def __init__(
        self,
        depths: Sequence[PositiveInt] = (3, 3, 6, 3),
        dims: Sequence[PositiveInt] = (16, 32, 64, 128),
        drop_path: ClosedUnitInterval = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(depths=depths, dims=dims, drop_path=drop_path, **kwargs)
