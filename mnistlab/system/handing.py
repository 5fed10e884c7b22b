"""What a command has made, for who runs it from Python: a shell needs no more than what it prints."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_hands: ContextVar[list[object] | None] = ContextVar("_hands", default=None)


def hand_over(*made: object) -> None:
    """Give what has been made to whoever waits for it; from a shell nobody does."""
    hands = _hands.get()
    if hands is not None:
        hands.extend(made)


@contextmanager
def handed() -> Iterator[list[object]]:
    """Wait for what the commands within make, in the order in which they hand it over."""
    made: list[object] = []
    token = _hands.set(made)
    try:
        yield made
    finally:
        _hands.reset(token)
