"""What was written: every value with its key, its source and its position, before anything is made of it.

The command line, configuration files and checkpoints all become lists of `Written`. Class choice, precedence, errors
and origins are worked out from these lists alone.
"""

from dataclasses import dataclass
from enum import Enum

from mnistlab.options.arguments import STEERING as DECLARED
from mnistlab.options.notation import data_of

Key = tuple[str, ...]

STEERING = (*(option.name for option in DECLARED), "help")
"""All options that configure nothing."""


SWEEP = "sweep"
"""The part of a preset that says how a sweep goes about; it configures no run."""

FILES = (".yaml", ".yml")
"""How a file of options is called."""

COMPLETE = "# Everything that mnistlab was configured with, defaults included."
"""The first line of a configuration file in which nobody has chosen each value."""


class Source(Enum):
    """Who wrote a value, from the weakest to the strongest."""

    CHECKPOINT = "checkpoint"
    FILE = "file"
    COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Written:
    """One value that somebody wrote.

    Attributes:
        key: The option, one part per level: `("model", "optimizer", "lr")`.
        value: Text or data, `Plain` where the option says which; for one that takes a class, the name of the class.
        source: Who wrote it.
        where: How a person finds it: `--model.hidden_dim=3`, or file:line:column.
        append: The value is one more entry of a list.
        complete: It stands among all values of a run; it may be no more than the default of the class of that run.
        domain: What a sweep takes its values from, a `Domain`; the value is one of them.
        whole: What this is a part of, as it was typed: `[a, b]`, or a file; it is text where the option takes text.
    """

    key: Key
    value: object
    source: Source
    where: str
    append: bool = False
    complete: bool = False
    domain: object = None
    whole: "Written | None" = None

    @property
    def data(self) -> object:
        """The value as plain data, whatever its option takes."""
        return data_of(self.value)

    @property
    def name(self) -> str:
        """The key as it is typed."""
        return ".".join(self.key)


def key_of(name: str) -> Key:
    """The key of an option's name; `init_args` and `class_path` are spelling, not levels."""
    parts = tuple(part for part in name.split(".") if part != "init_args")
    return parts[:-1] if parts[-1:] == ("class_path",) else parts
