"""Vision transformer: attention over patches, three sizes."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW

from mnistlab.classifier.optimization import LRSchedulerCallable, OptimizerCallable
from mnistlab.models.assembled import Assembled
from mnistlab.nets import WEIGHT_STD, Backbone, Dropout, init_truncated_normal
from mnistlab.options.numbers import ClosedUnitInterval, PositiveInt
from mnistlab.schedules import WarmupCosine


class PatchEmbedding(nn.Module):
    """Patches as tokens, with a learnt position each, behind a class token without one.

    Shape: images (batch, in_channels, image_size, image_size) -> (batch, 1 + patches, embed_dim).

    Args:
        image_size: Height and width of an image.
        patch_size: Height and width of a patch.
        in_channels: Channels of an image.
        embed_dim: Length of a token.
        dropout: Probability of dropping a value of a token.

    Raises:
        ValueError: If patches do not fill the image.
    """

    def __init__(self, image_size: int, patch_size: int, in_channels: int, embed_dim: int, dropout: float) -> None:
        super().__init__()
        if image_size % patch_size:
            raise ValueError(
                f"`patch_size` must divide the image size {image_size}, got {patch_size}. "
                f"Use {_either(_divisors(image_size))}."
            )
        self.projection = nn.Conv2d(in_channels, embed_dim, kernel_size=patch_size, stride=patch_size)
        self.class_token = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, embed_dim), std=WEIGHT_STD))
        positions = torch.empty(1, (image_size // patch_size) ** 2, embed_dim)
        self.positions = nn.Parameter(nn.init.trunc_normal_(positions, std=WEIGHT_STD))
        self.dropout = Dropout(dropout)

    def forward(self, images: Tensor) -> Tensor:
        """Cut images into tokens."""
        patches = self.projection(images).flatten(2).mT + self.positions
        # `len` would be a fixed number to torch.export, `shape[0]` may be any.
        tokens = torch.cat([self.class_token.expand(images.shape[0], -1, -1), patches], dim=1)
        out: Tensor = self.dropout(tokens)
        return out


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017, arXiv:1706.03762).

    Shape: (batch, tokens, embed_dim) -> (batch, tokens, embed_dim).

    Args:
        embed_dim: Length of a token.
        num_heads: Heads that a token is divided among.

    Raises:
        ValueError: If a token cannot be divided evenly.
    """

    def __init__(self, embed_dim: int, num_heads: int) -> None:
        super().__init__()
        if embed_dim % num_heads:
            below, above = embed_dim // num_heads * num_heads, -(-embed_dim // num_heads) * num_heads
            nearest = [size for size in (below, above) if size > 0]
            raise ValueError(
                f"`embed_dim` must be a multiple of `num_heads`, got {embed_dim} and {num_heads}. "
                f"Use an `embed_dim` of {_either(nearest)}, or {_either(_divisors(embed_dim))} heads."
            )
        self.num_heads = num_heads
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.projection = nn.Linear(embed_dim, embed_dim)

    def forward(self, x: Tensor, wanted: int | None = None) -> Tensor:
        """Let each token look at all tokens; only the first ones, where no more are `wanted`."""
        query, key, value = self._split(x[:, :wanted], x, x)
        if query.dtype == torch.bfloat16 and query.device.type == "cpu":
            # There torch's kernel for bfloat16 takes ten times as long backwards as that for float32.
            with torch.autocast("cpu", enabled=False):
                exact = F.scaled_dot_product_attention(query.float(), key.float(), value.float())
            mixed = exact.to(query.dtype)
        else:
            mixed = F.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.projection(mixed.transpose(1, 2).flatten(2))
        return out

    def weights(self, x: Tensor) -> Tensor:
        """How much each token looks at each: (batch, tokens, embed_dim) -> (batch, num_heads, tokens, tokens).

        The softmax that `forward` never writes out, each row with sum 1.
        """
        query, key = self._split(x, x)
        scores: Tensor = query @ key.mT / query.shape[-1] ** 0.5
        return scores.softmax(dim=-1)

    def _split(self, *tokens: Tensor) -> list[Tensor]:
        """Query, key and value, each of its tokens: (batch, num_heads, tokens, embed_dim / num_heads).

        By a third of `qkv` each: the gradients of one product for all three would have to be joined value by value.
        """
        thirds = zip(tokens, self.qkv.weight.chunk(3), self.qkv.bias.chunk(3), strict=False)
        parts = [F.linear(x, weight, bias) for x, weight, bias in thirds]
        return [part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in parts]


class EncoderBlock(nn.Module):
    """Attention and a two-layer MLP of twice the width, each behind a LayerNorm and added to its input.

    Shape: (batch, tokens, embed_dim) -> (batch, tokens, embed_dim).

    Args:
        embed_dim: Length of a token.
        num_heads: Heads of the attention.
        dropout: Probability of dropping a value of either branch.
        wanted: How many tokens, from the first on, are worked out; all if not given.
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float, wanted: int | None = None) -> None:
        super().__init__()
        self.wanted = wanted
        self.norm1 = nn.LayerNorm(embed_dim)
        self.attention = Attention(embed_dim, num_heads)
        self.norm2 = nn.LayerNorm(embed_dim)
        self.mlp = nn.Sequential(
            nn.Linear(embed_dim, 2 * embed_dim), nn.GELU(), nn.Linear(2 * embed_dim, embed_dim), Dropout(dropout)
        )
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Add both branches to `x`."""
        x = x[:, : self.wanted] + self.dropout(self.attention(self.norm1(x), self.wanted))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out

    def attention_weights(self, x: Tensor) -> Tensor:
        """How much each token looks at each in this block: -> (batch, num_heads, tokens, tokens)."""
        return self.attention.weights(self.norm1(x))


class ClassToken(nn.Module):
    """The class token of each image: (batch, tokens, embed_dim) -> (batch, embed_dim)."""

    def forward(self, tokens: Tensor) -> Tensor:
        """Leave the patches out."""
        return tokens[:, 0]


class ViTBackbone(Backbone):
    """Patches, `layers` encoder blocks, LayerNorm; of the class token Linear and Tanh.

    Shape: images (batch, in_channels, image_size, image_size) -> (batch, embed_dim).

    Args:
        embed_dim: Length of a token, a multiple of `num_heads`.
        layers: Number of encoder blocks.
        num_heads: Heads of each attention.
        patch_size: Height and width of a patch; it divides `image_size`.
        dropout: Probability of dropping a value of a token, and of each branch of a block.
        image_size: Height and width of an image.
        in_channels: Channels of an image, 1 for grey.

    Raises:
        ValueError: If patches do not fill the image, or the heads do not divide a token.
    """

    def __init__(
        self,
        embed_dim: PositiveInt = 64,
        layers: PositiveInt = 6,
        num_heads: PositiveInt = 4,
        patch_size: PositiveInt = 4,
        dropout: ClosedUnitInterval = 0.1,
        image_size: PositiveInt = 28,
        in_channels: PositiveInt = 1,
    ) -> None:
        embedding = PatchEmbedding(image_size, patch_size, in_channels, embed_dim, dropout)
        # Of the last block nothing but the class token is read.
        wanted = [*[None] * (layers - 1), 1]
        blocks = {
            f"block{number}": EncoderBlock(embed_dim, num_heads, dropout, tokens)
            for number, tokens in enumerate(wanted, start=1)
        }
        pooler = nn.Sequential(ClassToken(), nn.Linear(embed_dim, embed_dim), nn.Tanh())
        super().__init__(
            embed_dim, {"embedding": embedding, **blocks, "norm": nn.LayerNorm(embed_dim), "pooler": pooler}
        )


class VisionTransformer(Assembled):
    """Vision transformer of any size; 210,058 parameters.

    Source: Dosovitskiy et al. (2020), arXiv:2010.11929; the smaller training sets here ask for the smaller sizes.

    Args:
        embed_dim: Length of a token, a multiple of `num_heads`.
        layers: Number of encoder blocks.
        num_heads: Heads of each attention.
        patch_size: Height and width of a patch; it divides `image_size`.
        dropout: Probability of dropping a value of a token, and of each branch of a block.
        image_size: Height and width of an image.
        in_channels: Channels of an image, 1 for grey.
    """

    name = "vision_transformer"

    def __init__(
        self,
        embed_dim: PositiveInt = 64,
        layers: PositiveInt = 6,
        num_heads: PositiveInt = 4,
        patch_size: PositiveInt = 4,
        dropout: ClosedUnitInterval = 0.1,
        image_size: PositiveInt = 28,
        in_channels: PositiveInt = 1,
        optimizer: OptimizerCallable = partial(AdamW, lr=1e-3, weight_decay=1e-2),
        scheduler: LRSchedulerCallable | None = partial(WarmupCosine, min_lr=1e-5),
        **kwargs: Any,
    ) -> None:
        backbone = ViTBackbone(embed_dim, layers, num_heads, patch_size, dropout, image_size, in_channels)
        super().__init__(backbone, optimizer=optimizer, scheduler=scheduler, **kwargs)
        init_truncated_normal(self.net)


class ViT38K(VisionTransformer):
    """Vision transformer, 4 blocks of 32, 4 heads; 37,770 parameters."""

    name = "vit_38k"

    def __init__(
        self, embed_dim: PositiveInt = 32, layers: PositiveInt = 4, num_heads: PositiveInt = 4, **kwargs: Any
    ) -> None:
        super().__init__(embed_dim=embed_dim, layers=layers, num_heads=num_heads, **kwargs)


class ViT210K(VisionTransformer):
    """Vision transformer, 6 blocks of 64, 4 heads; 210,058 parameters."""

    name = "vit_210k"

    def __init__(
        self, embed_dim: PositiveInt = 64, layers: PositiveInt = 6, num_heads: PositiveInt = 4, **kwargs: Any
    ) -> None:
        super().__init__(embed_dim=embed_dim, layers=layers, num_heads=num_heads, **kwargs)


class ViT821K(VisionTransformer):
    """Vision transformer, 6 blocks of 128, 8 heads; 821,514 parameters."""

    name = "vit_821k"

    def __init__(
        self, embed_dim: PositiveInt = 128, layers: PositiveInt = 6, num_heads: PositiveInt = 8, **kwargs: Any
    ) -> None:
        super().__init__(embed_dim=embed_dim, layers=layers, num_heads=num_heads, **kwargs)


def _divisors(number: int) -> list[int]:
    return [size for size in range(1, number + 1) if number % size == 0]


def _either(numbers: list[int]) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last}" if others else last
