"""Schedules of the learning rate: one that follows the length of the run by itself, and torch's plateau, typed."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

from torch import Tensor
from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import CyclicLR, LRScheduler, OneCycleLR

from mnistlab.options.numbers import ClosedUnitInterval, NonNegativeFloat, NonNegativeInt
from mnistlab.system.torch_inside import ShortSteps


class RunSchedule(ShortSteps):
    """Base class of schedules that follow the length of the run, counted in optimizer steps.

    The length is no option: whoever runs the training calls `set_length` once it is known, before the first step, and
    `follow` where it becomes another meanwhile. A subclass writes `lr_at`, a plain function of the step.

    The state holds the position only. Options, base learning rates and the length are those of the schedule that
    loads it, so a resumed run follows what was typed for it, and a run of another length ends where it should.

    Args:
        optimizer: The optimizer whose learning rates are set.
    """

    abstract = True  # only to be derived from

    def __init__(self, optimizer: Optimizer) -> None:
        self.total_steps: int | None = None
        self.steps_per_epoch = 1.0
        self._moved: tuple[float, float, float] | None = None
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float, total_steps: int) -> float:
        """Compute the learning rate of optimizer step `step`, the first being 0, where the optimizer has `base_lr`."""
        raise NotImplementedError

    def set_length(self, total_steps: int, steps_per_epoch: float) -> None:
        """Say how long the run is, and set the learning rate of the present step.

        Args:
            total_steps: Optimizer steps of the whole run, including those already made before a resume.
            steps_per_epoch: Optimizer steps of an epoch; a fraction where several epochs make one step.

        Raises:
            ValueError: If the run has no end.
        """
        if not 0 <= total_steps < math.inf:
            raise ValueError(
                f"{type(self).__name__} needs a run that ends, got {total_steps} steps. Set max_epochs or max_steps."
            )
        self.total_steps = int(total_steps)
        self.steps_per_epoch = steps_per_epoch
        self._moved = None
        self.apply()

    def follow(self, ends: Sequence[tuple[float, float]]) -> None:
        """Say how the end of the run was moved: each time what was left of the schedule had to fill other steps.

        Args:
            ends: From which step on it was after how many; the first from step 0 on.
        """
        part = 0.0  # of the schedule that is behind
        for (start, end), (until, _) in pairwise(ends):
            part += (1 - part) * (until - start) / max(end - start, 1)
        start, end = ends[-1]
        self.total_steps = math.ceil(end)
        self._moved = start, part, max(end - start, 1)
        self.apply()

    def get_lr(self) -> list[float | Tensor]:
        """Compute the learning rate of each parameter group at the present step."""
        if self.total_steps is None:
            return list(self.base_lrs)
        return [self.lr_at(self._step(), float(lr), self.total_steps) for lr in self.base_lrs]

    def _step(self) -> int:
        """The step of a run of this length that is as far as this one is."""
        if self._moved is None or self.total_steps is None:
            return self.last_epoch
        start, part, steps = self._moved
        return round((part + (1 - part) * (self.last_epoch - start) / steps) * self.total_steps)

    def step(self, epoch: int | None = None) -> None:
        """Go on by one optimizer step.

        Raises:
            ValueError: If the length of the run is not known.
        """
        if self.total_steps is None and self.last_epoch >= 0:  # torch's constructor makes the step from -1 to 0
            raise ValueError(f"{type(self).__name__} needs the length of the run. Call set_length before step.")
        super().step(epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return the position: `step`, the number of optimizer steps made."""
        return {"step": self.last_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a position and set its learning rate.

        Raises:
            ValueError: If the state is that of another kind of schedule.
        """
        if set(state_dict) != {"step"}:
            raise ValueError(
                f"{type(self).__name__} resumes from a state with `step` alone, got one with {', '.join(state_dict)}. "
                "Resume with the schedule that the run began with."
            )
        self.stand_at(int(state_dict["step"]))


class WarmupCosine(RunSchedule):
    """Linear warm-up, then half a cosine down to `min_lr` at the end of the run, where it stays.

    Of n steps w are warm-up. Step t < w has lr * (start_factor + (1 - start_factor) * t / w), and every later one
    min_lr + (lr - min_lr) * (1 + cos(pi * (t - w) / (n - w))) / 2. The minimum itself would be step n, the first one
    after the run, so that no step is wasted at a learning rate of 0.

    Source: Loshchilov & Hutter (2017), arXiv:1608.03983, equation 5 without restarts; Goyal et al. (2017),
    arXiv:1706.02677, section 2.2, for the warm-up.

    Args:
        optimizer: The optimizer whose learning rates are set.
        warmup: Part of the run that is warm-up, from 0 to 1.
        start_factor: Learning rate of the first step, as a part of the optimizer's own; 1 is no warm-up.
        min_lr: Learning rate at the end; no more than the optimizer's own.
        warmup_epochs: Length of the warm-up in epochs, in place of `warmup`. A shorter run stays in its warm-up.

    Raises:
        ValueError: If `min_lr` is above the learning rate of a parameter group.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup: ClosedUnitInterval = 0.1,
        start_factor: ClosedUnitInterval = 0.1,
        min_lr: NonNegativeFloat = 0.0,
        warmup_epochs: NonNegativeFloat | None = None,
    ) -> None:
        lowest = min(float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups)
        if min_lr > lowest:
            raise ValueError(f"`min_lr` must not be above the optimizer's lr, {lowest:g}, got {min_lr:g}.")
        # A restricted number is a class of its own, which a checkpoint's safe load refuses.
        self.warmup = float(warmup)
        self.start_factor = float(start_factor)
        self.min_lr = float(min_lr)
        self.warmup_epochs = warmup_epochs
        super().__init__(optimizer)

    def lr_at(self, step: int, base_lr: float, total_steps: int) -> float:
        """Compute the learning rate of optimizer step `step`, as the class describes."""
        warmup_steps = self.warmup_steps(total_steps)
        if step >= total_steps:
            return self.min_lr
        if step < warmup_steps:
            return base_lr * (self.start_factor + (1 - self.start_factor) * step / warmup_steps)
        progress = (step - warmup_steps) / (total_steps - warmup_steps)
        return self.min_lr + (base_lr - self.min_lr) * (1 + math.cos(math.pi * progress)) / 2

    def warmup_steps(self, total_steps: int) -> int:
        """Count the steps of the warm-up."""
        if self.warmup_epochs is None:
            return round(self.warmup * total_steps)
        return round(self.warmup_epochs * self.steps_per_epoch)


class ReduceLROnPlateau(lr_scheduler.ReduceLROnPlateau):
    """Torch's schedule that lowers the learning rate once a metric stops improving, and knows which metric.

    Once an epoch. A run that is continued shows it again what the metric was in each epoch so far.

    Args:
        optimizer: The optimizer whose learning rates are set.
        monitor: The metric to watch, as it is logged.
        mode: Whether the metric should become small or large.
        factor: What the learning rate is multiplied by, below 1.
        patience: Epochs without improvement that are let pass.
        threshold: Smallest change that counts as an improvement.
        threshold_mode: Whether `threshold` is a part of the best value or an amount.
        cooldown: Epochs after a reduction in which nothing is counted.
        min_lr: Learning rate that is not gone below.
        eps: Smallest reduction that is made.

    Raises:
        ValueError: If `factor` is 1.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        monitor: str = "val/loss",
        *,
        mode: Literal["min", "max"] = "min",
        factor: ClosedUnitInterval = 0.1,
        patience: NonNegativeInt = 10,
        threshold: NonNegativeFloat = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: NonNegativeInt = 0,
        min_lr: NonNegativeFloat = 0.0,
        eps: NonNegativeFloat = 1e-8,
    ) -> None:
        if not 0 <= factor < 1:
            raise ValueError(f"`factor` must be at least 0 and below 1, got {factor}. 0.1 is usual.")
        self.monitor = monitor
        super().__init__(optimizer, mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps)


def steps_every_batch(scheduler: LRScheduler) -> bool:
    """Tell whether a schedule steps after each optimizer step; all others step after each epoch.

    Torch documents OneCycleLR and CyclicLR so ("after a batch has been used for training"). The other schedules count
    in whatever they are stepped with, and torch's examples step them once an epoch; CosineAnnealingWarmRestarts too,
    whose `T_0` is in epochs there.
    """
    return isinstance(scheduler, RunSchedule | OneCycleLR | CyclicLR)
