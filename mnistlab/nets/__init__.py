"""Nets as plain torch modules, for use in any program: their parts, and what can be asked of them."""

from mnistlab.nets.depthwise import DepthwiseConv2d
from mnistlab.nets.dropout import Dropout
from mnistlab.nets.parts import (
    WEIGHT_STD,
    Attending,
    Backbone,
    Head,
    LinearHead,
    MLPHead,
    Net,
    init_truncated_normal,
)
from mnistlab.nets.stochastic_depth import StochasticDepth

__all__ = [
    "WEIGHT_STD",
    "Attending",
    "Backbone",
    "DepthwiseConv2d",
    "Dropout",
    "Head",
    "LinearHead",
    "MLPHead",
    "Net",
    "StochasticDepth",
    "init_truncated_normal",
]
