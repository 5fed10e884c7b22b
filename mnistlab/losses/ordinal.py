"""Losses for classes in an order, such as thin to thick: a near miss costs less than a far one.

The order is that of the class indices, and neighbours are one step apart. Each loss takes the softmax of the row of
logits for the probabilities p, so that the class predicted is that of the largest logit.
"""

from math import inf

import torch
from torch import Tensor
from torch.nn import functional

from mnistlab.losses.base import Loss, in_full_precision
from mnistlab.options.numbers import NonNegativeFloat, PositiveFloat


class SoftTargetLoss(Loss):
    """Base class of cross-entropies whose target spreads to the neighbours of the class.

    -sum_k t_k log p_k. A subclass writes `spread`; the target t is its values divided by their sum, also at either end
    of the order.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.
    """

    abstract = True  # only to be derived from

    def spread(self, distance: Tensor) -> Tensor:
        """How much of the target a class gets, by its steps from the true one: any shape -> the same, 1 at 0."""
        raise NotImplementedError

    def targets(self, target: Tensor, num_classes: int) -> Tensor:
        """The soft targets: (batch,) int64 -> (batch, num_classes) float32, each row with sum 1."""
        share = self.spread(_distance(target, num_classes))
        return share / share.sum(dim=1, keepdim=True)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        return functional.cross_entropy(in_full_precision(logits), self.targets(target, logits.shape[1]))


class TriangularLoss(SoftTargetLoss):
    """For ordered classes: cross-entropy with a target that falls to 0 on both sides of the true class.

    -sum_k t_k log p_k with t_k in proportion to max(0, 1 - |k - y| / width), y being the true class. For classes that
    are mistaken for their neighbours only. Its lowest value is the entropy of the target.

    Source: Diaz and Marathe (2019), Soft Labels for Ordinal Regression, CVPR, with a triangle in place of the
    exponential; triangles are used by Vargas et al. (2023), Information Fusion 93.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.

    Args:
        width: Steps from the true class to where the target is 0, at least 1; at 1 this is cross-entropy.

    Raises:
        ValueError: If `width` is below 1 or not finite.
    """

    def __init__(self, width: PositiveFloat = 2.0) -> None:
        super().__init__()
        if not 1 <= width < inf:
            raise ValueError(f"`width` must be a finite number from 1 on, got {width}. At 1 this is cross-entropy.")
        self.width = float(width)

    def spread(self, distance: Tensor) -> Tensor:
        """Fall in a line from 1 to 0 at `width`."""
        return (1 - distance / self.width).clamp(min=0)


class GaussianLoss(SoftTargetLoss):
    """For ordered classes: cross-entropy with a target in the form of a bell around the true class.

    -sum_k t_k log p_k with t_k in proportion to exp(-(k - y)^2 / (2 sigma^2)), y being the true class. For classes that
    are steps of something continuous. Its lowest value is the entropy of the target.

    Source: Diaz and Marathe (2019), Soft Labels for Ordinal Regression, CVPR, with the squared distance.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.

    Args:
        sigma: Standard deviation of the bell in steps, above 0; towards 0 this becomes cross-entropy.

    Raises:
        ValueError: If `sigma` is not above 0 or not finite.
    """

    def __init__(self, sigma: PositiveFloat = 0.7) -> None:
        super().__init__()
        if not 0 < sigma < inf:
            raise ValueError(f"`sigma` must be a finite number above 0, got {sigma}. Use 0.1 for almost cross-entropy.")
        self.sigma = float(sigma)

    def spread(self, distance: Tensor) -> Tensor:
        """Fall as the density of a normal distribution does, from 1."""
        return (-0.5 * (distance / self.sigma) ** 2).exp()


class DistanceWeightedLoss(Loss):
    """For ordered classes: each wrong class is pushed down, the more the farther it is from the true one.

    -sum_k |k - y|^power log(1 - p_k), y being the true class. For when a far miss is worse than several near ones: the
    largest logit becomes that of the class whose expected |k - y|^power is lowest, at 1 the median and at 2 near the
    mean. So `probs` are no frequencies, unless there are two classes, where this is cross-entropy.

    Source: Polat et al. (2022), Class Distance Weighted Cross-Entropy Loss, arXiv:2202.05167.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), mean over the batch, in nats.

    Args:
        power: How fast the weight grows with the distance, at least 0; at 0 all wrong classes weigh 1.

    Raises:
        ValueError: If `power` is negative or not finite.
    """

    def __init__(self, power: NonNegativeFloat = 1.0) -> None:
        super().__init__()
        if not 0 <= power < inf:
            raise ValueError(f"`power` must be a finite number from 0 on, got {power}. At 0 distance does not count.")
        self.power = float(power)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        logits = in_full_precision(logits)
        num_classes = logits.shape[1]
        # log(1 - p_k) is that of all other classes together, which stays finite where p_k rounds to 1.
        itself = torch.eye(num_classes, dtype=torch.bool, device=logits.device)
        others = logits[:, None].masked_fill(itself, -inf).logsumexp(dim=2)
        log_not = others - logits.logsumexp(dim=1, keepdim=True)
        distance = _distance(target, num_classes)
        weight = (distance**self.power).where(distance > 0, 0)  # 0 ** 0 is 1
        return -(weight * log_not).sum(dim=1).mean()


class OrdinalRegressionLoss(Loss):
    """For ordered classes: one yes-or-no question for each step, is the true class beyond it?

    The loss is the sum of the binary cross-entropies of the num_classes - 1 answers. An answer is P(y > k) =
    p_(k+1) + ... + p_last, a sum over one softmax, so that answers never contradict each other, as those with logits of
    their own may. The loss is lowest where p are the true probabilities, as cross-entropy is, but what is given to a
    far class costs more. With two classes it is logistic regression.

    Source: Frank and Hall (2001), A Simple Approach to Ordinal Classification, ECML, for the questions; Cheng et al.
    (2008), arXiv:0704.1028, for one net with all of them; Cao et al. (2020), arXiv:1901.07884, for consistency.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (), a sum over the questions and mean over the
    batch, in nats.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        log_probs = in_full_precision(logits).log_softmax(dim=1)
        no = log_probs.logcumsumexp(dim=1)[:, :-1]
        yes = log_probs.flip(1).logcumsumexp(dim=1).flip(1)[:, 1:]
        steps = torch.arange(logits.shape[1] - 1, device=logits.device)
        return -yes.where(target[:, None] > steps, no).sum(dim=1).mean()


def _distance(target: Tensor, num_classes: int) -> Tensor:
    """Steps between each class and the true one: (batch,) int64 -> (batch, num_classes) float32."""
    return (torch.arange(num_classes, device=target.device) - target[:, None]).abs().float()
