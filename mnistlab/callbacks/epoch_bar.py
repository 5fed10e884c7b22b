"""How far the epoch is: a bar on a terminal, and a line now and then where there is none."""

import io
import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from rich import get_console
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from mnistlab.system.lightning_inside import Epochwise
from mnistlab.system.notebook import NotebookLine

_REFRESH_S = 0.2
_SILENCE_S = 10.0
_BESIDE = 32  # characters beside the bar itself, as many as they are
_NOTEBOOK = 80  # characters of a line in a notebook


class _InNotebook(Progress):
    """Draws into a line of a notebook, as plain text."""

    def __init__(self, line: NotebookLine, *columns: ProgressColumn) -> None:
        super().__init__(*columns, auto_refresh=False)
        self._line = line

    def start(self) -> None:
        """Show the line."""
        self.refresh()

    def refresh(self) -> None:
        """Draw the line anew."""
        drawn = Console(file=io.StringIO(), width=_NOTEBOOK, color_system=None, force_jupyter=False)
        with drawn.capture() as text:
            drawn.print(self.get_renderable())
        self._line.show(text.get().rstrip())

    def stop(self) -> None:
        """Clear the line."""
        self._line.show("")


class EpochBar(Epochwise, ProgressBar):
    """A bar for the epoch that runs; it goes away when the epoch's line is printed.

    It counts epochs as the lines do, from 1, and is drawn five times a second at most, whatever a step takes.

    Args:
        line: The line of a notebook that it is drawn in; if not given, the terminal.
    """

    abstract = True  # the lab adds it by itself

    def __init__(self, line: NotebookLine | None = None) -> None:
        super().__init__()
        self._line = line
        self._enabled = True
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._title, self._batches, self._done = "", 0.0, 0
        self._drawn = 0.0

    def disable(self) -> None:
        """Stay silent; Lightning asks for it in all processes but the first."""
        self._enabled = False

    def enable(self) -> None:
        """Speak again."""
        self._enabled = True

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw an empty bar."""
        if not self.is_enabled:
            return
        bar = BarColumn(min(40, max(5, get_console().width - _BESIDE)))
        columns = (TextColumn("{task.description}"), bar, MofNCompleteColumn(), TimeRemainingColumn())
        line = self._line
        self._progress = _InNotebook(line, *columns) if line else Progress(*columns, transient=True, auto_refresh=False)
        self._title, self._batches = _title(trainer), float(trainer.num_training_batches)
        self._task = self._progress.add_task(self._title, total=self._batches)
        self._progress.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move on."""
        self._done = batch_idx + 1
        self._move()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say what takes the time now, and count its batches."""
        if self._progress is not None:
            total = float(sum(trainer.num_val_batches))
            self._progress.update(self._task, description="validating", completed=0, total=total, refresh=True)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Move on."""
        self._move(batch_idx + 1)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go on with the epoch."""
        if self._progress is not None:
            total = self._batches
            self._progress.update(self._task, description=self._title, completed=self._done, total=total, refresh=True)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Clear the line."""
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leave the terminal as it was."""
        self._stop()

    @property
    def is_enabled(self) -> bool:
        """Whether this process draws."""
        return self._enabled

    def _move(self, done: int | None = None) -> None:
        """Draw how many batches are done, if it is time."""
        if self._progress is not None and time.monotonic() - self._drawn >= _REFRESH_S:
            self._progress.update(self._task, completed=self._done if done is None else done, refresh=True)
            self._drawn = time.monotonic()

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class EpochLines(Epochwise, Callback):
    """A line where nobody sees a bar, whenever ten seconds have gone by without one: a log shows that it goes on."""

    abstract = True  # the lab adds it by itself

    def __init__(self) -> None:
        self._begun = self._said = time.monotonic()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock: the line of the epoch before has just been printed."""
        self._begun = self._said = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Say how far the epoch is, if it is time."""
        if time.monotonic() - self._said >= _SILENCE_S:
            loss = f"  loss {float(outputs['loss']):.4f}" if isinstance(outputs, dict) and "loss" in outputs else ""
            self._say(trainer, f"{_title(trainer)}  step {batch_idx + 1}/{trainer.num_training_batches}{loss}")

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Say how far the validation or the test is, if it is time."""
        if time.monotonic() - self._said >= _SILENCE_S:
            where = f"{_title(trainer)}  " if trainer.state.fn == "fit" else ""
            what, sizes = (
                ("testing", trainer.num_test_batches) if trainer.testing else ("validating", trainer.num_val_batches)
            )
            self._say(trainer, f"{where}{what} {batch_idx + 1}/{sum(sizes)}")

    on_test_batch_end = on_validation_batch_end

    def _say(self, trainer: Trainer, line: str) -> None:
        self._said = time.monotonic()
        if trainer.is_global_zero:
            print(f"{line}  {self._said - self._begun:.0f} s", flush=True)


def _title(trainer: Trainer) -> str:
    """Which epoch it is, as the lines of the lab count: from 1."""
    last = f"/{trainer.max_epochs}" if trainer.max_epochs and trainer.max_epochs > 0 else ""
    return f"epoch {trainer.current_epoch + 1}{last}"
