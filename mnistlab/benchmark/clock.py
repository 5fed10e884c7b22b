"""Times a training run from within, whoever trains it."""

import time
from collections.abc import Callable
from typing import ClassVar

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from mnistlab.system.lightning_inside import Epochwise


def now() -> float:
    """Seconds on a clock that only goes on, once the device has done what it was given."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


class Clock(Epochwise, Callback):
    """Times each epoch of a run that validates after each: its steps, its validation, and what else belongs to it."""

    abstract = True  # the benchmark adds it by itself

    last: ClassVar["Clock"]
    """The one that was made last."""

    between: ClassVar[Callable[[], float] | None] = None
    """Timed before each epoch, so that both meet the same minute of the machine; it gives its seconds."""

    def __init__(self) -> None:
        self.steps: list[float] = []  # seconds from the start of each epoch to that of its validation
        self.validations: list[float] = []  # seconds of each
        self.closings: list[float] = []  # seconds from there to the next epoch: checkpoints, tables, the screen
        self.beside: list[float] = []  # what `between` gave before each epoch
        self.images = 0  # that an epoch has, where the data are the lab's
        self._since: float | None = None
        Clock.last = self

    def epochs(self, part: float = 1.0) -> list[float]:
        """Seconds of each epoch without its validation.

        Args:
            part: What part of its steps was made; the seconds are those of all.
        """
        return [steps / part + closing for steps, closing in zip(self.steps, self.closings, strict=True)]

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End the epoch before, and begin one."""
        self._note(self.closings)
        if Clock.between is not None:
            self.beside.append(Clock.between())
            self._since = now()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The steps are made."""
        self._note(self.steps)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """All is validated."""
        self._note(self.validations)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End the last epoch."""
        self._note(self.closings)
        self.images = getattr(trainer.train_dataloader, "num_images", 0)

    def _note(self, seconds: list[float]) -> None:
        """Add the seconds since the last note, if there was one."""
        since, self._since = self._since, now()
        if since is not None:
            seconds.append(self._since - since)
