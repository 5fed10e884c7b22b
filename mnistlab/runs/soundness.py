"""Whether a training still has numbers to learn with."""

import math

from lightning.pytorch import Trainer
from torch import Tensor, stack

from mnistlab.checkpoints.reading import not_finite
from mnistlab.errors import LabError

_LOOK = 64
"""Batches between two looks at the loss: to look at each of them would be to wait for the device each time."""


class DivergedError(LabError):
    """The loss or the weights are no numbers any more."""

    exit_code = 1


class Soundness:
    """Looks once in a while whether the loss and the weights are numbers; of several processes all hear the same.

    Where gradients are scaled, a loss that is none is usual: the scaler leaves out the step. Then the weights count.
    """

    def __init__(self) -> None:
        self._losses: list[Tensor] = []  # since the last look
        self._batch = 0  # the last of them

    def batch(self, loss: Tensor, batch_idx: int) -> bool:
        """Put the loss of a batch aside; whether it is time to look."""
        self._losses.append(loss.detach())
        self._batch = batch_idx
        return len(self._losses) == _LOOK

    def fault(self, trainer: Trainer, *, weights: bool) -> str | None:
        """In which epoch what is no number; None while all is well. Every process must ask."""
        found = self._odd_loss(trainer) or (weights and (_odd_weight(trainer) or _odd_metric(trainer))) or ""
        self._losses = []
        if not trainer.strategy.reduce_boolean_decision(bool(found), all=False):
            return None
        return f"in epoch {trainer.current_epoch + 1} {found or 'the loss of another process is no number'}"

    def _odd_loss(self, trainer: Trainer) -> str:
        """The first loss since the last look that is none."""
        losses = stack(self._losses).tolist() if self._losses else []
        at = next((at for at, loss in enumerate(losses) if not math.isfinite(loss)), None)
        if at is None or (is_scaled(trainer) and not _odd_weight(trainer)):
            return ""
        return f"the loss is {losses[at]} from batch {self._batch - len(losses) + at + 2} on"


def _odd_weight(trainer: Trainer) -> str:
    parameters = dict(trainer.lightning_module.named_parameters())
    name = not_finite({**parameters, **dict(trainer.lightning_module.named_buffers())}, parameters)
    return f"the weights are no numbers ({name} is the first)" if name else ""


def _odd_metric(trainer: Trainer) -> str:
    names = ("val/loss",) if is_scaled(trainer) else ("train/loss", "val/loss")
    values = {name: float(trainer.callback_metrics.get(name, 0.0)) for name in names}
    return next((f"{name} is {value}" for name, value in values.items() if not math.isfinite(value)), "")


def is_scaled(trainer: Trainer) -> bool:
    """Whether gradients are scaled, as they are with float16."""
    return getattr(trainer.precision_plugin, "scaler", None) is not None
