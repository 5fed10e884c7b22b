"""What can be written: options, the classes that have them, the kinds of classes that options take.

The one model of an option, whoever asks: the walk over what was written, help, completion, the schema, a run's screen.
It is read from signatures where classes are imported, and from a catalogue, as JSON, where torch is not. Nothing here
imports more than the standard library.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any, Protocol, Self

from mnistlab.errors import LabError
from mnistlab.options.kinds import Type, expected, from_dict, listed, within

FORMAT = 4

Value = None | bool | int | float | str | Sequence["Value"] | Mapping[str, "Value"]
"""Plain data, as JSON has it."""


@dataclass(frozen=True)
class OptionEntry:
    """One option of a class.

    Attributes:
        name: As the user writes it, without the options around it: `lr`.
        takes: The kinds of values that it takes.
        default: The default as plain data; None where `required`, and where it is null; of a class its short name.
        required: Whether it has no default.
        text: What the docstring says of it.
        kind: The kind of class that it takes, a key of `Kinds`; None for plain values.
        default_path: The class that it takes by default, if it takes one.
        default_options: The options of that class whose value here is not their own default.
        unwritten: Whether the default cannot be written down, so that `default` is a word for it.
    """

    name: str
    takes: Type
    default: Value
    required: bool
    text: str = ""
    kind: str | None = None
    default_path: str | None = None
    default_options: Mapping[str, Value] = field(default_factory=dict)
    unwritten: bool = False

    @property
    def default_class(self) -> str | None:
        """The short name of the class that it takes by default, if it takes one."""
        return self.default_path and self.default_path.rpartition(".")[2]

    @property
    def is_shallow(self) -> bool:
        """Whether it takes a class, and which ones was left out."""
        return self.kind is None and any(kind.name == "choice" for kind in within(self.takes))

    @property
    def type(self) -> str:
        """What values it takes, in words."""
        return expected(self.takes)

    @property
    def choices(self) -> list[str]:
        """The values that can be listed: names, true and false, null."""
        return listed(self.takes)


@dataclass(frozen=True)
class ClassEntry:
    """A class that can be chosen by name, or the class behind a section.

    Attributes:
        name: The short name.
        path: The dotted path.
        summary: The first line of its docstring.
        source: Where it is from: a paper, as the docstring's `Source:` says; often nothing.
        options: What it takes, in the order of its signature.
        facts: What a table shows of it: `parameters` of a model, `classes` and `train`, `test` images of a data set.
        problem: Why the default model refuses it on the command line; of most nothing.
        data: The data set that a model of several heads is made for; of most nothing.
        refused: Why nobody may choose it, as a sentence; of most nothing.
        labels: The labels of a data set that needs no options.
    """

    name: str
    path: str
    summary: str
    source: str
    options: Sequence[OptionEntry]
    facts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    data: str = ""
    refused: str = ""
    labels: Sequence[str] = ()

    @cached_property
    def by_name(self) -> Mapping[str, OptionEntry]:
        """The options by name."""
        return {option.name: option for option in self.options}


@dataclass(frozen=True)
class KindEntry:
    """A kind of class: models, losses, callbacks.

    Attributes:
        classes: The classes, by short name.
        many: Whether its option takes a list of them.
        named: Whether its option takes one for each of some names.
        plain: Whether its option takes other values too, such as a name or true.
        optional: Whether its option takes null.
        supplied: How many leading arguments of the classes are supplied later (1 for an optimizer: the parameters).
        bases: What the classes derive from.
        hidden: The names that are left out of lists, and may be chosen.
    """

    classes: Mapping[str, ClassEntry]
    many: bool = False
    named: bool = False
    plain: bool = False
    optional: bool = False
    supplied: int = 0
    bases: Sequence[str] = ()
    hidden: Sequence[str] = ()

    @property
    def takes_any_net(self) -> bool:
        """Whether any torch module will do, made by a class or by a function; none of them is listed."""
        return "torch.nn.Module" in self.bases

    def offered(self) -> list[str]:
        """The names of the classes that the models here can use."""
        return [name for name in self.listed() if not self.classes[name].problem]

    def listed(self) -> list[str]:
        """The names of the classes to offer."""
        return [name for name in self.classes if name not in self.hidden]

    def find(self, name: str) -> ClassEntry | None:
        """The class of that short name, in any case, or of that dotted path."""
        found = (entry for key, entry in self.classes.items() if entry.path == name or key.lower() == name.lower())
        return self.classes.get(name) or next(found, None)


@dataclass(frozen=True)
class Named:
    """A class of the user's own that was named by its dotted path.

    Attributes:
        path: The path.
        kind: The kind of class that is wanted there, a key of `Catalogue.kinds`.
        where: Where it was named.
    """

    path: str
    kind: str
    where: str


class Unlisted(Exception):  # noqa: N818 - it is what the class is
    """A class is chosen that is not among the entries at hand; it may be there once it has been imported.

    Args:
        named: The class.
    """

    def __init__(self, named: Named) -> None:
        super().__init__(named.path)
        self.named = named


@dataclass(frozen=True)
class SectionEntry:
    """A top-level option with options of its own.

    Attributes:
        kind: The kind of class that is chosen, a key of `Catalogue.kinds`; None where nothing is chosen.
        default_path: The class taken where none is named.
        entry: The class behind a section in which nothing is chosen, with the defaults that count there; of a section
            with a choice the class that all of them derive from, where that is known.
        defaults: What counts in place of the defaults of the class of `entry`.
    """

    kind: str | None
    default_path: str | None
    entry: ClassEntry | None
    defaults: Mapping[str, Value] = field(default_factory=dict)

    @property
    def default_class(self) -> str | None:
        """The short name of the class taken where none is named."""
        return self.default_path and self.default_path.rpartition(".")[2]


class Kinds(Protocol):
    """The kinds of classes that options take, by name."""

    def __getitem__(self, key: str) -> KindEntry:
        """The kind of that name."""

    def find(self, key: str, name: str, where: str) -> ClassEntry | None:
        """The class of a kind that somebody calls `name`, by its short name or its path; None where no class has it.

        Args:
            key: The kind.
            name: What was written.
            where: Where.

        Raises:
            LabError: If it means several classes, or one that is of another kind or refused.
        """

    def accepts(self, owner: ClassEntry, name: str, value: object) -> bool | None:
        """Whether an option of a class takes a value of which only the class knows; None where it cannot be asked."""


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Everything that can be written on the command line of `fit`, `validate`, `test` and `predict`.

    Attributes:
        top: The options outside the sections.
        sections: `model`, `data`, `trainer`, `run`.
        kinds: The kinds of classes, by name: `model`, `data`, and else the name of the option that takes them.
        sweep: The class behind what a preset says of the way of sweeping.
    """

    top: Sequence[OptionEntry]
    sections: Mapping[str, SectionEntry]
    kinds: Mapping[str, KindEntry]
    sweep: ClassEntry

    def __getitem__(self, key: str) -> KindEntry:
        """The kind of that name."""
        return self.kinds[key]

    def find(self, key: str, name: str, where: str) -> ClassEntry | None:
        """The class of a kind that somebody calls `name`; None where no class has it.

        Raises:
            LabError: If it is refused.
            Unlisted: If it may be there, but must be imported first.
        """
        kind = self.kinds[key]
        found = kind.find(name)
        if found is None and ("." in name or name in kind.hidden):
            raise Unlisted(Named(name, key, where))
        if found is not None and found.refused:
            raise LabError(f"{where}: {found.refused}")
        return found

    def accepts(self, owner: ClassEntry, name: str, value: object) -> None:
        """Leave what only a class knows to the time when it is imported."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it, without what is empty."""
        found: dict[str, Any] = as_json(self)
        return found

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """From what `as_dict` gave."""
        sections = {
            name: SectionEntry(
                part.get("kind"),
                part.get("default_path"),
                _class(part["entry"]) if "entry" in part else None,
                part.get("defaults", {}),
            )
            for name, part in data["sections"].items()
        }
        return cls(list(map(_option, data["top"])), sections, kinds_from_dict(data["kinds"]), _class(data["sweep"]))


def kinds_from_dict(data: Mapping[str, Any]) -> dict[str, KindEntry]:
    """Kinds from what `as_json` gave."""
    return {
        name: KindEntry(**{**part, "classes": {key: _class(entry) for key, entry in part["classes"].items()}})
        for name, part in data.items()
    }


_NEEDED = ("name", "takes", "default", "required", "text", "path", "summary", "source", "options", "classes")


def _without_empty(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    needed = (*_NEEDED, "top", "sections", "kinds")
    return {name: value for name, value in fields if value or name in needed or type(value) in (int, float)}


def as_json(value: object) -> Any:
    """Entries as JSON has them, without what is empty."""
    if is_dataclass(value):
        return _without_empty((each.name, as_json(getattr(value, each.name))) for each in fields(value))
    if isinstance(value, Mapping):
        return {name: as_json(part) for name, part in value.items()}
    return [as_json(part) for part in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


class _Deferred(Sequence[OptionEntry]):
    """The options of a class, read when somebody asks for them: help shows those of a few classes among many."""

    def __init__(self, data: Sequence[Mapping[str, Any]]) -> None:
        self._data = data

    @cached_property
    def _options(self) -> list[OptionEntry]:
        return list(map(_option, self._data))

    def __getitem__(self, index: Any) -> Any:
        return self._options[index]

    def __len__(self) -> int:
        return len(self._data)


def _class(data: Mapping[str, Any]) -> ClassEntry:
    return ClassEntry(**{**data, "options": _Deferred(data["options"])})


def _option(data: Mapping[str, Any]) -> OptionEntry:
    return OptionEntry(**{**data, "takes": tuple(map(from_dict, data["takes"]))})
