"""The optimizer and the schedule of a model: tried before any work, made for the run, stepped when it is time."""

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau

from mnistlab.errors import LabError
from mnistlab.schedules import RunSchedule, steps_every_batch
from mnistlab.system.lightning_inside import progress_of
from mnistlab.system.purpose import Purpose

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

OptimizerCallable = Callable[[Iterable[Any]], Optimizer]
LRSchedulerCallable = Callable[[Optimizer], LRScheduler]

Interval = Literal["auto", "step", "epoch"]

Metrics = Mapping[str, float]

_NEVER = 2**31  # a frequency at which Lightning steps no schedule


class Optimization:
    """An optimizer and a schedule as a model was given them.

    A checkpoint brings the optimizer's moments and how far the run is, and no option: where a run goes on, the options
    are those of this object, and the schedule is stepped from its beginning to the place that the run has come to. So
    it stands where it would in a fresh run, whatever has changed.

    Args:
        optimizer: Makes the optimizer from parameters.
        scheduler: Makes the schedule from the optimizer; None for a constant rate.
        interval: What the schedule counts.

    Raises:
        ValueError: If one of them refuses its arguments, if the optimizer does not go with dense gradients, or the
            interval not with the schedule.
    """

    def __init__(self, optimizer: OptimizerCallable, scheduler: LRSchedulerCallable | None, interval: Interval) -> None:
        self._optimizer = optimizer
        self._scheduler = scheduler
        self._interval = interval
        self._options: list[dict[str, Any]] = []  # of each group of parameters, as a fresh run begins
        if not Purpose.only_measures:  # torch takes as long to import what makes an optimizer as it takes itself
            self._try()

    def configure(self, module: "LightningModule") -> Any:
        """What `configure_optimizers` returns for a model that is about to be trained."""
        optimizer = self._fused(module)
        schedule = None if self._scheduler is None else self._schedule(optimizer, module.trainer)
        self._options = [
            {name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups
        ]
        return {"optimizer": optimizer, "lr_scheduler": schedule} if schedule else optimizer

    def take_up(self, trainer: "Trainer", history: Sequence[Metrics], *, changed: bool) -> None:
        """Bring what a checkpoint has restored in line with the options of this run.

        Args:
            trainer: The trainer, which knows how far the run is.
            history: The metrics of each epoch so far, in full precision.
            changed: Whether options of the optimizer are others than when the checkpoint was written.

        Raises:
            LabError: If the optimizer cannot go on with what an earlier one has kept.
        """
        optimizer = trainer.optimizers[0]
        for group, options in zip(optimizer.param_groups, self._options, strict=True):
            group.update(options)
        if changed:
            self._try_state(optimizer)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"Detected call of `lr_scheduler.step\(\)` before")
            for config in trainer.lr_scheduler_configs:
                _bring_up(config.scheduler, config.interval, trainer, history)

    def _schedule(self, optimizer: Optimizer, trainer: "Trainer") -> dict[str, object]:
        assert self._scheduler is not None
        scheduler = self._scheduler(optimizer)
        interval: str = self._interval
        if interval == "auto":
            interval = "step" if steps_every_batch(scheduler) else "epoch"
        if isinstance(scheduler, RunSchedule):
            length = place_of(trainer, interval)
            scheduler.set_length(length.total, length.per_epoch)
        # A schedule that watches a metric is stepped by `step_plateau`.
        frequency = _NEVER if isinstance(scheduler, ReduceLROnPlateau) else 1
        return {"scheduler": scheduler, "interval": interval, "frequency": frequency, "monitor": "val/loss"}

    def _fused(self, module: "LightningModule") -> Optimizer:
        """The optimizer in one kernel, where it has one, the device runs it, and the user has not decided.

        A fused optimizer unscales gradients itself: the gradient scaler of 16-mixed does not go along with that, nor
        does clipping in any mixed precision.
        """
        optimizer = self._optimizer(module.parameters())
        precision, clips = str(module.trainer.precision), bool(module.trainer.gradient_clip_val)
        if clips and "mixed" in precision and optimizer.defaults.get("fused"):
            raise ValueError(f"`fused` cannot be true where gradients are clipped in {precision}. Leave it out.")
        undecided = optimizer.defaults.get("fused", False) is None and not optimizer.defaults.get("foreach")
        if not undecided or precision == "16-mixed" or (clips and "mixed" in precision):
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
            scheduler = self._scheduler and self._scheduler(self._optimizer([nothing]))
        except (ValueError, TypeError, RuntimeError) as error:
            raise ValueError(f"the {what} cannot be used: {error}") from error
        if isinstance(scheduler, ReduceLROnPlateau) and self._interval == "step":
            name = type(scheduler).__name__
            raise ValueError(f"`scheduler_interval` must be epoch or auto: {name} watches what is known once an epoch.")

    def _try_state(self, optimizer: Optimizer) -> None:
        """Make a step of nothing with what was kept for one parameter, where options may ask for more than that."""
        known = min(optimizer.state, key=Tensor.numel, default=None)
        if known is None:
            return
        twin = nn.Parameter(torch.zeros_like(known))
        twin.grad = torch.zeros_like(known)
        trial = self._optimizer([twin])
        kept = optimizer.state[known]
        trial.state[twin] = {name: each.clone() if isinstance(each, Tensor) else each for name, each in kept.items()}
        try:
            trial.step(lambda: 0.0)
        except (KeyError, RuntimeError, ValueError) as error:
            lacks = f"{error} is not among it" if isinstance(error, KeyError) else str(error)
            raise LabError(
                f"{type(optimizer).__name__} cannot go on with these options and what the run has kept of its steps: "
                f"{lacks}. Leave its options as they were, or begin a new run with --model.init_from=..."
            ) from error


@dataclass(frozen=True)
class Place:
    """How far a run is and how long it will be, in what a schedule counts: optimizer steps, or epochs.

    A run whose steps have changed in size, with the batches, is as far as a fresh one would be after so much of the
    data.
    """

    done: int  # what has been done
    total: int  # the whole run
    per_epoch: int  # an epoch


def place_of(trainer: "Trainer", interval: str) -> Place:
    """Where a training is; before it has begun, at 0.

    Args:
        trainer: The trainer.
        interval: `step` or `epoch`.

    Raises:
        ValueError: If the run has no end.
    """
    epochs, given = progress_of(trainer)
    batches, every = trainer.num_training_batches, trainer.accumulate_grad_batches
    endless = trainer.max_epochs in (None, -1)
    if trainer.max_steps == -1 and (endless or not math.isfinite(batches)):
        raise ValueError("a schedule that follows the run needs its length: set `max_epochs` or `max_steps`.")
    if not math.isfinite(batches):  # somebody's own loader, which has no length
        return Place(trainer.global_step, trainer.max_steps, trainer.max_steps)
    per_epoch = math.ceil(batches / every)
    is_over = given >= batches
    done = epochs * per_epoch + (per_epoch if is_over else given // every)
    ends = [] if endless else [(trainer.max_epochs or 0) * per_epoch]
    ends += [] if trainer.max_steps == -1 else [done + trainer.max_steps - trainer.global_step]
    if interval == "epoch":
        return Place(epochs + is_over, math.ceil(min(ends) / per_epoch), 1)
    return Place(done, min(ends), per_epoch)


def step_plateau(trainer: "Trainer", reported: Metrics) -> None:
    """Step a schedule that watches a metric, in every epoch that has it.

    Lightning would do so after the epoch's checkpoint is written, and not at all in an epoch that is continued.

    Args:
        trainer: The trainer.
        reported: The metrics of this epoch, in full precision.

    Raises:
        ValueError: If there is no metric of that name.
    """
    for scheduler in (config.scheduler for config in trainer.lr_scheduler_configs):
        if isinstance(scheduler, ReduceLROnPlateau):
            _show_metrics(scheduler, reported, {**trainer.callback_metrics, **reported})


def _show_metrics(scheduler: ReduceLROnPlateau, reported: Metrics, known: Mapping[str, Any]) -> None:
    monitor = getattr(scheduler, "monitor", "val/loss")
    if monitor not in known and "val/loss" in known:
        raise ValueError(f"the schedule watches {monitor!r}, but there are {', '.join(sorted(known))}.")
    if monitor in reported or (monitor in known and not monitor.startswith("val/")):
        scheduler.step(float(known[monitor]))


def _bring_up(scheduler: LRScheduler, interval: str, trainer: "Trainer", history: Sequence[Metrics]) -> None:
    """Let a schedule that stands at its beginning make all steps of the run so far."""
    if isinstance(scheduler, ReduceLROnPlateau):
        for metrics in history:
            _show_metrics(scheduler, metrics, metrics)
        return
    place = place_of(trainer, interval)
    if isinstance(scheduler, RunSchedule):
        scheduler.set_length(place.total, place.per_epoch)
    if isinstance(scheduler, OneCycleLR) and scheduler.total_steps < place.total:
        raise LabError(f"OneCycleLR ends after {scheduler.total_steps} steps, but the run has {place.total}.")
    for _ in range(place.done):
        scheduler.step()
