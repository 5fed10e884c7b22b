"""Who hears of a training run while it goes on: screen, trackers, and what the run is part of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lightning.pytorch import Trainer

if TYPE_CHECKING:
    from mnistlab.data import ImageData

Row = Mapping[str, float]
"""The metrics of an epoch, by their names in `metrics.csv`."""


class Listener:
    """Hears how a training run goes on, in the process that writes; what is of no use to it, it leaves as it is."""

    def announce(self, trainer: Trainer) -> None:
        """Hear that the training is about to begin: all is checked, nothing is written yet."""

    def begin(self) -> None:
        """Hear that it has begun: folder, record and table are there."""

    def row(self, row: Row) -> bool:
        """Hear the metrics of an epoch; whether another one shall follow."""
        return True

    def end(self) -> None:
        """Hear that it is over, whatever has ended it; the record says what."""


@dataclass(frozen=True)
class Supervision(Listener):
    """What a training run is told by what it is part of: a sweep, a comparison, a reproduction."""

    folder: Path  # where it is kept; where one has been begun there, it goes on
    said: Mapping[str, object]  # what its record says besides
    goes_on: Callable[[Row], bool]  # is given the metrics of each epoch, and says whether another one shall follow
    repeats: Path | None = None  # the run whose configuration counts; it is trusted as little as a checkpoint
    turns: Sequence[Sequence[int]] = ()
    """From which batch on it has computed with how many threads, where that is to be the same."""
    read: dict[str, "ImageData"] = field(default_factory=dict)
    """Data that the run before it in this process has read, by their options; another run with the same shares them."""

    def row(self, row: Row) -> bool:
        """Ask whether another epoch shall follow."""
        return self.goes_on(row)
