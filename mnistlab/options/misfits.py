"""What was written and belongs nowhere, and what its writer probably meant."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mnistlab.options.classes import candidates, find_class, listed
from mnistlab.options.elsewhere import needless, renamed
from mnistlab.options.messages import options_of
from mnistlab.options.signatures import Slot, options
from mnistlab.options.specification import default_of_slot
from mnistlab.options.written import STEERING, Key, Source, Written
from mnistlab.text.nearest import nearest, said, sharing_words

_MOST = 3
"""Names offered at most."""

_MOST_OPTIONS = 12
"""Options that are listed in a message; of more it says where they are listed."""

_MISSPELT = 0.8
"""How like an option a name is that was surely meant to be it, and not an option of another class."""


@dataclass(frozen=True)
class Misfit:
    """Something written that belongs nowhere.

    Attributes:
        entry: What.
        why: In a sentence.
        way_out: What would have been right; with a space before it.
    """

    entry: Written
    why: str
    way_out: str = ""

    @property
    def reason(self) -> str:
        """Where it stands and why it does not fit."""
        return f"{self.entry.where}: {self.why}"

    @property
    def message(self) -> str:
        """The same as an error, with the way out."""
        return self.reason + self.way_out


@dataclass(frozen=True)
class Chosen:
    """A class that options are written for.

    Attributes:
        cls: The class.
        prefix: The option that it was chosen with.
        slot: What could have been chosen; None where there is no choice.
        choice: Who chose it; None for a default.
    """

    cls: type
    prefix: Key
    slot: Slot | None = None
    choice: Written | None = None

    @property
    def supplied(self) -> int:
        """How many leading arguments of the class are supplied later."""
        return self.slot.supplied if self.slot else 0


def no_section(entry: Written, names: Iterable[str], sections: Sequence[Chosen]) -> Misfit:
    """The misfit of an option whose first part is neither a section nor an option.

    Args:
        entry: What was written.
        names: What there is at the top.
        sections: The sections, each with its class where nothing is written.
    """
    dashes = "--" if entry.source is Source.COMMAND_LINE else ""
    why = f"there is no option {dashes}{entry.name}."
    name = ".".join(entry.key).replace("-", "_")
    first, dot, rest = name.partition(".")
    top = [section.prefix[0] for section in sections] if rest else [*names, *STEERING]
    inner = [key for key in _keys(sections) if rest and key.endswith(f".{first}")]
    known = [*inner, *([first] if first in top else [])]
    hints = (
        lambda: _from_elsewhere(name),
        lambda: _exactly(name, sections),
        lambda: said([f"--{other}{dot}{rest}" for other in known]),
        lambda: _of_some_class(name, sections),
        lambda: said([f"--{other}{dot}{rest}" for other in nearest(first, top)]),
        lambda: _like(name, sections),
    )
    return Misfit(entry, why, _first(hints) or " `--help=all` lists all options.")


def no_option(chosen: Chosen, path: Key, entry: Written, sections: Sequence[Chosen]) -> Misfit:
    """The misfit of an option that a class does not have.

    Args:
        chosen: The class.
        path: The part of the key that the class should have.
        entry: What was written.
        sections: The sections, each with its class where nothing is written.
    """
    known = options(chosen.cls, supplied=chosen.supplied)
    if not path:
        return Misfit(entry, f"{entry.name} is a group of options: {options_of(chosen.cls)}.")
    name = path[0].replace("-", "_")
    hints = (
        lambda: said([name]) if name in known else said(nearest(name, known, likeness=_MISSPELT)),
        lambda: _meant_class(chosen, entry),
        lambda: _from_elsewhere(name),
        lambda: _of_another_class(chosen, name),
        lambda: said(sharing_words(name, known)[:_MOST]),
        lambda: _exactly(name, sections),
        lambda: _of_some_class(name, sections),
        lambda: said(nearest(name, known)),
    )
    way_out = _first(hints)
    top = sections[0]
    if top.prefix == (top.cls.__name__,):  # a node of Python, of which the command line knows nothing
        way_out = way_out.replace(f"--{top.prefix[0]}.", "") or f" It takes {options_of(chosen.cls)}."
    return Misfit(entry, f"{chosen.cls.__name__} has no option {path[0]}.", way_out or _all_options(chosen))


def one_class(entry: Written, sections: Sequence[Chosen]) -> str:
    """The error where a class is given to no option, as by a file that holds one class and is no configuration.

    Args:
        entry: The class.
        sections: The sections, each with its class where nothing is written.
    """
    name = str(entry.value)
    takers = [key for key, _, slot in _places(sections) if slot and name.rpartition(".")[2] in candidates(slot.bases)]
    if entry.source is Source.COMMAND_LINE:
        return (
            f"{entry.where}: a class is given to the option that takes it.{said([f'--{key}={name}' for key in takers])}"
        )
    path = entry.where.rsplit(":", 2)[0]
    way_out = " or ".join(f"--{key}={path}" for key in takers[:_MOST] or ["OPTION"])
    return f"{path} holds one class, {name}, and is no configuration. Give it to the option that takes it: {way_out}."


def _first(hints: Iterable[Callable[[], str]]) -> str:
    """The first hint that says something; those after it are not even sought."""
    return next(filter(None, (hint() for hint in hints)), "")


def _from_elsewhere(name: str) -> str:
    """A hint at what another tool's word is called here, or why it is not needed."""
    reason = needless(name)
    return f" {reason} Leave it out." if reason else said([f"--{key}" for key in renamed(name)])


def _meant_class(chosen: Chosen, entry: Written) -> str:
    """A hint where the name of a class stands as the value of an option, as in `--model.name=SmallModel`."""
    if chosen.slot is None or entry.value not in listed(chosen.slot.bases):
        return ""
    on_command_line = entry.source is Source.COMMAND_LINE
    return said([f"--{'.'.join(chosen.prefix)}={entry.value}" if on_command_line else f"class_path: {entry.value}"])


def _of_another_class(chosen: Chosen, name: str) -> str:
    """A hint at the classes that could have been chosen and have the option."""
    owners = _owners(chosen.slot, name) if chosen.slot else []
    if not owners:
        return ""
    by = chosen.choice.where if chosen.choice else "the default"
    return f" It belongs to {_enumerated(owners)}; you chose {chosen.cls.__name__} ({by})."


def _of_some_class(name: str, sections: Iterable[Chosen]) -> str:
    """A hint at classes that could be chosen and have the option."""
    owners = {key: _owners(slot, name) for key, _, slot in _places(sections) if slot}
    return said([f"--{key}.{name} (of {_enumerated(names)})" for key, names in owners.items() if names][:_MOST])


def _exactly(name: str, sections: Iterable[Chosen]) -> str:
    """A hint at options within the sections whose last parts are `name`: `--model.optimizer.lr` for `lr`."""
    return said([f"--{key}" for key in _keys(sections) if key.endswith(f".{name}")][:_MOST])


def _like(name: str, sections: Iterable[Chosen]) -> str:
    """A hint at options within the sections whose last part is like `name`."""
    by_last: dict[str, list[str]] = {}
    for key in _keys(sections):
        by_last.setdefault(key.rpartition(".")[2], []).append(f"--{key}")
    like = nearest(name, by_last, likeness=_MISSPELT) or sharing_words(name, by_last)
    return said([key for last in like for key in by_last[last]][:_MOST])


def _all_options(chosen: Chosen) -> str:
    """The options of a class, or where they are listed."""
    known = options(chosen.cls, supplied=chosen.supplied)
    if len(known) <= _MOST_OPTIONS:
        return f" It takes {', '.join(known) or 'none'}."
    name = ".".join(part for part in chosen.prefix if not part.isdigit())
    return f" `--{name}.help={chosen.cls.__name__}` lists all." if chosen.slot else f" `--help={name}` lists all."


def _owners(slot: Slot, name: str) -> list[str]:
    """The classes that could be chosen and have the option `name`."""
    known = candidates(slot.bases)
    classes = [cls for listed_name in listed(slot.bases) for cls in known[listed_name]]
    return [cls.__name__ for cls in classes if name in options(cls, supplied=slot.supplied)]


def _enumerated(names: Sequence[str]) -> str:
    shown = [*names[:_MOST], *(["others"] if len(names) > _MOST else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _keys(sections: Iterable[Chosen]) -> Iterator[str]:
    """The dotted keys of the options of the default classes, two levels deep."""
    for key, cls, slot in _places(sections):
        if cls is not None:
            yield from (f"{key}.{name}" for name in options(cls, supplied=slot.supplied if slot else 0))


def _places(sections: Iterable[Chosen]) -> Iterator[tuple[str, type | None, Slot | None]]:
    """Where classes are taken, two levels deep: the key, the class where nothing is written, what can be chosen."""
    for section in sections:
        (name,) = section.prefix
        yield name, section.cls, section.slot
        for option in options(section.cls).values():
            if option.slot is not None:
                default = default_of_slot(section.cls, option)
                cls = find_class(str(default["class_path"]), option.slot.bases, name) if default else None
                yield f"{name}.{option.name}", cls, option.slot
