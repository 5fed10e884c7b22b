"""Losses: what each torch loss expects, and the base class for one's own."""

from mnistlab.losses.base import Loss, LossLike
from mnistlab.losses.torch_losses import TorchLoss, as_loss

__all__ = ["Loss", "LossLike", "TorchLoss", "as_loss"]
