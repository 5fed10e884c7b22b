"""One module per architecture, with all its sizes."""

from mnistlab.models.assembled import Assembled
from mnistlab.models.mlp import LargeModel, MediumModel, ResidualMLP, SmallModel, TinyModel

__all__ = ["Assembled", "LargeModel", "MediumModel", "ResidualMLP", "SmallModel", "TinyModel"]
