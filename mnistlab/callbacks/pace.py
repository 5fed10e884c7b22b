"""With how many threads a run computes, and what it is told of a machine that others use too."""

import math
import os
import time
from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from mnistlab.errors import tell
from mnistlab.system.lightning_inside import Epochwise
from mnistlab.system.processes import Machine
from mnistlab.system.threads import compute_with
from mnistlab.text.values import counted, milliseconds

Turns = Sequence[Sequence[int]]
"""From which batch of a run on how many threads computed: `[[0, 2], [860, 1]]`."""

_WINDOW_S = 0.5  # seconds of training after which a look is taken
_WORTH = 1.25  # how many times as fast fewer threads must be to be kept: bits are given up for it

_PATIENCE = 8  # looks until fewer threads are tried again; twice as many each time that they were not worth it
_QUIET = 2  # looks in a row at which others must be gone before all threads compute again
_SLOW = 3.0  # from how many times its shortest time on a step is called slow


class Pace(Epochwise, Callback):
    """Computes with fewer threads while other programs keep the cores busy, and remembers with how many.

    At each operation the threads of a step wait for each other, and so for the one that has no core. What they compute
    depends on their number in the last bits, so a number that was chosen by the user stays, and a run that is done
    again takes the numbers that its record has, batch by batch.

    Args:
        chosen: How many threads the user wants; None for as many as are best.
        repeated: The numbers of the run that is done again.
    """

    abstract = True  # the lab adds it by itself

    def __init__(self, chosen: int | None = None, repeated: Turns = ()) -> None:
        self.turns: list[list[int]] = []
        self._chosen, self._repeated = chosen, repeated
        self._batches = 0  # that were begun in this run
        self._most = 1
        self._adapts = False
        self._machine = Machine()
        self._told = False
        self._since: float | None = None
        self._seconds, self._steps = 0.0, 0  # since the last look, without validation
        self._shortest = math.inf  # seconds of a step
        self._before: float | None = None  # seconds of a step with all threads, while fewer are tried
        self._patience, self._wait, self._quiet = _PATIENCE, 0, 0

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"turns": [list(turn) for turn in self.turns], "batches": self._batches}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with as many threads as it was begun with."""
        self.turns[:] = [list(turn) for turn in state_dict["turns"]]
        self._batches = state_dict["batches"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with as many threads as are wanted."""
        begun_with = self.turns[0][1] if self.turns else torch.get_num_threads()
        self._most = self._chosen or begun_with
        fixed = self._chosen is not None or "OMP_NUM_THREADS" in os.environ
        alone = trainer.world_size == 1 and trainer.strategy.root_device.type == "cpu"
        self._adapts = alone and not fixed and not self._repeated
        self._compute_with(self._threads_of(self._batches) or self._most)
        self._machine.look()

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Take a look if it is time."""
        now = time.perf_counter()
        if self._since is not None:
            self._seconds += now - self._since
            self._steps += 1
            if self._seconds >= _WINDOW_S:
                self._look()
                now = time.perf_counter()
        self._since = now
        if self._repeated:
            self._compute_with(self._threads_of(self._batches) or self._most)
        self._batches += 1

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Pass over what lies between two epochs."""
        self._since = None

    on_validation_start = on_train_epoch_end

    def _look(self) -> None:
        """Find out how long a step takes now, and whether others are in the way."""
        step = self._seconds / self._steps
        self._seconds, self._steps = 0.0, 0
        others = self._machine.look()
        if self._adapts and self._most > 1:
            self._adapt(step, others)
        elif others:
            self._tell_slow(step)
        self._shortest = min(self._shortest, step)

    def _adapt(self, step: float, others: float) -> None:
        if self._before is not None:  # fewer are tried
            if step * _WORTH > self._before:
                self._patience *= 2
                self._wait = self._patience
                self._compute_with(self._most)
                self._tell_slow(self._before)
            else:
                self._tell_fewer(step, self._before, others)
            self._before = None
        elif torch.get_num_threads() == self._most:
            self._wait = max(0, self._wait - 1)
            if others and not self._wait:
                self._before = step
                self._compute_with(max(1, self._most - math.ceil(others)))
        else:
            self._quiet = 0 if others else self._quiet + 1
            if self._quiet == _QUIET:
                self._quiet = 0
                self._compute_with(self._most)

    def _threads_of(self, batch: int) -> int | None:
        """With how many threads the run that is done again has computed a batch."""
        return next((threads for first, threads in reversed(self._repeated) if first <= batch), None)

    def _compute_with(self, threads: int) -> None:
        if not self.turns or self.turns[-1][1] != threads:
            self.turns.append([self._batches, threads])
        compute_with(threads)

    def _tell_fewer(self, step: float, before: float, others: float) -> None:
        fewer = torch.get_num_threads()
        self._tell(
            f"others use {others:.1f} of its {self._machine.cores} cores. A step takes {milliseconds(step)} with "
            f"{counted(fewer, 'thread')}, {milliseconds(before)} with {self._most}: it goes on so until they are done "
            f"(--threads={self._most} keeps all, and with them the bits)."
        )

    def _tell_slow(self, step: float) -> None:
        if step >= _SLOW * self._shortest:
            self._tell(f"a step takes {step / self._shortest:.0f} times what it took at first.")

    def _tell(self, what: str) -> None:
        if not self._told:
            self._told = True
            tell(f"note: this machine is busy: {what}")
