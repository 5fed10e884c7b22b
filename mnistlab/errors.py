"""What goes wrong in a way that a user can mend, and how it is told."""

import errno
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from mnistlab.text.addresses import masked

OUTPUT = "standard output"
"""What an error names that is about it."""

_NO_MEMORY = ("failed to map segment", "cannot allocate memory", "can't allocate memory", "out of memory")

TOO_LITTLE_MEMORY = "too little memory is free for what this needs: end other programs, or raise the limit (ulimit -v)"
"""What is said where not even a library can be loaded."""


def visible(text: str) -> str:
    """Without what would move the cursor of a terminal or change its colours: a stranger may have written it.

    Nor has it the password of an address, which an error of another library may quote.
    """
    printable = text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return masked(printable)


def tell(message: str) -> None:
    """Print a message on standard error; on a terminal its lines are broken between words.

    A line that is indented stays whole, however long: it is a command to be copied.
    """
    lines = message.splitlines()
    if sys.stderr.isatty():
        from shutil import get_terminal_size  # noqa: PLC0415 - only here

        from mnistlab.text.layout import paragraph  # noqa: PLC0415 - only here

        width = get_terminal_size().columns
        lines = [
            part for line in lines for part in ([line] if line.startswith("  ") else paragraph(line, width, 2, ""))
        ]
    with suppress(OSError):  # nowhere to say so
        print("\n".join(map(visible, lines)), file=sys.stderr)


def say(lines: Iterable[str]) -> None:
    """Print lines of which a stranger may have written part; on a terminal they are broken between words."""
    from mnistlab.text.layout import fitted  # noqa: PLC0415 - not for every command

    print(fitted("\n".join(map(visible, lines))))


def announce(message: str) -> None:
    """Say what takes a while, on standard error and to somebody who waits at a terminal only."""
    if sys.stderr.isatty():
        print(message, file=sys.stderr, flush=True)


class Output(io.TextIOWrapper):
    """A standard output whose errors name it: of a disk that is full they would say no more than that it is.

    A reader such as `head` that has seen enough is no error: a training goes on, and nobody hears of it any more.
    """

    def write(self, text: str) -> int:
        """Write, or keep to be written."""
        with _named(self):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Write what was kept."""
        with _named(self):
            super().flush()


@contextmanager
def _named(output: Output) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
    except OSError as error:
        error.filename = OUTPUT
        raise


def output_fault(error: BaseException | None = None) -> str | None:
    """Why nothing of what was printed can be written any more; what is left of it is dropped, also at exit.

    Args:
        error: What has happened; None for a look at what has not been written yet.

    Returns:
        The reason; None where all is well, or where a reader such as `head` has seen enough.
    """
    if getattr(error, "filename", None) != OUTPUT:
        try:
            sys.stdout.flush()
        except OSError as found:
            error = found
        else:
            return None
    assert isinstance(error, OSError)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    said = error.strerror or str(error)
    return None if isinstance(error, BrokenPipeError) else f"{OUTPUT} cannot be written: {said.lower()}."


def is_hangup(error: BaseException) -> bool:
    """Whether the terminal on which all is printed has been closed."""
    return isinstance(error, OSError) and error.errno == errno.EIO and error.filename == OUTPUT


def is_out_of_memory(error: BaseException | str) -> bool:
    """Whether an error, or what it says, is about memory, as where a library is loaded that does not fit."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _NO_MEMORY)


class LabError(Exception):
    """Ends a command with this message and no traceback.

    The message names what is wrong, where, why, and the nearest right thing.

    Attributes:
        exit_code: 2 where the input is at fault, 1 where it is not (a download that fails, a full disk).
    """

    exit_code = 2

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class DataUnavailableError(LabError):
    """A data set is neither present nor to be had."""

    exit_code = 1
