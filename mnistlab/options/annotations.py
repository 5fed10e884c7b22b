"""From an annotation of Python to the kinds of values that it takes; what needs the classes themselves stands here."""

import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from os import PathLike
from typing import Annotated, Any, ForwardRef, Literal, TypeGuard, Union, get_args, get_origin

import torch

from mnistlab.options import numbers
from mnistlab.options.kinds import Kind, Type

REQUIRED = inspect.Parameter.empty

# Classes that are values of their own: a parser reads them from text, nobody chooses among their subclasses.
_VALUES = (
    bool, int, float, complex, str, bytes, dict, list, tuple, set, type, types.NoneType,
    Enum, PathLike, timedelta, torch.Tensor, torch.device, torch.dtype,
)  # fmt: skip

_KINDS: Mapping[object, Kind] = {
    bool: Kind("boolean"),
    int: Kind("integer"),
    float: Kind("number"),
    str: Kind("text"),
    types.NoneType: Kind("null"),
    list: Kind("list"),
    tuple: Kind("list"),
    set: Kind("list"),
    frozenset: Kind("list"),
    dict: Kind("mapping"),
    type: Kind("class"),
    torch.Tensor: Kind("numbers"),
    numbers.PositiveInt: Kind("integer", low=0, open=True),
    numbers.NonNegativeInt: Kind("integer", low=0),
    numbers.ThreadCount: Kind("integer", low=1, high=1024),
    numbers.PositiveFloat: Kind("number", low=0, open=True),
    numbers.NonNegativeFloat: Kind("number", low=0),
    numbers.ClosedUnitInterval: Kind("number", low=0, high=1),
}
"""What is of one kind. A restricted number that is not known here is left to its class."""


@dataclass(frozen=True)
class Slot:
    """An option that takes a class with options of its own.

    Attributes:
        bases: What the class must derive from.
        supplied: How many leading arguments are supplied later (1 for an optimizer: the parameters).
        many: A list of them is taken.
        named: A mapping is taken, from names to one of them each.
        plain: Other values are taken too (a name, true or false).
        optional: It may be left without one: null.
    """

    bases: tuple[type, ...]
    supplied: int = 0
    many: bool = False
    named: bool = False
    plain: bool = False
    optional: bool = False


def type_of(annotation: object) -> Type:
    """The kinds of values that an annotation takes: `PositiveInt | None` takes whole numbers above 0, and null."""
    return tuple(dict.fromkeys(map(_kind, members(annotation))))


def slot_of(annotation: object) -> Slot | None:
    """What class an annotation asks for, None if it asks for none."""
    bases: list[type] = []
    supplied = 0
    many = named = plain = optional = False
    for member in members(annotation):
        origin, arguments = get_origin(member), get_args(member)
        if _choosable(member):
            bases.append(member)
        elif origin is Callable and arguments and (made := _made(arguments)):
            supplied = max(supplied, len(arguments[0]))
            bases.extend(made)
        elif inner := _slot_within(origin, arguments):
            many |= not _is_mapping(origin)
            named |= _is_mapping(origin)
            supplied = max(supplied, inner.supplied)
            bases.extend(inner.bases)
        elif member is types.NoneType:
            optional = True
        else:
            plain = True
    unique = tuple(dict.fromkeys(bases))
    return Slot(unique, supplied, many, named, plain, optional) if unique else None


def members(annotation: object) -> list[object]:
    """The types that a value may be of: those of a union, or the one."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for member in get_args(annotation) for inner in members(member)]
    return [annotation]


def _kind(member: object) -> Kind:
    origin, arguments = get_origin(member), get_args(member)
    if origin is Literal:
        return Kind("words", words=arguments)
    if origin is Callable or member is Callable:
        return Kind("choice") if arguments and _made(arguments) else Kind("function")
    if isinstance(origin, type):
        return _collection(origin, arguments)
    if isinstance(member, type) and member not in (Any, object, REQUIRED):
        return _KINDS.get(member) or _of_class(member)
    return Kind("any", title=member.__forward_arg__.rpartition(".")[2] if isinstance(member, ForwardRef) else "")


def _made(arguments: Sequence[Any]) -> list[type]:
    """The classes that a callable makes objects of; none where nobody knows what it is called with."""
    return [each for each in members(arguments[-1]) if _choosable(each)] if arguments[0] is not Ellipsis else []


def _of_class(cls: type) -> Kind:
    """The kind of a class that is no type of Python's own."""
    if issubclass(cls, Enum):
        return Kind("words", words=tuple(each.name for each in cls))  # jsonargparse takes names
    if issubclass(cls, PathLike):
        return Kind("path")
    return Kind("choice" if _choosable(cls) else "other", title=cls.__name__)


def _collection(origin: type, arguments: Sequence[object]) -> Kind:
    if issubclass(origin, type):
        return Kind("class")
    if issubclass(origin, Mapping):
        return Kind("mapping", parts=tuple(type_of(part) for part in arguments))
    if issubclass(origin, tuple) and Ellipsis not in arguments:
        return Kind("row", parts=tuple(type_of(part) for part in arguments))
    if issubclass(origin, Iterable):
        return Kind("list", parts=(type_of(arguments[0]),) if arguments else ())
    return Kind("other", title=origin.__name__)


def _slot_within(origin: object, arguments: Sequence[object]) -> Slot | None:
    """What class the elements of a list, or the values of a mapping, are of."""
    if not (isinstance(origin, type) and issubclass(origin, Iterable) and arguments):
        return None
    return slot_of(arguments[1 if _is_mapping(origin) else 0])


def _is_mapping(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Mapping)


def _choosable(member: object) -> TypeGuard[type]:
    if not isinstance(member, type) or get_origin(member) is not None:
        return False
    return member not in (Any, object, REQUIRED) and not issubclass(member, _VALUES)
