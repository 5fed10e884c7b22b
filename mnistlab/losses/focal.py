"""Cross-entropy that gives other weight to what is learnt already: focal and label-smoothed."""

from math import inf

import torch
from torch import Tensor
from torch.nn import functional

from mnistlab.losses.base import Loss, in_full_precision
from mnistlab.losses.weights import check_length, check_numbers
from mnistlab.options.numbers import ClosedUnitInterval, NonNegativeFloat

_TINY = torch.finfo(torch.float32).tiny


class FocalLoss(Loss):
    """Cross-entropy that fades for examples already learnt.

    -(1 - p)^gamma log p, where p is the probability of the true class. For data with many easy examples; its
    probabilities are less sure than those of cross-entropy.

    Source: Lin et al. (2017), arXiv:1708.02002, equations 4 and 5.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.

    Args:
        gamma: How fast easy examples fade, at least 0; at 0 this is cross-entropy.
        weight: A weight for each class, the paper's alpha; the mean over the batch is weighted by them.

    Raises:
        ValueError: If `gamma` is negative or not finite, or `weight` is not one number from 0 on for each class.
    """

    weight: Tensor | None

    def __init__(self, gamma: NonNegativeFloat = 2.0, weight: Tensor | None = None) -> None:
        super().__init__()
        if not 0 <= gamma < inf:
            raise ValueError(f"`gamma` must be a finite number from 0 on, got {gamma}. 2 is usual, 0 is cross-entropy.")
        if weight is not None:
            check_numbers("`weight` of FocalLoss", weight)
        self.gamma = float(gamma)
        self.register_buffer("weight", weight, persistent=False)  # an option, which is not learnt

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        cross_entropy = functional.cross_entropy(in_full_precision(logits), target, reduction="none")
        # 1 - p from log p loses no digits; it is kept off 0, where a power below 1 has an infinite gradient.
        missing = (-torch.expm1(-cross_entropy)).clamp(min=_TINY)
        loss = missing**self.gamma * cross_entropy
        if self.weight is None:
            return loss.mean()
        check_length("`weight` of FocalLoss", self.weight, logits.shape[1])
        weight = self.weight[target].to(loss.dtype)
        return (loss * weight).sum() / weight.sum().clamp(min=_TINY)  # 0 where no example counts

    def weight_of_batch(self, target: Tensor) -> Tensor | float:
        """Count what the mean was divided by: the examples, or their weights.

        Shape: (batch,) -> ().
        """
        return super().weight_of_batch(target) if self.weight is None else self.weight[target].float().sum()


class LabelSmoothingLoss(Loss):
    """Cross-entropy that leaves part of the target to all classes alike, so that a net is never too sure.

    -sum_k t_k log p_k, where the true class has t = 1 - smoothing + smoothing / num_classes and each other one
    t = smoothing / num_classes. It is `CrossEntropyLoss` with `label_smoothing`, and the paper's 0.1 as its default.
    Its lowest value is the entropy of the target, 0.50 for 0.1 and ten classes.

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
            raise ValueError(f"`smoothing` must be from 0 to 1, got {smoothing}. 0.1 is usual, 0 is cross-entropy.")
        self.smoothing = float(smoothing)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        return functional.cross_entropy(in_full_precision(logits), target, label_smoothing=self.smoothing)
