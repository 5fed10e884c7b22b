"""Keeps a run in its folder while it goes on."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from mnistlab.checkpoints.exported import NotExportableError
from mnistlab.checkpoints.reading import read_checkpoint, weights_file
from mnistlab.errors import LabError, tell
from mnistlab.runs.folder import BEST, CONFIG, LAST, METRICS, RECORD, WEIGHTS
from mnistlab.runs.reading import read_record
from mnistlab.runs.record import now, write_bytes, write_json, write_rows, write_text
from mnistlab.thrift import Epochwise

MONITOR = "val/acc"


class Recorder(Epochwise, Checkpoint):
    """Writes the configuration, the record, the table of metrics and the checkpoints of a training run.

    One callback does it all because the order matters: at the end of an epoch the row of metrics and the best figures
    are first put into the checkpoint, which is then written whole or not at all, and the table is made from what the
    checkpoint holds. So a run that is killed at any moment continues with a table that has no row twice and none
    missing. Lightning calls callbacks of this kind last, when all metrics are known.

    However a training ends, its best weights are left in a safetensors file too.

    Args:
        folder: Where; the first process decides, the others receive it.
        config: The text of the resolved configuration.
        record: What is known about the run when it starts.
        every_n_steps: Write `last.ckpt` within epochs too, each time after so many optimizer steps.
    """

    abstract = True  # the lab adds it by itself

    def __init__(
        self,
        folder: Path,
        config: str,
        record: Mapping[str, Any],
        every_n_steps: int | None = None,
    ) -> None:
        self.folder = folder
        self.record = dict(record)
        self._config = config
        self._every_n_steps = every_n_steps
        self.on_begin: Callable[[], None] | None = None
        self.on_row: Callable[[Mapping[str, float]], bool] | None = None  # whether another epoch shall follow
        self._rows: list[dict[str, float]] = []
        self._best: dict[str, float] = {}
        self._validation: dict[str, float] = {}  # of the epoch that is running, if it has been validated
        self._epoch_seconds: list[float] = []
        self._seconds = 0.0  # of the epoch that is running, before `_since`
        self._since: float | None = None
        self._saved_step = -1
        self._fitting = False
        self._knows = False  # how far the run is
        self._writes = False  # only the first process does

    @property
    def rows(self) -> list[dict[str, float]]:
        """The rows of the table so far."""
        return list(self._rows)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps, as plain data."""
        return {
            "rows": list(self._rows),
            "best": dict(self._best),
            "validation": dict(self._validation),
            "epoch_seconds": list(self._epoch_seconds),
            "seconds": self._seconds + (0.0 if self._since is None else time.perf_counter() - self._since),
            "versions": dict(self.record.get("versions", {})),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a checkpoint; the test of the best one must not turn the record back to it."""
        if not self._fitting:
            return
        self._rows = list(state_dict["rows"])
        self._best = dict(state_dict["best"])
        self._validation = dict(state_dict["validation"])
        self._epoch_seconds = list(state_dict["epoch_seconds"])
        self._seconds = state_dict["seconds"]

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Make the folder, once for all processes; the figures of a run that is continued stay in its record."""
        del pl_module
        self._fitting = stage == "fit"
        if not self._fitting:
            return
        self.folder = Path(trainer.strategy.broadcast(str(self.folder)))
        self._writes = trainer.is_global_zero
        before = read_record(self.folder) or {}
        self.record = {**{name: before[name] for name in ("timings", "metrics") if name in before}, **self.record}
        if self._writes:
            (self.folder / LAST).parent.mkdir(parents=True, exist_ok=True)
            write_text(self.folder / CONFIG, self._config)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note what the run is, and cut the table back to what the checkpoint knows."""
        self._knows = True
        batch = getattr(getattr(trainer, "datamodule", None), "batch_size", None)
        self.record["device"] = str(trainer.strategy.root_device)
        self.record["processes"] = trainer.world_size
        self.record["effective_batch_size"] = (
            batch * trainer.world_size * trainer.accumulate_grad_batches if batch else None
        )
        self.record["parameters"] = sum(parameter.numel() for parameter in pl_module.parameters())
        self._write_table()
        self.write(status="running")
        if trainer.is_global_zero and self.on_begin is not None:
            self.on_begin()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note where this segment begins; the test of an earlier one is no longer that of the run."""
        del pl_module
        self._saved_step = trainer.global_step
        self.record["segments"][-1]["first_step"] = trainer.global_step
        self.record["metrics"].pop("test", None)
        self.write()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        del trainer, pl_module
        self._since = time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write `last.ckpt` within an epoch; its end writes one anyway."""
        del pl_module, outputs, batch
        if self._every_n_steps and not _validates_after(trainer, batch_idx):
            self._save_within_epoch(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the clock: validation is not training."""
        del trainer, pl_module
        self._stop()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the best weights; of equal ones the earlier."""
        del pl_module
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        self._validation = _values(trainer, "val/")
        score = self._validation.get(MONITOR)
        if score is not None and score > self._best.get(MONITOR, -1.0):
            self._best = {"epoch": trainer.current_epoch, "step": trainer.global_step, **self._validation}
            self._save(trainer, BEST)
        self._save_within_epoch(trainer)
        self._since = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the row of the epoch, then write the checkpoint that knows it, then the table."""
        del pl_module
        self._stop()
        self._epoch_seconds.append(round(self._seconds, 6))
        self.record["train_images"] = _images(trainer)
        self._seconds = 0.0
        values = {**_values(trainer, "lr", "train/"), **self._validation}
        row = {"epoch": trainer.current_epoch, "step": trainer.global_step, **values}
        self._validation = {}
        self._rows.append(row)
        self._save(trainer, LAST)
        self._write_table()
        self.write()
        if self._writes and self.on_row is not None and not self.on_row({**row, "seconds": self._epoch_seconds[-1]}):
            trainer.should_stop = True

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the best weights in a file of their own."""
        del trainer, pl_module
        self._write_weights()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Say in the record how the run ended, and leave the best weights where there are any."""
        del trainer, pl_module
        interrupted = isinstance(exception, (KeyboardInterrupt, SystemExit))
        self.finish("interrupted" if interrupted else "failed", error=f"{type(exception).__name__}: {exception}")
        if self._fitting:
            with suppress(OSError, LabError):  # what ended the run is what the user must hear of
                self._write_weights()

    def finish(self, status: str, **more: Any) -> None:
        """Close the record; `more` is said of the segment that ends."""
        ended = now()
        self.record["segments"][-1].update(ended=ended, status=status, **more)
        self.write(status=status, ended=ended)

    def write(self, **more: Any) -> None:
        """Write `run.json` as it is now, with `more` in it."""
        self.record.update(more)
        if self._knows:
            self.record["timings"] = {
                "epoch_seconds": self._epoch_seconds,
                "train_seconds": round(sum(self._epoch_seconds), 6),
            }
            self.record["metrics"] = {
                **self.record.get("metrics", {}),
                "best": self._best or None,
                "last": self._rows[-1] if self._rows else None,
            }
        if self._writes:
            write_json(self.folder / RECORD, self.record)

    def _stop(self) -> None:
        if self._since is not None:
            self._seconds += time.perf_counter() - self._since
            self._since = None

    def _save_within_epoch(self, trainer: Trainer) -> None:
        step = trainer.global_step
        due = self._every_n_steps and step % self._every_n_steps == 0 and step != self._saved_step
        if due and not trainer.is_last_batch:
            self._saved_step = step
            self._save(trainer, LAST)

    def _save(self, trainer: Trainer, name: Path) -> None:
        """Write a checkpoint whole or not at all; every process takes part."""
        if getattr(trainer, "fast_dev_run", False):  # Lightning sets it where mypy does not see it
            return
        path = self.folder / name
        temporary = path.with_name(f".{path.name}.tmp")
        trainer.save_checkpoint(temporary)
        if trainer.is_global_zero:
            temporary.replace(path)

    def _write_weights(self) -> None:
        """Write the best weights, the last ones where nothing was validated, as they are in the checkpoint."""
        wanted = (BEST, LAST) if self._best else (LAST,)
        path = next((self.folder / name for name in wanted if (self.folder / name).is_file()), None)
        if not (self._writes and self._knows) or path is None:
            return
        metrics = {name: self.record["metrics"][name] for name in ("best", "last")}
        said = {"metrics": metrics, "versions": self.record.get("versions"), "started": self.record.get("started")}
        try:
            content = weights_file(read_checkpoint(path), said, path)
        except NotExportableError as error:
            tell(f"note: {WEIGHTS} is left out. {error}")
            return
        write_bytes(self.folder / WEIGHTS, content)

    def _write_table(self) -> None:
        if not self._writes:
            return
        if self._rows:
            write_rows(self.folder / METRICS, self._rows)
        else:
            (self.folder / METRICS).unlink(missing_ok=True)


def rounded(value: Any) -> float:
    """A metric as the number it was before Lightning made float32 of it: 0.9812, not 0.98119998."""
    return float(f"{float(value):.7g}")


def _images(trainer: Trainer) -> int | None:
    """The number of training images in an epoch, over all processes, where the data are of the lab."""
    loader = trainer.train_dataloader
    every = getattr(loader, "num_images", None)
    if every is None or loader is None:
        return None
    batch = int(getattr(getattr(trainer, "datamodule", None), "batch_size", None) or every)
    return min(int(every), int(trainer.num_training_batches) * batch * trainer.world_size)


def _validates_after(trainer: Trainer, batch_idx: int) -> bool:
    """Whether a validation may follow this batch: a run continued from a checkpoint before it would leave it out."""
    every = trainer.val_check_batch
    by_epoch = trainer.check_val_every_n_epoch is not None
    batches = batch_idx + 1 if by_epoch else trainer.fit_loop.total_batch_idx + 1
    return isinstance(every, int) and batches % every == 0


def _values(trainer: Trainer, *prefixes: str) -> dict[str, float]:
    metrics = trainer.callback_metrics
    return {name: rounded(metrics[name]) for prefix in prefixes for name in sorted(metrics) if name.startswith(prefix)}
