"""How far the epoch is, on a terminal."""

import time
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mnistlab.thrift import Epochwise

_REFRESH_S = 0.2


class EpochBar(Epochwise, ProgressBar):
    """A bar for the epoch that runs; it goes away when the epoch's line is printed.

    It counts epochs as the lines do, from 1, and is drawn five times a second at most, whatever a step takes.
    """

    abstract = True  # the lab adds it by itself

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._drawn = 0.0

    def disable(self) -> None:
        """Stay silent; Lightning asks for it in all processes but the first."""
        self._enabled = False

    def enable(self) -> None:
        """Speak again."""
        self._enabled = True

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw an empty bar."""
        del pl_module
        if not self.is_enabled:
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, transient=True, auto_refresh=False)
        last = trainer.max_epochs if trainer.max_epochs and trainer.max_epochs > 0 else "?"
        title = f"epoch {trainer.current_epoch + 1}/{last}"
        self._task = self._progress.add_task(title, total=float(trainer.num_training_batches))
        self._progress.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move on."""
        del trainer, pl_module, outputs, batch
        if self._progress is not None and time.monotonic() - self._drawn >= _REFRESH_S:
            self._progress.update(self._task, completed=batch_idx + 1, refresh=True)
            self._drawn = time.monotonic()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say what takes the time now."""
        del trainer, pl_module
        if self._progress is not None:
            self._progress.update(self._task, description="validating", refresh=True)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Clear the line."""
        del trainer, pl_module
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leave the terminal as it was."""
        del trainer, pl_module, exception
        self._stop()

    @property
    def is_enabled(self) -> bool:
        """Whether this process draws."""
        return self._enabled

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
