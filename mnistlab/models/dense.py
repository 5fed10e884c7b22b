"""Plain dense nets: three hidden layers with batch normalization, two sizes."""

from functools import partial
from typing import Any

from torch import nn
from torch.optim import Adam

from mnistlab.classifier.optimization import OptimizerCallable
from mnistlab.models.assembled import Assembled
from mnistlab.nets import Backbone
from mnistlab.options.numbers import PositiveInt


class DenseBackbone(Backbone):
    """Three times Linear, BatchNorm, ReLU.

    Shape: images (batch, channels, height, width) with input_size values each -> (batch, lin3_size).

    Args:
        input_size: Number of values in an image, 784 for 28x28 in grey.
        lin1_size: Width of the first hidden layer.
        lin2_size: Width of the second.
        lin3_size: Width of the third.
    """

    def __init__(
        self,
        input_size: PositiveInt = 784,
        lin1_size: PositiveInt = 256,
        lin2_size: PositiveInt = 256,
        lin3_size: PositiveInt = 256,
    ) -> None:
        stages = {
            "flatten": nn.Flatten(),
            "lin1": _layer(input_size, lin1_size),
            "lin2": _layer(lin1_size, lin2_size),
            "lin3": _layer(lin2_size, lin3_size),
        }
        super().__init__(lin3_size, stages)


def _layer(in_features: int, out_features: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(in_features, out_features), nn.BatchNorm1d(out_features), nn.ReLU())


class SimpleDenseNet(Assembled):
    """Dense net of any size, three hidden layers of 256; 336,650 parameters.

    Args:
        input_size: Number of values in an image, 784 for 28x28 in grey.
        lin1_size: Width of the first hidden layer.
        lin2_size: Width of the second.
        lin3_size: Width of the third.
    """

    name = "simple_dense_net"

    def __init__(
        self,
        input_size: PositiveInt = 784,
        lin1_size: PositiveInt = 256,
        lin2_size: PositiveInt = 256,
        lin3_size: PositiveInt = 256,
        optimizer: OptimizerCallable = partial(Adam, lr=1e-3),
        **kwargs: Any,
    ) -> None:
        super().__init__(DenseBackbone(input_size, lin1_size, lin2_size, lin3_size), optimizer=optimizer, **kwargs)


class SDN8K(SimpleDenseNet):
    """Dense net, 784-10-20-10-10; 8,470 parameters. The fastest to train."""

    name = "sdn_8k"

    def __init__(
        self, lin1_size: PositiveInt = 10, lin2_size: PositiveInt = 20, lin3_size: PositiveInt = 10, **kwargs: Any
    ) -> None:
        super().__init__(lin1_size=lin1_size, lin2_size=lin2_size, lin3_size=lin3_size, **kwargs)


class SDN68K(SimpleDenseNet):
    """Dense net, 784-64-128-64-10; 67,978 parameters."""

    name = "sdn_68k"

    def __init__(
        self, lin1_size: PositiveInt = 64, lin2_size: PositiveInt = 128, lin3_size: PositiveInt = 64, **kwargs: Any
    ) -> None:
        super().__init__(lin1_size=lin1_size, lin2_size=lin2_size, lin3_size=lin3_size, **kwargs)
