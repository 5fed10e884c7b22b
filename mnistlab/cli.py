"""The command line's entry. Nothing heavy is imported before a command needs it."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from mnistlab.errors import LabError
from mnistlab.nearest import suggestion


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        summary: What it does, in one line.
        function: The `module:function` that does it: it takes the command and the arguments, and returns the exit code.
        trains: Whether it takes the options of a model, its data and a trainer.
    """

    summary: str
    function: str
    trains: bool = False

    def __call__(self, command: str, arguments: Sequence[str]) -> int:
        """Run it; its module is imported now."""
        module, _, name = self.function.partition(":")
        function: Callable[[str, Sequence[str]], int] = getattr(import_module(module), name)
        return function(command, arguments)


_RUN = "mnistlab.commands:run"
COMMANDS = {
    "fit": Command("train a model, then test its best checkpoint", _RUN, trains=True),
    "validate": Command("measure a checkpoint on the validation images", _RUN, trains=True),
    "test": Command("measure a checkpoint on the test images", _RUN, trains=True),
    "predict": Command("write the prediction for every test image to a table", _RUN, trains=True),
}

_INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        args: What stands after `mnistlab`; if not given, that of this process.

    Returns:
        0, 1 for a failure that is no fault of the input, 2 for a mistake in it, 130 if interrupted.
    """
    arguments = list(sys.argv[1:] if args is None else args)
    try:
        return _dispatch(arguments)
    except LabError as error:
        print(f"mnistlab: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # `| head` has seen enough; nothing more can be said, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("mnistlab: interrupted", file=sys.stderr)
        return _INTERRUPTED


def entry() -> None:
    """Run as a program."""
    sys.exit(main())


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    name, *rest = arguments
    if name in ("-V", "--version"):
        from importlib.metadata import version  # noqa: PLC0415 - only here

        print(f"mnistlab {version('mnistlab')}")
        return 0
    if name not in COMMANDS:
        raise LabError(f"there is no command {name}.{suggestion(name, COMMANDS)} There are {', '.join(COMMANDS)}.")
    return COMMANDS[name](name, rest)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "mnistlab trains and compares image classifiers on MNIST and its family.",
            "",
            "Usage: mnistlab COMMAND [--option=value ...]",
            "",
            *lines,
            "",
            "  mnistlab fit --data=SyntheticDigits --model=SmallModel --model.hidden_dim=384",
            "  mnistlab test --ckpt_path=last",
            "",
            "`mnistlab COMMAND --help` lists the options, `--model.help=SmallModel` those of a class.",
        ]
    )
