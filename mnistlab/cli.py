"""The command line's entry. Ctrl-C is heard before anything else is imported, and nothing heavy before it is needed."""

import io
import os
import signal
import sys
import time

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
    begun = time.monotonic()
    from mnistlab.commands.declaring.dispatch import command_of  # noqa: PLC0415 - see above
    from mnistlab.errors import TOO_LITTLE_MEMORY, LabError, is_out_of_memory, output_fault, tell  # noqa: PLC0415 - see above
    from mnistlab.system.interruptions import (  # noqa: PLC0415 - see above
        forget_interruptions,
        interruptions_noted,
        was_interrupted,
    )
    from mnistlab.system.purpose import Purpose  # noqa: PLC0415 - see above
    from mnistlab.text.addresses import kept_out  # noqa: PLC0415 - see above

    Purpose.begun = begun
    forget_interruptions()
    with interruptions_noted(signal.default_int_handler):
        try:
            typed = sys.argv[1:] if args is None else args
            command = command_of([kept_out(argument, typed=True) for argument in typed])
            if not was_interrupted():  # while it was imported, where Python may have ignored the exception
                with interruptions_noted(_leave):
                    return _said(command())
            tell("mnistlab: interrupted")
        except BrokenPipeError:  # `| head` has seen enough; nothing more can be said, not even at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (Exception, KeyboardInterrupt) as error:
            fault = output_fault(error)
            if isinstance(error, LabError) and error.exit_code == _INTERRUPTED:
                tell(f"mnistlab: {error}")  # and where it can be continued
            elif was_interrupted() or isinstance(error, KeyboardInterrupt):
                tell("mnistlab: interrupted")
            elif isinstance(error, LabError):
                tell(f"mnistlab: {error}")
                return error.exit_code
            elif fault:
                return _said(0, fault)
            elif is_out_of_memory(error):
                tell(f"mnistlab: {TOO_LITTLE_MEMORY} ({error}).")
                return 1
            else:
                raise
    return _INTERRUPTED


def _said(code: int, fault: str | None = None) -> int:
    """The exit code, once all that was printed has been written."""
    from mnistlab.errors import output_fault, tell  # noqa: PLC0415 - see above

    fault = fault or output_fault()
    if fault:
        tell(f"mnistlab: {fault}")
    return code or int(bool(fault))


def _open_closed() -> None:
    """Give a stream that is closed a place to go, or else a file that is opened later takes its number."""
    for number, (name, mode) in enumerate({"stdin": "r", "stdout": "w", "stderr": "w"}.items()):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _name_output() -> None:
    """Let an error of standard output say that it is one."""
    from mnistlab.errors import Output  # noqa: PLC0415 - see above

    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper):  # a program that calls this one has put something else in its place
        return
    encoding, errors, by_line, at_once = out.encoding, out.errors, out.line_buffering, out.write_through
    sys.stdout = Output(out.detach(), encoding, errors, line_buffering=by_line, write_through=at_once)
    vars(sys)["__stdout__"] = sys.stdout  # of which Python asks how large the terminal is


def entry() -> None:
    """Run as a program; it draws into files, whatever a notebook that has started it draws with."""
    import gc  # noqa: PLC0415 - see above

    _open_closed()
    _name_output()
    os.environ["MPLBACKEND"] = "Agg"
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)  # until a command runs there is nothing to be closed
    sys.excepthook = _show_error
    from mnistlab.system.purpose import be_the_program  # noqa: PLC0415 - see above

    be_the_program()
    code = main()
    gc.freeze()  # or the search for garbage at the end takes a quarter as long as importing torch
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not break into what torch does at exit
    sys.exit(code)


def _show_error(kind: "type[BaseException]", error: BaseException, trace: "TracebackType | None") -> None:
    """What `--debug` lets through, as Python shows it; no library's error tells a password."""
    from traceback import format_exception  # noqa: PLC0415 - see above

    from mnistlab.text.addresses import masked  # noqa: PLC0415 - see above

    sys.stderr.write(masked("".join(format_exception(kind, error, trace))))


def _leave(number: int, frame: "FrameType | None") -> "Never":
    """End at once: an exception would be raised in the middle of an import, which may make anything of it."""
    del number, frame
    os.write(sys.stderr.fileno(), b"mnistlab: interrupted\n")
    os._exit(_INTERRUPTED)
