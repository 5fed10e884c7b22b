"""Takes down the figures of a run while it goes on."""

import math
import time
from collections.abc import Mapping, Sized
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from mnistlab.checkpoints.reading import read_checkpoint
from mnistlab.errors import LabError
from mnistlab.runs.folder import BEST, CONFIG, LAST, METRICS, RECORD
from mnistlab.runs.metrics import PRIMARY, rounded
from mnistlab.runs.reading import read_record
from mnistlab.runs.record import now, write_json, write_rows
from mnistlab.runs.supervision import Listener
from mnistlab.runs.words import words_kept, words_of
from mnistlab.runs.writer import Pulse, alone
from mnistlab.system.files import UnreadableError, write_text
from mnistlab.system.lightning_inside import Epochwise

_OF_THE_END = ("name", "tags", "segments", "host", "process", "process_started", "timings", "metrics")
"""What a record says anew where nothing was left to train."""


class Recorder(Epochwise, Checkpoint):
    """Keeps the figures of a training run, and writes its configuration, its record and its table of metrics.

    It is the first of the callbacks that Lightning asks last, when all metrics are known: whatever checkpoint is
    written after it, by `Keeper` or by a callback of the user's, has the row of its epoch. The table is made from what
    the checkpoint holds, so a run that is killed at any moment continues with no row twice and none missing.

    Nothing is written before the training begins: what is refused leaves a run that was to go on as it was.

    Args:
        folder: Where; the first process decides, the others receive it.
        config: The text of the resolved configuration.
        record: What is known about the run when it starts.
        before: What its record said before; None where there is none.
        shared: Whether who trains takes care that no other process does, as a sweep.
    """

    abstract = True  # the lab adds it by itself

    def __init__(
        self,
        folder: Path,
        config: str,
        record: Mapping[str, Any],
        before: Mapping[str, Any] | None = None,
        *,
        shared: bool = False,
    ) -> None:
        self.folder = folder
        self._before = before
        self._shared = shared
        self._pulse: Pulse | None = None
        self.record = dict(record)
        self.rows: list[dict[str, float]] = []
        self.best: dict[str, float] = {}
        self._config = config
        self._validation: dict[str, float] = {}  # of the epoch that is running, if it has been validated
        self._epoch_seconds: list[float] = []
        self._seconds = 0.0  # of the epoch that is running, before `_since`
        self._since: float | None = None
        self._fitting = False
        self.begun = False  # and so knows how far the run is
        self.writes = False  # only the first process does
        self.listeners: list[Listener] = []  # who hears of the run, in this order
        self.stopped = False  # whether one of them wanted no further epoch
        self._continues = False

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps, as plain data."""
        return {  # lists and numbers only: a checkpoint is read with `weights_only=True`
            "rows": list(self.rows),
            "best": dict(self.best),
            "validation": dict(self._validation),
            "epoch_seconds": list(self._epoch_seconds),
            "seconds": self._seconds + (0.0 if self._since is None else time.perf_counter() - self._since),
            "versions": dict(self.record.get("versions", {})),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._continues = True
        self.rows = list(state_dict["rows"])
        self.best = dict(state_dict["best"])
        self._validation = dict(state_dict["validation"])
        self._epoch_seconds = list(state_dict["epoch_seconds"])
        self._seconds = state_dict["seconds"]

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Agree on the folder; the figures of a run that is continued stay in its record."""
        self._fitting = stage == "fit"
        if self._fitting:
            self.folder = Path(trainer.strategy.broadcast(str(self.folder)))
            self.writes = trainer.is_global_zero
            before = read_record(self.folder) or {}
            self.record = {**{name: before[name] for name in ("timings", "metrics") if name in before}, **self.record}

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say what is about to be trained; nothing is written yet."""
        if trainer.is_global_zero:
            for listener in self.listeners:
                listener.announce(trainer)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Make the folder, note what the run is and where this segment begins, and cut the table back.

        The test of an earlier segment is no longer that of the run.
        """
        if trainer.should_stop:
            return  # early stopping has ended it before
        with self._alone():
            self._begin(trainer, pl_module)
            self.record["segments"][-1]["first_step"] = trainer.global_step
            self.record.get("metrics", {}).pop("test", None)
            if self.writes:
                (self.folder / LAST).parent.mkdir(parents=True, exist_ok=True)
                write_text(self.folder / CONFIG, self._config)
            self.write_table()
            self.write(status="running")
        if self.writes:
            self._pulse = Pulse(self.folder)
            for listener in self.listeners:
                listener.begin()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._since = time.perf_counter()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the clock: validation is not training."""
        self._stop()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the validation down, and start the clock again."""
        if self._fitting and not trainer.sanity_checking:
            self._validation = values_of(trainer, "val/")
            self._since = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the row of the epoch."""
        self._stop()
        self._epoch_seconds.append(round(self._seconds, 6))
        self.record |= {"train_images": _images(trainer), "steps_per_epoch": _steps(trainer)}
        self._seconds = 0.0
        values = {**values_of(trainer, "lr", "train/"), **self._validation}
        # {"epoch": 0, "step": 430, "lr": 0.001, "train/loss": 0.31, "val/acc": 0.97}, a row of metrics.csv
        self.rows.append({"epoch": trainer.current_epoch, "step": trainer.global_step, **values})
        self._validation = {}

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Where nothing was left to train, bring the table to what the checkpoint holds.

        The run may have been killed before it was written. A row of a part of an epoch is in the record alone.
        """
        if self.begun:
            return
        metrics = self.record.get("metrics") or {}
        with self._alone():
            self._begin(trainer, pl_module)
            # it is what it was trained as, wherever and whoever it is tested by
            self.record |= {name: value for name, value in (self._before or {}).items() if name not in _OF_THE_END}
            last = metrics.get("last")
            if last and (not self.rows or last["step"] > self.rows[-1]["step"]):
                self.rows.append(last)
                self._epoch_seconds = list(self.record["timings"]["epoch_seconds"])
            self.write_table()

    def goes_on(self) -> bool:
        """Tell all listeners the last row, with the seconds that its epoch took; whether another one shall follow."""
        row = {**self.rows[-1], "seconds": self._epoch_seconds[-1]}
        goes_on = [listener.row(row) for listener in self.listeners]
        self.stopped = not all(goes_on)
        return not self.stopped

    def better(self, trainer: Trainer) -> dict[str, float] | None:
        """The figures of the validation that has just ended, if it is the best one; of equal ones the earlier is."""
        score = self._validation.get(PRIMARY)
        if score is None or score <= self.best.get(PRIMARY, -1.0):
            return None
        return {"epoch": trainer.current_epoch, "step": trainer.global_step, **self._validation}

    def finish(self, status: str, **more: Any) -> None:
        """Close the record; `more` is said of the segment that ends."""
        ended = now()
        self.record["segments"][-1].update(ended=ended, status=status, **more)
        self.write(status=status, ended=ended)

    def check_mine(self) -> None:
        """Write nothing any more where another machine has taken the run over, as if this process were gone.

        Raises:
            LabError: If one has.
        """
        if self._pulse is None or not self.writes:
            return
        with suppress(UnreadableError):
            now = read_record(self.folder) or self.record
            if any(now.get(name) != self.record.get(name) for name in ("host", "process")):
                self.writes = False
                raise LabError(
                    f"{self.folder} goes on elsewhere, since this process had given no sign of life for long."
                )

    def let_go(self) -> None:
        """Leave the run to others."""
        if self._pulse is not None:
            self._pulse.end()

    def stand_in(self) -> None:
        """Write what the process that writes cannot any more, which is gone."""
        self.record = read_record(self.folder) or self.record
        self.writes = (self.folder / RECORD).is_file()

    def write(self, **more: Any) -> None:
        """Write `run.json` as it is now, with `more` in it."""
        self.record.update(more)
        if self.begun:
            self.record["timings"] = {
                "epoch_seconds": self._epoch_seconds,
                "train_seconds": round(sum(self._epoch_seconds), 6),
            }
            self.record["metrics"] = {
                **self.record.get("metrics", {}),
                "best": self.best or None,
                "last": self.rows[-1] if self.rows else None,
            }
        if self.writes:
            with words_kept(self.folder):
                self.record |= words_of(self.folder)
                write_json(self.folder / RECORD, self.record)

    def rewrite(self, config: str) -> None:
        """Write the configuration anew: the run has added to it."""
        self._config = config
        if self.writes:
            write_text(self.folder / CONFIG, config)

    def write_table(self) -> None:
        """Write `metrics.csv` as it is now."""
        if not self.writes:
            return
        if self.rows:
            write_rows(self.folder / METRICS, self.rows)
        else:
            (self.folder / METRICS).unlink(missing_ok=True)

    def _alone(self) -> AbstractContextManager[None]:
        """Where this process begins to write, after which the record says that it does."""
        return nullcontext() if self._shared or not self.writes else alone(self.folder, self._before)

    def _begin(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note what the run is, and what of it lies on the disk."""
        self.begun = True
        if self._continues:
            self.best = _kept_best(self.folder, trainer.global_step)
        data = getattr(trainer, "datamodule", None)
        batch = getattr(data, "batch_size", None)
        rate = trainer.optimizers[0].defaults.get("lr") if trainer.optimizers else None
        self.record["lr"] = None if rate is None else float(rate)
        self.record["data_fingerprint"] = getattr(data, "fingerprint", None)
        self.record["device"] = str(trainer.strategy.root_device)
        self.record["processes"] = trainer.world_size
        self.record["effective_batch_size"] = (
            batch * trainer.world_size * trainer.accumulate_grad_batches if batch else None
        )
        self.record["parameters"] = sum(parameter.numel() for parameter in pl_module.parameters())

    def _stop(self) -> None:
        if self._since is not None:
            self._seconds += time.perf_counter() - self._since
            self._since = None


def values_of(trainer: Trainer, *prefixes: str) -> dict[str, float]:
    """The metrics whose names begin so, as they are now."""
    metrics = trainer.callback_metrics
    return {name: rounded(metrics[name]) for prefix in prefixes for name in sorted(metrics) if name.startswith(prefix)}


def _images(trainer: Trainer) -> int | None:
    """The number of training images in an epoch, over all processes, where the loader or its data set can tell."""
    loader = trainer.train_dataloader
    dataset = getattr(loader, "dataset", None)
    every = getattr(loader, "num_images", len(dataset) if isinstance(dataset, Sized) else None)
    if every is None:
        return None
    batch = int(getattr(getattr(trainer, "datamodule", None), "batch_size", None) or every)
    return min(int(every), int(trainer.num_training_batches) * batch * trainer.world_size)


def _steps(trainer: Trainer) -> int | None:
    """The number of steps of the optimizer in an epoch, where the loader can tell."""
    batches = trainer.num_training_batches
    return math.ceil(batches / trainer.accumulate_grad_batches) if math.isfinite(batches) else None


def _kept_best(folder: Path, step: int) -> dict[str, float]:
    """The figures of the weights in `best.ckpt`; none where that is missing, or later than the step to go on from."""
    try:
        callbacks = read_checkpoint(folder / BEST)["callbacks"]
        best: dict[str, float] = dict(callbacks[Recorder.__qualname__]["best"])
    except (LabError, KeyError):
        return {}
    return best if best["step"] <= step else {}
