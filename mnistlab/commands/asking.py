"""The arguments of commands that have options of their own and take those of `fit`; help included."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mnistlab.catalogue.used import STEERING
from mnistlab.commands.help.screens import asks_for_help, show_help
from mnistlab.commands.table import COMMANDS
from mnistlab.errors import LabError
from mnistlab.options.arguments import divided, read_arguments
from mnistlab.text.layout import fitted

_MAY_STAND_ALONE = ("retry_failed", "allow_drift")
"""Options that are true or false, and true without a value."""


@dataclass(frozen=True)
class Asked:
    """What was typed after such a command.

    Attributes:
        values: Its own options.
        switches: Those without a value that are on.
        others: The options of `fit`.
    """

    values: Mapping[str, str]
    switches: frozenset[str]
    others: Sequence[str]


def asked_of_many(
    command: str, arguments: Sequence[str], usage: str, own: Collection[str], switches: Sequence[str] = ()
) -> Asked | None:
    """Read the arguments of a command that makes many runs; None where help was asked for, which is then shown.

    Args:
        command: The command.
        arguments: What was typed after it.
        usage: Its help.
        own: Its own options, without those of `switches`.
        switches: Its own options without a value.

    Raises:
        LabError: If something is no option, or lacks its value.
    """
    mine, others = divided(arguments, [*own, *switches], {*STEERING, "model"})
    alone = [name for name in _MAY_STAND_ALONE if f"--{name}" in mine]
    takes_value = [name for name in own if name not in alone]
    asked = read_arguments(command, mine, switches=[*switches, *alone], takes_value=takes_value)
    if "help" in asked.switches:
        print(fitted(usage))
        return None
    if asks_for_help(others):
        show_help("fit", COMMANDS["fit"].summary, others)
        return None
    if asked.names:
        raise LabError(f"`{asked.names[0]}` is not an option. Options begin with two dashes.")
    values = {**asked.values, **dict.fromkeys(alone, "true")}
    return Asked(values, asked.switches.intersection(switches), others)
