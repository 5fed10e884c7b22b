"""Help for the commands that train and measure, from the catalogue; only classes of the user's own need torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mnistlab.catalogue import Catalogue, load_catalogue
from mnistlab.catalogue.own import with_own
from mnistlab.catalogue.present import Present
from mnistlab.commands.declaring.model import find_command
from mnistlab.commands.help.pages import (
    class_page,
    command_page,
    option_keys,
    option_page,
    own_option,
    steering_page,
    whole_page,
)
from mnistlab.errors import LabError, tell
from mnistlab.options.arguments import steering, words
from mnistlab.options.command_line import from_arguments, with_files
from mnistlab.options.kit_defaults import from_kit
from mnistlab.options.written import Key, Source, Written
from mnistlab.presets.finding import find_preset, list_presets
from mnistlab.presets.loading import load_layers
from mnistlab.text.layout import fitted, screen_height, screen_width
from mnistlab.text.nearest import said, suggestion

_ALL = "all"


@dataclass(frozen=True)
class Request:
    """What help is asked for.

    Attributes:
        key: The option that it is about; () for the command.
        where: How that was said: `--help=model`.
        full: Whether whole texts are wanted.
        written: What stands beside it, the strongest last.
    """

    key: Key
    where: str
    full: bool
    written: Sequence[Written]


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether help is asked for somewhere in the arguments of a command."""
    return any(argument == "-h" or _name(argument).split(".")[-1] == "help" for argument in arguments)


def show_help(command: str, arguments: Sequence[str]) -> int:
    """Print the help that was asked for; the exit code.

    Raises:
        LabError: If there is no such section, class or option.
    """
    request = _request(command, arguments)

    def page(catalogue: Catalogue) -> tuple[list[str], list[str]]:
        present = Present(catalogue, request.written)
        return _page(command, request, present), present.mistakes()

    lines, mistakes = with_own(load_catalogue(), page, importing=True) or ([], [])
    print(fitted("\n".join(lines).rstrip()))
    for mistake in mistakes:
        tell(f"note: {mistake}")
    return 0


def _request(command: str, arguments: Sequence[str]) -> Request:
    key: Key = ()
    where, full = "--help", False
    typed: list[Written] = []
    for token in words(["--help" if argument == "-h" else argument for argument in arguments]):
        name, value = _name(token), token.partition("=")[2]
        if token in ("--help", "--help=", f"--help={_ALL}"):
            full |= bool(value)
        elif name == "help":
            key, where = tuple(value.split(".")), token
        elif name.endswith(".help"):
            key, where = tuple(name.split("."))[:-1], token
            typed += [Written(key, value, Source.COMMAND_LINE, token)] if value else []
        else:
            typed += from_arguments([token])
    files = [entry for each in typed if each.key == ("config",) for entry in _from_preset(each)]
    return Request(key, where, full, [*from_kit(command), *files, *with_files(typed, Path())])


def _from_preset(config: Written) -> Sequence[Written]:
    """What a preset or a file says; one in Python is run, as `fit` would run it."""
    return [entry for layer in load_layers(find_preset(str(config.value))) for entry in layer]


def _page(command: str, request: Request, present: Present) -> list[str]:
    width, key = screen_width(), request.key
    if not key:
        declared = find_command(command)
        assert declared is not None
        if request.full:
            own = [] if callable(declared.options) or not declared.shows else declared.options
            lines = [f"  {own_option(option)}  {option.text}" for option in own]
            return [*lines, *whole_page(command, present, width)]
        presets = list(dict.fromkeys(entry.name for entry in list_presets()))
        return command_page(command, declared, present, presets, width, screen_height())
    if len(key) == 1 and key[0] in steering(command):
        return steering_page(key[0])
    _check(request, present)
    option = present.place(key).option
    if option is not None and present.kind(key) is None:
        return option_page(present, key, option, width)
    return class_page(present, key, width, full=request.full)


def _check(request: Request, present: Present) -> None:
    """Refuse an option that does not exist, with the nearest one that does."""
    for end in range(1, len(request.key) + 1):
        above, name = request.key[: end - 1], request.key[end - 1]
        if not above:
            known = [*present.catalogue.sections, *(option.name for option in present.catalogue.top)]
            if name not in known:
                hint = said(_elsewhere(present, name)) or suggestion(name, [*known, _ALL])
                there_are = f"There are {', '.join(known)}, and {_ALL}."
                raise LabError(f"{request.where}: there is no section {name}.{hint} {there_are}")
            continue
        if present.takes_names(present.place(above)):
            continue
        owner = present.place(above).chosen
        names = [option.name for option in owner.options] if owner else []
        if name not in names:
            what = owner.name if owner else ".".join(above)
            has = f"{what} has no option {name}." if names else f"{what} has no options of its own."
            raise LabError(f"{request.where}: {has}{suggestion(name, names) or present.owned_by(above, name)}")
    if ".help=" in request.where and not request.where.endswith("=") and present.kind(request.key) is None:
        name = ".".join(request.key)
        raise LabError(f"{request.where}: --{name} takes no class. Write --{name}.help.")


def _elsewhere(present: Present, name: str) -> list[str]:
    """How to ask for what is no section: an option of that name below one, or a class."""
    found: list[str] = []
    for key in option_keys(present):
        kind = present.kind(key)
        if key[-1] == name:
            found.append(f"--help={'.'.join(key)}")
        elif kind and name in kind.classes:
            found.append(f"--{'.'.join(key)}.help={name}")
    return found


def _name(argument: str) -> str:
    return argument.partition("=")[0].removeprefix("--") if argument.startswith("--") else ""
