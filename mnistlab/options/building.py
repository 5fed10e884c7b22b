"""From a specification to an object."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Protocol, TypeVar, runtime_checkable

from jsonargparse import ArgumentError, ArgumentParser, Namespace

from mnistlab.errors import LabError
from mnistlab.options.classes import class_at
from mnistlab.options.functions import behind
from mnistlab.options.parsing import parse
from mnistlab.options.signatures import Slot, options, parsed
from mnistlab.options.specification import Specification, class_path_of
from mnistlab.text.addresses import in_texts, opened

T = TypeVar("T")


@runtime_checkable
class Recorded(Protocol):
    """What keeps the specification that it was made from: a model, a data set."""

    specification: Specification | None


def build(base: type[T], specification: Specification, given: Mapping[str, object] | None = None) -> T:
    """Build the object that a specification describes: a descendant of `base`, its nested parts first.

    Whoever calls it has looked the classes up and trusts them.

    Args:
        base: What the object must be.
        specification: Its class and its options.
        given: Arguments that are ready made, in place of options.

    Raises:
        LabError: If the options do not fit the class.
        ValueError: If the class refuses them.
    """
    ready = set(given or {})
    path = specification.class_path
    cls = class_at(path, (base,))
    parser = ArgumentParser(exit_on_error=False)
    made_by = behind(cls)
    parser.add_subclass_arguments(made_by if isinstance(made_by, type) else base, "made", skip=ready)
    left = {name: value for name, value in specification.init_args.items() if name not in ready}
    try:
        config = parse(parser, {"made": {"class_path": path, "init_args": left}})
    except ArgumentError as error:
        raise LabError(f"{path} cannot be made as it is written down: {error}") from error
    made: T = cls(**{**build_arguments(cls, config.made.get("init_args") or {}), **(given or {})})
    return made


def build_exactly(cls: type[T], values: Mapping[str, object], *given: object) -> T:
    """Build an object of exactly this class from its options, after what is `given`.

    Raises:
        LabError: If the options do not fit the class, or it refuses them.
    """
    supplied = len(given)
    try:
        arguments = build_arguments(cls, parsed(cls, values, supplied=supplied), supplied=supplied)
        made = cls(*given, **arguments)
    except (ArgumentError, ValueError, TypeError) as error:
        raise LabError(f"{cls.__name__} refuses its options: {error}") from error
    if isinstance(made, Recorded):
        made.specification = Specification(class_path_of(cls), dict(values))
    return made


def build_part(value: object, slot: Slot) -> object:
    """Build what a parsed option that takes a class says; a `functools.partial` where arguments are to come later.

    jsonargparse could do this too, but it swallows what a class says when it refuses its arguments.
    """
    if isinstance(value, list):
        return [build_part(item, slot) for item in value]
    if slot.named and isinstance(value, Mapping | Namespace):
        parts = vars(value) if isinstance(value, Namespace) else value
        return {name: build_part(part, replace(slot, named=False)) for name, part in parts.items()}
    if not isinstance(value, Namespace) or "class_path" not in value:
        return _without_restriction(value)
    cls = class_at(str(value.class_path), slot.bases)
    arguments = build_arguments(cls, value.get("init_args") or {}, supplied=slot.supplied)
    return functools.partial(cls, **arguments) if slot.supplied else cls(**arguments)


def build_arguments(cls: type, values: Namespace | Mapping[str, object], *, supplied: int = 0) -> dict[str, object]:
    """The arguments of a class, with everything nested in them built."""
    known = options(cls, supplied=supplied)
    arguments: dict[str, object] = {}
    given = vars(values) if isinstance(values, Namespace) else values
    for name, value in given.items():
        if value is None and name in known and known[name].is_untold:
            continue
        slot = known[name].slot if name in known else None
        if slot is None and isinstance(value, Namespace) and "class_path" in value:  # of what calls it with more
            slot = Slot((object,), supplied=1)
        arguments[name] = _without_restriction(value) if slot is None else build_part(value, slot)
    return arguments


def _without_restriction(value: object) -> object:
    """A number as Python's own: a restricted one is of a class of jsonargparse, which a safe load refuses.

    An address gets its password back: here it leaves what is shown and written.
    """
    if isinstance(value, bool | Enum):
        return value
    if type(value) in (dict, list):
        return in_texts(opened, value)
    if isinstance(value, str):
        return opened(str(value))
    return next((kind(value) for kind in (int, float) if isinstance(value, kind)), value)
