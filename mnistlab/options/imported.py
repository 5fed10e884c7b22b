"""The kinds of classes and their options, from what is imported now: the same entries as in a catalogue."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from mnistlab.options.annotations import REQUIRED, Slot
from mnistlab.options.classes import candidates, class_at, find_class, hidden, refusal
from mnistlab.options.entries import ClassEntry, KindEntry, OptionEntry, SectionEntry, Value
from mnistlab.options.functions import foreign_kinds
from mnistlab.options.reading import Unfit, read
from mnistlab.options.settling import Settled, settle_entries
from mnistlab.options.signatures import Option, accepts, options
from mnistlab.options.specification import UNRECORDED, Specification, class_path_of, default_of_slot, plain
from mnistlab.options.written import Written


class Imported:
    """The kinds of classes by the name of what takes them: `optimizer`, and `optimizer-2` where another one differs."""

    def __init__(self) -> None:
        self.slots: dict[str, Slot] = {}
        self._classes: dict[tuple[type, int], ClassEntry] = {}
        self._behind: list[tuple[ClassEntry, type, int]] = []

    def __getitem__(self, key: str) -> KindEntry:
        """The kind of that name, with the classes that there are by now."""
        slot = self.slots[key]
        found = candidates(slot.bases)
        return KindEntry(
            _Candidates(self, slot, found),
            slot.many,
            slot.named,
            slot.plain,
            slot.optional,
            slot.supplied,
            [class_path_of(base) for base in slot.bases if not base.__name__.startswith("_")]
            + foreign_kinds(slot.bases),
            [name for name, classes in found.items() if hidden(classes)],
        )

    def find(self, key: str, name: str, where: str) -> ClassEntry | None:
        """The class of a kind that somebody calls `name`; one by its path is imported."""
        slot = self.slots[key]
        cls = find_class(name, slot.bases, where)
        return self.entry(cls, slot.supplied) if cls else None

    def accepts(self, owner: ClassEntry, name: str, value: object) -> bool:
        """Ask the class behind an entry."""
        cls, supplied = next((cls, supplied) for entry, cls, supplied in self._behind if entry is owner)
        return accepts(cls, name, value, supplied=supplied)

    def add(self, name: str, slot: Slot) -> str:
        """The name of a kind: that of the option which takes it, numbered where another of that name differs."""
        number = 1
        while self.slots.setdefault(key := name if number == 1 else f"{name}-{number}", slot) != slot:
            number += 1
        return key

    def entry(self, cls: type, supplied: int = 0) -> ClassEntry:
        """What a class takes."""
        known = self._classes.get((cls, supplied))
        if known is None:
            taken = [self.option(cls, option, supplied) for option in options(cls, supplied=supplied).values()]
            known = ClassEntry(cls.__name__, class_path_of(cls), "", "", taken, refused=refusal(cls))
            self._classes[cls, supplied] = known
            self._behind.append((known, cls, supplied))
        return known

    def option(self, cls: type, option: Option, supplied: int) -> OptionEntry:
        """One option of a class."""
        chosen = default_of_slot(cls, option, supplied=supplied) if option.slot else None
        required = option.default is REQUIRED
        default = None if required else _default(option)
        unwritten = isinstance(default, Mapping) and UNRECORDED in default
        return OptionEntry(
            option.name,
            option.type,
            chosen.name if chosen else as_json(default),
            required,
            kind=self.add(option.name, option.slot) if option.slot else None,
            default_path=chosen.class_path if chosen else None,
            default_options=_changed(chosen, option.slot) if chosen and option.slot else {},
            unwritten=unwritten,
        )


class _Candidates(Mapping[str, ClassEntry]):
    """The classes of a kind by short name, looked at when they are asked for."""

    def __init__(self, kinds: Imported, slot: Slot, found: Mapping[str, Sequence[type]]) -> None:
        self._kinds = kinds
        self._slot = slot
        self._found = found

    def __getitem__(self, name: str) -> ClassEntry:
        return self._kinds.entry(self._found[name][0], self._slot.supplied)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@cache
def imported() -> Imported:
    """The one of this process."""
    return Imported()


@dataclass(frozen=True)
class Section:
    """A top-level option of the command line.

    Attributes:
        cls: The class whose options the section takes, or whose descendants it chooses among.
        chosen: Whether the section chooses a class.
        default: The class taken where nothing is written.
        defaults: What counts in place of the defaults of a class that is not chosen.
        supplied: How many leading arguments of the class are supplied later.
    """

    cls: type
    chosen: bool = False
    default: type | None = None
    defaults: Mapping[str, object] = field(default_factory=dict)
    supplied: int = 0

    def entry(self, name: str, kinds: Imported) -> SectionEntry:
        """The same by its names, with the kinds of classes that its options take put among `kinds`."""
        own = kinds.entry(self.cls, self.supplied)
        if not self.chosen:
            return SectionEntry(None, None, own, {key: as_json(plain(value)) for key, value in self.defaults.items()})
        default = class_path_of(self.default) if self.default else None
        return SectionEntry(kinds.add(name, Slot((self.cls,), self.supplied)), default, own)


def settle(
    root: type,
    sections: Mapping[str, Section],
    layers: Sequence[Sequence[Written]],
    allowed: frozenset[str] = frozenset(),
) -> Settled:
    """Work out the configuration of classes that are imported.

    Args:
        root: The class whose arguments are the top-level options.
        sections: The top-level options that have options of their own.
        layers: What was written, one list per source, the weakest first.
        allowed: The packages and classes that a checkpoint may name besides the trusted ones.

    Raises:
        LabError: If a class, an option or a value does not exist, at the place where it was written.
    """
    kinds = imported()
    top = kinds.entry(root).options
    return settle_entries(
        top, {name: each.entry(name, kinds) for name, each in sections.items()}, kinds, layers, allowed
    )


def as_json(value: object) -> Value:
    """Plain data as it stands; of what cannot be written down, the word for it."""
    if isinstance(value, Mapping):
        if UNRECORDED in value:
            return str(value[UNRECORDED])
        return {str(key): as_json(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [as_json(entry) for entry in value]
    assert value is None or isinstance(value, bool | int | float | str)
    return value


def _default(option: Option) -> object:
    """The default of an option as it would be if somebody wrote it; one of another type stays as it is."""
    default = plain(option.default)
    if option.slot is None and isinstance(default, Mapping) and "class_path" in default:  # code that is called
        return {UNRECORDED: str(default["class_path"]).rpartition(".")[2]}
    try:
        return read(default, option.type)
    except Unfit:
        return default


def _changed(chosen: Specification, slot: Slot) -> dict[str, Value]:
    """The options of a class that is a default which are not at their own defaults."""
    known = options(class_at(chosen.class_path, slot.bases), supplied=slot.supplied)
    own = {name: plain(option.default) for name, option in known.items() if option.default is not REQUIRED}
    return {name: as_json(value) for name, value in chosen.init_args.items() if name not in own or own[name] != value}
