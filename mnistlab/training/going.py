"""How far something is that takes a while, without Lightning."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO

_PATIENCE_S, _SILENCE_S, _REFRESH_S = 1.0, 10.0, 0.2


class Going:
    """A count on a terminal once it takes a second; elsewhere a line whenever ten seconds have gone by without one.

    Args:
        what: What is done, such as `testing`.
        count: How many parts it has.
        stream: Where it is said; if not given, on standard output.
    """

    def __init__(self, what: str, count: int, stream: TextIO | None = None) -> None:
        self._what, self._count, self._done = what, count, 0
        self._begun = self._said = time.monotonic()
        self._stream = stream or sys.stdout
        self._counts = self._stream.isatty()
        self._drawn = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def move(self) -> None:
        """Say that another part is done."""
        self._done += 1
        now = time.monotonic()
        if self._counts and now - self._begun >= _PATIENCE_S and now - self._said >= _REFRESH_S:
            self._said = now
            self._draw(f"{self._what} {self._done}/{self._count}")
        elif not self._counts and now - self._said >= _SILENCE_S:
            self._said = now
            print(f"{self._what} {self._done}/{self._count}  {now - self._begun:.0f} s", file=self._stream, flush=True)

    def _draw(self, text: str) -> None:
        self._stream.write(f"\r{text:<{self._drawn}}")
        self._stream.flush()
        self._drawn = len(text)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the line."""
        if self._drawn:
            self._draw("")
            self._stream.write("\r")
            self._stream.flush()
