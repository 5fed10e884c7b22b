"""What every loss of mnistlab keeps to."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn

from mnistlab.system.torch_inside import BuiltinLoss


class Loss(nn.Module):
    """Base class of losses: one row of logits against one class index.

    A loss of your own subclasses it and writes `forward`; the other two methods have defaults that fit most losses.

        class SquaredLoss(Loss):
            def forward(self, logits: Tensor, target: Tensor) -> Tensor:
                return (self.probs(logits) - F.one_hot(target, logits.shape[1])).square().sum(dim=1).mean()

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch, a mean over its examples; every loss writes its own."""
        raise NotImplementedError

    def probs(self, logits: Tensor) -> Tensor:
        """Turn logits into what `predict` calls the probability of each class: by default their softmax.

        Shape: (batch, num_classes) -> (batch, num_classes), never in half precision.
        """
        return in_full_precision(logits).softmax(dim=1)

    def weight_of_batch(self, target: Tensor) -> Tensor | float:
        """Count what the mean in `forward` was divided by: by default the number of examples.

        With it the mean over an epoch is exact although batches differ: sum(loss * weight) / sum(weight).

        Shape: (batch,) -> () on the device of `target`, or a number that is known without asking the device.
        """
        return float(len(target))


LossLike: TypeAlias = BuiltinLoss | Loss | Callable[[], BuiltinLoss | Loss]
"""What a model takes as its loss: one, or a class or function that makes one without arguments."""


def in_full_precision(logits: Tensor) -> Tensor:
    """Return float16 and bfloat16 as float32, everything else as it is."""
    return logits.float() if logits.dtype in {torch.float16, torch.bfloat16} else logits
