"""The command line's entry. Nothing heavy is imported before a command needs it."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Never

from mnistlab.command_table import COMMANDS, TABLES, Command
from mnistlab.errors import LabError, tell
from mnistlab.nearest import suggestion

_INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        args: What stands after `mnistlab`; if not given, that of this process.

    Returns:
        0, 1 for a failure that is no fault of the input, 2 for a mistake in it, 130 if interrupted.
    """
    arguments = list(sys.argv[1:] if args is None else args)
    with _noticing_interruptions() as interruptions:
        try:
            return _dispatch(arguments, interruptions)
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


@contextmanager
def _noticing_interruptions() -> Iterator[list[int]]:
    """A list that Ctrl-C adds to: a module that is interrupted while it is imported may raise anything."""
    seen: list[int] = []

    def note(number: int, frame: object) -> Never:
        del frame
        seen.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler or current_thread() is not main_thread():
        yield seen
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def entry() -> None:
    """Run as a program."""
    code = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not break into what torch does at exit
    sys.exit(code)


def _dispatch(arguments: list[str], interruptions: list[int]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        if arguments[1:]:
            return _dispatch([arguments[1], "--help", *arguments[2:]], interruptions)
        print(_overview())
        return 0
    name, *rest = arguments
    if name in ("-V", "--version"):
        from importlib.metadata import version  # noqa: PLC0415 - only here

        print(f"mnistlab {version('mnistlab')}")
        return 0
    if name.startswith("-"):
        first = f" A command comes first: mnistlab fit {name}" if name.startswith("--") else ""
        hint = suggestion(name, ("--help", "--version")) or first or " `mnistlab --help` lists the commands."
        raise LabError(f"{name}: there is no such option.{hint}")
    if name not in COMMANDS:
        raise LabError(f"there is no command {name}.{suggestion(name, COMMANDS)} There are {', '.join(COMMANDS)}.")
    command = COMMANDS[name]
    if command.trains:
        from mnistlab.discovery.screens import asks_for_help, show_help  # noqa: PLC0415 - not for every command

        if asks_for_help(rest):
            return show_help(name, command.summary, rest)
    function = command.load()
    if interruptions:  # while it was imported, where Python may have ignored the exception
        raise KeyboardInterrupt
    return function(name, rest)


def _overview() -> str:
    groups: dict[str, dict[str, Command]] = {}
    for name, command in COMMANDS.items():
        groups.setdefault(command.group, {})[name] = command
    width = max(len(name) for name, command in COMMANDS.items() if command.group != TABLES)
    lines: list[str] = []
    for group, commands in groups.items():
        rows = [f"  {name:<{width}}  {each.summary}" for name, each in commands.items()]
        lines += [group, *([f"  {', '.join(commands)}"] if group == TABLES else rows)]
    return "\n".join(
        [
            "mnistlab trains and compares image classifiers on MNIST and its family.",
            *lines,
            "",
            "mnistlab COMMAND --help lists its options. To begin:",
            "  mnistlab fit --data=SyntheticDigits --model=SmallModel",
        ]
    )
