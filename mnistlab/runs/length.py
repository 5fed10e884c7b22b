"""How long a run has trained, in steps of the optimizer, of which it may have made only some in its last epoch."""

import math
from dataclasses import dataclass
from typing import Self

from mnistlab.runs.reading import Said


@dataclass(frozen=True)
class Length:
    """How long a run has trained that has ended within an epoch."""

    steps: int  # of the optimizer, in all
    per_epoch: int  # of them in a whole epoch
    images: int  # that it has learnt from, those it has met again counted again

    @classmethod
    def of(cls, run: Said) -> Self | None:
        """That of a run; None where its last epoch is whole, or where that is not known."""
        names = (
            ("metrics", "last", "step"),
            ("metrics", "last", "epoch"),
            ("train_images",),
            ("effective_batch_size",),
            ("steps_per_epoch",),
        )
        step, epoch, images, batch, steps = (run.number(*name) for name in names)
        if step is None or epoch is None or not images or not batch:
            return None
        per_epoch = int(steps or math.ceil(images / batch))  # an older version did not say it
        if not epoch * per_epoch < step < (epoch + 1) * per_epoch:  # else its batches were others once
            return None
        part = int(step) - int(epoch) * per_epoch
        return cls(int(step), per_epoch, int(epoch * images + part * batch))

    @property
    def whole(self) -> int:
        """The whole epochs."""
        return self.steps // self.per_epoch

    @property
    def part(self) -> str:
        """What was made of the last epoch: `12 of 131 steps`."""
        return f"{self.steps - self.whole * self.per_epoch:,} of {self.per_epoch:,} steps"

    @property
    def epochs(self) -> float:
        """The epochs, with that part of one."""
        return self.steps / self.per_epoch
