"""Writes the checkpoints of a run, as long as it has numbers to learn with."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins import TorchCheckpointIO
from torch import Tensor, stack

from mnistlab.checkpoints.reading import NotExportableError, not_finite, write_weights
from mnistlab.errors import LabError, is_hangup, tell
from mnistlab.runs.folder import BEST, LAST, WEIGHTS
from mnistlab.runs.recorder import Recorder
from mnistlab.system.files import put, stream
from mnistlab.system.interruptions import is_interruption
from mnistlab.system.lightning_inside import Epochwise, is_epoch_over, validates_after
from mnistlab.system.thrift import give_back_memory

_LOOK = 64  # batches between two looks at the loss: to look at each of them would be to wait for the device each time


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
        """In which epoch what is no number; None while all is well. Every process must ask.

        Args:
            trainer: The training.
            weights: Whether to look at the weights and the metrics as well.
        """
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


class Keeper(Epochwise, Checkpoint):
    """Writes `best.ckpt` and `last.ckpt`, and the best weights in a safetensors file however a training ends.

    It is the last of all callbacks, so that its checkpoints hold what all others know. Each is written whole or not at
    all, and the table and the record after it.

    A run that is stopped within an epoch, by a limit or early, leaves the checkpoint of that step: whoever continues it
    trains on the rest of the epoch first.

    What is no number is never kept: the checkpoints stay those of the last time when all were.

    Args:
        recorder: The figures of the run.
        every_n_steps: Write `last.ckpt` within epochs too, each time after so many optimizer steps.
        stop_when_nan: Whether a loss or weights that are no numbers end the run.
    """

    abstract = True  # the lab adds it by itself

    def __init__(self, recorder: Recorder, every_n_steps: int | None = None, *, stop_when_nan: bool = True) -> None:
        self.recorder = recorder
        self._every_n_steps = every_n_steps
        self._stop_when_nan = stop_when_nan
        self._soundness = Soundness()
        self._saved_step = -1

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note where this segment begins."""
        self._saved_step = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write `last.ckpt` within an epoch, unless a validation comes first; the epoch's end writes one anyway."""
        loss = outputs.get("loss") if isinstance(outputs, dict) else None
        if isinstance(loss, Tensor) and self._soundness.batch(loss, batch_idx):
            self._is_sound(trainer, weights=False)
        stops = trainer.should_stop or trainer.global_step == trainer.max_steps
        if (stops or self._every_n_steps) and not validates_after(trainer, batch_idx):
            self._save_within_epoch(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Validate no weights that are no numbers."""
        if not trainer.sanity_checking and trainer.state.fn == "fit":
            self._is_sound(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the best weights."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        better = self.recorder.better(trainer)
        if better is not None:
            before, self.recorder.best = self.recorder.best, better
            kept = False
            try:
                kept = self._save(trainer, BEST)
            finally:
                if not kept:
                    self.recorder.best = before  # the best is what lies on the disk
        self._save_within_epoch(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the checkpoint that knows the epoch's row, then the table and the record."""
        if trainer.is_last_batch:
            self._saved_step = trainer.global_step
            self._save(trainer, LAST)
        self.recorder.write_table()
        self.recorder.write()
        if self.recorder.writes and not self.recorder.goes_on():
            trainer.should_stop = True

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the best weights in a file of their own."""
        give_back_memory()
        self._write_weights()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Say in the record how the run ended, and leave the best weights where there are any."""
        if not self.recorder.begun:
            return
        if isinstance(exception, DivergedError):
            self.recorder.write_table()
            self.recorder.finish("diverged", error=str(exception))
        else:
            status = "interrupted" if is_interruption(exception) or is_hangup(exception) else "failed"
            self.recorder.finish(status, error=f"{type(exception).__name__}: {exception}")
        if trainer.state.fn == "fit":
            with suppress(OSError, LabError):  # what ended the run is what the user must hear of
                self._write_weights()

    def _save_within_epoch(self, trainer: Trainer) -> None:
        """Write `last.ckpt` if it is time, or if the run stops here."""
        step = trainer.global_step
        due = self._every_n_steps and step % self._every_n_steps == 0 and step != self._saved_step
        if (due or is_epoch_over(trainer)) and not trainer.is_last_batch:
            self._saved_step = step
            self._save(trainer, LAST)

    def _is_sound(self, trainer: Trainer, *, weights: bool = True) -> bool:
        """Whether all that is looked at is a number; every process takes part."""
        fault = self._soundness.fault(trainer, weights=weights)
        if fault and self._stop_when_nan:
            raise DivergedError(f"{fault}: nothing can be learnt any more.")
        return fault is None

    def _save(self, trainer: Trainer, name: Path) -> bool:
        """Write a checkpoint whole or not at all; every process takes part. Whether there are numbers to keep."""
        if not self._is_sound(trainer):
            return False
        if getattr(trainer, "fast_dev_run", False):  # Lightning sets it where mypy does not see it
            return True
        self.recorder.check_mine()
        path = self.recorder.folder / name
        temporary = path.with_name(f".{path.name}.tmp")
        with _streaming(trainer):
            trainer.save_checkpoint(temporary)
        if trainer.is_global_zero:
            put(temporary, path)
        return True

    def _write_weights(self) -> None:
        """Write the best weights, the last ones where nothing was validated, as they are in the checkpoint."""
        folder, record = self.recorder.folder, self.recorder.record
        wanted = (BEST, LAST) if self.recorder.best else (LAST,)
        path = next((folder / name for name in wanted if (folder / name).is_file()), None)
        if not (self.recorder.writes and self.recorder.begun) or path is None:
            return
        metrics = {name: record["metrics"][name] for name in ("best", "last")}
        said = {"metrics": metrics, "versions": record.get("versions"), "started": record.get("started")}
        try:
            write_weights(folder / WEIGHTS, path, said)
        except NotExportableError as error:
            tell(f"note: {WEIGHTS} is left out. {error}")


class _StreamedIO(TorchCheckpointIO):
    """Writes a checkpoint as it is packed; Lightning first packs all of it in memory, beside the state itself."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | PathLike[str], storage_options: object = None
    ) -> None:
        """Write a checkpoint to a file of this machine."""
        stream(Path(path), partial(torch.save, checkpoint))


@contextmanager
def _streaming(trainer: Trainer) -> Iterator[None]:
    """Have checkpoints streamed for a while, unless the user has chosen otherwise."""
    strategy = trainer.strategy
    chosen = strategy.checkpoint_io
    if type(chosen) is TorchCheckpointIO:
        strategy.checkpoint_io = _StreamedIO()
    try:
        yield
    finally:
        strategy.checkpoint_io = chosen
