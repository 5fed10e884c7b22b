"""What an object of Python becomes on a command line."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """An object in words.

    Attributes:
        text: The value of the option that takes it.
        below: What is said of the options below that: `net.path=...`.
        beside: What is typed besides.
    """

    text: str
    below: Sequence[str] = ()
    beside: Sequence[str] = ()
