"""Domains in Python: what `choice(...)` and `interval(...)` stand for in a preset."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mnistlab.errors import LabError
from mnistlab.options.domains import Interval

T = TypeVar("T")
N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Values:
    """What `choice` was given, before it is known of which option these are values.

    Attributes:
        values: Plain values, classes or nodes.
    """

    values: tuple[object, ...]


if TYPE_CHECKING:

    def choice(*values: T) -> T:
        """Some values or classes, one of which a sweep takes; for a type checker one of them."""

    def interval(low: N, high: N, *, step: N | None = None, log: bool = False) -> N:
        """All numbers between two, one of which a sweep takes; for a type checker one of them."""

else:

    def choice(*values: object) -> Values:
        """Some values, one of which a sweep takes: `config(SmallModel, hidden_dim=choice(128, 256))`.

        Args:
            *values: Plain values, classes, or nodes, which may hold domains of their own.

        Raises:
            LabError: If there are none.
        """
        if not values:
            raise LabError("`choice` needs values to choose from.")
        return Values(values)

    def interval(low: float, high: float, *, step: float | None = None, log: bool = False) -> Interval:
        """All numbers between two, one of which a sweep takes: `config(Adam, lr=interval(1e-4, 1e-2, log=True))`.

        Args:
            low: The smallest.
            high: The largest; where both are whole, so are all.
            step: The distance between two of them.
            log: Whether every factor is as likely as every other.

        Raises:
            LabError: If there is nothing between them.
        """
        whole = isinstance(low, int) and isinstance(high, int) and not isinstance(step, float)
        domain = Interval(low, high, step, log, whole)
        why = domain.refusal()
        if why:
            raise LabError(f"`interval` {why}.")
        return domain
