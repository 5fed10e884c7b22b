"""What was written and belongs nowhere, and what its writer probably meant."""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mnistlab.options.elsewhere import needless, renamed
from mnistlab.options.entries import ClassEntry, KindEntry, Kinds, SectionEntry
from mnistlab.options.messages import options_of
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
        entry: The class.
        prefix: The option that it was chosen with.
        kind: What could have been chosen; None where there is no choice.
        choice: Who chose it; None for a default.
    """

    entry: ClassEntry
    prefix: Key
    kind: KindEntry | None = None
    choice: Written | None = None


@dataclass(frozen=True)
class Misfits:
    """Finds out what was probably meant by something that belongs nowhere.

    Attributes:
        sections: The top-level options that have options of their own.
        kinds: What classes options take.
        top: The names of the other top-level options.
    """

    sections: Mapping[str, SectionEntry]
    kinds: Kinds
    top: Sequence[str]

    def no_section(self, entry: Written, names: Iterable[str]) -> Misfit:
        """The misfit of an option whose first part is neither a section nor an option.

        Args:
            entry: What was written.
            names: What there is at the top.
        """
        dashes = "--" if entry.source is Source.COMMAND_LINE else ""
        why = f"there is no option {dashes}{entry.name}."
        name = ".".join(entry.key).replace("-", "_")
        first, dot, rest = name.partition(".")  # "optimizer.lr" -> "optimizer", ".", "lr"
        top = list(self.sections) if rest else [*names, *STEERING]
        # "model.optimizer" for "optimizer.lr": a section may have been left out
        inner = [key for key in self._keys() if rest and key.endswith(f".{first}")]
        known = [*inner, *([first] if first in top else [])]
        hints = (
            lambda: _from_elsewhere(name),
            lambda: self._exactly(name),
            lambda: said([f"--{other}{dot}{rest}" for other in known]),
            lambda: self._of_some_class(name),
            lambda: said([f"--{other}{dot}{rest}" for other in nearest(first, top)]),
            lambda: self._like(name),
        )
        return Misfit(entry, why, _first(hints) or " `--help=all` lists all options.")

    def no_option(self, chosen: Chosen, path: Key, entry: Written) -> Misfit:
        """The misfit of an option that a class does not have.

        Args:
            chosen: The class.
            path: The part of the key that the class should have.
            entry: What was written.
        """
        known = chosen.entry.by_name
        if not path:
            return Misfit(entry, f"{entry.name} is a group of options: {options_of(chosen.entry)}.")
        name = path[0].replace("-", "_")
        # the surest first: a slip of the pen, before an option that only means the same, or is another class's
        hints = (
            lambda: said([name]) if name in known else said(nearest(name, known, likeness=_MISSPELT)),
            lambda: _meant_class(chosen, entry),
            lambda: _from_elsewhere(name),
            lambda: _of_another_class(chosen, name),
            lambda: said(sharing_words(name, known)[:_MOST]),
            lambda: self._exactly(name),
            lambda: self._of_some_class(name),
            lambda: said(nearest(name, known)),
        )
        way_out = _first(hints)
        top, section = next(iter(self.sections.items()))
        if section.entry and section.entry.name == top:  # a node of Python, of which the command line knows nothing
            way_out = way_out.replace(f"--{top}.", "") or f" It takes {options_of(chosen.entry)}."
        return Misfit(entry, f"{chosen.entry.name} has no option {path[0]}.", way_out or _all_options(chosen))

    def one_class(self, entry: Written) -> str:
        """The error where a class is given to no option, as by a file that holds one class and is no configuration.

        Args:
            entry: The class.
        """
        name = str(entry.value)
        takers = [key for key, _, kind in self._places() if kind and name.rpartition(".")[2] in kind.classes]
        if entry.source is Source.COMMAND_LINE:
            meant = said([f"--{key}={name}" for key in takers])
            return f"{entry.where}: a class is given to the option that takes it.{meant}"
        path = entry.where.rsplit(":", 2)[0]
        way_out = " or ".join(f"--{key}={path}" for key in takers[:_MOST] or ["OPTION"])
        return (
            f"{path} holds one class, {name}, and is no configuration. Give it to the option that takes it: {way_out}."
        )

    def _of_some_class(self, name: str) -> str:
        """A hint at classes that could be chosen and have the option."""
        owners = {key: _owners(kind, name) for key, _, kind in self._places() if kind}
        return said([f"--{key}.{name} (of {_enumerated(names)})" for key, names in owners.items() if names][:_MOST])

    def _exactly(self, name: str) -> str:
        """A hint at options within the sections whose last parts are `name`: `--model.optimizer.lr` for `lr`."""
        return said([f"--{key}" for key in self._keys() if key.endswith(f".{name}")][:_MOST])

    def _like(self, name: str) -> str:
        """A hint at options within the sections whose last part is like `name`."""
        by_last: dict[str, list[str]] = {}
        for key in self._keys():
            by_last.setdefault(key.rpartition(".")[2], []).append(f"--{key}")
        like = nearest(name, by_last, likeness=_MISSPELT) or sharing_words(name, by_last)
        return said([key for last in like for key in by_last[last]][:_MOST])

    def _keys(self) -> Iterator[str]:
        """The dotted keys of the options of the default classes, two levels deep."""
        for key, entry, _ in self._places():
            if entry is not None:
                yield from (f"{key}.{option.name}" for option in entry.options)

    def _places(self) -> Iterator[tuple[str, ClassEntry | None, KindEntry | None]]:
        """Where classes are taken, two levels deep: the key, the class where nothing is written, what can be chosen."""
        for name, section in self.sections.items():
            entry = section.entry
            if section.kind and section.default_path:
                entry = self.kinds.find(section.kind, section.default_path, name)
            yield name, entry, self.kinds[section.kind] if section.kind else None
            for option in entry.options if entry else ():
                if option.kind is not None:
                    taken = option.default_path and self.kinds.find(option.kind, option.default_path, name)
                    yield f"{name}.{option.name}", taken or None, self.kinds[option.kind]


def own_classes(name: str) -> list[str]:
    """The classes in Python files here that somebody may mean who writes the name of one, or of its file.

    Nothing is run.
    """
    found: list[str] = []
    for path in sorted(Path().glob("*.py")):
        with suppress(OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef) and node.bases]
            found += [f"{path.stem}.{each}" for each in classes if name in (path.stem, each) and each[0] != "_"]
    return found


def _first(hints: Iterable[Callable[[], str]]) -> str:
    """The first hint that says something; those after it are not even sought."""
    return next(filter(None, (hint() for hint in hints)), "")


def _from_elsewhere(name: str) -> str:
    """A hint at what another tool's word is called here, or why it is not needed."""
    reason = needless(name)
    return f" {reason} Leave it out." if reason else said([f"--{key}" for key in renamed(name)])


def _meant_class(chosen: Chosen, entry: Written) -> str:
    """A hint where the name of a class stands as the value of an option, as in `--model.name=SmallModel`."""
    if chosen.kind is None or entry.value not in chosen.kind.listed():
        return ""
    on_command_line = entry.source is Source.COMMAND_LINE
    return said([f"--{'.'.join(chosen.prefix)}={entry.value}" if on_command_line else f"class_path: {entry.value}"])


def _of_another_class(chosen: Chosen, name: str) -> str:
    """A hint at the classes that could have been chosen and have the option."""
    owners = _owners(chosen.kind, name) if chosen.kind else []
    if not owners:
        return ""
    by = chosen.choice.where if chosen.choice else "the default"
    return f" It belongs to {_enumerated(owners)}; you chose {chosen.entry.name} ({by})."


def _all_options(chosen: Chosen) -> str:
    """The options of a class, or where they are listed."""
    known = chosen.entry.by_name
    if len(known) <= _MOST_OPTIONS:
        return f" It takes {', '.join(known) or 'none'}."
    name = ".".join(part for part in chosen.prefix if not part.isdigit())
    return f" `--{name}.help={chosen.entry.name}` lists all." if chosen.kind else f" `--help={name}` lists all."


def _owners(kind: KindEntry, name: str) -> list[str]:
    """The classes that could be chosen and have the option `name`."""
    return [each for each in kind.listed() if name in kind.classes[each].by_name]


def _enumerated(names: Sequence[str]) -> str:
    shown = [*names[:_MOST], *(["others"] if len(names) > _MOST else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
