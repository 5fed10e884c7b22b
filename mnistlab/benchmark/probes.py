"""Callbacks that look at a run from within, and say what they see on lines that begin with `MARK`."""

import time

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
    """Says how much memory the process has after each epoch, in MiB."""

    abstract = True  # the benchmark adds it by itself

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say it."""
        print(f"{MARK} {psutil.Process().memory_info().rss / 2**20:.1f}", flush=True)


def option(callback: type[Callback]) -> str:
    """What adds a callback to `mnistlab fit`."""
    return f"--trainer.callbacks={callback.__module__}.{callback.__qualname__}"


def said(output: str) -> list[float]:
    """The numbers that a probe has said, in their order."""
    lines = [line.split() for line in output.splitlines() if line.startswith(MARK)]
    return [float(words[1]) for words in lines]
