"""A configuration as a preset: just what is not at its default, and says the same again."""

from collections.abc import Mapping
from typing import Any

from mnistlab.catalogue import load_catalogue
from mnistlab.catalogue.used import FOLLOWS
from mnistlab.options.places import Place
from mnistlab.options.settling import Settled
from mnistlab.options.swept import LITERAL, reads_as_domain

_SAME = object()  # stands where everything is at its default


def as_preset(settled: Settled, resolved: Mapping[str, Any]) -> dict[str, Any]:
    """What is not at its default: `{"model": {"class_path": "SmallModel", "init_args": {"hidden_dim": 384}}}`.

    Args:
        settled: Who wrote what, and what would count otherwise.
        resolved: What came of it, as plain data.
    """
    changed = {name: _changed(settled, name, value) for name, value in resolved.items()}
    return {name: value for name, value in changed.items() if value is not _SAME}


def _changed(settled: Settled, key: str, value: object) -> object:
    """What is not at its default of an option and those below it."""
    place = settled.places.get(key)
    if isinstance(value, list) and f"{key}.0" in settled.places:
        return [_of_item(settled, f"{key}.{number}", item) for number, item in enumerate(value)]
    if isinstance(value, Mapping) and "class_path" in value and place is not None and place.chosen is not None:
        return _of_class(settled, place, value)
    if isinstance(value, Mapping) and any(f"{key}.{name}" in settled.places for name in value):
        return _inner(settled, key, value) or _SAME
    if place is None or value == place.default or _follows(settled, key, value):
        return _SAME
    return f"{LITERAL}{value}" if isinstance(value, str) and reads_as_domain(value) else value


def _of_class(settled: Settled, place: Place, value: Mapping[str, Any]) -> object:
    inner = _inner(settled, place.name, value.get("init_args") or {})
    if str(value["class_path"]).rpartition(".")[2] == place.default:
        return inner or _SAME
    return _named(place, str(value["class_path"]), inner)


def _of_item(settled: Settled, key: str, value: object) -> object:
    """One of several classes, which has no default."""
    if not isinstance(value, Mapping) or "class_path" not in value:
        return value
    return _named(settled.places[key], str(value["class_path"]), _inner(settled, key, value.get("init_args") or {}))


def _inner(settled: Settled, key: str, options: Mapping[str, object]) -> dict[str, object]:
    changed = {name: _changed(settled, f"{key}.{name}", value) for name, value in options.items()}
    return {name: value for name, value in changed.items() if value is not _SAME}


def _named(place: Place, path: str, inner: Mapping[str, object]) -> object:
    """A class by its short name where that means it, with its options."""
    kind, short = load_catalogue().kinds.get(place.kind), path.rpartition(".")[2]
    known = kind.find(short) if kind else None
    name = short if known is not None and known.path == path else path
    return {"class_path": name, "init_args": inner} if inner else name


def _follows(settled: Settled, key: str, value: object) -> bool:
    """Whether the data say a value, and nobody else, or a run that has written it down."""
    written = settled.origins.get(key)
    return key in FOLLOWS and not isinstance(value, Mapping) and (written is None or written.complete)
