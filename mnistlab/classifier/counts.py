"""What is counted over an epoch."""

from typing import Self

import torch
from torch import Tensor

_BUNDLE = 64
"""Batches that are counted together: a handful of small operations at each step would cost a tenth of a small net's."""


class Counts:
    """Sums over the batches of an epoch, which stay on the device until its end.

    Batches are put aside and counted in bundles. The sums do not depend on where a bundle ends, so that an epoch which
    was interrupted and continued has the same.
    """

    def __init__(self, loss: float = 0.0, weight: float = 0.0, correct: int = 0, images: int = 0) -> None:
        self._loss: Tensor | float = loss  # sum of the losses, each times its weight
        self._weight: Tensor | float = weight  # sum of what the means in the losses were divided by
        self._correct: Tensor | int = correct
        self._images = images
        self._aside: list[tuple[Tensor, Tensor | float, Tensor, Tensor]] = []

    def add(self, loss: Tensor, weight: Tensor | float, logits: Tensor, target: Tensor) -> None:
        """Add a batch.

        Shape: loss (), logits (batch, num_classes), target (batch,).
        """
        self._aside.append((loss.detach(), weight, logits.detach(), target))
        self._images += len(target)
        if len(self._aside) == _BUNDLE:
            self._count()

    def as_tensor(self, device: torch.device) -> Tensor:
        """(4,): loss, weight, correct, images."""
        self._count()
        parts = [self._loss, self._weight, self._correct, self._images]
        return torch.stack([torch.as_tensor(part, dtype=_precise(device), device=device) for part in parts])

    @classmethod
    def from_tensor(cls, saved: Tensor) -> Self:
        """Continue from what `as_tensor` gave."""
        loss, weight, correct, images = saved.tolist()
        return cls(loss, weight, int(correct), int(images))

    def _count(self) -> None:
        """Count what was put aside."""
        if not self._aside:
            return
        losses, weights, logits, targets = zip(*self._aside, strict=True)
        self._aside = []
        device, dtype = losses[0].device, _precise(losses[0].device)
        if isinstance(weights[0], Tensor):
            weight = torch.stack(weights).to(dtype)
        else:
            weight = torch.tensor(weights, dtype=dtype).to(device, non_blocking=True)
        self._loss = _added(self._loss, torch.stack(losses).to(dtype) * weight)
        self._weight = _added(self._weight, weight)
        answers = torch.cat([one.argmax(dim=1) for one in logits])
        self._correct = self._correct + (answers == torch.cat(targets)).sum()


def _added(total: Tensor | float, values: Tensor) -> Tensor:
    """A sum to which values (n,) are added one after the other, so that it is the same wherever one paused."""
    first = total.reshape(1) if isinstance(total, Tensor) else values.new_full((1,), total)
    return torch.cat([first, values]).cumsum(0)[-1]


def _precise(device: torch.device) -> torch.dtype:
    """float64 for sums; MPS has none, and there float32 must do."""
    return torch.float32 if device.type == "mps" else torch.float64
