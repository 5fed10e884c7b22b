"""From what was typed to the command that does it."""

from collections.abc import Callable, Sequence

from mnistlab.commands.table import COMMANDS, TABLES, Command
from mnistlab.errors import LabError, tell
from mnistlab.system.environment import unknown
from mnistlab.text.nearest import suggestion


def command_of(arguments: Sequence[str]) -> Callable[[], int]:
    """What does as it was told, imported; it returns the exit code.

    Args:
        arguments: What stands after `mnistlab`.

    Raises:
        LabError: If there is no such command.
    """
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        if arguments[1:]:
            return command_of([arguments[1], "--help", *arguments[2:]])
        return lambda: _show(_overview())
    name, *rest = arguments
    if name in ("-V", "--version"):
        from importlib.metadata import version  # noqa: PLC0415 - only here

        return lambda: _show(f"mnistlab {version('mnistlab')}")
    if name.startswith("-"):
        first = f" A command comes first: mnistlab fit {name}" if name.startswith("--") else ""
        hint = suggestion(name, ("--help", "--version")) or first or " `mnistlab --help` lists the commands."
        raise LabError(f"{name}: there is no such option.{hint}")
    if name not in COMMANDS:
        raise LabError(f"there is no command {name}.{suggestion(name, COMMANDS)} There are {', '.join(COMMANDS)}.")
    if name != "completion":
        for sentence in unknown():
            tell(f"note: {sentence}")
    command = COMMANDS[name]
    if command.trains:
        from mnistlab.commands.help.screens import asks_for_help, show_help  # noqa: PLC0415 - not for every command
        from mnistlab.training.typed import refuse_mistakes  # noqa: PLC0415 - not for every command

        if asks_for_help(rest):
            return lambda: show_help(name, command.summary, rest)
        refuse_mistakes(name, rest)
    function = command.load()
    return lambda: function(name, rest)


def _show(text: str) -> int:
    from mnistlab.text.layout import fitted  # noqa: PLC0415 - not for every command

    print(fitted(text))
    return 0


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
