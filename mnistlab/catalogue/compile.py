"""Writes the catalogue down, from signatures and docstrings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mnistlab.catalogue.docs import documented, source, summary
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError
from mnistlab.options.annotations import Slot
from mnistlab.options.building import build
from mnistlab.options.classes import candidates, find_class, refusal
from mnistlab.options.entries import Catalogue, ClassEntry, KindEntry, Named, OptionEntry, SectionEntry, Value
from mnistlab.options.imported import Imported, Section
from mnistlab.options.signatures import needed
from mnistlab.options.specification import Specification, class_path_of
from mnistlab.sections.linking import classes_with
from mnistlab.sections.parts import Sweep, TopLevel, prepare, sections

_FOREIGN = ("torch", "lightning")
_OURS = ("mnistlab", *_FOREIGN)
"""The packages whose classes are in a catalogue; what else a process has imported is its own affair."""

_TRIED: Sequence[Value] = (1, 0.5, [1])
"""Values to try for what a class needs, to see whether it can be typed at all."""


def compile_catalogue() -> Catalogue:
    """The catalogue of the classes that are installed now."""
    prepare()
    return _Compiler(frozenset(_OURS), facts=True).catalogue()


def own_kinds(catalogue: Catalogue, named: Named) -> dict[str, KindEntry]:
    """What a class and the others of its package add to the kinds of a catalogue.

    Args:
        catalogue: What is there without them.
        named: The class, which is imported.

    Raises:
        LabError: If it cannot be imported, or is of another kind than is wanted.
    """
    prepare()
    kinds = _named_kinds(catalogue)
    find_class(named.path, kinds.slots[named.kind].bases, named.where)
    own = named.path.partition(".")[0]
    more = _Compiler(frozenset([own]), kinds).kinds_of(catalogue.kinds)
    compiler = _Compiler(frozenset([own, *_OURS]), kinds)
    more |= compiler.kinds_of(key for key in more if key not in catalogue.kinds)
    more[named.kind] = compiler.with_named(more[named.kind], named)
    taken = [option.kind for entry in more[named.kind].classes.values() for option in entry.options]
    more |= compiler.kinds_of(kind for kind in taken if kind not in catalogue.kinds)
    return {key: kind for key, kind in more.items() if kind.classes or key not in catalogue.kinds}


def _named_kinds(catalogue: Catalogue) -> Imported:
    """The kinds of a catalogue as they are imported, each under its name there."""
    kinds = Imported()
    for name, section in sections().items():
        section.entry(name, kinds)
    kinds.entry(TopLevel)
    for kind in catalogue.kinds.values():
        for entry in kind.classes.values():
            if any(option.kind and option.kind not in kinds.slots for option in entry.options):
                cls = find_class(entry.path, (object,), entry.path)
                assert cls is not None
                kinds.entry(cls, kind.supplied)
    return kinds


@dataclass
class _Compiler:
    """What is known while a catalogue is written.

    Attributes:
        packages: The packages whose classes are offered.
        kinds: What classes options take, as it is imported.
        facts: Whether to count what can be counted only once an object is there.
    """

    packages: frozenset[str]
    kinds: Imported = field(default_factory=Imported)
    facts: bool = False

    def catalogue(self) -> Catalogue:
        found = sections()
        entries = {name: self._section(section.entry(name, self.kinds), section) for name, section in found.items()}
        top = self._documented(TopLevel, self.kinds.entry(TopLevel), deep=True).options
        wanted = [*(entry.kind for entry in entries.values()), *(option.kind for option in _options(entries, top))]
        return Catalogue(top, entries, self.kinds_of(wanted), self._documented(Sweep, self.kinds.entry(Sweep)))

    def kinds_of(self, names: Iterable[str | None]) -> dict[str, KindEntry]:
        """The kinds of these names, and those that options of their classes take."""
        wanted, kinds = list(names), dict[str, KindEntry]()
        while waiting := [name for name in dict.fromkeys(wanted) if name and name not in kinds]:
            kinds.update({name: self._kind(name) for name in waiting})
            classes = [entry for name in waiting for entry in kinds[name].classes.values()]
            wanted += [option.kind for entry in classes for option in entry.options]
        return kinds

    def with_named(self, kind: KindEntry, name: Named) -> KindEntry:
        """The kind with one more class, under the name that the user gave it."""
        if any(name.path in (key, entry.path) for key, entry in kind.classes.items()):
            return kind
        slot = self.kinds.slots[name.kind]
        cls = find_class(name.path, slot.bases, name.where)
        assert cls is not None
        entry = self._documented(cls, self.kinds.entry(cls, slot.supplied))
        return replace(kind, classes={**kind.classes, name.path: entry})

    def _section(self, entry: SectionEntry, section: Section) -> SectionEntry:
        """A section with its texts; of a class that is only derived from nothing is shown."""
        if entry.kind is not None or entry.entry is None:
            return replace(entry, entry=None)
        documented = self._documented(section.cls, entry.entry, deep=True)
        taken = [
            replace(option, default=entry.defaults.get(option.name, option.default)) for option in documented.options
        ]
        return replace(entry, entry=replace(documented, options=taken))

    def _kind(self, name: str) -> KindEntry:
        slot, kind = self.kinds.slots[name], self.kinds[name]
        single = (key for key, each in self.kinds.slots.items() if each.bases == slot.bases and not each.named)
        if slot.named and (one := next(single, None)):  # `losses` takes for each name what `loss` takes
            return replace(kind, classes=self._kind(one).classes)
        known = set(kind.listed())
        found = {each: cls for each, (cls, *others) in candidates(slot.bases).items() if not others}
        found = {each: cls for each, cls in found.items() if self._is_offered(cls) and (each in known or refusal(cls))}
        classes = {each: self._documented(cls, kind.classes[each]) for each, cls in found.items()}
        if self.facts and name in self.kinds.entry(Classifier).by_name:
            classes = {
                each: replace(entry, problem=entry.problem or _problem(found[each], name, slot))
                for each, entry in classes.items()
            }
        return replace(kind, classes=classes)

    def _is_offered(self, cls: type) -> bool:
        parts = class_path_of(cls).split(".")
        return parts[0] in self.packages and not any(part.startswith("_") for part in parts)

    def _documented(self, cls: type, entry: ClassEntry, *, deep: bool | None = None) -> ClassEntry:
        """A class with its texts; where it is not `deep`, what classes its own options take is left out."""
        deep = cls.__module__.partition(".")[0] not in _FOREIGN if deep is None else deep
        taken = [
            replace(
                option,
                text=documented(cls, option.name),
                kind=option.kind if deep else None,
            )
            for option in entry.options
        ]
        about = replace(entry, summary=summary(cls), source=source(cls), options=taken)
        about = replace(
            about,
            facts=_facts(cls) if self.facts else {},
            problem=entry.refused,
            labels=_labels(cls) if self.facts else (),
        )
        heads = entry.by_name["num_classes"].default if "num_classes" in entry.by_name else None
        fitting = classes_with(ImageData, heads) if isinstance(heads, Mapping) else []
        return replace(about, data=next(iter(fitting), ""))


def _options(entries: Mapping[str, SectionEntry], top: Sequence[OptionEntry]) -> Iterator[OptionEntry]:
    """The options of the sections and beside them."""
    yield from (option for each in entries.values() if each.entry for option in each.entry.options)
    yield from top


def _problem(cls: type, name: str, slot: Slot) -> str:
    """Why the default model cannot be made with a class for its option `name`; nothing where it can."""
    model = sections()["model"].default
    if model is None:
        return ""
    required = needed(cls, supplied=slot.supplied)
    problem = ""
    for value in _TRIED:
        chosen = Specification(class_path_of(cls), dict.fromkeys(required, value)).as_dict()
        try:
            build(Classifier, Specification(class_path_of(model), {name: chosen}))
        except (LabError, ValueError, TypeError) as error:
            if required and isinstance(error.__cause__, ValueError):  # it wants another value, or one more
                return ""
            problem = f"{' and '.join(required)} can be given in Python only" if required else str(error)
        else:
            return ""
    return problem


def _labels(cls: type) -> Sequence[str]:
    """The labels of a data set; nothing of one that cannot be made without options."""
    return (
        list(build(ImageData, Specification(class_path_of(cls))).heads)
        if issubclass(cls, ImageData) and not needed(cls)
        else []
    )


def _facts(cls: type) -> dict[str, int]:
    """What can be counted only once an object is there; nothing of one that cannot be made without options."""
    if needed(cls):
        return {}
    if issubclass(cls, Classifier):
        model = build(Classifier, Specification(class_path_of(cls)))
        return {"parameters": sum(parameter.numel() for parameter in model.parameters())}
    if issubclass(cls, ImageData):
        data = build(ImageData, Specification(class_path_of(cls)))
        return {"classes": next(iter(data.heads.values())), **data.num_images}
    return {}
