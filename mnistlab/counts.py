"""What is counted over an epoch."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass
class Counts:
    """Sums over the batches of an epoch, which stay on the device until its end.

    Attributes:
        loss: Sum of the losses, each times its weight.
        weight: Sum of what the means in the losses were divided by.
        correct: Number of correct predictions.
        images: Number of images.
    """

    loss: Tensor | float = 0.0
    weight: Tensor | float = 0.0
    correct: Tensor | int = 0
    images: int = 0

    def add(self, loss: Tensor, weight: Tensor | float, logits: Tensor, target: Tensor) -> None:
        """Add a batch; every operation counts, since this runs at each step.

        Shape: loss (), logits (batch, num_classes), target (batch,).
        """
        self.loss = self.loss + loss.to(_precise(loss)) * weight
        self.weight = self.weight + weight
        self.correct = self.correct + (logits.argmax(dim=1) == target).sum()
        self.images += len(target)

    def as_tensor(self, device: torch.device) -> Tensor:
        """(4,): loss, weight, correct, images."""
        parts = [self.loss, self.weight, self.correct, self.images]
        dtype = torch.float32 if device.type == "mps" else torch.float64
        return torch.stack([torch.as_tensor(part, dtype=dtype, device=device) for part in parts])

    @classmethod
    def from_tensor(cls, saved: Tensor) -> Self:
        """Continue from what `as_tensor` gave."""
        loss, weight, correct, images = saved.tolist()
        return cls(loss, weight, int(correct), int(images))


def _precise(tensor: Tensor) -> torch.dtype:
    """float64 for sums; MPS has none, and there float32 must do."""
    return torch.float32 if tensor.device.type == "mps" else torch.float64
