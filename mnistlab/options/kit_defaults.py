"""What the kit of a class says in place of options that would be typed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mnistlab.errors import LabError
from mnistlab.options.kit import DEFAULTS, Kit, find_kit
from mnistlab.options.notation import NULLS
from mnistlab.options.written import Source, Written

if TYPE_CHECKING:
    import yaml

CONFIGURED = ("fit", "validate", "test", "predict")
"""The commands that are configured; to any other a kit gives options of its own."""

_ANSWERING = ("explain", "draw", "export")
_EXAMPLE = "`defaults: {fit: {trainer.max_epochs: 3}}`"


def from_kit(command: str) -> Sequence[Written]:
    """What the kit says of how a command is configured, the weakest of all that is said.

    Args:
        command: What is typed; one that takes the options of `fit`, or of `predict`, takes what is said of those.

    Raises:
        LabError: If the kit cannot be read.
    """
    kit = find_kit()
    if kit is None:
        return []
    name = command if command in CONFIGURED else "predict" if command in _ANSWERING else "fit"
    runs = kit.places.get("runs")
    kept = [Written(("run", "dir"), runs.folder, Source.FILE, runs.where)] if runs else []
    return [*kept, *defaults_of(kit).get(name, ())]


def defaults_of(kit: Kit) -> Mapping[str, Sequence[Written]]:
    """What a kit says of options, by command; of another user's as little trusted as a checkpoint.

    Raises:
        LabError: If that is no mapping of options.
    """
    found: dict[str, list[Written]] = {}
    for entry in _entries(kit.defaults, kit.file) if kit.defaults else ():
        name, *option = entry.key
        if "" in entry.key:
            raise LabError(f"{entry.where}: {DEFAULTS} has a name that is empty. Write it as in {_EXAMPLE}.")
        if option:
            source = Source.CHECKPOINT if kit.foreign else Source.FILE
            found.setdefault(name, []).append(replace(entry, key=tuple(option), source=source))
        elif _is_nothing(entry.value):  # a command of which nothing is said yet
            found.setdefault(name, [])
        else:
            raise LabError(f"{entry.where}: {DEFAULTS}.{name} takes options with their values: {_EXAMPLE}.")
    return found


def _entries(node: "yaml.Node", file: str) -> Sequence[Written]:
    from mnistlab.options.composing import data_in, place  # noqa: PLC0415 - YAML takes long to import
    from mnistlab.options.files import from_node  # noqa: PLC0415 - as above

    said = data_in(node, file)
    if isinstance(said, dict):
        return from_node(node, file)
    if _is_nothing(said):
        return []
    raise LabError(f"{place(node, file)}: {DEFAULTS} takes options with their values: {_EXAMPLE}.")


def _is_nothing(value: object) -> bool:
    return value in (*NULLS, {})
