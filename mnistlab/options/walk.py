"""One walk over everything that can be written: which class each option takes, and which value counts.

It knows options by their entries alone, whether these are from imported classes or from a catalogue.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mnistlab.errors import LabError
from mnistlab.options.entries import ClassEntry, KindEntry, Kinds, OptionEntry, SectionEntry
from mnistlab.options.kinds import expected, named
from mnistlab.options.messages import came, meant
from mnistlab.options.misfits import Chosen, Misfit, Misfits, own_classes
from mnistlab.options.notation import NULLS, data_of
from mnistlab.options.reading import Unfit, fits, is_known, read, takes_code, takes_parts, takes_several, takes_text
from mnistlab.options.trust import check_code, check_trusted, dotted_names
from mnistlab.options.written import FILES, Key, Source, Written, in_brackets
from mnistlab.text.nearest import said, suggestion

Entries = list[tuple[Key, Written]]
"""What was written below a level: the rest of the key, and the whole. `("optimizer", "lr")` within `model`."""

Described = Mapping[str, Any]
"""A class as configurations have it: `{"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1}}`."""


class UnknownClassError(LabError):
    """No class has the name that somebody has written."""


@dataclass(frozen=True)
class Place:
    """One option as it counts.

    Attributes:
        owner: The class whose option it is.
        option: The option; None for a section, and for one of several classes.
        kind: What classes can be chosen here, a key of `Kinds`; None where none can.
        chosen: The class that is; None where none is.
        value: What counts, as plain data; of a class the short name, of several those of all.
        default: What would count if nobody had written anything here; of a class its name.
        written: Who has written something.
    """

    owner: ClassEntry | None
    option: OptionEntry | None
    kind: str | None
    chosen: ClassEntry | None
    value: object
    default: object
    written: Written | None


@dataclass
class Walk:
    """One walk over all options, collecting what fits and what does not.

    Attributes:
        top: The options outside the sections.
        sections: The top-level options that have options of their own.
        kinds: What classes options take.
        allowed: What a checkpoint may name besides the trusted packages.
        values: The configuration, in jsonargparse's form.
        unsure: Options of which only imported classes know what they take, by dotted key.
        origins: Who wrote a value that counts, by dotted key.
        misfits: What belongs nowhere.
        wrong: An error for each value that its option does not take, by dotted key.
        missing: An error for each option that must be given and is not, by dotted key.
        places: Every option that there is with the classes that count, by dotted key; the classes of a list are
            numbered: `trainer.callbacks.0.monitor`.
    """

    top: Sequence[OptionEntry]
    sections: Mapping[str, SectionEntry]
    kinds: Kinds
    allowed: frozenset[str]
    values: dict[str, object] = field(default_factory=dict)
    unsure: list[str] = field(default_factory=list)
    origins: dict[str, Written] = field(default_factory=dict)
    misfits: list[Misfit] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def over(self, written: Iterable[Written]) -> None:
        """Walk over all options with what was written.

        Raises:
            LabError: If a class does not exist or may not be used.
        """
        below: dict[str, Entries] = {name: [] for name in (*(option.name for option in self.top), *self.sections)}
        for entry in written:
            if not entry.key:
                raise LabError(self._elsewhere().one_class(entry))
            if entry.key[0] in below:
                below[entry.key[0]].append((entry.key[1:], entry))
            else:
                self.misfits.append(self._elsewhere().no_section(entry, below))
        outside = ClassEntry("mnistlab", "", "", "", self.top)
        for option in self.top:
            self._option(_Slot(outside, option, (option.name,), option.default), below[option.name], self.values)
        for name, section in self.sections.items():
            self._section(section, name, below[name])

    def _section(self, section: SectionEntry, name: str, entries: Entries) -> None:
        if section.kind is None:
            assert section.entry is not None
            self.places[name] = Place(None, None, None, section.entry, section.entry.name, section.entry.name, None)
            self.values[name] = self._group(Chosen(section.entry, (name,)), entries, section.defaults)
            return
        default = {"class_path": section.default_path} if section.default_path else None
        value = self._chosen(_Taken(None, None, section.kind, (name,), default), default, entries)
        if value is not None:
            self.values[name] = value

    def _group(
        self, chosen: Chosen, entries: Entries, base: Mapping[str, object], usual: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """The options of one class, on top of `base`; what is `usual` would be on top of it if nobody had written."""
        known = chosen.entry.by_name
        below: dict[str, Entries] = {name: [] for name in known}
        for path, entry in entries:
            if path and path[0] in known:
                below[path[0]].append((path[1:], entry))
            elif path or (entry.value != {} and entry.value not in NULLS):
                self.misfits.append(self._elsewhere().no_option(chosen, path, entry))
        values = dict(base)
        for name, option in known.items():
            default = {**base, **(usual or {})}.get(name, option.default)
            self._option(_Slot(chosen.entry, option, (*chosen.prefix, name), default), below[name], values)
        return {name: values[name] for name in known if name in values}

    def _option(self, slot: "_Slot", entries: Entries, values: dict[str, object]) -> None:
        """What counts of an option."""
        option = slot.option
        kind = self.kinds[option.kind] if option.kind else None
        if option.is_shallow and (entries or option.default_path):
            last = entries[-1][1] if entries else None
            self.places[slot.name] = Place(
                slot.owner, option, None, None, last.data if last else slot.default, slot.default, last
            )
            self.unsure.append(slot.name)
            return
        if kind is None or option.kind is None or _is_plain(kind, entries):
            self._leaf(slot, entries, values)
            return
        taken = _Taken(slot.owner, option, option.kind, slot.prefix, slot.default)
        if kind.many:
            self._place(taken, None, slot.default, None)
            if entries:
                values[option.name] = self._several(taken, entries)
        elif kind.named:
            before = values.get(option.name) or option.default
            self._place(taken, None, before, None)
            if entries:
                values[option.name] = self._by_name(taken, before, entries)
        else:
            found = values.get(option.name) or default_of(option)
            described = found if isinstance(found, Mapping) else None  # an option may be plain by default, too
            self._place(taken, None, slot.default, None)
            if entries or described:
                values[option.name] = self._chosen(taken, described, entries)

    def _place(self, taken: "_Taken", chosen: ClassEntry | None, value: object, written: Written | None) -> None:
        default = _short(taken.default) if isinstance(taken.default, Mapping) else taken.default
        place = Place(taken.owner, taken.option, taken.kind, chosen, value, default, written)
        self.places[".".join(taken.prefix)] = place

    def _leaf(self, slot: "_Slot", entries: Entries, values: dict[str, object]) -> None:
        """A value that is no class: the last one written, or one that is put together from parts."""
        option, name = slot.option, slot.name
        written = values.get(option.name)
        for path, entry, value in _as_text(option, entries):
            if path and not takes_parts(option.takes):
                self.misfits.append(Misfit(entry, f"{name} is one value and has no part {'.'.join(path)}."))
                continue
            self._refuse_code(option, entry)
            written = _merged(written, path, value, append=entry.append)
            self.origins[name] = entry
        last = self.origins.get(name)
        value = data_of(written) if last else values.get(option.name, slot.default)
        serves = True
        if entries and last is not None:
            try:
                values[option.name] = value = read(written, option.takes)
                serves = fits(value, option.takes) or (not is_known(option.takes) and self._accepts(slot, value))
            except Unfit:
                serves = False
        self.places[name] = Place(slot.owner, option, option.kind, None, value, slot.default, last)
        if last is not None and not serves:
            self.wrong[name] = self._refusal(slot, last, written)

    def _accepts(self, slot: "_Slot", value: object) -> bool:
        """Whether the class takes a value of which only it knows, for all that is known here."""
        accepted = self.kinds.accepts(slot.owner, slot.option.name, value)
        if accepted is None:
            self.unsure.append(slot.name)
        return accepted is not False

    def _refusal(self, slot: "_Slot", last: Written, written: object) -> str:
        """Why an option does not take what was written."""
        in_brackets(last)  # tells what is wrong with it where that is no list and no mapping
        option = slot.option
        whose = "" if len(slot.prefix) == 1 else f" of {slot.owner.name}"
        known = [*named(option.takes), *(self.kinds[option.kind].listed() if option.kind else [])]
        hint = meant(written, option.takes) or suggestion(str(last.value), known)
        nothing = last.value == "" or (last.value is True and last.source is Source.COMMAND_LINE)
        got = "nothing" if nothing else came(written)
        return f"{last.where}: {option.name}{whose} must be {expected(option.takes)}, got {got}.{hint}"

    def _refuse_code(self, option: OptionEntry, entry: Written) -> None:
        """A parser would import what a checkpoint names for an option that takes a function or a type."""
        if entry.source is Source.CHECKPOINT and takes_code(option.takes):
            for name in dotted_names(entry.value):
                check_code(name, self.allowed, entry.where)

    def _chosen(self, taken: "_Taken", default: Described | None, entries: Entries) -> dict[str, object] | None:
        """The class that an option takes, with its options; None for none."""
        kind, prefix = taken.kind, taken.prefix
        named_ = [entry for path, entry in entries if not path and entry.value != {}]
        parts = [(path, entry) for path, entry in entries if path]
        if named_:
            classes = [self._class_of(entry, kind) for entry in named_]
            chosen = classes[-1]
            parts = self._without_old_defaults(parts, named_[0], classes[0], chosen)
            base: Mapping[str, object] = {}
            state = f"is null ({named_[-1].where})"
            self.origins[".".join(prefix)] = named_[-1]
        else:
            chosen = self.kinds.find(kind, str(default["class_path"]), ".".join(prefix)) if default else None
            base = _arguments_in(default)
            state = "has no class"
        choice = named_[-1] if named_ else None
        self._place(taken, chosen, chosen and chosen.name, choice)
        if chosen is None:
            self._without_class(prefix, kind, parts, state)
            return None
        usual = _arguments_in(default) if default and default["class_path"] == chosen.path else {}
        return self._filled(Chosen(chosen, prefix, self.kinds[kind], choice), parts, base, usual)

    def _filled(
        self, chosen: Chosen, parts: Entries, base: Mapping[str, object], usual: Mapping[str, object]
    ) -> dict[str, object]:
        """A class with all its options, those that nobody wrote at their defaults."""
        known = chosen.entry.by_name
        leaves = [option for option in known.values() if not (option.default_path or option.required)]
        defaults = {option.name: _copied(option.default) for option in leaves if not option.unwritten}
        values = self._group(chosen, parts, {**defaults, **base}, usual)
        for name, option in known.items():
            if option.required and name not in values:
                origin = self.origins.get(".".join(chosen.prefix))
                where = f"{origin.where}: " if origin else ""
                key = ".".join(part for part in (*chosen.prefix, name) if not part.isdigit())
                way_out = "Give it there." if origin and origin.source is Source.FILE else f"Add --{key}=..."
                self.missing[key] = f"{where}{chosen.entry.name} needs {name}, {expected(option.takes)}. {way_out}"
        return {"class_path": chosen.entry.path, "init_args": values}

    def _several(self, taken: "_Taken", entries: Entries) -> list[object] | None:
        """The classes of an option that takes several; options belong to the class written before them."""
        kind, prefix = taken.kind, taken.prefix
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
                self._without_class(prefix, kind, [(path, entry)], "has no class before this")
        last = self.origins.get(".".join(prefix))
        if not items and entries[-1][1].value in NULLS:
            self._place(taken, None, None, last)
            return None
        classes = [self._class_of(entry, kind) for entry, _ in items]
        names = [each.name if each else None for each in classes]
        self._place(taken, next((each for each in reversed(classes) if each), None), names, last)
        return [
            self._item(replace(taken, option=None, prefix=(*prefix, str(number)), default=None), chosen, *item)
            for number, (chosen, item) in enumerate(zip(classes, items, strict=True))
        ]

    def _by_name(self, taken: "_Taken", before: object, entries: Entries) -> dict[str, object] | None:
        """The classes of an option that takes one for each name, on top of those `before`."""
        kind, prefix = taken.kind, taken.prefix
        chosen = dict(before) if isinstance(before, Mapping) else {}
        below: dict[str, Entries] = {}
        for path, entry in entries:
            if path:
                below.setdefault(path[0], []).append((path[1:], entry))
            elif entry.value in NULLS:
                chosen, below = {}, {}
                self.origins[".".join(prefix)] = entry
            elif entry.value != {}:
                self._without_name(kind, prefix, entry)
        for name, inner in below.items():
            default = chosen.get(name)
            assert default is None or isinstance(default, Mapping)
            one = replace(taken, option=None, prefix=(*prefix, name), default=default)
            chosen[name] = self._chosen(one, default, inner)
        return {name: value for name, value in chosen.items() if value is not None} or None

    def _without_name(self, kind: str, prefix: Key, entry: Written) -> None:
        example = entry.value if entry.value in self.kinds[kind].listed() else "CLASS"
        why = f"{'.'.join(prefix)} takes a class for each name."
        self.misfits.append(Misfit(entry, why, f" Write --{'.'.join(prefix)}.NAME={example}."))

    def _item(self, taken: "_Taken", chosen: ClassEntry | None, entry: Written, parts: Entries) -> object:
        """One of several classes, with its options."""
        self.origins[".".join(taken.prefix)] = entry
        self._place(taken, chosen, chosen and chosen.name, entry)
        return chosen and self._filled(Chosen(chosen, taken.prefix, self.kinds[taken.kind], entry), parts, {}, {})

    def _class_of(self, entry: Written, key: str) -> ClassEntry | None:
        """The class that an entry names; None where it says that there shall be none."""
        kind = self.kinds[key]
        known = kind.listed()
        there_are = f" There are {', '.join(known)}."
        if entry.append and not kind.many:
            raise LabError(f"{entry.where}: {entry.name} takes one class, and + adds to a list.")
        if entry.value in NULLS:
            if kind.optional:
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
        found = None if file else self.kinds.find(key, entry.value, entry.where)
        if found is None:
            what = kind.bases[0].rpartition(".")[2].lower() if kind.many and kind.bases else entry.key[-1]
            own = own_classes(entry.value.removesuffix(".py"))
            if own or file:
                way_out = said([f"--{entry.name}={path}" for path in own]) or f" Write --{entry.name}=MODULE.CLASS."
                raise UnknownClassError(f"{entry.where}: no {what} is called {entry.value}.{way_out}")
            hint = suggestion(entry.value, known)
            raise UnknownClassError(f"{entry.where}: no {what} is called {entry.value}.{hint}{there_are}")
        return found

    def _without_class(self, prefix: Key, kind: str, parts: Entries, state: str) -> None:
        name = ".".join(prefix)
        known = self.kinds[kind].listed()
        for path, entry in parts:
            meant = said([f"--{name}={part}" for part in path if part in known])
            way_out = meant or f" Choose one with --{name}=..., one of {', '.join(known)}."
            self.misfits.append(Misfit(entry, f"{name} {state}.", way_out))

    def _without_old_defaults(
        self, parts: Entries, first: Written, old: ClassEntry | None, new: ClassEntry | None
    ) -> Entries:
        """Without what a run has written down only because it was the default of a class that is no longer chosen."""
        if not first.complete or old is None or (new is not None and old.path == new.path):
            return parts
        written: dict[str, dict[Key, object]] = {}
        for path, entry in parts:
            if entry.complete:
                written.setdefault(path[0], {})[path[1:]] = entry.data
        known = old.by_name
        same = {
            name for name, value in written.items() if name in known and value == self._written_default(known[name])
        }
        return [(path, entry) for path, entry in parts if not (entry.complete and path[0] in same)]

    def _written_default(self, option: OptionEntry) -> dict[Key, object]:
        """An option's default as a run writes it down: by the rest of the key."""
        default = default_of(option)
        if default is None or option.kind is None:
            return {(): option.default}
        entry = self.kinds.find(option.kind, str(default["class_path"]), option.name)
        own = {each.name: each.default for each in entry.options if not each.required} if entry else {}
        arguments = {**own, **_arguments_in(default)}
        return {(): default["class_path"], **{(name,): value for name, value in arguments.items()}}

    def _elsewhere(self) -> Misfits:
        """What knows where something might have belonged."""
        return Misfits(self.sections, self.kinds, [option.name for option in self.top])


@dataclass(frozen=True)
class _Slot:
    """An option of a class, where it stands, and what would count if nobody had written anything."""

    owner: ClassEntry
    option: OptionEntry
    prefix: Key
    default: object

    @property
    def name(self) -> str:
        return ".".join(self.prefix)


@dataclass(frozen=True)
class _Taken:
    """Where a class is taken: by which option of which class, of what kind, and which one by default."""

    owner: ClassEntry | None
    option: OptionEntry | None
    kind: str
    prefix: Key
    default: object


def default_of(option: OptionEntry) -> Described | None:
    """The class that an option takes by default, None where it has none."""
    if option.default_path is None:
        return None
    return {"class_path": option.default_path, "init_args": dict(option.default_options)}


def _as_text(option: OptionEntry, entries: Entries) -> list[tuple[Key, Written, object]]:
    """The value of each entry; what stands in brackets, or names a file, is a text where an option takes no parts."""
    type_ = option.takes
    found: list[tuple[Key, Written, object]] = []
    seen: Written | None = None
    for path, entry in entries:
        whole = entry.whole
        of_option = whole is not None and len(whole.key) == len(entry.key) - len(path)
        several = takes_parts(type_) if path or entry.value == {} else takes_several(type_)
        if whole is None or not of_option or several or option.kind or not takes_text(type_):
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


def _copied(value: object) -> object:
    """A default anew, so that nobody changes it for the next one."""
    if isinstance(value, Mapping):
        return {name: _copied(part) for name, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _short(default: Described | None) -> object:
    """The name of a class by default."""
    return str(default["class_path"]).rpartition(".")[2] if default else None


def _arguments_in(default: Described | None) -> Mapping[str, object]:
    return default.get("init_args", {}) if default else {}


def _is_plain(kind: KindEntry, entries: Entries) -> bool:
    """Whether an option that takes a class or a plain value has been given a plain one."""
    values = [entry.value for path, entry in entries if not path]
    if not kind.plain or not values or any(path for path, _ in entries):
        return False
    last = values[-1]
    return not isinstance(last, str | list) or (isinstance(last, str) and not _names_class(last, kind))


def _names_class(text: str, kind: KindEntry) -> bool:
    return text not in NULLS and ("." in text or text in kind.classes)


def _names_in(value: object) -> Sequence[object]:
    """The names in a list or a text, or the one name."""
    if value in NULLS:
        return []
    if isinstance(value, str):
        return value.split(",")
    return value if isinstance(value, list) else [value]
