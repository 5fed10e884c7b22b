"""What the configuration of a stranger names: packages, and places that would be written to. Torch is not needed."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mnistlab.options.notation import at_home
from mnistlab.options.written import Written

TRUSTED = ("mnistlab", "torch.nn", "torch.optim", "lightning.pytorch", "lightning.fabric.plugins")
"""The packages whose classes a checkpoint may name."""

ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://")
"""How an address begins."""


def packages_in(config: object) -> list[str]:
    """The packages of others whose classes a configuration names."""
    return sorted({path.partition(".")[0] for path in _class_paths(config) if not is_of(path, TRUSTED)})


def _class_paths(value: object) -> Iterator[str]:
    """Every class in a configuration, however deep."""
    if isinstance(value, Mapping):
        if isinstance(value.get("class_path"), str):
            yield value["class_path"]
        yield from (path for part in value.values() for path in _class_paths(part))
    elif isinstance(value, list):
        yield from (path for part in value for path in _class_paths(part))


def places_elsewhere(entry: Written, safe: Sequence[Path]) -> Iterator[str]:
    """The places of the trainer or a tracker that an option names, and that lie in none of the `safe` folders."""
    if entry.key[0] not in ("trainer", "logger") or entry.key[-1] == "separator":
        return
    for text in _texts(entry.value):
        file = text.removeprefix("sqlite:///")
        place = Path(at_home(file.replace("\0", ""))).resolve()
        if ADDRESS.match(file) or not any(place.is_relative_to(each) for each in safe):
            yield file


def is_of(class_path: str, packages: Iterable[str]) -> bool:
    """Whether a class is of one of some packages."""
    return any(class_path == package or class_path.startswith(f"{package}.") for package in packages)


def may_name(class_path: str, allowed: Iterable[str]) -> bool:
    """Whether a stranger may have a class imported; a short name is looked up among those that are here already."""
    return "." not in class_path or is_of(class_path, (*TRUSTED, *allowed))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        parts = (*value.keys(), *value.values()) if isinstance(value, Mapping) else value
        for part in parts:
            yield from _texts(part)
