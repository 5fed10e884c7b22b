"""What is measured over an epoch: metrics, each of which says what an image adds to its sums."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from math import isfinite
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mnistlab.classifier.answers import BatchAnswers, answers_of
from mnistlab.losses import Loss
from mnistlab.options.numbers import PositiveInt
from mnistlab.runs.metrics import ACC, LOSS, MEASURE, PERCENT, Measure

_BUNDLE = 64
"""Batches that are counted together: a handful of small operations at each step would cost a tenth of a small net's."""

_TAKEN = "acc_best"  # a name that a column of the lab has


@dataclass(frozen=True)
class Bundle:
    """Some batches of one head, which are counted together.

    Attributes:
        losses: (batches,) the loss of each batch.
        weights: (batches,) what the mean in it was divided by.
        logits: (images, num_classes).
        target: (images,) int64, the right classes.
        loss: The loss of the head, which turns logits into probabilities.
    """

    losses: Tensor
    weights: Tensor
    logits: Tensor
    target: Tensor
    loss: Loss

    @cached_property
    def answers(self) -> BatchAnswers:
        """What was said about each image, and how confidently."""
        return answers_of(self.logits, self.loss.probs(self.logits), self.target)


class Metric:
    """Base class of metrics: what each image adds to some sums, and what follows from these at the end of an epoch.

    A metric of your own subclasses it, says what it is called and writes `count`; as a dataclass it may have options.

        @dataclass(frozen=True)
        class Doubt(Metric):
            name, title, unit, higher_is_better = "doubt", "mean doubt", "%", False

            def count(self, bundle: Bundle) -> Tensor:
                return 1 - bundle.answers.confidence

    The sums are added up in float64, image after image, so that an epoch which was interrupted and continued has the
    same.
    """

    @property
    def name(self) -> str:
        """What it is called in tables and options: `top3` of `val/top3`."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """What it is called in words; by default as in tables."""
        return self.name

    unit: str = ""
    higher_is_better: bool = True

    def count(self, bundle: Bundle) -> Tensor:
        """What each image adds: (images,), or (images, sums) where there are several."""
        raise NotImplementedError

    def value(self, sums: Tensor) -> float:
        """The metric, by the sums of an epoch and the number of its images, which is the last: by default a mean."""
        return float(sums[0] / sums[-1])

    def refusal(self, num_classes: int) -> str:
        """Why it says nothing about so many classes; nothing where it does."""
        return ""

    @property
    def measure(self) -> Measure:
        """What a reader must know of it."""
        return Measure(self.name, self.title, self.unit, self.higher_is_better)


class EpochLoss(Metric):
    """The loss: the mean over all batches, each by its weight. Its rows are batches."""

    abstract = True  # every model has it
    name, title, higher_is_better = LOSS.name, LOSS.title, LOSS.higher_is_better

    def count(self, bundle: Bundle) -> Tensor:
        """The loss times its weight, and the weight."""
        return torch.stack([bundle.losses * bundle.weights, bundle.weights], dim=1)

    def value(self, sums: Tensor) -> float:
        """Class weights may be 0 for all that a split has; such a batch has the loss 0, too."""
        return float(sums[0] / sums[1]) if sums[1] else 0.0


class Accuracy(Metric):
    """The share of images whose largest logit is that of the right class."""

    abstract = True  # every model has it
    name, title, unit = ACC.name, ACC.title, ACC.unit

    def count(self, bundle: Bundle) -> Tensor:
        """Whether the answer is right."""
        return bundle.logits.argmax(dim=1) == bundle.target


@dataclass(frozen=True)
class TopKAccuracy(Metric):
    """The share of images whose right class is among the k with the largest logits; of equal ones the first count.

    Args:
        k: How many answers each image has; fewer than there are classes.
    """

    k: PositiveInt = 5
    unit = PERCENT

    @property
    def name(self) -> str:
        """`top5`."""
        return f"top{self.k}"

    @property
    def title(self) -> str:
        """`top-5 accuracy`."""
        return f"top-{self.k} accuracy"

    def count(self, bundle: Bundle) -> Tensor:
        """Whether fewer than k classes come before the right one; what is no number comes before all."""
        logits, target = bundle.logits, bundle.target[:, None]
        own = logits.gather(1, target)
        earlier = torch.arange(logits.shape[1], device=logits.device) < target
        ahead = ~(logits <= own) | ((logits == own) & earlier)
        return ahead.sum(dim=1) < self.k

    def refusal(self, num_classes: int) -> str:
        """With k classes or fewer every answer would be right."""
        return "" if self.k < num_classes else f"{self.name} of {num_classes} classes is always 100 %"


@dataclass(frozen=True)
class Top3Accuracy(TopKAccuracy):
    """The share of images whose right class is among the three with the largest logits."""

    k: PositiveInt = 3


@dataclass(frozen=True)
class CalibrationError(Metric):
    """Expected calibration error: how far the confidence of answers is from the share of them that is right.

    The mean gap over bins of equal width, each bin by its images. What a loss calls probabilities counts.

    Source: Guo et al. (2017), arXiv:1706.04599, equation 3.

    Args:
        bins: Parts into which confidences from 0 to 1 are divided.
    """

    bins: PositiveInt = 15
    name, title, unit, higher_is_better = "ece", "calibration error", PERCENT, False

    def count(self, bundle: Bundle) -> Tensor:
        """Confidence less rightness in the image's bin; sums of such float32 numbers are exact in float64."""
        answers, dtype = bundle.answers, _precise(bundle.logits.device)
        confidence = answers.confidence.to(dtype)
        number = (confidence.nan_to_num() * self.bins).ceil().long().sub(1).clamp(0, self.bins - 1)
        return functional.one_hot(number, self.bins) * (confidence - answers.right.to(dtype))[:, None]

    def value(self, sums: Tensor) -> float:
        """The gaps of all bins, over all images."""
        return float(sums[:-1].abs().sum() / sums[-1])


class Counts:
    """The sums of metrics over the batches of an epoch, which stay on the device until its end.

    Batches are put aside and counted in bundles. The sums do not depend on where a bundle ends, so that an epoch which
    was interrupted and continued has the same.

    Args:
        metrics: What is measured.
        loss: The loss of the head.
        sums: Those of an epoch that goes on, by the names of the metrics, each (sums + 1,); the last is the number of
            images.
    """

    def __init__(self, metrics: Sequence[Metric], loss: Loss, sums: Mapping[str, Tensor] | None = None) -> None:
        self._metrics, self._of_head = metrics, loss
        self._sums = dict(sums or {})
        self._aside: list[tuple[Tensor, Tensor | float, Tensor, Tensor]] = []

    def add(self, loss: Tensor, weight: Tensor | float, logits: Tensor, target: Tensor) -> None:
        """Add a batch.

        Shape: loss (), logits (batch, num_classes), target (batch,).
        """
        self._aside.append((loss.detach(), weight, logits.detach(), target))
        if len(self._aside) == _BUNDLE:
            self._count()

    def sums(self) -> dict[str, Tensor]:
        """Those of each metric, by name."""
        self._count()
        return {metric.name: self._sums[metric.name] for metric in self._metrics}

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
        bundle = Bundle(torch.stack(losses).to(dtype), weight, torch.cat(logits), torch.cat(targets), self._of_head)
        for metric in self._metrics:
            self._sums[metric.name] = _added(self._sums.get(metric.name), metric.count(bundle).to(dtype))


def sums_of(saved: Tensor | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The sums that a checkpoint has of a head; an older one has loss, weight, right answers, images in a row."""
    if isinstance(saved, Tensor):
        return {LOSS.name: saved[..., [0, 1, 1]], ACC.name: saved[..., 2:]}
    return saved


def as_metrics(given: object, heads: Mapping[str, int], losses: Mapping[str, Loss]) -> list[Metric]:
    """What a model measures: loss, accuracy, and what it was given besides.

    Each metric is counted once here, so that what it refuses only then comes before any work.

    Args:
        given: A metric, several, or none.
        heads: Number of classes of each head, the primary one first.
        losses: The loss of each head.

    Raises:
        ValueError: If something is no metric, has a name that it cannot have, or says nothing about the primary head.
    """
    more: list[Any] = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
    primary, size = next(iter(heads.items()))
    taken = {_TAKEN}
    every: list[Metric] = []
    for metric in (EpochLoss(), Accuracy(), *more):
        which = type(metric).__name__
        if fault := _fault(metric, size, losses[primary]):
            raise ValueError(f"`metrics` cannot have {which}: {fault.rstrip('.')}.")
        columns = [metric.name, *(f"{head}_{metric.name}" for head in heads)]
        if found := [name for name in columns if name in taken]:
            raise ValueError(f"`metrics` cannot have {which}: there is a {found[0]} already. Give it another name.")
        taken |= {*columns}
        every.append(metric)
    return every


def _fault(metric: object, num_classes: int, loss: Loss) -> str:
    """Why something cannot measure a head with so many classes, found out with two images; nothing where it can."""
    if not isinstance(metric, Metric):
        return f"it is no metric, such as Top3Accuracy(), but {metric!r}"
    target = torch.tensor([0, num_classes - 1])
    bundle = Bundle(torch.zeros(2), torch.ones(2), torch.zeros(2, num_classes), target, loss)
    try:
        if not metric.name.isidentifier() or MEASURE(asdict(metric.measure)):
            return f"`name` must be letters, digits and _, `title` and `unit` text, but they are {metric.measure}"
        rows: object = metric.count(bundle)
        if not isinstance(rows, Tensor) or rows.shape[:1] != target.shape:
            return "`count` must give a tensor with a row for each image"
        value = metric.value(_added(None, rows.double()))
    except (ValueError, TypeError, RuntimeError, LookupError, AttributeError) as error:
        return str(error) or "it has no name, or no `count`"
    return metric.refusal(num_classes) or ("" if isfinite(value) else f"it is {value} where all logits are 0")


def _added(total: Tensor | None, rows: Tensor) -> Tensor:
    """Sums to which rows, and their number, are added one after the other: they are the same wherever one paused."""
    rows = functional.pad(rows.reshape(len(rows), -1), (0, 1), value=1.0)
    if total is None or total.shape != rows.shape[1:]:
        total = rows.new_zeros(rows.shape[1])
    return torch.cat([total.to(rows)[None], rows]).cumsum(0)[-1]


def _precise(device: torch.device) -> torch.dtype:
    """float64 for sums; MPS has none, and there float32 must do."""
    return torch.float32 if device.type == "mps" else torch.float64
