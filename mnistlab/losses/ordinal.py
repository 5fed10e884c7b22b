"""Losses for classes in an order, such as thin to thick: a near miss costs less than a far one."""

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional as F

from mnistlab.losses.base import Loss, in_full_precision
from mnistlab.numbers import NonNegativeFloat, PositiveFloat


class SoftTargetLoss(Loss):
    """Base class of cross-entropies whose target spreads to the neighbours of the class: -sum_k t_k log p_k.

    A subclass writes `spread`; its values are divided by their sum, at the ends of the order too.

    Source: Diaz and Marathe (2019), Soft Labels for Ordinal Regression, CVPR.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats. Its lowest value
    is the entropy of the target.
    """

    abstract = True  # only to be derived from

    @abstractmethod
    def spread(self, distance: Tensor) -> Tensor:
        """The weight of a class at some distance from the true one, any shape of float32 -> the same."""

    def targets(self, target: Tensor, num_classes: int) -> Tensor:
        """The soft targets: (batch,) -> (batch, num_classes), each row with sum 1."""
        weight = self.spread(_distance(target, num_classes))
        return weight / weight.sum(dim=1, keepdim=True)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        return F.cross_entropy(in_full_precision(logits), self.targets(target, logits.shape[1]))


class TriangularLoss(SoftTargetLoss):
    """Cross-entropy with a target that falls evenly on both sides of the class: t_k ~ max(0, 1 - |k - y| / width).

    Source: Diaz and Marathe (2019), Soft Labels for Ordinal Regression, CVPR, with a triangle in place of an
    exponential.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.

    Args:
        width: Classes from the true one to where the target is 0; up to 1 this is cross-entropy.

    Raises:
        ValueError: If `width` is not above 0.
    """

    def __init__(self, width: PositiveFloat = 2.0) -> None:
        super().__init__()
        if width <= 0:
            raise ValueError(f"`width` must be above 0, got {width}.")
        self.width = float(width)

    def spread(self, distance: Tensor) -> Tensor:
        """Fall linearly to 0 at `width`."""
        return (1 - distance / self.width).clamp(min=0)


class GaussianLoss(SoftTargetLoss):
    """Cross-entropy with a target in the form of a bell around the class: t_k ~ exp(-(k - y)^2 / (2 sigma^2)).

    Source: Diaz and Marathe (2019), Soft Labels for Ordinal Regression, CVPR, with the squared distance.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.

    Args:
        sigma: Standard deviation of the bell, in classes; towards 0 this is cross-entropy.

    Raises:
        ValueError: If `sigma` is not above 0.
    """

    def __init__(self, sigma: PositiveFloat = 0.7) -> None:
        super().__init__()
        if sigma <= 0:
            raise ValueError(f"`sigma` must be above 0, got {sigma}.")
        self.sigma = float(sigma)

    def spread(self, distance: Tensor) -> Tensor:
        """Fall as the normal distribution does."""
        return (-((distance / self.sigma) ** 2) / 2).exp()


class DistanceWeightedLoss(Loss):
    """Every wrong class is pushed down, the more the farther it is: -sum_k |k - y|^power log(1 - p_k).

    Source: Polat et al. (2022), Class Distance Weighted Cross-Entropy Loss, arXiv:2202.05167, equation 2.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.

    Args:
        power: How fast the weight grows with the distance; at 0 all wrong classes weigh 1.

    Raises:
        ValueError: If `power` is negative.
    """

    def __init__(self, power: NonNegativeFloat = 2.0) -> None:
        super().__init__()
        if power < 0:
            raise ValueError(f"`power` must be 0 or more, got {power}.")
        self.power = float(power)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        logits = in_full_precision(logits)
        size = logits.shape[1]
        # log(1 - p_k) is the log-probability of all others together, which is finite where p_k is 1.
        itself = torch.eye(size, dtype=torch.bool, device=logits.device)
        others = logits[:, None].expand(-1, size, -1).masked_fill(itself, -torch.inf).logsumexp(dim=2)
        log_not = others - logits.logsumexp(dim=1, keepdim=True)
        distance = _distance(target, size)
        weight = torch.where(distance > 0, distance**self.power, 0)
        return -(weight * log_not).sum(dim=1).mean()


class OrdinalRegressionLoss(Loss):
    """One yes-or-no question for each step of the order, is it beyond k?, with a binary cross-entropy each; their sum.

    The answers P(y > k) are sums over one softmax, so they never contradict each other and the most probable class is
    that of the largest logit. With two classes this is logistic regression, which is cross-entropy.

    Source: Frank and Hall (2001), A Simple Approach to Ordinal Classification, ECML; Cao et al. (2020),
    arXiv:1901.07884, for why the answers must agree.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        log_probs = in_full_precision(logits).log_softmax(dim=1)
        up_to = log_probs.logcumsumexp(dim=1)[:, :-1]
        beyond = log_probs.flip(1).logcumsumexp(dim=1).flip(1)[:, 1:]
        steps = torch.arange(logits.shape[1] - 1, device=logits.device)
        return -torch.where(target[:, None] > steps, beyond, up_to).sum(dim=1).mean()


def _distance(target: Tensor, num_classes: int) -> Tensor:
    """Classes between each class and the true one: (batch,) -> (batch, num_classes) float32."""
    return (torch.arange(num_classes, device=target.device) - target[:, None]).abs().to(torch.float32)
