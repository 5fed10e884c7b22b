"""Where every value of a configuration is from: a default, a file and its line, a checkpoint, the command line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import yaml

from mnistlab.catalogue.used import is_taken_over
from mnistlab.options.kit import FILE, find_kit
from mnistlab.options.labels import as_typed
from mnistlab.options.places import Place
from mnistlab.options.settling import Settled
from mnistlab.sections.run import TRAINER_DEFAULTS
from mnistlab.system.environment import DATA_DIR, said_by

_WIDTH = 64  # comments stand in this column, or right behind what is longer


@dataclass(frozen=True)
class Origin:
    """A value, what it would be by default, and where it is from."""

    key: str  # the dotted key; `trainer.callbacks.0.monitor` in a list
    value: object  # as plain data; of a class the short name
    default: object  # the default of the class that was chosen
    where: str  # who said so

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
    found: list[Origin] = []
    for key, place in settled.places.items():
        part = _at(resolved, key.split("."))
        if part is not _NOWHERE and (place.option or place.kind):
            value = place.value if place.chosen and isinstance(place.value, list) else part
            found.append(Origin(key, _shortened(value), _shortened(place.default), _where(settled, key, place)))
    return found


def differing(settled: Settled, resolved: Mapping[str, Any]) -> list[Origin]:
    """The values that somebody wrote and that are not at their default, or were not until then.

    Of a list of classes each one by itself.
    """
    model = resolved["model"]["class_path"]
    written = [
        origin
        for origin in origins(settled, resolved)
        if origin.key in settled.origins and not is_taken_over(origin.key, model)
    ]
    lists = {origin.key.rpartition(".")[0] for origin in written if origin.key.rpartition(".")[2].isdigit()}
    changed = [each for each in written if each.value != each.default or each.key in settled.contested]
    return [origin for origin in changed if origin.key not in lists]


def by_kit(settled: Settled) -> dict[str, Any]:
    """What a record says of the kit: its file, and what of it has counted; nothing where there is none."""
    kit = find_kit()
    if kit is None:
        return {}
    said = {name: entry for name, entry in settled.origins.items() if entry.where.startswith(f"{kit.file}:")}
    counted = {entry.name: as_typed(entry.value) for entry in said.values()}
    place = settled.places.get("data.data_dir")
    if place and place.value is None and "data" in kit.places and not said_by(DATA_DIR):
        counted["data.data_dir"] = kit.places["data"].folder
    return {"kit": {"file": str(kit.folder / FILE), **counted}}


def with_origins(text: str, found: Sequence[Origin]) -> str:
    """The YAML of a configuration with the origin of each value as a comment."""
    where = {origin.key: " ".join(origin.where.split()) for origin in found}
    comments = {line: where[key] for line, key in _lines(yaml.compose(text, yaml.SafeLoader), "") if key in where}
    lines = text.splitlines()
    return "".join(
        f"{line:<{_WIDTH}}  # {comments[number]}\n" if number in comments else f"{line}\n"
        for number, line in enumerate(lines)
    )


_NOWHERE = object()  # stands where a configuration has nothing


def _at(resolved: object, key: Sequence[str]) -> object:
    """What a configuration has at a key: `{"model": {"init_args": {"lr": 1}}}` has 1 at `model.lr`."""
    for part in key:
        if isinstance(resolved, list):
            resolved = resolved[int(part)] if part.isdigit() and int(part) < len(resolved) else _NOWHERE
            continue
        inner = resolved.get("init_args") or {} if _is_class(resolved) else resolved
        if not isinstance(inner, Mapping) or part not in inner:
            return _NOWHERE
        resolved = inner[part]
    return resolved


def _where(settled: Settled, key: str, place: Place) -> str:
    """Who said so."""
    if place.written is not None:
        return place.written.where
    if key == "model.num_classes":
        return f"as {settled.values['data']['class_path'].rpartition('.')[2]} has"
    if key == "data.data_dir" and place.value is None and said_by(DATA_DIR):
        return f"{DATA_DIR}={said_by(DATA_DIR)}"
    kit = find_kit() if key == "data.data_dir" and place.value is None else None
    if kit and "data" in kit.places:
        return f"{kit.places['data'].where}: data: {kit.places['data'].folder}"
    section, _, name = key.partition(".")
    ours = place.owner is None or not name or (section == "trainer" and name in TRAINER_DEFAULTS)
    return f"default of {'mnistlab' if ours or place.owner is None else place.owner.name}"


def _shortened(value: object) -> object:
    """A value, of a class the short name."""
    return value["class_path"].rpartition(".")[2] if _is_class(value) else value


def _lines(node: yaml.Node | None, key: str) -> Iterator[tuple[int, str]]:
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
