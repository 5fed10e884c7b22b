"""The options that a command declares, and how what was typed after it is read by them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from mnistlab.errors import LabError
from mnistlab.options.meant import meant_option
from mnistlab.text.nearest import suggestion

if TYPE_CHECKING:
    from pathlib import Path

ONE_OF = "{values} is wanted"
"""What is said of a value that is none of an option's words."""

_DIGITS = 9
"""Of the largest count."""


class Option(NamedTuple):  # no dataclass: that would import `inspect` for the overview
    """An option of a command; reading, help and completion follow from it.

    Attributes:
        name: Without its dashes; of what stands without them, what the page of help calls it.
        text: What it is for.
        takes: What its value is called; nothing for a switch.
        values: The words to offer for it, or where they are listed: `module:NAME`. A switch with words may have one.
        default: What counts without it, in words.
        wanted: What is said of a value that is none of the words, or where there are none no whole number above 0;
            `{values}` and `{part}` stand for the words and for the wrong one.
        checks: What refuses another wrong value. Where this and `wanted` are empty, the work checks.
        counts: Whether it takes a whole number above 0 beside its words.
        several: Whether it takes several values with commas between them.
        completes: What is offered beside the words: `runs`, `checkpoints`, `presets`, `runs or presets`,
            their `tags`, `folder`, files of a suffix such as `.json`, or the classes of a section of `fit`.
        under: The row of the page of help that lists it with others.
        parts: Whether options below it, such as `--data.train_size`, are passed on.
        again: Whether it may stand there several times.
        between: What its values are then joined with; where that is a word, each in parentheses.
    """

    name: str
    text: str
    takes: str = ""
    values: Sequence[str] | str = ()
    default: str = ""
    wanted: str = ""
    several: bool = False
    completes: str = ""
    under: str = ""
    parts: bool = False
    again: bool = False
    between: str = ","
    counts: bool = False
    checks: Callable[[str], object] | None = None

    @property
    def words(self) -> Sequence[str]:
        """The words to offer for it."""
        if isinstance(self.values, str):
            module, _, name = self.values.partition(":")
            found: Sequence[str] = getattr(import_module(module), name)
            return tuple(found)
        return self.values

    def read(self, value: str) -> str:
        """The value as it counts.

        Raises:
            LabError: If it takes no such value.
        """
        if self.wanted:
            for part in value.split(",") if self.several else (value,):
                self._check(part, value)
        if self.checks:
            self.checks(value)
        is_path = self.completes in ("checkpoints", "folder") or self.completes.startswith(".")
        return _at_home(value) if is_path else value

    def with_another(self, before: str, value: str) -> str:
        """What counts where the option has stood there before with another value: the last one, as of those of `fit`.

        Raises:
            LabError: If it takes several values, all of which somebody may have meant.
        """
        if self.again:
            return f"{before},{value}" if self.between == "," else f"({before}) {self.between} ({value})"
        if not self.several:
            return value
        raise LabError(
            f"--{self.name}={before} --{self.name}={value}: --{self.name} is given twice. Several are written as one: "
            f"--{self.name}={before},{value}."
        )

    def _check(self, part: str, value: str) -> None:
        words = self.words
        if part in words or ((self.counts or not words) and part.isdecimal() and len(part) <= _DIGITS and int(part)):
            return
        shown = value if words or len(value) <= _DIGITS else f"{value[:_DIGITS]}..."
        said = self.wanted.format(values=" or ".join(words), part=part)
        listed = words and not self.counts and self.wanted != ONE_OF
        there_are = f" There are {', '.join(words)}." if listed else ""
        raise LabError(f"--{self.name}={shown}: {said}.{suggestion(part, words) or there_are}")


RUN_DIR = Option("run.dir", "Where runs are looked for", "FOLDER", default="runs", completes="folder")
JSON = Option("json", "The same for machines")
PACKAGES = Option("trust", "Packages to count as allowed, as in test", "PACKAGE", again=True)

_ON_OFF = ("true", "false")

STEERING = (
    Option("config", "A preset (mnistlab presets) or a file; also -c", "PRESET", completes="presets", again=True),
    Option("ckpt_path", "A run's id or folder, last, best, a file", "RUN", completes="checkpoints"),
    Option("untrained", "Measure random weights on purpose", values=_ON_OFF),
    Option("trust", "Packages that a checkpoint may use", "PACKAGE", again=True),
    Option("print_config", "Show what would count; =origins: and why", values=(*_ON_OFF, "origins", "skip_default")),
    Option("debug", "Show where an error comes from", values=_ON_OFF),
)
"""The options of the commands that train and measure which configure nothing."""

BASE = Option("base", "What a preset in YAML builds on: a preset, a file, or a list of them", "PRESET")
"""It stands in files only."""


SWITCHES = tuple(option.name for option in STEERING if not option.takes)
"""Options that are true or false, configure nothing, and stand on the command line only."""


def steering(command: str) -> dict[str, Option]:
    """Those of `STEERING` that a command takes, by name."""
    found = {option.name: option for option in STEERING if option.name != "untrained" or command != "fit"}
    if command in ("validate", "test", "predict"):
        found["ckpt_path"] = found["ckpt_path"]._replace(text="A run, last, best, file; A,B: their mean")
    return found


class Arguments(NamedTuple):
    """What was typed after a command.

    Attributes:
        command: The command.
        names: What stands there without dashes.
        switches: The switches that are on.
        values: The value of each option that takes one; of one that stands there several times the last, or all as one.
        others: What is for the command whose options it takes too.
        typed: All of it, as a record has it.
        usual: The options of `values` that the kit of a class says and nobody has typed.
    """

    command: str
    names: Sequence[str]
    switches: frozenset[str]
    values: Mapping[str, str]
    others: Sequence[str] = ()
    typed: Sequence[str] = ()
    usual: frozenset[str] = frozenset()

    @property
    def root(self) -> "Path":
        """The folder of all runs: `--run.dir`, or that of the environment or of a kit."""
        from pathlib import Path  # noqa: PLC0415 - not for the overview

        from mnistlab.options.kit import run_dir  # noqa: PLC0415 - as above

        return Path(self.values.get("run.dir") or _at_home(run_dir()))


def _at_home(path: str) -> str:
    from mnistlab.options.notation import at_home  # noqa: PLC0415 - not for the overview

    return at_home(path)


def read_arguments(
    command: str,
    arguments: Sequence[str],
    options: Sequence[Option],
    *,
    shares: bool = False,
    commands: Collection[str] = (),
) -> Arguments:
    """Read the arguments; `help` is always a switch.

    Args:
        command: For messages.
        arguments: What stands after the command.
        options: Its own options.
        shares: Whether it takes the options of another command too.
        commands: What else it can do, by a word that comes first.

    Raises:
        LabError: If there is no such option, its value is missing, wrong or one too many, or a switch has one.
    """
    known = {option.name: option for option in (*options, Option("help", "Show this page"))}
    rest, others = _divided(arguments, options) if shares else (list(arguments), [])
    passed = tuple(f"--{option.name}." for option in options if option.parts)
    names: list[str] = []
    on: set[str] = set()
    values: dict[str, str] = {}
    while rest:
        argument = rest.pop(0)
        name, equals, value = argument.removeprefix("--").partition("=")
        option = known.get(name)
        if argument == "-h":
            on.add("help")
        elif not argument.startswith("-"):
            names.append(argument)
        elif passed and argument.startswith(passed):
            others.append(argument)
        elif option is None or not argument.startswith("--"):
            taken = {each: option.words for each, option in known.items()}
            hint = meant_option(command, name.lstrip("-"), taken, commands) or f" It takes {_listed(known)}."
            raise LabError(f"{argument}: {command} has no such option.{hint}")
        elif option.takes or option.values:
            follows = rest and (not rest[0].startswith("--") if option.takes else rest[0] in option.values)
            value = value if equals else rest.pop(0) if follows else "" if option.takes else "true"
            if not value:
                raise LabError(
                    f"--{name} needs a {'folder' if option.completes == 'folder' else 'value'}: --{name}=..."
                )
            value = option.read(value)
            values[name] = option.with_another(values[name], value) if name in values else value
        elif equals:
            raise LabError(f"{argument}: --{name} takes no value.")
        else:
            on.add(name)
    return Arguments(command, names, frozenset(on), values, others, list(arguments))


def _listed(options: Iterable[str]) -> str:
    return ", ".join(f"--{each}" for each in options)


def split_words(
    arguments: Sequence[str], is_one: Callable[[str], bool] = lambda _: True
) -> tuple[list[str], list[str]]:
    """Words that are neither options nor their values, and the rest in its order.

    Args:
        arguments: What was typed.
        is_one: Whether such a word is wanted; else it is left with the rest.
    """
    words: list[str] = []
    rest: list[str] = []
    takes = False  # whether the option before it still wants its value
    for argument in arguments:
        is_option = argument.startswith("--")
        (rest if is_option or takes or not is_one(argument) else words).append(argument)
        takes = is_option and "=" not in argument and argument[2:] not in SWITCHES
    return words, rest


def _divided(arguments: Sequence[str], options: Sequence[Option]) -> tuple[list[str], list[str]]:
    """The arguments that are a command's own, also misspelt, and those that it shares with another command."""
    others = {*(option.name for option in STEERING), "model"}  # not its own, however much they look like one
    own = [option.name for option in options]
    switches = {f"--{option.name}" for option in options if not option.takes and not option.values}
    ours: list[str] = []
    shared: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name, equals, _ = argument.removeprefix("--").partition("=")
        alike = [each for each in own if ("." in each) == ("." in name)]  # `model_file`, but never `model.filters`
        near = name not in others and get_close_matches(name, alike, cutoff=0.75)
        part = ours if argument in ("-h", "--help") or near else shared
        part.append(argument)
        if not equals and argument not in switches and rest and not rest[0].startswith("--"):
            part.append(rest.pop(0))
    return ours, shared


def spelt_out(arguments: Sequence[str]) -> list[str]:
    """The arguments with `--config` for `-c`, as LightningCLI has it."""
    return [f"--config{word[2:]}" if word == "-c" or word.startswith("-c=") else word for word in arguments]


def words(arguments: Sequence[str]) -> list[str]:
    """Each option as one word: `--key value` becomes `--key=value`."""
    joined: list[str] = []
    for argument in arguments:
        last = joined[-1] if joined else ""
        takes = last.startswith("--") and "=" not in last and last[2:] not in SWITCHES
        if takes and not argument.startswith("--"):
            joined[-1] = f"{joined[-1]}={argument}"
        else:
            joined.append(argument)
    return joined
