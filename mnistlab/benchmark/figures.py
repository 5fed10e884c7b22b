"""What was measured, as medians and spreads."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """Some measurements of one thing.

    Attributes:
        values: Each of them, in `unit`.
        unit: What they are counted in.
    """

    values: Sequence[float]
    unit: str = "s"

    @property
    def median(self) -> float:
        """The one in the middle."""
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        """The smallest."""
        return min(self.values)

    @property
    def most(self) -> float:
        """The largest."""
        return max(self.values)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"median": self.median, "min": self.least, "max": self.most, "n": len(self.values), "unit": self.unit}


@dataclass(frozen=True)
class Mark:
    """What is to be reached.

    Attributes:
        bound: The figure.
        at_least: Whether it is to be reached from below.
    """

    bound: float
    at_least: bool = False

    def reached(self, value: float) -> bool:
        """Whether a figure is good enough."""
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True)
class Result:
    """A line of the table.

    Attributes:
        name: What was measured.
        value: The figure by which it is judged: a ratio wherever there is one.
        unit: What it is counted in; `x` is a ratio.
        how: What the figure is made of, in words.
        mark: What is to be reached, if anything is.
        parts: The measurements.
    """

    name: str
    value: float
    unit: str
    how: str
    mark: Mark | None = None
    parts: dict[str, Figure] = field(default_factory=dict)

    @property
    def reached(self) -> bool | None:
        """Whether it is good enough; None where nothing is asked."""
        return None if self.mark is None else self.mark.reached(self.value)
