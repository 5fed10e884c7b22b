"""A training run that is part of something larger: a sweep, a comparison, a reproduction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = Mapping[str, float]
"""The metrics of an epoch, by their names in `metrics.csv`."""


@dataclass(frozen=True)
class Supervision:
    """What a training run is told by what it is part of.

    Attributes:
        folder: Where it is kept; where one has been begun there, it goes on.
        said: What its record says besides.
        goes_on: Is given the metrics of each epoch, and says whether another one shall follow.
        repeats: The run whose configuration counts; it is trusted as little as a checkpoint.
        turns: From which batch on it has computed with how many threads, where that is to be the same.
    """

    folder: Path
    said: Mapping[str, object]
    goes_on: Callable[[Row], bool]
    repeats: Path | None = None
    turns: Sequence[Sequence[int]] = ()
