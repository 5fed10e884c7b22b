"""What goes wrong in a way that a user can mend, and how it is told."""

import shutil
import sys

from mnistlab.addresses import masked


def visible(text: str) -> str:
    """Without what would move the cursor of a terminal or change its colours: a stranger may have written it.

    Nor has it the password of an address, which an error of another library may quote.
    """
    return masked("".join(char if char.isprintable() else ascii(char)[1:-1] for char in text))


def tell(message: str) -> None:
    """Print a message on standard error; on a terminal its lines are broken between words.

    A line that is indented stays whole, however long: it is a command to be copied.
    """
    lines = message.splitlines()
    if sys.stderr.isatty():
        import textwrap  # noqa: PLC0415 - only here

        wrapper = textwrap.TextWrapper(
            shutil.get_terminal_size().columns,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines = [part for line in lines for part in ([line] if line.startswith("  ") else wrapper.wrap(line))]
    print("\n".join(map(visible, lines)), file=sys.stderr)


def announce(message: str) -> None:
    """Say what takes a while, on standard error and to somebody who waits at a terminal only."""
    if sys.stderr.isatty():
        print(message, file=sys.stderr, flush=True)


class LabError(Exception):
    """Ends a command with this message and no traceback.

    The message names what is wrong, where, why, and the nearest right thing.

    Attributes:
        exit_code: 2 where the input is at fault, 1 where it is not (a download that fails, a full disk).
    """

    exit_code = 2


class DataUnavailableError(LabError):
    """A data set is neither present nor to be had."""

    exit_code = 1
