"""Losses: what torch lacks, what each torch loss expects, and the base class for one's own."""

from mnistlab.losses.base import Loss, LossLike
from mnistlab.losses.focal import FocalLoss, LabelSmoothingLoss
from mnistlab.losses.ordinal import DistanceWeightedLoss, GaussianLoss, OrdinalRegressionLoss, TriangularLoss
from mnistlab.losses.torch_losses import TorchLoss, as_loss

__all__ = [
    "DistanceWeightedLoss",
    "FocalLoss",
    "GaussianLoss",
    "LabelSmoothingLoss",
    "Loss",
    "LossLike",
    "OrdinalRegressionLoss",
    "TorchLoss",
    "TriangularLoss",
    "as_loss",
]
