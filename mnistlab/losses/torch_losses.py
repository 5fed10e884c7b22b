"""Torch's own losses, each given what it expects.

A net's output is one row of logits, the label one class index. Torch's losses want logits, log-probabilities or
probabilities, and indices, one-hot rows or signs; the wrong ones often train without an error, to NaN or to nothing.
`GIVEN` says what each one gets. The accuracy reached with each is in docs/losses.md.
"""

import copy
import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mnistlab.losses.base import Loss, LossLike, in_full_precision
from mnistlab.losses.weights import check_length, check_numbers
from mnistlab.system.torch_inside import BuiltinLoss


def logits_themselves(logits: Tensor) -> Tensor:
    """Leave the logits as they are."""
    return logits


def bounded(logits: Tensor) -> Tensor:
    """Leave the logits as they are up to 80 on either side and bound them there, with the gradient of no bound.

    Torch's SoftMarginLoss computes exp(logit) and is infinite from 89 on.
    """
    return logits + (logits.clamp(-80, 80) - logits).detach()


def softmax(logits: Tensor) -> Tensor:
    """Probabilities that sum to 1."""
    return logits.softmax(dim=1)


def mild_softmax(logits: Tensor) -> Tensor:
    """Probabilities that sum to 1, at temperature 4: less sure at the start than `softmax`."""
    return (logits / 4).softmax(dim=1)


def log_softmax(logits: Tensor) -> Tensor:
    """Logarithms of probabilities that sum to 1."""
    return logits.log_softmax(dim=1)


def indices(target: Tensor, num_classes: int) -> Tensor:  # noqa: ARG001 - as the others are called
    """Leave the class indices as they are."""
    return target


def one_hot(target: Tensor, num_classes: int) -> Tensor:
    """1 for the class, 0 for the others."""
    return functional.one_hot(target, num_classes).float()


def log_one_hot(target: Tensor, num_classes: int) -> Tensor:
    """Logarithms of `one_hot`: 0 for the class, and for the others the lowest number, since 0 * -inf is NaN."""
    return one_hot(target, num_classes).log().clamp(min=torch.finfo(torch.float32).min)


def signs(target: Tensor, num_classes: int) -> Tensor:
    """1 for the class, -1 for the others."""
    return 2 * one_hot(target, num_classes) - 1


@dataclass(frozen=True)
class Given:
    """What one of torch's losses is given in place of logits and class indices."""

    input: Callable[[Tensor], Tensor]  # from logits, (batch, num_classes) -> (batch, num_classes)
    target: Callable[[Tensor, int], Tensor]
    """From class indices and num_classes, (batch,) -> (batch,) or (batch, num_classes)."""
    probs: Callable[[Tensor], Tensor] = softmax
    """From logits to what `predict` calls their probabilities, (batch, num_classes) -> (batch, num_classes)."""


GIVEN: dict[type[BuiltinLoss], Given] = {
    nn.CrossEntropyLoss: Given(logits_themselves, indices),
    nn.NLLLoss: Given(log_softmax, indices),
    nn.MultiMarginLoss: Given(logits_themselves, indices),
    nn.MSELoss: Given(softmax, one_hot),
    # L1Loss has hardly a gradient where a probability is near 0. On `softmax` one seed of ten never learnt one of the
    # digits (87 %), and one in eight on the logits themselves (88 %); at temperature 4 none of nine.
    nn.L1Loss: Given(mild_softmax, one_hot, mild_softmax),
    nn.SmoothL1Loss: Given(softmax, one_hot),
    nn.HuberLoss: Given(softmax, one_hot),
    nn.BCELoss: Given(torch.sigmoid, one_hot),
    nn.BCEWithLogitsLoss: Given(logits_themselves, one_hot),
    nn.SoftMarginLoss: Given(bounded, signs),
    nn.MultiLabelSoftMarginLoss: Given(logits_themselves, one_hot),
    nn.KLDivLoss: Given(log_softmax, one_hot),
    # The rates of one-hot counts sum to 1. Free rates, exp(logit), overflow at a logit of 89.
    nn.PoissonNLLLoss: Given(log_softmax, one_hot),
}

REFUSED: dict[type[nn.Module], str] = {
    nn.AdaptiveLogSoftmaxWithLoss: "it has an output layer of its own and returns a pair",
    nn.CTCLoss: "it aligns sequences of different lengths",
    nn.CosineEmbeddingLoss: "it compares two embeddings with each other",
    nn.GaussianNLLLoss: "it needs a variance beside each output",
    nn.HingeEmbeddingLoss: "it reads each output as a distance between two inputs",
    nn.LinearCrossEntropyLoss: "it has an output layer of its own and takes features; CrossEntropyLoss is the same",
    nn.MarginRankingLoss: "it ranks two inputs against each other",
    nn.MultiLabelMarginLoss: "it is for several labels on one image; with one label MultiMarginLoss is the same",
    nn.TripletMarginLoss: "it compares an embedding with two others",
    nn.TripletMarginWithDistanceLoss: "it compares an embedding with two others",
}


class TorchLoss(Loss):
    """One of torch's losses, given what it expects; computed in float32 under every precision.

    `probs` is the softmax of the logits, for L1Loss at the temperature it learns with. Losses that see each class by
    itself (BCEWithLogitsLoss and its like) mean sigmoid(logit) by a class's probability; given that exactly one class
    is right, as it is here, those are proportional to p / (1 - p) = exp(logit), which is softmax again.

    Shape: logits (batch, num_classes), target (batch,) int64 -> loss (). A batch in which nothing counts, because of
    `ignore_index` or weights of 0, has loss 0 and no gradient, where torch has NaN.

    Args:
        loss: One of torch's losses that compare an output with a class, or a subclass of one.
        num_classes: Length of a row of logits.

    Raises:
        ValueError: If the loss wants something else than logits and a class, does not reduce to a mean, or has class
            weights of another length.
    """

    abstract = True  # nobody chooses the wrapper

    def __init__(self, loss: BuiltinLoss, num_classes: int) -> None:
        super().__init__()
        _check_kind(type(loss))
        _check_reduction(loss)
        _check_weights(loss, num_classes)
        self.num_classes = num_classes
        self.given = given_to(loss)
        self.scale = 1.0
        if isinstance(loss, nn.KLDivLoss) and loss.reduction == "mean":
            # The same number, without torch's warning at each batch that "mean" divides by num_classes as well.
            loss, self.scale = copy.copy(loss), 1 / num_classes
            loss.reduction = "batchmean"
        self.loss = loss
        self._weight_name = next((name for name, _ in loss.named_buffers()), None)
        # These two divide by what counts in the batch, the others by its size.
        self.can_skip, self.ignore_index = False, -1
        if isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss):
            self.ignore_index = loss.ignore_index
            self.can_skip = 0 <= loss.ignore_index < num_classes or any(True for _ in loss.buffers())

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch as torch does, with its own mean."""
        if not self.can_skip:
            return self._value(logits, target)
        # Both sides of the division by zero are hidden, or its NaN would come back with the gradient.
        counts = torch.as_tensor(self.weight_of_batch(target), device=target.device) > 0
        return self._value(logits.where(counts, 0), target).where(counts, 0)

    def probs(self, logits: Tensor) -> Tensor:
        """Turn logits into what `predict` calls the probability of each class.

        Shape: (batch, num_classes) -> (batch, num_classes), never in half precision.
        """
        return self.given.probs(in_full_precision(logits))

    def weight_of_batch(self, target: Tensor) -> Tensor | float:
        """Count what torch divided by: the examples, or the weights of those that `ignore_index` leaves.

        Shape: (batch,) -> ().
        """
        if not self.can_skip:
            return super().weight_of_batch(target)
        counts = target.ne(self.ignore_index)
        weight = self._weight()
        if weight is None:
            return counts.sum().float()
        return (weight[target.where(counts, 0)] * counts).sum().float()

    def _value(self, logits: Tensor, target: Tensor) -> Tensor:
        with _no_autocast(logits.device.type):  # BCELoss refuses to run under autocast, others lose digits
            weight = self._weight()
            logits = in_full_precision(logits) if weight is None else logits.to(weight.dtype)
            value: Tensor = self.loss(self.given.input(logits), self._target(logits, target))
        return value if self.scale == 1 else value * self.scale

    def _weight(self) -> Tensor | None:
        """The class weights of the loss, where it has some."""
        return self.loss.get_buffer(self._weight_name) if self._weight_name else None

    def _target(self, logits: Tensor, target: Tensor) -> Tensor:
        given = self.given.target(target, self.num_classes)
        return given.to(logits.dtype) if given.is_floating_point() else given


def given_to(loss: BuiltinLoss) -> Given:
    """Look up what a loss is given: by its class, the nearest parent first, and by its options."""
    if isinstance(loss, nn.KLDivLoss) and loss.log_target:
        return Given(log_softmax, log_one_hot)
    if isinstance(loss, nn.PoissonNLLLoss) and not loss.log_input:
        return Given(softmax, one_hot)
    return next(GIVEN[kind] for kind in type(loss).__mro__ if kind in GIVEN)


def as_loss(loss: LossLike, num_classes: int) -> Loss:
    """Make a loss ready for use out of what a user may name, or say why it cannot be one.

    Torch's losses keep their class weights as buffers. Those are options and not learnt, so they are taken out of the
    state_dict, and a checkpoint loads with other weights; they still follow `.to(device)`. What a loss of your own
    keeps is left as it is.

    Args:
        loss: A loss of mnistlab, of torch, or of your own, or a class or function that makes one without arguments.
        num_classes: Length of a row of logits.

    Raises:
        ValueError: If it is none of these, or one that does not fit logits and a class index.
    """
    made = loss if isinstance(loss, BuiltinLoss | Loss) else _made_by(loss)
    _check_kind(type(made))
    ready = made if isinstance(made, Loss) else TorchLoss(made, num_classes)
    if isinstance(ready, TorchLoss) and ready.num_classes != num_classes:
        raise ValueError(f"`loss` must be made for {num_classes} classes, got one for {ready.num_classes}.")
    for module in ready.modules():
        if isinstance(module, BuiltinLoss):
            _keep_out_of_state_dict(module)
    return ready


def _keep_out_of_state_dict(loss: BuiltinLoss) -> None:
    for name, buffer in list(loss.named_buffers(recurse=False, remove_duplicate=False)):
        # Weights written as integers would fail in the first batch.
        weight = buffer if buffer.is_floating_point() else buffer.float()
        loss.register_buffer(name, weight, persistent=False)


def _made_by(factory: Callable[[], BuiltinLoss | Loss]) -> BuiltinLoss | Loss:
    maker = factory.func if isinstance(factory, functools.partial) else factory
    if isinstance(maker, type):
        _check_kind(maker)
    if isinstance(factory, nn.Module):  # callable, but with logits
        _check_kind(type(factory))
    if not callable(factory):
        raise _refusal(repr(factory))
    if missing := _required(factory):
        name = getattr(maker, "__name__", repr(maker))
        raise ValueError(
            f"`loss` must be made without arguments, got {name}, which requires {', '.join(missing)}. "
            f"Use a class whose options have defaults, or functools.partial({name}, {missing[0]}=...)."
        )
    return factory()


def _required(factory: Callable[..., object]) -> list[str]:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # written in C, without a signature
        return []
    named = [p for p in parameters if p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}]
    return [p.name for p in named if p.default is p.empty]


def _check_kind(kind: type) -> None:
    if issubclass(kind, (Loss, *GIVEN)):
        return
    reason = next((REFUSED[parent] for parent in kind.__mro__ if parent in REFUSED), None)
    if reason is None:
        raise _refusal(kind.__name__)
    raise ValueError(
        f"`loss` must compare one row of logits with one class index, got {kind.__name__}: {reason}. "
        f"Use one of {', '.join(sorted(kind.__name__ for kind in GIVEN))}."
    )


def _refusal(came: str) -> ValueError:
    return ValueError(
        f"`loss` must be one of torch's losses or a subclass of mnistlab.losses.Loss, got {came}. For a loss of your "
        "own, subclass mnistlab.losses.Loss and write forward(logits, target) -> mean over the batch."
    )


def _check_reduction(loss: BuiltinLoss) -> None:
    allowed = ("mean", "batchmean") if isinstance(loss, nn.KLDivLoss) else ("mean",)
    if loss.reduction not in allowed:
        raise ValueError(
            f"`reduction` of {type(loss).__name__} must be {' or '.join(map(repr, allowed))}, got {loss.reduction!r}. "
            "Leave it out."
        )


def _check_weights(loss: BuiltinLoss, num_classes: int) -> None:
    for name in ("weight", "pos_weight"):
        weight = getattr(loss, name, None)
        if isinstance(weight, Tensor):
            option = f"`{name}` of {type(loss).__name__}"
            check_length(option, weight, num_classes)
            check_numbers(option, weight)


def _no_autocast(device_type: str) -> AbstractContextManager[object]:
    if torch.amp.is_autocast_available(device_type) and torch.is_autocast_enabled(device_type):
        return torch.autocast(device_type, enabled=False)
    return nullcontext()
