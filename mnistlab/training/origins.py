"""Where every value of a configuration is from: a default, a file and its line, a checkpoint, the command line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import yaml

from mnistlab.options.classes import find_class
from mnistlab.options.settling import Settled
from mnistlab.options.signatures import Slot, options
from mnistlab.options.specification import class_path_of, default_of_slot, plain
from mnistlab.sections import TRAINER_DEFAULTS, TopLevel, sections
from mnistlab.system.environment import DATA_DIR, said_by

_WIDTH = 64
"""Comments stand in this column, or right behind what is longer."""


@dataclass(frozen=True)
class Origin:
    """A value, what it would be by default, and where it is from.

    Attributes:
        key: The dotted key; `trainer.callbacks.0.monitor` in a list.
        value: As plain data; of a class the short name.
        default: The default of the class that was chosen.
        where: Who said so.
    """

    key: str
    value: object
    default: object
    where: str

    @property
    def name(self) -> str:
        """The key as it is typed."""
        return ".".join(part for part in self.key.split(".") if not part.isdigit())


def origins(settled: Settled, resolved: Mapping[str, Any]) -> list[Origin]:
    """The origin of every value.

    Args:
        settled: Who wrote what.
        resolved: What came of it, as plain data.
    """
    found = list(_Tracer(settled).of_group(TopLevel, {}, resolved, ""))
    for name, section in sections().items():
        tracer = _Tracer(settled)
        if section.chosen:
            default = {"class_path": class_path_of(section.default)} if section.default else None
            found.extend(tracer.of_class(Slot((section.cls,)), default, resolved[name], name, "mnistlab"))
        else:
            found.extend(tracer.of_group(section.cls, section.defaults, resolved[name], name))
    return found


def differing(settled: Settled, resolved: Mapping[str, Any]) -> list[Origin]:
    """The values that somebody wrote and that are not at their default; of a list of classes each one by itself."""
    written = [origin for origin in origins(settled, resolved) if origin.key in settled.origins]
    lists = {origin.key.rpartition(".")[0] for origin in written if origin.key.rpartition(".")[2].isdigit()}
    return [origin for origin in written if origin.value != origin.default and origin.key not in lists]


def with_origins(text: str, found: Sequence[Origin]) -> str:
    """The YAML of a configuration with the origin of each value as a comment."""
    where = {origin.key: " ".join(origin.where.split()) for origin in found}
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    comments = {line: where[key] for line, key in _lines(root, "") if key in where}
    lines = text.splitlines()
    return "".join(
        f"{line:<{_WIDTH}}  # {comments[number]}\n" if number in comments else f"{line}\n"
        for number, line in enumerate(lines)
    )


@dataclass
class _Tracer:
    """Walks over the classes that were chosen."""

    settled: Settled

    def of_class(
        self, slot: Slot, default: Mapping[str, Any] | None, value: Mapping[str, Any], key: str, owner: str
    ) -> Iterator[Origin]:
        """A class and its options; `default` is what `owner` takes if nothing is written."""
        own, chosen = default["class_path"] if default else None, value["class_path"]
        yield self._origin(key, _short(chosen), _short(own), owner)
        cls = find_class(chosen, slot.bases, key)
        assert cls is not None
        defaults = default.get("init_args", {}) if default and own == chosen else {}
        yield from self.of_group(cls, defaults, value.get("init_args") or {}, key, supplied=slot.supplied)

    def of_group(
        self, cls: type, defaults: Mapping[str, Any], values: Mapping[str, Any], key: str, *, supplied: int = 0
    ) -> Iterator[Origin]:
        """The options of a class, where `defaults` count in place of its own."""
        for name, option in options(cls, supplied=supplied).items():
            if name not in values:
                continue
            inner, value = f"{key}.{name}".lstrip("."), values[name]
            ours = not key or (key == "trainer" and name in TRAINER_DEFAULTS)
            owner = "mnistlab" if ours else cls.__name__
            nested = default_of_slot(cls, option, supplied=supplied) if option.slot else None
            default = defaults.get(name, nested or plain(option.default))
            if option.slot is not None and _is_class(value):
                yield from self.of_class(option.slot, default if _is_class(default) else None, value, inner, owner)
            elif option.slot is not None and isinstance(value, list):
                yield from self._of_list(option.slot, value, default, inner, owner)
            elif option.slot is not None and option.slot.named and isinstance(value, Mapping):
                for part, chosen in value.items():
                    yield from self.of_class(option.slot, None, chosen, f"{inner}.{part}", owner)
            else:
                yield self._origin(inner, value, default["class_path"] if _is_class(default) else default, owner)

    def _of_list(self, slot: Slot, values: Sequence[Any], default: object, key: str, owner: str) -> Iterator[Origin]:
        """Several classes, and the options of each."""
        names = [_short(item["class_path"]) if _is_class(item) else item for item in values]
        yield self._origin(key, names, default, owner)
        for number, item in enumerate(values):
            if _is_class(item):
                yield from self.of_class(slot, None, item, f"{key}.{number}", owner)

    def _origin(self, key: str, value: object, default: object, owner: str) -> Origin:
        written = self.settled.origins.get(key)
        if written is not None:
            return Origin(key, value, default, written.where)
        if key == "model.num_classes":
            return Origin(key, value, default, f"as {_short(self.settled.values['data']['class_path'])} has")
        if key == "data.data_dir" and value is None and said_by(DATA_DIR):
            return Origin(key, value, default, f"{DATA_DIR}={said_by(DATA_DIR)}")
        return Origin(key, value, default, f"default of {owner}")


def _lines(node: yaml.Node, key: str) -> Iterator[tuple[int, str]]:
    """The line of each value in a configuration, with its dotted key; of text on several lines the last."""
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _lines(item, f"{key}.{number}")
    if not isinstance(node, yaml.MappingNode):
        return
    for name, value in node.value:
        line = value.end_mark.line if isinstance(value, yaml.ScalarNode) else name.start_mark.line
        if name.value == "class_path":
            yield line, key
        elif name.value == "init_args":
            yield from _lines(value, key)
        else:
            inner = f"{key}.{name.value}".lstrip(".")
            if not _has_classes(value):  # which say themselves where they are from
                yield line, inner
            yield from _lines(value, inner)


def _has_classes(node: yaml.Node) -> bool:
    if isinstance(node, yaml.SequenceNode):
        return any(_has_classes(item) for item in node.value)
    return isinstance(node, yaml.MappingNode) and any(name.value == "class_path" for name, _ in node.value)


def _is_class(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and "class_path" in value


def _short(class_path: str | None) -> str | None:
    return class_path and class_path.rpartition(".")[2]
