"""What the kit of a class says of a command's own options, in place of typing them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from mnistlab.commands.declaring.model import Command, Work, all_commands
from mnistlab.errors import LabError, tell
from mnistlab.options.arguments import Arguments, Option
from mnistlab.options.kit import DEFAULTS, Kit, find_kit, not_taken
from mnistlab.options.kit_defaults import CONFIGURED, defaults_of
from mnistlab.options.notation import NULLS
from mnistlab.options.written import Written
from mnistlab.text.nearest import suggestion

_NEVER = ("trust", "run.dir")
"""What no kit says: whom one trusts, and where runs are, which it says once for all commands."""


class Said(NamedTuple):
    """A value of an own option."""

    value: str  # as it would be typed
    where: str


def with_kit(command: Command, asked: Arguments) -> Work:
    """What does as it was asked for, with what a kit says of the options that were not typed.

    Args:
        command: The command.
        asked: What was typed.

    Raises:
        LabError: If there is a mistake in either; one that the kit is to blame for names its line.
    """
    for sentence in not_taken():
        tell(f"note: {sentence}")
    if not command.own or asked.command in ("completion", "doctor"):
        return command.load(asked)
    said = {name: each for name, each in _own(command, asked.command).items() if name not in asked.values}
    if not said:
        return command.load(asked)
    with blaming(said):
        values = {**{name: each.value for name, each in said.items()}, **asked.values}
        work = command.load(asked._replace(values=values, usual=frozenset(said)))

    def run() -> int:
        with blaming(said):
            return work()

    return run


def _own(command: Command, name: str) -> Mapping[str, Said]:
    kit = find_kit()
    if kit is None:
        return {}
    check_commands(kit)
    return said_of(kit, name, command)


def check_commands(kit: Kit) -> None:
    """Refuse what a kit says of commands that there are not.

    Raises:
        LabError: For the first one.
    """
    known = all_commands()
    for name, entries in defaults_of(kit).items():
        if name not in known:
            where = entries[0].where if entries else kit.file
            hint = suggestion(name, known) or f" There are {', '.join(known)}."
            raise LabError(f"{where}: {DEFAULTS}: there is no command {name}.{hint}")


def said_of(kit: Kit, name: str, command: Command) -> Mapping[str, Said]:
    """What a kit says of a command's own options; those of a command that is configured are read with all others.

    Args:
        kit: The kit.
        name: That of the command.
        command: The command.

    Raises:
        LabError: If it has no such option, or one takes no such value.
    """
    entries = () if name in CONFIGURED else defaults_of(kit).get(name, ())
    options = {option.name: option for option in command.own if option.takes} if entries else {}
    return {entry.name: _read(entry, name, command, options, foreign=kit.foreign) for entry in entries}


def _read(entry: Written, name: str, command: Command, options: Mapping[str, Option], *, foreign: bool) -> Said:
    option = options.get(entry.name)
    if option is None:
        raise LabError(f"{entry.where}: {_unknown(entry.name, name, command, options)}")
    if option.name in _NEVER:
        way_out = " Say `runs: FOLDER` beside the defaults." if option.name == "run.dir" else ""
        raise LabError(f"{entry.where}: {option.name} belongs on the command line.{way_out}")
    parts = entry.value if option.several and isinstance(entry.value, list) else [entry.value]
    if not parts or not all(isinstance(part, str) and part not in NULLS for part in parts):
        raise LabError(f"{entry.where}: {option.name} takes {'values' if option.several else 'one value'}.")
    value = ",".join(map(str, parts))
    if foreign and not all(part in option.words or str(part).isdecimal() for part in parts):
        raise LabError(f"{entry.where}: this kit is another user's, so type it yourself: --{option.name}=...")
    try:
        return Said(option.read(value), entry.where)
    except LabError as error:
        raise LabError(f"{entry.where}: {str(error).removeprefix('--')}") from error


def _unknown(wrong: str, name: str, command: Command, options: Mapping[str, Option]) -> str:
    if any(option.name == wrong for option in command.own):
        return f"{wrong} is typed where it is wanted: mnistlab {name} --{wrong}"
    hint = suggestion(wrong, options)
    elsewhere = f" Options of {command.like} stand under {command.like}." if command.like and not hint else ""
    there_are = f" It has {', '.join(options)}." if options else ""
    return f"{name} has no option {wrong}.{hint or elsewhere or there_are}"


@contextmanager
def blaming(said: Mapping[str, Said]) -> Iterator[None]:
    """Let a message about a value that nobody has typed say where it stands."""
    try:
        yield
    except LabError as error:
        text = str(error)
        for name, each in said.items():
            text = text.replace(f"--{name}={each.value}", f"{each.where}: {name}={each.value}")
        if text == str(error):
            raise
        changed = LabError(text)
        changed.exit_code = error.exit_code
        raise changed from error
