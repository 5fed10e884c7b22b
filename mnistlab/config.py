"""From what was written to one configuration: which classes, and which value counts.

Choosing a class means choosing its own defaults; what the user wrote stays. From the weakest to the strongest:
signature defaults of the class finally chosen, checkpoint, configuration files from left to right, command line from
left to right. jsonargparse gets the outcome with every class and every default of a nested class spelt out, so that it
has nothing left to merge; the types of the values are its business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mnistlab.classes import candidates, check_trusted, find_class, listed
from mnistlab.errors import LabError
from mnistlab.messages import expected, options_of
from mnistlab.nearest import suggestion
from mnistlab.signatures import REQUIRED, Option, Slot, accepts, default_of_slot, options, takes_parts
from mnistlab.specification import class_path_of, plain
from mnistlab.written import Key, Source, Written

Entries = list[tuple[Key, Written]]
"""What was written below a level: the rest of the key, and the whole."""


@dataclass(frozen=True)
class Section:
    """A top-level option of the command line.

    Attributes:
        cls: The class whose options the section takes, or whose descendants it chooses among.
        chosen: Whether the section chooses a class.
        default: The class taken where nothing is written.
    """

    cls: type
    chosen: bool = False
    default: type | None = None


@dataclass(frozen=True)
class Settled:
    """A configuration in which every class is chosen.

    Attributes:
        values: Nested data in jsonargparse's form.
        origins: Who wrote a value that counts, by dotted key.
        dropped: What was written for a class that is not the chosen one, each with the reason.
    """

    values: dict[str, object]
    origins: dict[str, Written]
    dropped: list[tuple[Written, str]]


def settle(
    root: type,
    sections: Mapping[str, Section],
    layers: Sequence[Sequence[Written]],
    allowed: frozenset[str] = frozenset(),
) -> Settled:
    """Work out the configuration.

    Args:
        root: The class whose arguments are the top-level options.
        sections: The top-level options that have options of their own.
        layers: What was written, one list per source, the weakest first.
        allowed: The packages and classes that a checkpoint may name besides the trusted ones.

    Raises:
        LabError: If a class, an option or a value does not exist, at the place where it was written.
    """
    for index, layer in enumerate(layers):
        lower = [entry for below in layers[:index] for entry in below]
        _refuse_unknown(_Walk(root, sections, allowed), lower, layer)
    walk = _Walk(root, sections, allowed)
    walk.all( [entry for layer in layers for entry in layer])
    walk.check()
    return Settled(walk.values, walk.origins, walk.misfits)


def _refuse_unknown(walk: "_Walk", lower: Sequence[Written], layer: Sequence[Written]) -> None:
    """Raise for what fits no class that was in force when its source was read.

    What a later source leaves without its class is dropped and told. Within one source everything must fit: the class
    that it chooses last, or one that it chose before.
    """
    misfits: list[tuple[Written, str]] | None = None
    for variant in _variants(layer):
        walk = _Walk(walk.root, walk.section_by_name, walk.allowed)
        walk.all([*lower, *variant])
        found = [(entry, why) for entry, why in walk.misfits if any(entry is own for own in layer)]
        kept = found if misfits is None else misfits
        misfits = [(entry, why) for entry, why in kept if any(entry is other for other, _ in found)]
    if misfits:
        raise LabError(misfits[0][1])


def _variants(layer: Sequence[Written]) -> list[list[Written]]:
    """The layer as it is, and as it would be if a repeated key had been written for the last time earlier."""
    variants = [list(layer)]
    for index, entry in enumerate(layer):
        later = [other for other in layer[index + 1 :] if other.key == entry.key and not other.append]
        if later:
            variants.append([other for other in layer if not any(other is one for one in later)])
    return variants


@dataclass
class _Walk:
    """One walk over all options, collecting what fits and what does not."""

    root: type
    section_by_name: Mapping[str, Section]
    allowed: frozenset[str]
    values: dict[str, object] = field(default_factory=dict)
    origins: dict[str, Written] = field(default_factory=dict)
    misfits: list[tuple[Written, str]] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)

    def all(self, written: Sequence[Written]) -> None:
        top = options(self.root)
        below: dict[str, Entries] = {name: [] for name in self.section_by_name}
        single: Entries = []
        for entry in written:
            if entry.key[0] in below:
                below[entry.key[0]].append((entry.key[1:], entry))
            elif entry.key[0] in top:
                single.append((entry.key, entry))
            else:
                hint = suggestion(entry.key[0], [*below, *top])
                self.misfits.append((entry, f"{entry.where}: there is no option {entry.key[0]}.{hint}"))
        self.values.update(self._group(self.root, (), single, {}, factory=False))
        for name, section in self.section_by_name.items():
            if not section.chosen:
                self.values[name] = self._group(section.cls, (name,), below[name], {}, factory=False)
                continue
            default = {"class_path": class_path_of(section.default)} if section.default else None
            value = self._chosen(Slot((section.cls,)), default, (name,), below[name])
            if value is not None:
                self.values[name] = value

    def check(self) -> None:
        """Raise for the first value that its option does not take."""
        for message in self.wrong.values():
            raise LabError(message)

    def _group(
        self, cls: type, prefix: Key, entries: Entries, base: Mapping[str, object], *, factory: bool
    ) -> dict[str, object]:
        """The options of one class, on top of `base`."""
        known = options(cls, factory=factory)
        below: dict[str, Entries] = {name: [] for name in known}
        for path, entry in entries:
            if path and path[0] in known:
                below[path[0]].append((path[1:], entry))
            elif path or entry.value not in ({}, None):
                self._unknown(cls, path, entry, known)
        values = dict(base)
        for name, option in known.items():
            self._option(cls, option, (*prefix, name), below[name], values, factory=factory)
        return values

    def _option(
        self, cls: type, option: Option, prefix: Key, entries: Entries, values: dict[str, object], *, factory: bool
    ) -> None:
        if option.slot is None or _is_plain(option.slot, entries):
            self._leaf(cls, option, prefix, entries, values, factory=factory)
        elif option.slot.many:
            if entries:
                values[option.name] = self._several(option.slot, prefix, entries)
        else:
            default = values.get(option.name) or default_of_slot(cls, option, factory=factory)
            assert default is None or isinstance(default, Mapping)
            if entries or default:
                values[option.name] = self._chosen(option.slot, default, prefix, entries)

    def _leaf(
        self, cls: type, option: Option, prefix: Key, entries: Entries, values: dict[str, object], *, factory: bool
    ) -> None:
        name = ".".join(prefix)
        for path, entry in entries:
            before = values.get(option.name)
            if path and not takes_parts(option.annotation):
                why = f"{entry.where}: {name} is one value and has no part {'.'.join(path)}."
                self.misfits.append((entry, why))
                continue
            if path:
                values[option.name] = {**(before if isinstance(before, dict) else {}), ".".join(path): entry.value}
            elif entry.append:
                values[option.name] = [*(before if isinstance(before, list) else []), entry.value]
            else:
                values[option.name] = entry.value
            self.origins[name] = entry
        last = self.origins.get(name)
        if entries and last is not None and not accepts(cls, option.name, values[option.name], factory=factory):
            wanted = expected(option.annotation)
            self.wrong[name] = f"{last.where}: {option.name} of {cls.__name__} must be {wanted}, got {last.value}."

    def _chosen(
        self, slot: Slot, default: Mapping[str, object] | None, prefix: Key, entries: Entries
    ) -> dict[str, object] | None:
        """The class that an option takes, with its options; None for none."""
        choices = [entry for path, entry in entries if not path and entry.value != {}]
        parts = [(path, entry) for path, entry in entries if path]
        if not choices:
            if default is None:
                self._without_class(prefix, slot, parts, "has no class")
                return None
            base = default.get("init_args", {})
            assert isinstance(base, Mapping)
            cls = find_class(str(default["class_path"]), slot.bases, ".".join(prefix))
            assert cls is not None
            return self._filled(cls, prefix, parts, base, factory=slot.factory)
        classes = [self._class_of(entry, slot) for entry in choices]
        self.origins[".".join(prefix)] = choices[-1]
        if classes[-1] is None:
            self._without_class(prefix, slot, parts, f"is null ({choices[-1].where})")
            return None
        return self._filled(classes[-1], prefix, parts, {}, factory=slot.factory)

    def _filled(
        self, cls: type, prefix: Key, parts: Entries, base: Mapping[str, object], *, factory: bool
    ) -> dict[str, object]:
        """A class with all its options, those that nobody wrote at their defaults."""
        known = options(cls, factory=factory)
        leaves = [option for option in known.values() if option.slot is None and option.default is not REQUIRED]
        defaults = {option.name: plain(option.default) for option in leaves}
        values = self._group(cls, prefix, parts, {**defaults, **base}, factory=factory)
        for name, option in known.items():
            if option.default is REQUIRED and name not in values:
                key = ".".join(part for part in (*prefix, name) if not part.isdigit())
                wanted = expected(option.annotation)
                self.wrong[key] = f"{cls.__name__} needs {name}, {wanted}: add --{key}=..."
        return {"class_path": class_path_of(cls), "init_args": values}

    def _several(self, slot: Slot, prefix: Key, entries: Entries) -> list[object]:
        """The classes of an option that takes several; options belong to the class written before them."""
        items: list[tuple[Written, Entries]] = []
        for path, entry in entries:
            if not path:
                items = items if entry.append else []
                items = [*items, *((replace(entry, value=name), []) for name in _names_in(entry.value))]
                self.origins[".".join(prefix)] = entry
            elif items:
                items[-1][1].append((path, entry))
            else:
                self._without_class(prefix, slot, [(path, entry)], "has no class before this")
        made: list[object] = []
        for number, (entry, parts) in enumerate(items):
            cls = self._class_of(entry, slot)
            if cls is not None:
                made.append(self._filled(cls, (*prefix, str(number)), parts, {}, factory=slot.factory))
        return made

    def _class_of(self, entry: Written, slot: Slot) -> type | None:
        """The class that an entry names; None where it says that there shall be none."""
        if entry.value is None or entry.value in ("null", "None"):
            return None
        if not isinstance(entry.value, str):
            raise LabError(f"{entry.where}: {entry.name} takes the name of a class, got {entry.value!r}.")
        if entry.source is Source.CHECKPOINT:
            check_trusted(entry.value, self.allowed, entry.where)
        cls = find_class(entry.value, slot.bases, entry.where)
        if cls is None:
            known = listed(slot.bases)
            hint = suggestion(entry.value, known)
            raise LabError(
                f"{entry.where}: no {entry.key[-1]} is called {entry.value}.{hint} There are {', '.join(known)}."
            )
        return cls

    def _without_class(self, prefix: Key, slot: Slot, parts: Entries, state: str) -> None:
        name = ".".join(prefix)
        for _, entry in parts:
            known = ", ".join(listed(slot.bases))
            why = f"{entry.where}: {name} {state}. Choose one first with --{name}=..., one of {known}."
            self.misfits.append((entry, why))

    def _unknown(self, cls: type, path: Key, entry: Written, known: Mapping[str, Option]) -> None:
        if not path:
            why = f"{entry.where}: {entry.name} is a group of options: {options_of(cls)}."
        else:
            hint = suggestion(path[0], known) or f" It takes {', '.join(known)}."
            why = f"{entry.where}: {cls.__name__} has no option {path[0]}.{hint}"
        self.misfits.append((entry, why))


def _is_plain(slot: Slot, entries: Entries) -> bool:
    """Whether an option that takes a class or a plain value has been given a plain one."""
    values = [entry.value for path, entry in entries if not path]
    if not slot.plain or not values or any(path for path, _ in entries):
        return False
    last = values[-1]
    return not isinstance(last, (str, list)) or (isinstance(last, str) and not _names_class(last, slot))


def _names_class(text: str, slot: Slot) -> bool:
    known = candidates(slot.bases)
    return all("." in name or name in known for name in _names_in(text)) and bool(_names_in(text))


def _names_in(value: object) -> list[object]:
    """The names in `A`, `[A, B]` or a list."""
    if isinstance(value, str) and value.startswith("["):
        return [name.strip(" \"'") for name in value.strip("[]").split(",") if name.strip()]
    return list(value) if isinstance(value, list) else [] if value in (None, "null", "None") else [value]
