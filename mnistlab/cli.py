"""The command line's entry. Nothing heavy is imported before a command needs it."""

import os
import sys
from collections.abc import Sequence

from mnistlab.errors import LabError
from mnistlab.nearest import suggestion

COMMANDS = {
    "fit": "train a model, then test its best checkpoint",
    "validate": "measure a checkpoint on the validation images",
    "test": "measure a checkpoint on the test images",
    "predict": "write the prediction for every test image to a table",
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
    command, *rest = arguments
    if command in ("-V", "--version"):
        from importlib.metadata import version  # noqa: PLC0415 - only here

        print(f"mnistlab {version('mnistlab')}")
        return 0
    if command not in COMMANDS:
        raise LabError(
            f"there is no command {command}.{suggestion(command, COMMANDS)} There are {', '.join(COMMANDS)}."
        )
    from mnistlab.commands import run  # noqa: PLC0415 - brings torch and Lightning in

    return run(command, rest)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
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
