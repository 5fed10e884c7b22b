"""Nets that are trained by whole commands for parts of epochs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mnistlab.runs.run import Run


@dataclass(frozen=True)
class Load:
    """A net that is trained."""

    net: str  # its class
    batches: int  # of an epoch, of 128 images each
    epochs: int = 4  # of a run; the first warms up

    def fit(self, data: Sequence[str], root: Path, epochs: int | None = None) -> list[str]:
        """The command that trains it, after `mnistlab`; its run is kept in `root`."""
        length = [f"--trainer.max_epochs={epochs or self.epochs}", f"--trainer.limit_train_batches={self.batches}"]
        sizes = ["--data.batch_size=128", "--trainer.limit_val_batches=1", "--run.test=false"]
        return ["fit", *data, f"--model={self.net}", *length, *sizes, f"--run.dir={root}"]


def epoch_seconds(root: Path) -> list[float]:
    """Those of the one run that is kept in `root`, without validation."""
    (folder,) = root.glob("*/*")
    return [seconds or 0.0 for seconds in Run.of(folder).epoch_seconds]
