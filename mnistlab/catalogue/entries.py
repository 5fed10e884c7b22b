"""The parts of a catalogue, and how they are written as JSON. Nothing here imports more than the standard library."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

FORMAT = 3

Value = None | bool | int | float | str | Sequence["Value"] | Mapping[str, "Value"]
"""Plain data, as JSON has it."""


@dataclass(frozen=True)
class OptionEntry:
    """One option of a class.

    Attributes:
        name: As the user writes it, without the options around it: `lr`.
        type: What values it takes, in words.
        default: The default as plain data; None where `required`, and where it is null.
        required: Whether it has no default.
        text: What the docstring says of it.
        kind: The kind of class that it takes, a key of `Catalogue.kinds`; None for plain values.
        default_class: The short name of the class that it takes by default, if it takes one.
        default_options: The options of that class whose value here is not their own default.
        choices: The values that can be listed: names, true and false, null.
        schema: What plain values it takes, as JSON schema.
    """

    name: str
    type: str
    default: Value
    required: bool
    text: str
    kind: str | None = None
    default_class: str | None = None
    default_options: Mapping[str, Value] = field(default_factory=dict)
    choices: Sequence[str] = ()
    schema: Mapping[str, Value] = field(default_factory=dict)


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
    """

    name: str
    path: str
    summary: str
    source: str
    options: Sequence[OptionEntry]
    facts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    data: str = ""

    def option(self, name: str) -> OptionEntry | None:
        """The option of that name."""
        return next((option for option in self.options if option.name == name), None)


@dataclass(frozen=True)
class KindEntry:
    """A kind of class: models, losses, callbacks.

    Attributes:
        classes: The classes to offer, by short name.
        many: Whether its option takes a list of them.
        plain: Whether its option takes other values too, such as a name or true.
        optional: Whether its option takes null.
    """

    classes: Mapping[str, ClassEntry]
    many: bool = False
    plain: bool = False
    optional: bool = False

    def offered(self) -> list[str]:
        """The names of the classes that the models here can use."""
        return [name for name, entry in self.classes.items() if not entry.problem]

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


@dataclass(frozen=True)
class SectionEntry:
    """A top-level option with options of its own.

    Attributes:
        kind: The kind of class that is chosen, a key of `Catalogue.kinds`; None where nothing is chosen.
        default_class: The short name of the class taken where none is named.
        entry: The class behind a section in which nothing is chosen, with the defaults that count there.
    """

    kind: str | None
    default_class: str | None
    entry: ClassEntry | None


@dataclass(frozen=True)
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

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it, without what is empty."""
        return asdict(self, dict_factory=_without_empty)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """From what `as_dict` gave."""
        sections = {
            name: SectionEntry(
                part.get("kind"), part.get("default_class"), _class(part["entry"]) if "entry" in part else None
            )
            for name, part in data["sections"].items()
        }
        kinds = {
            name: KindEntry(**{**part, "classes": {key: _class(entry) for key, entry in part["classes"].items()}})
            for name, part in data["kinds"].items()
        }
        return cls([OptionEntry(**option) for option in data["top"]], sections, kinds, _class(data["sweep"]))


_NEEDED = ("name", "type", "default", "required", "text", "path", "summary", "source", "options", "classes")


def _without_empty(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in fields if value or name in (*_NEEDED, "top", "sections", "kinds")}


def _class(data: Mapping[str, Any]) -> ClassEntry:
    return ClassEntry(**{**data, "options": [OptionEntry(**option) for option in data["options"]]})
