"""The optimizer and the schedule of a model: tried before any work, made for the run, stepped when it is time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from mnistlab.schedules import RunSchedule, steps_every_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    OptimizerCallable = Callable[[Iterable[Any]], Optimizer]
    LRSchedulerCallable = Callable[[Optimizer], LRScheduler]
else:
    from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable

Interval = Literal["auto", "step", "epoch"]

_NEVER = 2**31
"""A frequency at which Lightning steps no schedule."""


class Optimization:
    """An optimizer and a schedule as a model was given them.

    Args:
        optimizer: Makes the optimizer from parameters.
        scheduler: Makes the schedule from the optimizer; None for a constant rate.
        interval: What the schedule counts.

    Raises:
        ValueError: If one of them refuses its arguments, or the optimizer does not go with dense gradients.
    """

    def __init__(self, optimizer: OptimizerCallable, scheduler: LRSchedulerCallable | None, interval: Interval) -> None:
        self._optimizer = optimizer
        self._scheduler = scheduler
        self._interval = interval
        self._try()

    def configure(self, module: LightningModule) -> Any:
        """What `configure_optimizers` returns for a model that is about to be trained."""
        optimizer = self._fused(module)
        if self._scheduler is None:
            return optimizer
        scheduler = self._scheduler(optimizer)
        if isinstance(scheduler, RunSchedule):
            scheduler.set_length(*_length(module.trainer))
        interval = self._interval
        if interval == "auto":
            interval = "step" if steps_every_batch(scheduler) else "epoch"
        # A schedule that watches a metric is stepped by `step_plateau`.
        frequency = _NEVER if isinstance(scheduler, ReduceLROnPlateau) else 1
        schedule = {"scheduler": scheduler, "interval": interval, "frequency": frequency, "monitor": "val/loss"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def _fused(self, module: LightningModule) -> Optimizer:
        """The optimizer in one kernel, where it has one, the device runs it, and the user has not decided.

        A fused optimizer unscales gradients itself, which the gradient scaler of 16-mixed does not go along with.
        """
        optimizer = self._optimizer(module.parameters())
        undecided = optimizer.defaults.get("fused", False) is None and not optimizer.defaults.get("foreach")
        if not undecided or module.trainer.precision == "16-mixed":
            return optimizer
        try:
            return self._optimizer(module.parameters(), fused=True)  # type: ignore[call-arg]
        except (TypeError, RuntimeError):  # a function that takes nothing else; a device without the kernel
            return optimizer

    def _try(self) -> None:
        """Make both for a parameter of one value and make one step, so that refusals come before any work."""
        nothing = nn.Parameter(torch.zeros(1))
        nothing.grad = torch.zeros(1)
        what = "optimizer"
        try:
            optimizer = self._optimizer([nothing])
            optimizer.step(lambda: 0.0)
            what = "scheduler"
            if self._scheduler is not None:
                self._scheduler(self._optimizer([nothing]))
        except (ValueError, TypeError, RuntimeError) as error:
            raise ValueError(f"the {what} cannot be used: {error}") from error


def step_plateau(trainer: Trainer, reported: Mapping[str, float]) -> None:
    """Step a schedule that watches a metric, in every epoch that has it.

    Lightning would do so after the epoch's checkpoint is written, and not at all in an epoch that is continued.

    Args:
        trainer: The trainer.
        reported: The metrics of this epoch, in full precision.

    Raises:
        ValueError: If there is no metric of that name.
    """
    for scheduler in (config.scheduler for config in trainer.lr_scheduler_configs):
        if not isinstance(scheduler, ReduceLROnPlateau):
            continue
        monitor = getattr(scheduler, "monitor", "val/loss")
        metrics: dict[str, Any] = {**trainer.callback_metrics, **reported}
        if monitor not in metrics and "val/loss" in metrics:
            raise ValueError(f"the schedule watches {monitor!r}, but there are {', '.join(sorted(metrics))}.")
        if monitor in reported or (monitor in metrics and not monitor.startswith("val/")):
            scheduler.step(float(metrics[monitor]))


def _length(trainer: Trainer) -> tuple[int, float]:
    """Optimizer steps of the whole run, and of an epoch."""
    total = trainer.estimated_stepping_batches
    if total == float("inf"):
        raise ValueError("a schedule that follows the run needs its length: set `max_epochs` or `max_steps`.")
    epochs = trainer.max_epochs
    return int(total), total / epochs if epochs and epochs > 0 else float(total)
