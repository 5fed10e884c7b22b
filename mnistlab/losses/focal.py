"""Cross-entropy with other weight on the easy and on the wrong: focal and label-smoothed."""

import torch
from torch import Tensor
from torch.nn import functional as F

from mnistlab.losses.base import Loss, in_full_precision
from mnistlab.numbers import ClosedUnitInterval, NonNegativeFloat


class FocalLoss(Loss):
    """Cross-entropy that fades for examples already learnt: -w (1 - p)^gamma log p, p being the class's probability.

    Source: Lin et al. (2017), arXiv:1708.02002, equations 4 and 5.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.

    Args:
        gamma: How fast easy examples fade; at 0 this is cross-entropy.
        weight: A weight for each class, the paper's alpha; the mean is over the weights.

    Raises:
        ValueError: If `gamma` is negative, or there is not one weight for each class.
    """

    weight: Tensor | None

    def __init__(self, gamma: NonNegativeFloat = 2.0, weight: Tensor | None = None) -> None:
        super().__init__()
        if gamma < 0:
            raise ValueError(f"`gamma` must be 0 or more, got {gamma}.")
        if weight is not None and not (weight.isfinite().all() and weight.min() >= 0 and weight.sum() > 0):
            raise ValueError(f"`weight` must hold finite numbers from 0 on, not all 0, got {weight.tolist()}.")
        self.gamma = float(gamma)
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        cross_entropy = F.cross_entropy(in_full_precision(logits), target, reduction="none")
        # 1 - p is kept off 0, where a power below 1 has no gradient.
        loss = (-torch.expm1(-cross_entropy)).clamp(min=torch.finfo(torch.float32).tiny) ** self.gamma * cross_entropy
        if self.weight is None:
            return loss.mean()
        if len(self.weight) != logits.shape[1]:
            raise ValueError(
                f"`weight` must hold {logits.shape[1]} numbers, one for each class, got {len(self.weight)}."
            )
        weight = self.weight[target]
        return (loss * weight).sum() / weight.sum().clamp(min=torch.finfo(torch.float32).tiny)

    def weight_of_batch(self, target: Tensor) -> Tensor | float:
        """Count what the mean was divided by: the examples, or their weights."""
        return super().weight_of_batch(target) if self.weight is None else self.weight[target].sum()


class LabelSmoothingLoss(Loss):
    """Cross-entropy with a target that leaves part of the probability to all classes alike.

    The class has 1 - smoothing + smoothing / num_classes, every other one smoothing / num_classes. The same as
    `CrossEntropyLoss` with `label_smoothing`, under the name it is looked for.

    Source: Szegedy et al. (2016), arXiv:1512.00567, section 7.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.

    Args:
        smoothing: The part that all classes share, from 0 to 1; at 0 this is cross-entropy.

    Raises:
        ValueError: If `smoothing` is not from 0 to 1.
    """

    def __init__(self, smoothing: ClosedUnitInterval = 0.1) -> None:
        super().__init__()
        if not 0 <= smoothing <= 1:
            raise ValueError(f"`smoothing` must be from 0 to 1, got {smoothing}.")
        self.smoothing = float(smoothing)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        return F.cross_entropy(in_full_precision(logits), target, label_smoothing=self.smoothing)
