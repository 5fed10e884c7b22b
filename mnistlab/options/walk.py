"""One walk over everything that can be written: which class each option takes, and which value counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mnistlab.errors import LabError
from mnistlab.options.classes import (
    candidates,
    find_class,
    listed,
    own_classes,
)
from mnistlab.options.messages import came, choices, expected, meant
from mnistlab.options.misfits import Chosen, Misfit, no_option, no_section, one_class
from mnistlab.options.notation import NULLS
from mnistlab.options.reading import Unfit, read, takes_parts, takes_several, takes_text
from mnistlab.options.signatures import REQUIRED, Option, Slot, accepts, members, options, takes_code
from mnistlab.options.specification import class_path_of, default_of_slot, plain, unrecorded
from mnistlab.options.trust import check_code, check_trusted, dotted_names
from mnistlab.options.written import FILES, Key, Source, Written, in_brackets
from mnistlab.text.nearest import said, suggestion

Entries = list[tuple[Key, Written]]
"""What was written below a level: the rest of the key, and the whole."""


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


@dataclass
class Walk:
    """One walk over all options, collecting what fits and what does not.

    Attributes:
        root: The class whose arguments are the top-level options.
        sections: The top-level options that have options of their own.
        allowed: What a checkpoint may name besides the trusted packages.
        values: The configuration, in jsonargparse's form.
        origins: Who wrote a value that counts, by dotted key.
        misfits: What belongs nowhere.
        wrong: An error for each value that its option does not take, by dotted key.
    """

    root: type
    sections: Mapping[str, Section]
    allowed: frozenset[str]
    values: dict[str, object] = field(default_factory=dict)
    origins: dict[str, Written] = field(default_factory=dict)
    misfits: list[Misfit] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)

    def over(self, written: Iterable[Written]) -> None:
        """Walk over all options with what was written.

        Raises:
            LabError: If a class does not exist or may not be used.
        """
        below: dict[str, Entries] = {name: [] for name in (*options(self.root), *self.sections)}
        for entry in written:
            if not entry.key:
                raise LabError(one_class(entry, self._tops()))
            if entry.key[0] in below:
                below[entry.key[0]].append((entry.key[1:], entry))
            else:
                self.misfits.append(no_section(entry, below, self._tops()))
        for name, option in options(self.root).items():
            self._option(self.root, option, (name,), below[name], self.values, supplied=0)
        for name, section in self.sections.items():
            self._section(section, name, below[name])

    def _section(self, section: Section, name: str, entries: Entries) -> None:
        if not section.chosen:
            self.values[name] = self._group(Chosen(section.cls, (name,)), entries, section.defaults)
            return
        default = {"class_path": class_path_of(section.default)} if section.default else None
        value = self._chosen(Slot((section.cls,), section.supplied), default, (name,), entries)
        if value is not None:
            self.values[name] = value

    def _group(self, chosen: Chosen, entries: Entries, base: Mapping[str, object]) -> dict[str, object]:
        """The options of one class, on top of `base`."""
        cls, prefix, supplied = chosen.cls, chosen.prefix, chosen.supplied
        known = options(cls, supplied=supplied)
        below: dict[str, Entries] = {name: [] for name in known}
        for path, entry in entries:
            if path and path[0] in known:
                below[path[0]].append((path[1:], entry))
            elif path or (entry.value != {} and entry.value not in NULLS):
                self.misfits.append(no_option(chosen, path, entry, self._tops()))
        values = dict(base)
        for name, option in known.items():
            self._option(cls, option, (*prefix, name), below[name], values, supplied=supplied)
        return values

    def _option(
        self, cls: type, option: Option, prefix: Key, entries: Entries, values: dict[str, object], *, supplied: int
    ) -> None:
        if option.slot is None or _is_plain(option.slot, entries):
            self._leaf(cls, option, prefix, entries, values, supplied=supplied)
        elif option.slot.many:
            if entries:
                values[option.name] = self._several(option.slot, prefix, entries)
        elif option.slot.named:
            if entries:
                before = values.get(option.name) or plain(option.default)
                values[option.name] = self._by_name(option.slot, before, prefix, entries)
        else:
            found = values.get(option.name) or default_of_slot(cls, option, supplied=supplied)
            default = found if isinstance(found, Mapping) else None  # an option may be plain by default, too
            if entries or default:
                values[option.name] = self._chosen(option.slot, default, prefix, entries)

    def _leaf(
        self, cls: type, option: Option, prefix: Key, entries: Entries, values: dict[str, object], *, supplied: int
    ) -> None:
        """A value that is no class: the last one written, or one that is put together from parts."""
        name = ".".join(prefix)
        written = values.get(option.name)
        for path, entry, value in _as_text(option, entries):
            if path and not takes_parts(option.annotation):
                self.misfits.append(Misfit(entry, f"{name} is one value and has no part {'.'.join(path)}."))
                continue
            self._refuse_code(option, entry)
            written = _merged(written, path, value, append=entry.append)
            self.origins[name] = entry
        last = self.origins.get(name)
        if not entries or last is None:
            return
        try:
            values[option.name] = value = read(written, option.annotation)
            fits = _is_any_text(value, option) or accepts(cls, option.name, value, supplied=supplied)
        except Unfit:
            fits = False
        if not fits:
            self.wrong[name] = self._refusal(cls, option, prefix, last, written)

    def _refusal(self, cls: type, option: Option, prefix: Key, last: Written, written: object) -> str:
        """Why an option does not take what was written."""
        in_brackets(last)  # tells what is wrong with it where that is no list and no mapping
        owner = "" if len(prefix) == 1 else f" of {cls.__name__}"
        known = [*choices(option.annotation), *(listed(option.slot.bases) if option.slot else [])]
        hint = meant(written, option.annotation) or suggestion(str(last.value), known)
        nothing = last.value == "" or (last.value is True and last.source is Source.COMMAND_LINE)
        got = "nothing" if nothing else came(written)
        return f"{last.where}: {option.name}{owner} must be {expected(option.annotation)}, got {got}.{hint}"

    def _refuse_code(self, option: Option, entry: Written) -> None:
        """A parser would import what a checkpoint names for an option that takes a function or a type."""
        if entry.source is Source.CHECKPOINT and takes_code(option.annotation):
            for name in dotted_names(entry.value):
                check_code(name, self.allowed, entry.where)

    def _chosen(
        self, slot: Slot, default: Mapping[str, object] | None, prefix: Key, entries: Entries
    ) -> dict[str, object] | None:
        """The class that an option takes, with its options; None for none."""
        named = [entry for path, entry in entries if not path and entry.value != {}]
        parts = [(path, entry) for path, entry in entries if path]
        if named:
            classes = [self._class_of(entry, slot) for entry in named]
            cls = classes[-1]
            parts = _without_old_defaults(parts, named[0], classes[0], cls, supplied=slot.supplied)
            base: Mapping[str, object] = {}
            state = f"is null ({named[-1].where})"
            self.origins[".".join(prefix)] = named[-1]
        else:
            cls = _class_in(default, slot, prefix)
            base = _arguments_in(default)
            state = "has no class"
        if cls is None:
            self._without_class(prefix, slot, parts, state)
            return None
        return self._filled(Chosen(cls, prefix, slot, named[-1] if named else None), parts, base)

    def _filled(self, chosen: Chosen, parts: Entries, base: Mapping[str, object]) -> dict[str, object]:
        """A class with all its options, those that nobody wrote at their defaults."""
        cls, prefix = chosen.cls, chosen.prefix
        known = options(cls, supplied=chosen.supplied)
        leaves = [option for option in known.values() if not _takes_one(option) and option.default is not REQUIRED]
        written_down = {option.name: _default(option) for option in leaves}
        defaults = {name: value for name, value in written_down.items() if not unrecorded(value)}
        values = self._group(chosen, parts, {**defaults, **base})
        for name, option in known.items():
            if option.default is REQUIRED and name not in values:
                origin = self.origins.get(".".join(prefix))
                where = f"{origin.where}: " if origin else ""
                key = ".".join(part for part in (*prefix, name) if not part.isdigit())
                way_out = "Give it there." if origin and origin.source is Source.FILE else f"Add --{key}=..."
                self.wrong[key] = f"{where}{cls.__name__} needs {name}, {expected(option.annotation)}. {way_out}"
        return {"class_path": class_path_of(cls), "init_args": values}

    def _several(self, slot: Slot, prefix: Key, entries: Entries) -> list[object] | None:
        """The classes of an option that takes several; options belong to the class written before them."""
        items: list[tuple[Written, Entries]] = []
        for path, entry in entries:
            if not path:
                in_brackets(entry)  # tells what is wrong with it
                added = [(replace(entry, value=name), list[tuple[Key, Written]]()) for name in _names_in(entry.value)]
                items = [*items, *added] if entry.append else added
                self.origins[".".join(prefix)] = entry
            elif items:
                items[-1][1].append((path, entry))
            else:
                self._without_class(prefix, slot, [(path, entry)], "has no class before this")
        if not items and entries[-1][1].value in NULLS:
            return None
        return [self._item(slot, (*prefix, str(number)), *item) for number, item in enumerate(items)]

    def _by_name(self, slot: Slot, before: object, prefix: Key, entries: Entries) -> dict[str, object] | None:
        """The classes of an option that takes one for each name, on top of those `before`."""
        one = replace(slot, named=False)
        chosen = dict(before) if isinstance(before, Mapping) else {}
        below: dict[str, Entries] = {}
        for path, entry in entries:
            if path:
                below.setdefault(path[0], []).append((path[1:], entry))
            elif entry.value in NULLS:
                chosen, below = {}, {}
                self.origins[".".join(prefix)] = entry
            elif entry.value != {}:
                self._without_name(slot, prefix, entry)
        for name, inner in below.items():
            default = chosen.get(name)
            assert default is None or isinstance(default, Mapping)
            chosen[name] = self._chosen(one, default, (*prefix, name), inner)
        return {name: value for name, value in chosen.items() if value is not None} or None

    def _without_name(self, slot: Slot, prefix: Key, entry: Written) -> None:
        example = entry.value if entry.value in listed(slot.bases) else "CLASS"
        why = f"{'.'.join(prefix)} takes a class for each name."
        self.misfits.append(Misfit(entry, why, f" Write --{'.'.join(prefix)}.NAME={example}."))

    def _item(self, slot: Slot, prefix: Key, entry: Written, parts: Entries) -> object:
        cls = self._class_of(entry, slot)
        self.origins[".".join(prefix)] = entry
        return cls and self._filled(Chosen(cls, prefix, slot, entry), parts, {})

    def _class_of(self, entry: Written, slot: Slot) -> type | None:
        """The class that an entry names; None where it says that there shall be none."""
        known = listed(slot.bases)
        there_are = f" There are {', '.join(known)}."
        if entry.append and not slot.many:
            raise LabError(f"{entry.where}: {entry.name} takes one class, and + adds to a list.")
        if entry.value in NULLS:
            if slot.optional:
                return None
            raise LabError(f"{entry.where}: {entry.name} cannot be null.{there_are}")
        in_brackets(entry)  # tells what is wrong with it where that is no mapping
        if not isinstance(entry.data, str):
            raise LabError(f"{entry.where}: {entry.name} takes the name of a class, got {entry.value}.{there_are}")
        assert isinstance(entry.value, str)
        if entry.source is Source.CHECKPOINT:
            check_trusted(entry.value, self.allowed, entry.where)
        elif entry.value.endswith(FILES):
            raise LabError(f"{entry.where}: there is no file {entry.value}.")
        file = entry.value.endswith(".py")
        cls = None if file else find_class(entry.value, slot.bases, entry.where)
        if cls is None:
            kind = slot.bases[0].__name__.lower() if slot.many else entry.key[-1]
            own = own_classes(entry.value.removesuffix(".py"))
            if own or file:
                way_out = said([f"--{entry.name}={path}" for path in own]) or f" Write --{entry.name}=MODULE.CLASS."
                raise LabError(f"{entry.where}: no {kind} is called {entry.value}.{way_out}")
            hint = suggestion(entry.value, known)
            raise LabError(f"{entry.where}: no {kind} is called {entry.value}.{hint}{there_are}")
        return cls

    def _without_class(self, prefix: Key, slot: Slot, parts: Entries, state: str) -> None:
        name = ".".join(prefix)
        known = listed(slot.bases)
        for path, entry in parts:
            meant = said([f"--{name}={part}" for part in path if part in known])
            way_out = meant or f" Choose one with --{name}=..., one of {', '.join(known)}."
            self.misfits.append(Misfit(entry, f"{name} {state}.", way_out))

    def _tops(self) -> list[Chosen]:
        """The sections, each with its class where nothing is written."""
        return [
            Chosen(section.default or section.cls, (name,), Slot((section.cls,)) if section.chosen else None)
            for name, section in self.sections.items()
        ]


def _without_old_defaults(
    parts: Entries, first: Written, old: type | None, new: type | None, *, supplied: int
) -> Entries:
    """Without what a run has written down only because it was the default of a class that is no longer chosen."""
    if not first.complete or old is None or old is new:
        return parts
    known = options(old, supplied=supplied)
    written: dict[str, dict[Key, object]] = {}
    for path, entry in parts:
        if entry.complete:
            written.setdefault(path[0], {})[path[1:]] = entry.data
    same = {
        name for name, value in written.items() if name in known and value == _default_of(old, known[name], supplied)
    }
    return [(path, entry) for path, entry in parts if not (entry.complete and path[0] in same)]


def _default(option: Option) -> object:
    """The default of an option as it would be if somebody wrote it; one of another type stays as it is."""
    default = plain(option.default)
    try:
        return read(default, option.annotation)
    except Unfit:
        return default


def _default_of(cls: type, option: Option, supplied: int) -> dict[Key, object]:
    """An option's default as it would be written: by the rest of the key."""
    default = default_of_slot(cls, option, supplied=supplied) if option.slot else None
    if default is None:
        return {(): plain(option.default)}
    return {(): default["class_path"], **{(name,): value for name, value in _arguments_in(default).items()}}


def _as_text(option: Option, entries: Entries) -> list[tuple[Key, Written, object]]:
    """The value of each entry; what stands in brackets, or names a file, is a text where an option takes no parts."""
    annotation = option.annotation
    found: list[tuple[Key, Written, object]] = []
    seen: Written | None = None
    for path, entry in entries:
        whole = entry.whole
        of_option = whole is not None and len(whole.key) == len(entry.key) - len(path)
        several = takes_parts(annotation) if path or entry.value == {} else takes_several(annotation)
        if whole is None or not of_option or several or option.slot or not takes_text(annotation):
            found.append((path, entry, entry.value))
        elif whole is not seen:
            found.append(((), entry, str(whole.value)))
        seen = whole
    return found


def _merged(before: object, path: Key, value: object, *, append: bool) -> object:
    """A value with one more entry of a mapping or a list, or a new value."""
    if path:
        return {**(before if isinstance(before, dict) else {}), ".".join(path): value}
    if append:
        return [*(before if isinstance(before, list) else []), value]
    return value


def _class_in(default: Mapping[str, object] | None, slot: Slot, prefix: Key) -> type | None:
    return find_class(str(default["class_path"]), slot.bases, ".".join(prefix)) if default else None


def _arguments_in(default: Mapping[str, object] | None) -> Mapping[str, object]:
    arguments = default.get("init_args", {}) if default else {}
    assert isinstance(arguments, Mapping)
    return arguments


def _takes_one(option: Option) -> bool:
    """Whether an option takes a class, and not a mapping of them, whose default is written down as it stands."""
    return option.slot is not None and not option.slot.named


def _is_plain(slot: Slot, entries: Entries) -> bool:
    """Whether an option that takes a class or a plain value has been given a plain one."""
    values = [entry.value for path, entry in entries if not path]
    if not slot.plain or not values or any(path for path, _ in entries):
        return False
    last = values[-1]
    return not isinstance(last, str | list) or (isinstance(last, str) and not _names_class(last, slot))


def _is_any_text(value: object, option: Option) -> bool:
    """Whether a value is a text and its option takes any, so that nobody else need be asked."""
    return isinstance(value, str) and str in members(option.annotation)


def _names_class(text: str, slot: Slot) -> bool:
    return text not in NULLS and ("." in text or text in candidates(slot.bases))


def _names_in(value: object) -> Sequence[object]:
    """The names in a list or a text, or the one name."""
    if value in NULLS:
        return []
    if isinstance(value, str):
        return value.split(",")
    return value if isinstance(value, list) else [value]
