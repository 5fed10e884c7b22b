"""Times a training run from within, whoever trains it."""

import time

import torch
from lightning.pytorch import Callback, LightningModule, Trainer


def now() -> float:
    """Seconds on a clock that only goes on, once the device has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


class Clock(Callback):
    """Notes how long each epoch takes, with all that belongs to it but the validation, and each validation.

    An epoch lasts from its start to that of the next one, so that checkpoints, tables and bars are in it.
    """

    abstract = True  # the benchmark adds it by itself

    # Lightning leaves out what cannot be called: the clock must not slow down the steps that it times.
    on_train_batch_start = on_train_batch_end = None  # type: ignore[assignment]
    on_before_zero_grad = on_before_backward = on_after_backward = None  # type: ignore[assignment]
    on_before_optimizer_step = on_validation_batch_start = on_validation_batch_end = None  # type: ignore[assignment]

    epochs: list[float]
    validations: list[float]
    last: "Clock"
    """The one that was made last."""

    def __init__(self) -> None:
        self.epochs = []
        self.validations = []
        self._begun: float | None = None
        self._validated = 0.0  # seconds, in the epoch that is running
        self._since = 0.0
        Clock.last = self

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End the epoch before, and begin one."""
        del trainer, pl_module
        self._end()
        self._begun = now()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin a validation."""
        del trainer, pl_module
        self._since = now()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End it."""
        del trainer, pl_module
        seconds = now() - self._since
        self.validations.append(seconds)
        self._validated += seconds

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End the last epoch."""
        del trainer, pl_module
        self._end()

    def _end(self) -> None:
        if self._begun is not None:
            self.epochs.append(now() - self._begun - self._validated)
        self._begun, self._validated = None, 0.0
