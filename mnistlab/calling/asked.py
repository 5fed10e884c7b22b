"""What was said in Python as the words of a command line: full names, short ones where one option alone has them."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from os import PathLike, fspath

from mnistlab.calling.said import Said
from mnistlab.calling.usual import USUAL
from mnistlab.catalogue import Catalogue, load_catalogue
from mnistlab.catalogue.own import with_own
from mnistlab.catalogue.present import Present
from mnistlab.commands.declaring.model import Command, find_command
from mnistlab.errors import LabError
from mnistlab.options.arguments import STEERING, Option
from mnistlab.options.command_line import from_environment
from mnistlab.options.elsewhere import needless, renamed
from mnistlab.options.places import Place
from mnistlab.options.written import Written
from mnistlab.runs.finding import find_checkpoint
from mnistlab.text.nearest import said, suggestion
from mnistlab.training.invocation import Invocation
from mnistlab.training.typed import kept_configuration

_REFUSED = {
    "print_config": "what would count is printed by the command line: mnistlab fit --print_config",
    "help": "`help(mnistlab.fit)` says what it takes, `mnistlab fit --help` which options there are",
    "json": "what Python gets is data already",
    "csv": "what Python gets is data already",
}
_FIRST = ("config", "ckpt_path", "model", "data")
"""What is said first, since it decides which options there are."""


def words_of(
    name: str, asked: Mapping[str, object], positional: Sequence[str] = (), trusted: Sequence[str] = ()
) -> list[str]:
    """What would be typed for a command.

    Args:
        name: The command.
        asked: What was said, by full or short names; what is None of a section or of the command was not said.
        positional: What stands there without dashes.
        trusted: The words that say what a run may name besides.

    Raises:
        LabError: If a short name is that of several options or of none.
    """
    command = find_command(name)
    assert command is not None
    own = {option.name.rpartition(".")[2]: option for option in command.own}
    own |= {option.name: option for option in (*STEERING, *command.own)} if command.like else {}
    ours = [*trusted]
    shared: list[str] = []
    waiting: dict[str, object] = {}
    for short, value in sorted(asked.items(), key=lambda each: each[0] not in _FIRST):
        if short in _REFUSED:
            raise LabError(f"{short}: {_REFUSED[short]}.")
        if short in own:
            ours += [] if value is None else _own_words(own[short], value)
        elif "." in short or short in ("model", "data"):
            shared += words_for(short, value)
        else:
            waiting[short] = value
    if waiting and not command.like:
        first = next(iter(waiting))
        raise LabError(f"{first}: {name} takes no such option.{suggestion(first, own) or _listed(own)}")
    shared += _short_words(name, command, [*ours, *shared], waiting)
    return [name, *positional, *ours, *shared]


def words_for(name: str, value: object) -> list[str]:
    """An option and its value as they are typed, with what else belongs to that value."""
    if isinstance(value, Said):
        return [f"--{name}={value.text}", *(f"--{name}.{below}" for below in value.below), *value.beside]
    return [f"--{name}={spoken(value)}"]


def spoken(value: object) -> str:
    """A plain value as text that is read as that value."""
    if isinstance(value, PathLike):
        return str(fspath(value))
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, list | tuple | Mapping | bool | None) else repr(value)


def _own_words(option: Option, value: object) -> list[str]:
    """An option of the command itself."""
    if isinstance(value, bool) and not option.takes and not option.values:
        return [f"--{option.name}"] * value
    values = value if isinstance(value, list | tuple) else [value]
    texts = [each.text if isinstance(each, Said) else spoken(each) for each in values]
    beside = [word for each in values if isinstance(each, Said) for word in each.beside]
    typed = texts if option.again else [",".join(texts)]
    return [*(f"--{option.name}={text}" for text in typed if text), *beside]


def _short_words(name: str, command: Command, words: Sequence[str], waiting: Mapping[str, object]) -> list[str]:
    """The options that short names mean; classes first, for they bring options of their own."""
    rest, found = dict(waiting), list[str]()
    while rest:
        places = _places(command, [*words, *found])
        meant = {short: _meant(short, places) for short in rest}
        ready = {short: full[0] for short, full in meant.items() if len(full) == 1}
        classes = {short: full for short, full in ready.items() if full in places and places[full].kind}
        if not ready or (not classes and len(ready) < len(rest)):
            _refuse(name, next(short for short in rest if short not in ready), meant, places)
        for short, full in (classes or ready).items():
            found += words_for(full, rest.pop(short))
    return found


def _places(command: Command, words: Sequence[str]) -> Mapping[str, Place]:
    """Every option that there is with the classes that are chosen, by the name that is typed."""
    own = tuple(f"--{option.name}" for option in command.own)
    invocation = Invocation("fit", [word for word in words if not word.startswith(own)], sweeping=True)
    written: list[Written] = [*from_environment(), *_of_checkpoint(invocation, command)]
    written += [entry for layer in [*invocation.files, invocation.typed] for entry in layer]
    here = partial(_present, written, invocation.trusted)
    present = with_own(load_catalogue(), here, importing=True)
    assert present is not None  # as it is where classes are imported
    names = {key: ".".join(part for part in key.split(".") if not part.isdigit()) for key in present.places}
    return {names[key]: place for key, place in present.places.items()}


def _present(written: Sequence[Written], trusted: frozenset[str], catalogue: Catalogue) -> Present:
    return Present(catalogue, written, trusted)


def _of_checkpoint(invocation: Invocation, command: Command) -> list[Written]:
    """What the run says that goes on or is measured."""
    if invocation.ckpt_path is None or "," in invocation.ckpt_path:
        return []
    _, folder = find_checkpoint(invocation.ckpt_path, invocation.root(), where=invocation.ckpt_where)
    kept = kept_configuration(folder) if folder else []
    return [invocation.vouching.vouch(entry) for entry in kept if command.like == "fit" or entry.key[0] in _FIRST]


def _meant(short: str, places: Mapping[str, Place]) -> list[str]:
    """The options that a short name may mean; a full one means itself."""
    if short in places:
        return [short]
    ends = [name for name in places if name.rpartition(".")[2] == short]
    return [*ends, *([USUAL[short]] if short in USUAL else [])]


def _refuse(name: str, short: str, meant: Mapping[str, Sequence[str]], places: Mapping[str, Place]) -> None:
    if meant[short]:
        several = " or ".join(meant[short])
        raise LabError(f"{short}: is {several} meant? Say which: options={{{meant[short][0]!r}: ...}}.")
    ends = [each.rpartition(".")[2] for each in places]
    guess = _elsewhere(short, places) or suggestion(short, {*ends, *USUAL})
    guess = guess or said([each for each, end in zip(places, ends, strict=True) if end in short][:2])
    raise LabError(f"{short}: {name} has no such option with the classes that are chosen.{guess}")


def _elsewhere(short: str, places: Mapping[str, Place]) -> str:
    """A hint at what another tool's word is called here, or why it is not needed."""
    reason = needless(short)
    if reason:
        return f" {reason} Leave it out."
    shortest = {full: usual for usual, full in USUAL.items()}
    found = []
    for key, equals, value in (each.partition("=") for each in renamed(short)):
        full = key.removesuffix("+")
        last = full.rpartition(".")[2]
        if len(_meant(last, places)) == 1 or full in _FIRST:
            found.append(f"{shortest.get(full, last)}{equals}{_quoted(value) if equals else ''}")
    return said(found)


def _quoted(value: str) -> str:
    """A value of a command line as Python has it."""
    return {"true": "True", "false": "False"}.get(value, json.dumps(value))


def _listed(own: Mapping[str, Option]) -> str:
    return f" It takes {', '.join(own)}."
