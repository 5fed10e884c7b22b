"""Writes the catalogue down, from signatures and docstrings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mnistlab.catalogue.docs import documented, source, summary
from mnistlab.catalogue.entries import Catalogue, ClassEntry, KindEntry, Named, OptionEntry, SectionEntry, Value
from mnistlab.catalogue.types import choices_of, schema_of
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError
from mnistlab.options.building import build
from mnistlab.options.classes import candidates, find_class, listed, refusal
from mnistlab.options.messages import expected
from mnistlab.options.settling import Section
from mnistlab.options.signatures import REQUIRED, Option, Slot, options
from mnistlab.options.specification import UNRECORDED, class_path_of, default_of_slot, plain
from mnistlab.sections import Sweep, TopLevel, prepare, sections
from mnistlab.sections.linking import data_with

_FOREIGN = ("torch", "lightning")
_OURS = ("mnistlab", *_FOREIGN)
"""The packages whose classes are in a catalogue; what else a process has imported is its own affair."""

_TRIED: Sequence[Value] = (1, 0.5, [1])
"""Values to try for what a class needs, to see whether it can be typed at all."""


def compile_catalogue(named: Sequence[Named] = ()) -> Catalogue:
    """The catalogue of the classes that are installed now.

    Args:
        named: Classes to import and to add; the others of their packages are then in it too.

    Raises:
        LabError: If one of them cannot be imported, or is of another kind than is wanted.
    """
    prepare()
    for name in named:
        find_class(name.path, (object,), name.where)
    packages = {*_OURS, *(name.path.partition(".")[0] for name in named)}
    return _Compiler(frozenset(packages), facts=not named).catalogue(named)


@dataclass
class _Compiler:
    """What is known while a catalogue is written.

    Attributes:
        packages: The packages whose classes are offered.
        facts: Whether to count what can be counted only once an object is there.
        slots: What each kind of class derives from, by the name of the kind.
    """

    packages: frozenset[str]
    facts: bool
    slots: dict[str, Slot] = field(default_factory=dict)

    def catalogue(self, named: Iterable[Named]) -> Catalogue:
        found = sections()
        chosen = {name: Slot((section.cls,)) for name, section in found.items() if section.chosen}
        self.slots.update(chosen)
        entries = {name: self._section(name, section) for name, section in found.items()}
        top = [self._option(TopLevel, option, supplied=0, deep=True) for option in options(TopLevel).values()]
        kinds: dict[str, KindEntry] = {}
        while waiting := [name for name in self.slots if name not in kinds]:  # a kind's classes may take more kinds
            kinds.update({name: self._kind(name, self.slots[name]) for name in waiting})
        for name in named:
            kinds[name.kind] = self._with_named(kinds[name.kind], self.slots[name.kind], name)
        return Catalogue(top, entries, kinds, self._class(Sweep, supplied=0))

    def _section(self, name: str, section: Section) -> SectionEntry:
        if section.chosen:
            return SectionEntry(name, section.default.__name__ if section.default else None, None)
        return SectionEntry(None, None, self._class(section.cls, supplied=0, deep=True, defaults=section.defaults))

    def _kind(self, kind: str, slot: Slot) -> KindEntry:
        found = self._classes(slot)
        classes = {name: self._class(cls, supplied=slot.supplied) for name, cls in found.items()}
        if self.facts and kind in options(Classifier):
            classes = {
                name: replace(entry, problem=entry.problem or _problem(found[name], kind, slot))
                for name, entry in classes.items()
            }
        return KindEntry(classes, slot.many, slot.plain, slot.optional)

    def _classes(self, slot: Slot) -> dict[str, type]:
        """The classes by short name, those that are refused too; of several with one name none can be named shortly."""
        found = candidates(slot.bases)
        known = set(listed(slot.bases))
        by_name = {
            name: classes[0]
            for name, classes in found.items()
            if len(classes) == 1 and (name in known or refusal(classes[0]))
        }
        return {name: cls for name, cls in by_name.items() if self._is_offered(cls)}

    def _is_offered(self, cls: type) -> bool:
        parts = class_path_of(cls).split(".")
        return parts[0] in self.packages and not any(part.startswith("_") for part in parts)

    def _with_named(self, kind: KindEntry, slot: Slot, name: Named) -> KindEntry:
        """The kind with one more class, under the name that the user gave it."""
        if any(name.path in (key, entry.path) for key, entry in kind.classes.items()):
            return kind
        cls = find_class(name.path, slot.bases, name.where)
        assert cls is not None
        classes = {**kind.classes, name.path: self._class(cls, supplied=slot.supplied)}
        return KindEntry(classes, kind.many, kind.plain, kind.optional)

    def _class(
        self, cls: type, *, supplied: int, deep: bool | None = None, defaults: Mapping[str, object] | None = None
    ) -> ClassEntry:
        """Write a class down; where it is not `deep`, what classes its own options take is left out."""
        package = cls.__module__.partition(".")[0]
        deep = package not in _FOREIGN if deep is None else deep
        known = options(cls, supplied=supplied)
        taken = [
            self._option(cls, option, supplied=supplied, deep=deep, default=(defaults or {}).get(name, option.default))
            for name, option in known.items()
        ]
        facts = _facts(cls) if self.facts else {}
        about = (cls.__name__, class_path_of(cls), summary(cls), source(cls))
        entry = ClassEntry(*about, taken, facts, problem=refusal(cls))
        heads = next((option.default for option in known.values() if option.name == "num_classes"), None)
        return replace(entry, data=next(iter(data_with(heads)), "")) if isinstance(heads, Mapping) else entry

    def _option(
        self, cls: type, option: Option, *, supplied: int, deep: bool = False, default: object = REQUIRED
    ) -> OptionEntry:
        default = option.default if default is REQUIRED else default
        chosen = default_of_slot(cls, option, supplied=supplied) if option.slot is not None else None
        name = str(chosen["class_path"]).rpartition(".")[2] if chosen else None
        required = default is REQUIRED
        slot = option.slot
        untyped = option.annotation is REQUIRED or isinstance(option.annotation, str)
        return OptionEntry(
            name=option.name,
            type="a value" if untyped else expected(option.annotation),
            default=None if required else _json(name or plain(default)),
            required=required,
            text=documented(cls, option.name),
            kind=self._kind_of(option.name, slot) if deep and slot is not None and not slot.named else None,
            default_class=name,
            default_options=_changed(chosen, option.slot) if chosen and option.slot else {},
            choices=choices_of(option.annotation),
            schema=schema_of(option.annotation),
        )

    def _kind_of(self, name: str, slot: Slot) -> str:
        """The kind of class that an option takes: the option's name, numbered where another of that name differs."""
        number = 1
        while self.slots.setdefault(key := name if number == 1 else f"{name}-{number}", slot) != slot:
            number += 1
        return key


def _changed(chosen: Mapping[str, object], slot: Slot) -> dict[str, Value]:
    """The options of a class that is a default which are not at their own defaults."""
    cls = find_class(str(chosen["class_path"]), slot.bases, str(chosen["class_path"]))
    given = chosen.get("init_args", {})
    assert cls is not None
    assert isinstance(given, Mapping)
    own = {
        name: plain(option.default)
        for name, option in options(cls, supplied=slot.supplied).items()
        if option.default is not REQUIRED
    }
    return {name: _json(value) for name, value in given.items() if name not in own or own[name] != value}


def _problem(cls: type, name: str, slot: Slot) -> str:
    """Why the default model cannot be made with a class for its option `name`; nothing where it can."""
    model = sections()["model"].default
    if model is None:
        return ""
    known = options(cls, supplied=slot.supplied).values()
    required = [option.name for option in known if option.default is REQUIRED]
    problem = ""
    for value in _TRIED:
        chosen = {"class_path": class_path_of(cls), "init_args": dict.fromkeys(required, value)}
        try:
            build(Classifier, {"class_path": class_path_of(model), "init_args": {name: chosen}})
        except (LabError, ValueError, TypeError) as error:
            if required and isinstance(error.__cause__, ValueError):  # it wants another value, or one more
                return ""
            problem = f"{' and '.join(required)} can be given in Python only" if required else str(error)
        else:
            return ""
    return problem


def _json(value: object) -> Value:
    """Plain data as it stands; of what cannot be written down, the word for it."""
    if isinstance(value, Mapping):
        if UNRECORDED in value:
            return str(value[UNRECORDED])
        return {str(key): _json(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_json(entry) for entry in value]
    assert value is None or isinstance(value, bool | int | float | str)
    return value


def _facts(cls: type) -> dict[str, int]:
    """What can be counted only once an object is there; nothing of one that cannot be made without options."""
    if any(option.default is REQUIRED for option in options(cls).values()):
        return {}
    if issubclass(cls, Classifier):
        model = build(Classifier, {"class_path": class_path_of(cls)})
        return {"parameters": sum(parameter.numel() for parameter in model.parameters())}
    if issubclass(cls, ImageData):
        data = build(ImageData, {"class_path": class_path_of(cls)})
        return {"classes": next(iter(data.heads.values())), **data.num_images}
    return {}
