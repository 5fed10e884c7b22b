"""The command line's entry. Ctrl-C is heard before anything else is imported, and nothing heavy before it is needed."""

import os
import signal
import sys

TYPE_CHECKING = False  # the module `typing` takes longer than all else until Ctrl-C is heard
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType, TracebackType
    from typing import Never

_INTERRUPTED = 130


def main(args: "Sequence[str] | None" = None) -> int:
    """Run a command.

    Args:
        args: What stands after `mnistlab`; if not given, that of this process.

    Returns:
        0, 1 for a failure that is no fault of the input, 2 for a mistake in it, 130 if interrupted.
    """
    from mnistlab.addresses import kept_out  # noqa: PLC0415 - see above
    from mnistlab.dispatch import command_of  # noqa: PLC0415 - see above
    from mnistlab.errors import LabError, tell  # noqa: PLC0415 - see above
    from mnistlab.interruptions import interruptions_noted  # noqa: PLC0415 - see above

    interruptions: list[int] = []
    with interruptions_noted(signal.default_int_handler, interruptions):
        try:
            typed = sys.argv[1:] if args is None else args
            command = command_of([kept_out(argument, typed=True) for argument in typed])
            if not interruptions:  # while it was imported, where Python may have ignored the exception
                with interruptions_noted(_leave, interruptions):
                    return command()
            tell("mnistlab: interrupted")
        except BrokenPipeError:  # `| head` has seen enough; nothing more can be said, not even at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, LabError) and error.exit_code == _INTERRUPTED:
                tell(f"mnistlab: {error}")  # and where it can be continued
            elif interruptions or isinstance(error, KeyboardInterrupt):
                tell("mnistlab: interrupted")
            elif isinstance(error, LabError):
                tell(f"mnistlab: {error}")
                return error.exit_code
            else:
                raise
    return _INTERRUPTED


def entry() -> None:
    """Run as a program."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)  # until a command runs there is nothing to be closed
    sys.excepthook = _show_error
    code = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not break into what torch does at exit
    sys.exit(code)


def _show_error(kind: "type[BaseException]", error: BaseException, trace: "TracebackType | None") -> None:
    """What `--debug` lets through, as Python shows it; no library's error tells a password."""
    from traceback import format_exception  # noqa: PLC0415 - see above

    from mnistlab.addresses import masked  # noqa: PLC0415 - see above

    sys.stderr.write(masked("".join(format_exception(kind, error, trace))))


def _leave(number: int, frame: "FrameType | None") -> "Never":
    """End at once: an exception would be raised in the middle of an import, which may make anything of it."""
    del number, frame
    os.write(sys.stderr.fileno(), b"mnistlab: interrupted\n")
    os._exit(_INTERRUPTED)
