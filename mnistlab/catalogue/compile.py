"""Writes the catalogue down, from signatures and docstrings."""

from collections.abc import Iterator, Mapping

from mnistlab.building import build
from mnistlab.catalogue.docs import documented, source, summary
from mnistlab.catalogue.entries import Catalogue, ClassEntry, KindEntry, OptionEntry, SectionEntry, Value
from mnistlab.catalogue.types import choices_of, schema_of
from mnistlab.classes import candidates, listed
from mnistlab.classifier import Classifier
from mnistlab.config import Section
from mnistlab.data import ImageData
from mnistlab.messages import expected
from mnistlab.sections import TopLevel, prepare, sections
from mnistlab.signatures import REQUIRED, Option, Slot, options
from mnistlab.specification import UNRECORDED, class_path_of, default_of_slot, plain

_OURS = ("mnistlab", "torch", "lightning")
"""The packages whose classes are in a catalogue; what else a process has imported is its own affair."""


def compile_catalogue() -> Catalogue:
    """The catalogue of the classes that are installed now."""
    prepare()
    found = sections()
    kinds = {name: _kind(Slot((section.cls,)), deep=True) for name, section in found.items() if section.chosen}
    for name, slot in _slots(found):
        kinds.setdefault(name, _kind(slot, deep=False))
    top = [_option(TopLevel, option, factory=False, deep=False) for option in options(TopLevel).values()]
    return Catalogue(top, {name: _section(name, section) for name, section in found.items()}, kinds)


def _slots(found: Mapping[str, Section]) -> Iterator[tuple[str, Slot]]:
    """The options of the sections that take a class, by name."""
    for section in found.values():
        owners = _classes(Slot((section.cls,))) if section.chosen else {section.cls.__name__: section.cls}
        for cls in owners.values():
            for option in options(cls).values():
                if option.slot is not None:
                    yield option.name, option.slot


def _classes(slot: Slot) -> dict[str, type]:
    """The classes to offer for a slot, by short name; of several with one name none can be named shortly."""
    found = candidates(slot.bases)
    by_name = {name: found[name][0] for name in listed(slot.bases) if len(found[name]) == 1}
    return {name: cls for name, cls in by_name.items() if cls.__module__.partition(".")[0] in _OURS}


def _section(name: str, section: Section) -> SectionEntry:
    if section.chosen:
        return SectionEntry(name, section.default.__name__ if section.default else None, None)
    return SectionEntry(None, None, _class(section.cls, factory=False, deep=True, defaults=section.defaults))


def _kind(slot: Slot, *, deep: bool) -> KindEntry:
    classes = {name: _class(cls, factory=slot.factory, deep=deep) for name, cls in _classes(slot).items()}
    return KindEntry(classes, slot.many, slot.plain, slot.optional)


def _class(cls: type, *, factory: bool, deep: bool, defaults: Mapping[str, object] | None = None) -> ClassEntry:
    """Write a class down; where it is not `deep`, what classes its own options take is left out."""
    taken = [
        _option(cls, option, factory=factory, deep=deep, default=(defaults or {}).get(name, option.default))
        for name, option in options(cls, factory=factory).items()
    ]
    return ClassEntry(cls.__name__, class_path_of(cls), summary(cls), source(cls), taken, _facts(cls))


def _option(cls: type, option: Option, *, factory: bool, deep: bool, default: object = REQUIRED) -> OptionEntry:
    default = option.default if default is REQUIRED else default
    chosen = default_of_slot(cls, option, factory=factory) if option.slot is not None else None
    name = str(chosen["class_path"]).rpartition(".")[2] if chosen else None
    required = default is REQUIRED
    return OptionEntry(
        option.name,
        "a value" if isinstance(option.annotation, str) else expected(option.annotation),
        None if required else _json(name or plain(default)),
        required,
        documented(cls, option.name),
        option.name if deep and option.slot is not None else None,
        name,
        choices_of(option.annotation),
        schema_of(option.annotation),
    )


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
    """What can be counted only once an object is there."""
    if issubclass(cls, Classifier):
        model = build(Classifier, {"class_path": class_path_of(cls)})
        return {"parameters": sum(parameter.numel() for parameter in model.parameters())}
    if issubclass(cls, ImageData):
        data = build(ImageData, {"class_path": class_path_of(cls)})
        return {"classes": next(iter(data.heads.values())), **data.num_images}
    return {}
