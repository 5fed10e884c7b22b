"""The arguments of a command that configures nothing: names, switches, and a few options with a value."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.notation import at_home
from mnistlab.system.environment import run_dir
from mnistlab.text.nearest import suggestion

_PATHS = ("ckpt_path", "output", "run.dir")


@dataclass(frozen=True)
class Arguments:
    """What was typed after such a command.

    Attributes:
        names: What stands there without dashes.
        switches: The switches that are on.
        values: The last value of each option that takes one.
    """

    names: Sequence[str]
    switches: frozenset[str]
    values: Mapping[str, str]

    @property
    def root(self) -> Path:
        """The folder of all runs: `--run.dir`, or that of the environment."""
        return Path(self.values.get("run.dir") or at_home(run_dir()))


def read_arguments(
    command: str, arguments: Sequence[str], *, switches: Sequence[str] = (), takes_value: Sequence[str] = ()
) -> Arguments:
    """Read the arguments; `help` is always a switch.

    Args:
        command: For messages.
        arguments: What stands after the command.
        switches: Options without a value.
        takes_value: Options with one.

    Raises:
        LabError: If there is no such option, its value is missing, or a switch has one.
    """
    known = (*switches, *takes_value, "help")
    names: list[str] = []
    on: set[str] = set()
    values: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name, equals, value = argument.removeprefix("--").partition("=")
        if argument == "-h":
            on.add("help")
        elif not argument.startswith("-"):
            names.append(argument)
        elif name not in known or not argument.startswith("--"):
            hint = suggestion(name.lstrip("-"), known, "--") or f" It takes {', '.join(f'--{each}' for each in known)}."
            raise LabError(f"{argument}: {command} has no such option.{hint}")
        elif name in takes_value:
            if not equals and rest:
                value = rest.pop(0)
            if not value:
                raise LabError(f"--{name} needs a value: --{name}=...")
            values[name] = at_home(value) if name in _PATHS else value
        elif equals:
            raise LabError(f"{argument}: --{name} takes no value.")
        else:
            on.add(name)
    return Arguments(names, frozenset(on), values)


def divided(arguments: Sequence[str], own: Sequence[str], others: Collection[str]) -> tuple[list[str], list[str]]:
    """The arguments that are a command's own, also misspelt, and those that it shares with another command.

    Args:
        arguments: What stands after the command.
        own: Its own options.
        others: Options that are not its own, however much they look like one.
    """
    ours: list[str] = []
    shared: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name, equals, _ = argument.removeprefix("--").partition("=")
        near = name not in others and get_close_matches(name, own, cutoff=0.75)
        part = ours if argument in ("-h", "--help") or near else shared
        part.append(argument)
        if not equals and rest and not rest[0].startswith("--"):
            part.append(rest.pop(0))
    return ours, shared


def words(arguments: Sequence[str]) -> list[str]:
    """Each option as one word: `--key value` becomes `--key=value`."""
    joined: list[str] = []
    for argument in arguments:
        takes = joined and joined[-1].startswith("--") and "=" not in joined[-1]
        if takes and not argument.startswith("--"):
            joined[-1] = f"{joined[-1]}={argument}"
        else:
            joined.append(argument)
    return joined
