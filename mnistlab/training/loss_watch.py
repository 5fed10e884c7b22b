"""Says so when nothing more is learnt."""

import math

from lightning.pytorch import Trainer

from mnistlab.errors import tell
from mnistlab.runs.keeper import is_scaled
from mnistlab.runs.supervision import Listener, Row


class LossWatch(Listener):
    """Says once that the loss is no number any more."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._told = False

    def announce(self, trainer: Trainer) -> None:
        """Know what to look at: where gradients are scaled, a training loss may be that of a step left out."""
        self._names = ("val/loss",) if is_scaled(trainer) else ("train/loss", "val/loss")

    def row(self, row: Row) -> bool:
        """Look at the metrics of an epoch."""
        broken = [name for name in self._names if not math.isfinite(row.get(name, 0.0))]
        if broken and not self._told:
            self._told = True
            tell(
                f"note: {broken[0]} is {row[broken[0]]} after epoch {int(row['epoch']) + 1}: nothing more is learnt. "
                "Try a smaller --model.optimizer.lr=... or --trainer.gradient_clip_val=1; "
                "--trainer.detect_anomaly=true finds the place.",
            )
        return True
