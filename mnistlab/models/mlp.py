"""Residual multilayer perceptrons: images as flat vectors, four sizes."""

from typing import Any

from torch import Tensor, nn

from mnistlab.models.assembled import Assembled
from mnistlab.nets import Backbone, Dropout
from mnistlab.options.numbers import ClosedUnitInterval, PositiveInt


class ResidualMLPBackbone(Backbone):
    """Dropout on the pixels, Linear and GELU, `layers` residual blocks, BatchNorm.

    Shape: images (batch, channels, height, width) with in_features values each -> (batch, hidden_dim).

    Args:
        hidden_dim: Width of every block.
        layers: Number of residual blocks, one linear layer each.
        dropout: Probability of dropping a pixel (it becomes 0, the mean grey), and a value of a block's branch.
        in_features: Number of values in an image, 784 for 28x28 in grey.
    """

    def __init__(
        self,
        hidden_dim: PositiveInt = 256,
        layers: PositiveInt = 4,
        dropout: ClosedUnitInterval = 0.1,
        in_features: PositiveInt = 784,
    ) -> None:
        stem = nn.Sequential(nn.Flatten(), Dropout(dropout), nn.Linear(in_features, hidden_dim), nn.GELU())
        blocks = nn.Sequential(*(ResidualBlock(hidden_dim, dropout) for _ in range(layers)))
        super().__init__(hidden_dim, {"stem": stem, "blocks": blocks, "norm": nn.BatchNorm1d(hidden_dim)})


class ResidualBlock(nn.Module):
    """One linear layer added to its input: x + Dropout(GELU(Linear(BatchNorm(x)))).

    The norm stands before the layer and nothing on the path around it (He et al. 2016, arXiv:1603.05027). In training
    a batch needs at least two images, as BatchNorm does.

    Shape: (batch, hidden_dim) -> (batch, hidden_dim).

    Args:
        hidden_dim: Width of the block.
        dropout: Probability of dropping a value of the branch.
    """

    def __init__(self, hidden_dim: int, dropout: float) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.BatchNorm1d(hidden_dim), nn.Linear(hidden_dim, hidden_dim), nn.GELU(), Dropout(dropout)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add the branch to `x`."""
        out: Tensor = x + self.branch(x)
        return out


class ResidualMLP(Assembled):
    """Residual MLP of any size.

    Args:
        hidden_dim: Width of every block.
        layers: Number of residual blocks.
        dropout: Probability of dropping a pixel, and a value of a block's branch.
        in_features: Number of values in an image, 784 for 28x28 in grey.
    """

    name = "residual_mlp"

    def __init__(
        self,
        hidden_dim: PositiveInt = 256,
        layers: PositiveInt = 4,
        dropout: ClosedUnitInterval = 0.1,
        in_features: PositiveInt = 784,
        **kwargs: Any,
    ) -> None:
        super().__init__(ResidualMLPBackbone(hidden_dim, layers, dropout, in_features), **kwargs)


class TinyModel(ResidualMLP):
    """Residual MLP, 2 layers of 128; 135,562 parameters. For prototypes."""

    name = "tiny"

    def __init__(
        self, hidden_dim: PositiveInt = 128, layers: PositiveInt = 2, dropout: ClosedUnitInterval = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(hidden_dim=hidden_dim, layers=layers, dropout=dropout, **kwargs)


class SmallModel(ResidualMLP):
    """Residual MLP, 4 layers of 256; 469,258 parameters. For development."""

    name = "small"

    def __init__(
        self, hidden_dim: PositiveInt = 256, layers: PositiveInt = 4, dropout: ClosedUnitInterval = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(hidden_dim=hidden_dim, layers=layers, dropout=dropout, **kwargs)


class MediumModel(ResidualMLP):
    """Residual MLP, 8 layers of 512; 2,517,514 parameters. The default."""

    name = "medium"

    def __init__(
        self, hidden_dim: PositiveInt = 512, layers: PositiveInt = 8, dropout: ClosedUnitInterval = 0.2, **kwargs: Any
    ) -> None:
        super().__init__(hidden_dim=hidden_dim, layers=layers, dropout=dropout, **kwargs)


class LargeModel(ResidualMLP):
    """Residual MLP, 16 layers of 1024; 17,642,506 parameters. To see what more size brings."""

    name = "large"

    def __init__(
        self,
        hidden_dim: PositiveInt = 1024,
        layers: PositiveInt = 16,
        dropout: ClosedUnitInterval = 0.3,
        **kwargs: Any,
    ) -> None:
        super().__init__(hidden_dim=hidden_dim, layers=layers, dropout=dropout, **kwargs)
