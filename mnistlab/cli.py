"""The command line's entry. Nothing heavy is imported before a command needs it."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from mnistlab.errors import LabError
from mnistlab.nearest import suggestion

_RUN = "mnistlab.commands:run"
_TABLES = "mnistlab.discovery.tables:show_table"

_TRAIN = "Train and measure"
_SEE = "See what there is"
_CARE = "Look after it"


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        summary: What it does, in one line.
        function: The `module:function` that does it: it takes the command and the arguments, and returns the exit code.
        trains: Whether it takes the options of a model, its data and a trainer.
        group: Under which heading the overview has it.
    """

    summary: str
    function: str
    trains: bool = False
    group: str = _CARE

    def __call__(self, command: str, arguments: Sequence[str]) -> int:
        """Run it; its module is imported now."""
        module, _, name = self.function.partition(":")
        function: Callable[[str, Sequence[str]], int] = getattr(import_module(module), name)
        return function(command, arguments)


COMMANDS = {
    "fit": Command("train a model, then test its best checkpoint", _RUN, trains=True, group=_TRAIN),
    "validate": Command("measure a checkpoint on the validation images", _RUN, trains=True, group=_TRAIN),
    "test": Command("measure a checkpoint on the test images", _RUN, trains=True, group=_TRAIN),
    "predict": Command("write the prediction for every test image to a table", _RUN, trains=True, group=_TRAIN),
    "models": Command("the models, with their parameter counts", _TABLES, group=_SEE),
    "datasets": Command("the data sets, with their images and classes", _TABLES, group=_SEE),
    "losses": Command("the losses", _TABLES, group=_SEE),
    "optimizers": Command("the optimizers", _TABLES, group=_SEE),
    "schedules": Command("the learning rate schedules", _TABLES, group=_SEE),
    "presets": Command("the presets, yours and those that come with mnistlab", _TABLES, group=_SEE),
    "inspect": Command("show what is in a checkpoint, importing nothing from it", "mnistlab.inspection:run"),
    "doctor": Command("check the installation, the data sets and the devices", "mnistlab.doctor:run"),
    "completion": Command("complete commands, options and values with TAB", "mnistlab.discovery.completion:completion"),
    "schema": Command("print the JSON schema of YAML presets, for editors", "mnistlab.discovery.schema:schema"),
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
        if arguments[1:]:
            return _dispatch([arguments[1], "--help"])
        print(_overview())
        return 0
    name, *rest = arguments
    if name in ("-V", "--version"):
        from importlib.metadata import version  # noqa: PLC0415 - only here

        print(f"mnistlab {version('mnistlab')}")
        return 0
    if name not in COMMANDS:
        raise LabError(f"there is no command {name}.{suggestion(name, COMMANDS)} There are {', '.join(COMMANDS)}.")
    command = COMMANDS[name]
    if command.trains:
        from mnistlab.discovery.screens import asks_for_help, show_help  # noqa: PLC0415 - not for every command

        if asks_for_help(rest):
            return show_help(name, command.summary, rest)
    return command(name, rest)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines: list[str] = []
    for group in dict.fromkeys(command.group for command in COMMANDS.values()):
        lines.append(group)
        lines += [f"  {name:<{width}}  {each.summary}" for name, each in COMMANDS.items() if each.group == group]
    return "\n".join(
        [
            "mnistlab trains and compares image classifiers on MNIST and its family.",
            "",
            *lines,
            "",
            "mnistlab COMMAND --help lists its options. To begin:",
            "  mnistlab fit --data=SyntheticDigits --model=SmallModel",
            "  mnistlab test --ckpt_path=last",
        ]
    )
