"""Residual multilayer perceptrons."""

from typing import Any

from torch import Tensor, nn

from mnistlab.classifier import Classifier
from mnistlab.numbers import ClosedUnitInterval, PositiveInt


class ResidualMLPNet(nn.Module):
    """Flatten, Linear, `layers` pre-norm residual blocks, LayerNorm, Linear.

    Shape: (batch, channels, height, width) or (batch, in_features) -> (batch, num_classes).
    """

    def __init__(self, in_features: int, hidden_dim: int, layers: int, dropout: float, num_classes: int) -> None:
        super().__init__()
        self.embed = nn.Linear(in_features, hidden_dim)
        self.blocks = nn.Sequential(*(ResidualBlock(hidden_dim, dropout) for _ in range(layers)))
        self.norm = nn.LayerNorm(hidden_dim)
        self.head = nn.Linear(hidden_dim, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.blocks(self.embed(images.flatten(1)))
        logits: Tensor = self.head(self.norm(hidden))
        return logits


class ResidualBlock(nn.Module):
    """x + Dropout(GELU(Linear(LayerNorm(x)))).

    Shape: (batch, dim) -> (batch, dim).
    """

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim), nn.GELU(), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.branch(x)
        return out


class ResidualMLP(Classifier):
    """Residual MLP of any size.

    Args:
        hidden_dim: Width of every layer.
        layers: Number of residual blocks.
        dropout: Probability of dropping a unit in each block.
        in_features: Pixels of an image, all channels counted.
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
        super().__init__(**kwargs)
        num_classes = self.heads[self.primary]
        self.net = ResidualMLPNet(in_features, hidden_dim, layers, dropout, num_classes)


class TinyModel(ResidualMLP):
    """Residual MLP, 2 layers of 128. For prototypes."""

    name = "tiny"

    def __init__(
        self, hidden_dim: PositiveInt = 128, layers: PositiveInt = 2, dropout: ClosedUnitInterval = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(hidden_dim=hidden_dim, layers=layers, dropout=dropout, **kwargs)


class SmallModel(ResidualMLP):
    """Residual MLP, 4 layers of 256. For development."""

    name = "small"

    def __init__(
        self, hidden_dim: PositiveInt = 256, layers: PositiveInt = 4, dropout: ClosedUnitInterval = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(hidden_dim=hidden_dim, layers=layers, dropout=dropout, **kwargs)


class MediumModel(ResidualMLP):
    """Residual MLP, 8 layers of 512. The default."""

    name = "medium"

    def __init__(
        self, hidden_dim: PositiveInt = 512, layers: PositiveInt = 8, dropout: ClosedUnitInterval = 0.2, **kwargs: Any
    ) -> None:
        super().__init__(hidden_dim=hidden_dim, layers=layers, dropout=dropout, **kwargs)


class LargeModel(ResidualMLP):
    """Residual MLP, 16 layers of 1024."""

    name = "large"

    def __init__(
        self,
        hidden_dim: PositiveInt = 1024,
        layers: PositiveInt = 16,
        dropout: ClosedUnitInterval = 0.3,
        **kwargs: Any,
    ) -> None:
        super().__init__(hidden_dim=hidden_dim, layers=layers, dropout=dropout, **kwargs)
