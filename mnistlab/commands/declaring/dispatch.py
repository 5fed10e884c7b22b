"""From what was typed to the command that does it."""

from collections.abc import Callable, Sequence

from mnistlab.commands.declaring.model import IN_A_LINE, Command, all_commands, find_command
from mnistlab.errors import LabError, tell
from mnistlab.options.arguments import Arguments, read_arguments, spelt_out
from mnistlab.options.meant import meant_command, meant_name
from mnistlab.system.environment import unknown
from mnistlab.text.nearest import suggestion

_NUMBERS = {1: "one run", 2: "two runs"}


def command_of(arguments: Sequence[str]) -> Callable[[], int]:
    """What does as it was told, imported; it returns the exit code.

    Args:
        arguments: What stands after `mnistlab`.

    Raises:
        LabError: If there is no such command, or it takes no such arguments.
    """
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        return command_of(_asking_for_help(arguments[1:])) if arguments[1:] else lambda: _show(_overview())
    name, *rest = arguments
    if name in ("-V", "--version"):
        from importlib.metadata import version  # noqa: PLC0415 - only here

        return lambda: _show(f"mnistlab {version('mnistlab')}")
    if name.startswith("-"):
        first = f" A command comes first: mnistlab fit {name}" if name.startswith(("--", "-c")) else ""
        hint = suggestion(name, ("--help", "--version")) or first or " `mnistlab --help` lists the commands."
        raise LabError(f"{name}: there is no such option.{hint}")
    command = find_command(name)
    if command is None:
        known = all_commands()
        hint = meant_command(name, {each: declared.commands for each, declared in known.items()})
        raise LabError(f"there is no command {name}.{hint} There are {', '.join(known)}.")
    if name == "completion" and rest[:1] == ["--complete"]:
        from mnistlab.commands.help.installing import answer  # noqa: PLC0415 - not for every command

        return lambda: answer(rest[1:])
    if name != "completion":
        for sentence in unknown():
            tell(f"note: {sentence}")
    if rest and rest[0] in command.commands:
        return _work(f"{name} {rest[0]}", command.commands[rest[0]], rest[1:])
    return _work(name, command, rest)


def _asking_for_help(words: Sequence[str]) -> list[str]:
    """`runs show` as `runs show --help`, and `fit model` as `fit --help model`."""
    command = find_command(words[0])
    end = 2 if command and words[1:2] and words[1] in command.commands else 1
    return [*words[:end], "--help", *words[end:]]


def _work(name: str, command: Command, arguments: Sequence[str]) -> Callable[[], int]:
    arguments = spelt_out(arguments) if command.like else arguments
    own_page = not command.shows and {"-h", "--help"} & {*arguments}
    if command.like and not own_page:
        from mnistlab.commands.help.screens import asks_for_help, show_help  # noqa: PLC0415 - not for every command

        if asks_for_help(arguments):
            own = {f"--{option.name}" for option in command.own}
            others = [word for word in arguments if word.partition("=")[0] not in own]
            return lambda: show_help(command.like, others)
    asked = read_arguments(name, arguments, command.own, shares=bool(command.like), commands=command.commands)
    if "help" in asked.switches:
        from mnistlab.commands.help.usage import show_usage  # noqa: PLC0415 - not for every command

        return lambda: show_usage(name, command)
    _check_names(command, asked)
    from mnistlab.commands.declaring.from_kit import with_kit  # noqa: PLC0415 - not for help

    return with_kit(command, asked)


def _check_names(command: Command, asked: Arguments) -> None:
    """Refuse names where there may be none, or other than so many."""
    names, what = asked.names, asked.command
    if command.needs not in (None, len(names)):
        got = f"got {len(names)}: {', '.join(names)}" if names else "got none"
        example = " ".join(["mnistlab", what, *[command.names[0].name] * (command.needs or 0)])
        runs = _NUMBERS[command.needs or 0]
        number = f"{command.needs} run{'s' * (command.needs != 1)}"
        raise LabError(f"{what} takes {number}, {got}; name {runs}: {example}. `mnistlab runs` lists them.")
    if not names or command.names:
        return
    name = names[0]
    if command.like:
        raise LabError(f"`{name}` is not an option. Options begin with two dashes.")
    if name in command.commands:
        raise LabError(f"{name} comes first: mnistlab {what} {name} ...")
    taken = {option.name: option.words for option in command.own}
    if near := meant_name(what, name, taken, command.commands, all_commands()):
        raise LabError(f"`{name}`: {what} takes no names.{near}")
    raise LabError(f"{what} takes no names, got {name}. {command.instead.format(name=name)}".rstrip())


def _show(text: str) -> int:
    from mnistlab.text.layout import fitted  # noqa: PLC0415 - not for every command

    print(fitted(text))
    return 0


def _overview() -> str:
    groups: dict[str, dict[str, Command]] = {}
    for name, command in all_commands().items():
        groups.setdefault(command.group, {})[name] = command
    width = max(len(name) for group, commands in groups.items() if group not in IN_A_LINE for name in commands)
    lines: list[str] = []
    for group, commands in groups.items():
        rows = [f"  {name:<{width}}  {each.summary}" for name, each in commands.items()]
        lines += [group, *([f"  {', '.join(commands)}"] if group in IN_A_LINE else rows)]
    return "\n".join(
        [
            "mnistlab trains and compares image classifiers on MNIST and its family.",
            *lines,
            "mnistlab COMMAND --help lists its options. To begin:",
            "  mnistlab fit --data=SyntheticDigits --model=SmallModel",
        ]
    )
