"""Nets as plain torch modules, for use in any program: their parts, and what can be asked of them."""

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

__all__ = [
    "WEIGHT_STD",
    "Attending",
    "Backbone",
    "Dropout",
    "Head",
    "LinearHead",
    "MLPHead",
    "Net",
    "init_truncated_normal",
]
