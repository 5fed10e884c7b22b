"""One module per architecture, with all its sizes."""

from mnistlab.models.mlp import LargeModel, MediumModel, ResidualMLP, SmallModel, TinyModel

__all__ = ["LargeModel", "MediumModel", "ResidualMLP", "SmallModel", "TinyModel"]
