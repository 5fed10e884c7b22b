"""What is told of objects that only this session has: after the command, and not where it is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from mnistlab.errors import LabError, tell

_session: dict[str, None] = {}  # what is to be told


def note_session(line: str) -> None:
    """Keep what is to be told of an object, once it is known that the command takes it."""
    _session[line] = None


@contextmanager
def told_of_session() -> Iterator[None]:
    """Tell what was kept so, unless the command is refused."""
    _session.clear()
    try:
        yield
    except LabError:
        _session.clear()
        raise
    finally:
        for line in _session:
            tell(line)
