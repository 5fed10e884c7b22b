"""What ends a command as Ctrl-C does: a terminal that is closed, a batch system that wants its machine back."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Never

Handler = Callable[[int, FrameType | None], object]

_NAMES = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")  # the last two are how some batch systems give notice
_ENDING = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


def interrupt(number: int, frame: FrameType | None) -> Never:
    """Answer a signal as Python answers Ctrl-C."""
    del number, frame
    raise KeyboardInterrupt


@contextmanager
def interruptions_noted(replaced: Handler, seen: list[int]) -> Iterator[None]:
    """Note every interruption: a module that is interrupted while it is imported may raise anything.

    What is ignored stays so, as SIGHUP is under `nohup`.

    Args:
        replaced: What has answered Ctrl-C so far; where something else has, nothing is changed.
        seen: What is added to.
    """
    if signal.getsignal(signal.SIGINT) is not replaced or current_thread() is not main_thread():
        yield
        return

    def note(number: int, frame: FrameType | None) -> Never:
        seen.append(number)
        interrupt(number, frame)

    with _restored():
        for number in (signal.SIGINT, *_unheard()):
            signal.signal(number, note)
        yield


@contextmanager
def ended_like_interrupted() -> Iterator[None]:
    """Let whatever ends a command do so as Ctrl-C does, so that its record says so.

    Lightning ignores Ctrl-C once it has seen one, and leaves it so; all signals are as before afterwards.
    """
    if current_thread() is not main_thread():
        yield
        return
    with _restored():
        for number in _unheard():
            signal.signal(number, interrupt)
        yield


def _unheard() -> list[int]:
    """The signals that would end the process without a word."""
    return [number for number in _ENDING if signal.getsignal(number) is signal.SIG_DFL]


@contextmanager
def _restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *_ENDING)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
