"""One walk over everything that can be written: which class each option takes, and which value counts.

It knows options by their entries alone, whether these are from imported classes or from a catalogue.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mnistlab.errors import LabError
from mnistlab.options.choosing import Choosing
from mnistlab.options.command_line import in_brackets
from mnistlab.options.entries import ClassEntry, Kinds, OptionEntry, SectionEntry
from mnistlab.options.messages import needed, refused
from mnistlab.options.misfits import Chosen, Misfit, Misfits
from mnistlab.options.notation import NULLS, data_of
from mnistlab.options.places import (
    Described,
    Entries,
    Place,
    arguments_in,
    as_texts,
    copied,
    default_of,
    divided,
    is_plain,
    merged,
    names_in,
    short,
)
from mnistlab.options.reading import Unfit, fits, is_known, read, takes_code, takes_parts
from mnistlab.options.trust import check_code, dotted_names
from mnistlab.options.written import Key, Source, Written
from mnistlab.text.nearest import said


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
        places: Every option that there is with the classes that count, by dotted key: `trainer.callbacks.0.monitor`.
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

    def __post_init__(self) -> None:
        self._choosing = Choosing(self.kinds, self.allowed)
        self._elsewhere = Misfits(self.sections, self.kinds, [option.name for option in self.top])

    def over(self, written: Iterable[Written]) -> None:
        """Walk over all options with what was written.

        Raises:
            LabError: If a class does not exist or may not be used.
        """
        names = [*(option.name for option in self.top), *self.sections]
        below, others = divided([(entry.key, entry) for entry in written], names)
        for path, entry in others:
            if not path:
                raise LabError(self._elsewhere.one_class(entry))
            self.misfits.append(self._elsewhere.no_section(entry, names))
        for option in self.top:
            place = Place((option.name,), None, option, option.kind or "", option.default)
            self._option(place, option, below[option.name], self.values)
        for name, section in self.sections.items():
            self._section(section, name, below[name])

    def _section(self, section: SectionEntry, name: str, entries: Entries) -> None:
        if section.kind:
            default = {"class_path": section.default_path} if section.default_path else None
            value = self._chosen(Place((name,), kind=section.kind, default=short(default)), default, entries)
            if value is not None:
                self.values[name] = value
        elif section.entry:
            own = section.entry
            self._put(Place((name,), default=own.name), own.name, None, own)
            self.values[name] = self._group(Chosen(own, (name,)), entries, section.defaults)

    def _group(
        self, chosen: Chosen, entries: Entries, base: Mapping[str, object], usual: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """The options of one class, on top of `base`; what is `usual` would be on top of it if nobody had written."""
        # where a model takes AdamW(lr=0.003), --model.optimizer=AdamW has torch's own rate, and 0.003 is the default
        owner, values, defaults = chosen.entry, dict(base), {**base, **(usual or {})}
        below, others = divided(entries, owner.by_name)
        for path, entry in others:
            if path or (entry.value != {} and entry.value not in NULLS):
                self.misfits.append(self._elsewhere.no_option(chosen, path, entry))
        for name, option in owner.by_name.items():
            default = short(defaults.get(name, option.default))
            place = Place((*chosen.prefix, name), owner, option, option.kind or "", default)
            self._option(place, option, below[name], values)
        return {name: values[name] for name in owner.by_name if name in values}

    def _option(self, place: Place, option: OptionEntry, entries: Entries, values: dict[str, object]) -> None:
        """What counts of an option."""
        kind = self.kinds[place.kind] if place.kind else None
        if option.is_shallow and (entries or option.default_path):
            last = entries[-1][1] if entries else None
            self._put(place, last.data if last else place.default, last)
            self.unsure.append(place.name)
        elif kind is None or is_plain(kind, entries):
            self._leaf(place, option, entries, values)
        elif kind.many:
            self._put(place, place.default, None)
            if entries:
                values[option.name] = self._several(place, entries)
        elif kind.named:
            before = values.get(option.name) or option.default
            self._put(place, before, None)
            if entries:
                values[option.name] = self._by_name(place, before, entries)
        else:
            found = values.get(option.name) or default_of(option)
            described = found if isinstance(found, Mapping) else None  # an option may be plain by default, too
            self._put(place, place.default, None)
            if entries or described:
                values[option.name] = self._chosen(place, described, entries)

    def _put(self, place: Place, value: object, written: Written | None, chosen: ClassEntry | None = None) -> None:
        """Note what counts at a place."""
        self.places[place.name] = replace(place, value=value, written=written, chosen=chosen)

    def _leaf(self, place: Place, option: OptionEntry, entries: Entries, values: dict[str, object]) -> None:
        """A value that is no class: the last one written, or one that is put together from parts."""
        name = place.name
        written = values.get(option.name)  # --model.num_classes.parity=2 adds to what is there
        for path, entry, value in as_texts(option, entries):
            if path and not takes_parts(option.takes):
                self.misfits.append(Misfit(entry, f"{name} is one value and has no part {'.'.join(path)}."))
                continue
            self._refuse_code(option, entry)
            written = merged(written, path, value, append=entry.append)
            self.origins[name] = entry
        last = self.origins.get(name)
        if last is None:
            self._put(place, values.get(option.name, place.default), None)
            return
        try:
            values[option.name] = value = read(written, option.takes)
            serves = fits(value, option.takes) or (not is_known(option.takes) and self._accepts(place, option, value))
        except Unfit:
            value, serves = data_of(written), False
        self._put(place, value, last)
        if not serves:
            in_brackets(last)  # tells what is wrong with it where that is no list and no mapping
            classes = self.kinds[place.kind].listed() if place.kind else ()
            self.wrong[name] = refused(option, place.owner, last, written, classes)

    def _accepts(self, place: Place, option: OptionEntry, value: object) -> bool:
        """Whether the class takes a value of which only it knows, for all that is known here."""
        accepted = self.kinds.accepts(place.owner, option.name, value) if place.owner else None
        if accepted is None:
            self.unsure.append(place.name)
        return accepted is not False

    def _refuse_code(self, option: OptionEntry, entry: Written) -> None:
        """A parser would import what a checkpoint names for an option that takes a function or a type."""
        if entry.source is Source.CHECKPOINT and takes_code(option.takes):
            for name in dotted_names(entry.value):
                check_code(name, self.allowed, entry.where)

    def _chosen(self, place: Place, default: Described | None, entries: Entries) -> dict[str, object] | None:
        """The class that is taken at a place, with its options; None for none."""
        named = [entry for path, entry in entries if not path and entry.value != {}]
        parts = [(path, entry) for path, entry in entries if path]
        choice = named[-1] if named else None
        if choice:
            classes = [self._choosing.class_of(entry, place.kind) for entry in named]
            chosen = classes[-1]
            parts = self._choosing.without_old_defaults(parts, named[0], classes[0], chosen)
            self.origins[place.name] = choice
        else:
            chosen = self.kinds.find(place.kind, str(default["class_path"]), place.name) if default else None
        self._put(place, chosen and chosen.name, choice, chosen)
        if chosen is None:
            self._without_class(place, parts, f"is null ({choice.where})" if choice else "has no class")
            return None
        base = {} if choice else arguments_in(default)
        usual = arguments_in(default) if default and default["class_path"] == chosen.path else {}
        return self._filled(Chosen(chosen, place.key, self.kinds[place.kind], choice), parts, base, usual)

    def _filled(
        self, chosen: Chosen, parts: Entries, base: Mapping[str, object], usual: Mapping[str, object]
    ) -> dict[str, object]:
        """A class with all its options, those that nobody wrote at their defaults."""
        own = [option for option in chosen.entry.options if not (option.default_path or option.required)]
        defaults = {option.name: copied(option.default) for option in own if not option.unwritten}
        values = self._group(chosen, parts, {**defaults, **base}, usual)
        for option in chosen.entry.options:
            if option.required and option.name not in values:
                key = ".".join(part for part in (*chosen.prefix, option.name) if not part.isdigit())
                origin = self.origins.get(".".join(chosen.prefix))
                self.missing[key] = needed(key, option, chosen.entry, origin)
        return {"class_path": chosen.entry.path, "init_args": values}

    def _several(self, place: Place, entries: Entries) -> list[object] | None:
        """The classes of an option that takes several; options belong to the class written before them."""
        # callbacks=EarlyStopping, callbacks.patience=3, callbacks+=Timer -> [(EarlyStopping, [patience]), (Timer, [])]
        items: list[tuple[Written, Entries]] = []
        for path, entry in entries:
            if not path:
                in_brackets(entry)  # tells what is wrong with it
                added = [(replace(entry, value=name), list[tuple[Key, Written]]()) for name in names_in(entry.value)]
                items = [*items, *added] if entry.append else added
                self.origins[place.name] = entry
            elif items:
                items[-1][1].append((path, entry))
            else:
                self._without_class(place, [(path, entry)], "has no class before this")
        last = self.origins.get(place.name)
        if not items and entries[-1][1].value in NULLS:
            self._put(place, None, last)
            return None
        classes = [self._choosing.class_of(entry, place.kind) for entry, _ in items]
        found = [each for each in classes if each]
        self._put(place, [each and each.name for each in classes], last, found[-1] if found else None)
        return [
            self._item(Place((*place.key, str(number)), place.owner, kind=place.kind), chosen, *item)
            for number, (chosen, item) in enumerate(zip(classes, items, strict=True))
        ]

    def _item(self, place: Place, chosen: ClassEntry | None, entry: Written, parts: Entries) -> object:
        """One of several classes, with its options."""
        self.origins[place.name] = entry
        self._put(place, chosen and chosen.name, entry, chosen)
        return chosen and self._filled(Chosen(chosen, place.key, self.kinds[place.kind], entry), parts, {}, {})

    def _by_name(self, place: Place, before: object, entries: Entries) -> dict[str, object] | None:
        """The classes of an option that takes one for each name, on top of those `before`."""
        chosen = dict(before) if isinstance(before, Mapping) else {}
        below: dict[str, Entries] = {}
        for path, entry in entries:
            if path:
                below.setdefault(path[0], []).append((path[1:], entry))
            elif entry.value in NULLS:
                chosen, below = {}, {}
                self.origins[place.name] = entry
            elif entry.value != {}:
                example = entry.value if entry.value in self.kinds[place.kind].listed() else "CLASS"
                why = f"{place.name} takes a class for each name."
                self.misfits.append(Misfit(entry, why, f" Write --{place.name}.NAME={example}."))
        for name, inner in below.items():
            default: Described | None = chosen.get(name)
            one = Place((*place.key, name), place.owner, kind=place.kind, default=short(default))
            chosen[name] = self._chosen(one, default, inner)
        return {name: value for name, value in chosen.items() if value is not None} or None

    def _without_class(self, place: Place, parts: Entries, state: str) -> None:
        """Note options that were written where no class is chosen."""
        known = self.kinds[place.kind].listed() if parts else []
        for path, entry in parts:
            meant = said([f"--{place.name}={part}" for part in path if part in known])
            way_out = meant or f" Choose one with --{place.name}=..., one of {', '.join(known)}."
            self.misfits.append(Misfit(entry, f"{place.name} {state}.", way_out))
