"""Two convolutions and a dense layer, three sizes, and one with three heads."""

from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.optim import Adam

from mnistlab.classifier.optimization import OptimizerCallable
from mnistlab.models.assembled import Assembled
from mnistlab.nets import Backbone, Dropout
from mnistlab.options.numbers import ClosedUnitInterval, NonNegativeFloat, PositiveInt

GRID = 7
"""Rows and columns of the map that the dense layer sees, whatever the size of the images."""


class GridPool(nn.AdaptiveAvgPool2d):
    """Means over the cells of a 7x7 grid; maps that are 7x7 are given back, since each mean would be of one value.

    Shape: (batch, channels, height, width) -> (batch, channels, 7, 7).
    """

    def __init__(self) -> None:
        super().__init__(GRID)

    def forward(self, maps: Tensor) -> Tensor:
        """Pool, where there is anything to pool."""
        return maps if maps.shape[-2:] == (GRID, GRID) else super().forward(maps)


class CNNBackbone(Backbone):
    """Twice Conv 3x3, BatchNorm, ReLU, MaxPool 2; then pooling to 7x7, Linear, ReLU, Dropout.

    Shape: images (batch, in_channels, height, width) -> (batch, fc_size).

    Args:
        conv1_channels: Channels of the first convolution.
        conv2_channels: Channels of the second.
        fc_size: Width of the dense layer.
        dropout: Probability of dropping a value of the dense layer.
        in_channels: Channels of an image, 1 for grey.
    """

    def __init__(
        self,
        conv1_channels: PositiveInt = 32,
        conv2_channels: PositiveInt = 64,
        fc_size: PositiveInt = 128,
        dropout: ClosedUnitInterval = 0.25,
        in_channels: PositiveInt = 1,
    ) -> None:
        stages = {
            "conv1": _convolution(in_channels, conv1_channels),
            "conv2": _convolution(conv1_channels, conv2_channels),
            "pool": GridPool(),
            "fc": nn.Sequential(
                nn.Flatten(), nn.Linear(GRID**2 * conv2_channels, fc_size), nn.ReLU(), Dropout(dropout)
            ),
        }
        super().__init__(fc_size, stages)


def _convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
        nn.BatchNorm2d(out_channels),
        # The larger of two rectified values is the larger one, rectified: in this order ReLU has a quarter to do.
        nn.MaxPool2d(2),
        nn.ReLU(),
    )


class SimpleCNN(Assembled):
    """Two convolutions and a dense layer, of any size; 421,834 parameters.

    Args:
        conv1_channels: Channels of the first convolution.
        conv2_channels: Channels of the second.
        fc_size: Width of the dense layer.
        dropout: Probability of dropping a value of the dense layer.
        in_channels: Channels of an image, 1 for grey.
    """

    name = "simple_cnn"

    def __init__(
        self,
        conv1_channels: PositiveInt = 32,
        conv2_channels: PositiveInt = 64,
        fc_size: PositiveInt = 128,
        dropout: ClosedUnitInterval = 0.25,
        in_channels: PositiveInt = 1,
        optimizer: OptimizerCallable = partial(Adam, lr=1e-3, weight_decay=1e-4),
        **kwargs: Any,
    ) -> None:
        backbone = CNNBackbone(conv1_channels, conv2_channels, fc_size, dropout, in_channels)
        super().__init__(backbone, optimizer=optimizer, **kwargs)


class CNN8K(SimpleCNN):
    """Two convolutions of 3 and 6 channels, a dense layer of 25; 7,851 parameters."""

    name = "cnn_8k"

    def __init__(
        self, conv1_channels: PositiveInt = 3, conv2_channels: PositiveInt = 6, fc_size: PositiveInt = 25, **kwargs: Any
    ) -> None:
        super().__init__(conv1_channels=conv1_channels, conv2_channels=conv2_channels, fc_size=fc_size, **kwargs)


class CNN68K(SimpleCNN):
    """Two convolutions of 8 and 20 channels, a dense layer of 68; 68,994 parameters."""

    name = "cnn_68k"

    def __init__(
        self,
        conv1_channels: PositiveInt = 8,
        conv2_channels: PositiveInt = 20,
        fc_size: PositiveInt = 68,
        **kwargs: Any,
    ) -> None:
        super().__init__(conv1_channels=conv1_channels, conv2_channels=conv2_channels, fc_size=fc_size, **kwargs)


class CNN421K(SimpleCNN):
    """Two convolutions of 32 and 64 channels, a dense layer of 128; 421,834 parameters."""

    name = "cnn_421k"

    def __init__(
        self,
        conv1_channels: PositiveInt = 32,
        conv2_channels: PositiveInt = 64,
        fc_size: PositiveInt = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(conv1_channels=conv1_channels, conv2_channels=conv2_channels, fc_size=fc_size, **kwargs)


HEADS = {"digit": 10, "thickness": 5, "smoothness": 3}
WEIGHTS = {"digit": 1.0, "thickness": 0.5, "smoothness": 0.5}


class MultiheadCNN422K(CNN421K):
    """CNN421K with heads for digit, thickness and smoothness; 422,866 parameters. For `--data=MultiheadMNIST`.

    Args:
        num_classes: The number of classes of each head, which the data must have.
        loss_weights: What the loss of a head is multiplied by in the sum, by name.
    """

    name = "multihead_cnn_422k"

    def __init__(
        self,
        num_classes: PositiveInt | dict[str, PositiveInt] = HEADS,
        loss_weights: dict[str, NonNegativeFloat] | None = WEIGHTS,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes=num_classes, loss_weights=loss_weights, **kwargs)
