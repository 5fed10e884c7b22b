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


_heard: list[int] = []  # the signals that have ended the command which runs


def was_interrupted() -> bool:
    """Whether a signal has ended the command that runs, whatever was made of its exception.

    A module that is imported may raise anything instead, and so does torch where it writes a file.
    """
    return bool(_heard)


def forget_interruptions() -> None:
    """Begin a command: what has ended another one in this process is no business of it."""
    _heard.clear()


def is_interruption(error: BaseException) -> bool:
    """Whether an error is a signal's, or what Lightning or anybody else has made of it."""
    return isinstance(error, KeyboardInterrupt | SystemExit) or was_interrupted()


def interrupt(number: int, frame: FrameType | None) -> Never:
    """Answer a signal as Python answers Ctrl-C, and note it."""
    del frame
    _heard.append(number)
    raise KeyboardInterrupt


@contextmanager
def interruptions_noted(replaced: Handler) -> Iterator[None]:
    """Note every interruption, Ctrl-C among them.

    What is ignored stays so, as SIGHUP is under `nohup`.

    Args:
        replaced: What has answered Ctrl-C so far; where something else has, nothing is changed.
    """
    if signal.getsignal(signal.SIGINT) is not replaced or current_thread() is not main_thread():
        yield
        return
    with _hearing(signal.SIGINT, *_unheard()):
        yield


@contextmanager
def ended_like_interrupted() -> Iterator[None]:
    """Let whatever ends a command do so as Ctrl-C does, so that its record says so.

    Lightning ignores Ctrl-C once it has seen one, and leaves it so; all signals are as before afterwards.
    """
    if current_thread() is not main_thread():
        yield
        return
    with _hearing(*_unheard()):
        yield


def _unheard() -> list[int]:
    """The signals that would end the process without a word."""
    return [number for number in _ENDING if signal.getsignal(number) is signal.SIG_DFL]


@contextmanager
def _hearing(*numbers: int) -> Iterator[None]:
    """Listen to signals to which nobody has listened; all are as before afterwards."""
    if numbers:
        forget_interruptions()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *_ENDING)}
    try:
        for number in numbers:
            signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
