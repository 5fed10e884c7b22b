"""Callbacks that look at a run from within, and say what they see on lines that begin with `MARK`."""

import atexit
import resource
import time
from pathlib import Path

import psutil
from lightning.pytorch import Callback, LightningModule, Trainer

MARK = "@bench"


class FirstStep(Callback):
    """Says when the first training step is over, in seconds of the system's clock."""

    abstract = True  # the benchmark adds it by itself

    def __init__(self) -> None:
        self._said = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        """Say it once."""
        if not self._said:
            self._said = True
            print(f"{MARK} {time.time():.3f}", flush=True)


class Resident(Callback):
    """Says how much memory the process has after each epoch, and at its end the most that it had, in MiB."""

    abstract = True  # the benchmark adds it by itself

    def __init__(self) -> None:
        atexit.register(say_peak)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say it."""
        print(f"{MARK} {psutil.Process().memory_info().rss / 2**20:.1f}", flush=True)


def say_peak() -> None:
    """Say the most memory that this process had at once, in MiB.

    Linux counts what a process had before it became this program in `ru_maxrss`, but not in VmHWM.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        peak = int(line.split()[1]) / 2**10
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes
    print(f"{MARK} {peak:.1f}", flush=True)


def said(output: str) -> list[float]:
    """The numbers that a probe has said, in their order."""
    lines = [line.split() for line in output.splitlines() if line.startswith(MARK)]
    return [float(words[1]) for words in lines]
