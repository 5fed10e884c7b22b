"""What options a class takes, read from its signature; the one place that asks jsonargparse for them."""

import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cache
from os import PathLike
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin, get_type_hints

import torch
from jsonargparse import ArgumentError, ArgumentParser, Namespace

from mnistlab.options.parsing import parse, verbatim
from mnistlab.text.addresses import kept_out
from mnistlab.text.nearest import suggestion

REQUIRED = inspect.Parameter.empty

# Classes that are values of their own: a parser reads them from text, nobody chooses among their subclasses.
_VALUES = (
    bool, int, float, complex, str, bytes, dict, list, tuple, set, type, types.NoneType,
    Enum, PathLike, timedelta, torch.Tensor, torch.device, torch.dtype,
)  # fmt: skip


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


@dataclass(frozen=True)
class Option:
    """One argument of a class.

    Attributes:
        name: As the user writes it.
        annotation: Its type; the text of it where it cannot be resolved.
        default: The signature's default, or `REQUIRED`.
        slot: What class it takes, if it takes one.
    """

    name: str
    annotation: object
    default: object
    slot: Slot | None


@cache
def options(cls: type, *, supplied: int = 0) -> Mapping[str, Option]:
    """The options of a class by name, in the order of its signature, those behind `**kwargs` included.

    Args:
        cls: The class.
        supplied: Leave out so many leading arguments, which are supplied later.
    """
    defaults = _defaults(cls, supplied=supplied)
    found = {}
    for name in _parser(cls, supplied=supplied)[1]:
        parameter = _parameter(cls, name)
        if parameter is None:  # behind a `**kwargs` that leads out of the line of parents
            found[name] = Option(name, Any, defaults.get(name), None)
            continue
        annotation, default = parameter
        if default is REQUIRED and defaults.get(name) is not None:
            default = defaults[name]
        default = kept_out(default) if isinstance(default, str) else default
        found[name] = Option(name, annotation, default, slot_of(annotation))
    return found


def refuse_unknown(instance: object, given: Mapping[str, object]) -> None:
    """Refuse arguments that no class of the line takes; to be called in the `__init__` of a base class.

    Raises:
        TypeError: If there are any, with the options that there are.
    """
    cls: type = type(instance)
    for name in given:
        known = options(cls)
        what = f"{cls.__name__} has no option {name}.{suggestion(name, known)}"
        raise TypeError(f"{what} It takes {', '.join(known)}.")


def accepts(cls: type, name: str, value: object, *, supplied: int = 0) -> bool:
    """Whether `value`, which has been read, is one that the option `name` of `cls` takes by its type."""
    others = {other for other in _parser(cls, supplied=supplied)[1] if other != name}
    parser, _ = _parser(cls, supplied=supplied, leave_out=frozenset(others))
    try:
        made = parser.parse_object(verbatim({name: value}), env=False).get(name)
    except (ArgumentError, ValueError, TypeError, RecursionError):
        return False
    return not (isinstance(value, str) and type(made) in (bool, int, float, types.NoneType))  # that has been read


def parsed_default(cls: type, name: str, *, supplied: int = 0) -> dict[str, object] | None:
    """The class that an option takes by default, where jsonargparse can read that, as from the source of a lambda."""
    parsed = _defaults(cls, supplied=supplied).get(name)
    if isinstance(parsed, Namespace) and "class_path" in parsed:
        described: dict[str, object] = parsed.as_dict()
        return described
    return None


def parsed(cls: type, values: Mapping[str, object], *, supplied: int = 0) -> Namespace:
    """The options of a class as its signature wants them, nested classes included.

    Raises:
        ArgumentError: If a value is of a wrong type, or an option is missing.
    """
    return parse(_parser(cls, supplied=supplied)[0], values)


def slot_of(annotation: object) -> Slot | None:
    """What class an annotation asks for, None if it asks for none."""
    bases: list[type] = []
    supplied = 0
    many = named = plain = optional = False
    for member in members(annotation):
        origin, arguments = get_origin(member), get_args(member)
        if _choosable(member):
            bases.append(member)
        elif origin is Callable and arguments:
            made = [made for made in members(arguments[-1]) if _choosable(made)]
            given = arguments[0] if isinstance(arguments[0], list) else ()
            supplied = max(supplied, len(given)) if made else supplied
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


def takes_code(annotation: object) -> bool:
    """Whether a text given to an option could make a parser import something: `Callable`, `type`, or no type at all."""
    if annotation in (Any, REQUIRED) or isinstance(annotation, str):
        return True
    kinds = (annotation, get_origin(annotation))
    return Callable in kinds or type in kinds or any(map(takes_code, _inner(annotation)))


def _inner(annotation: object) -> list[object]:
    """The annotations within one, as far as it has any."""
    if get_origin(annotation) is Literal:
        return []
    return [inner for inner in get_args(annotation) if inner is not Ellipsis and not isinstance(inner, list)]


def members(annotation: object) -> list[object]:
    """The types that a value may be of: those of a union, or the one."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for member in get_args(annotation) for inner in members(member)]
    return [annotation]


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


@cache
def _parser(cls: type, *, supplied: int, leave_out: frozenset[str] = frozenset()) -> tuple[ArgumentParser, list[str]]:
    """What reads the options of a class, and their names."""
    parser = ArgumentParser(exit_on_error=False)
    skip: set[str | int] = {supplied} if supplied else set()
    names: list[str] = parser.add_class_arguments(cls, None, fail_untyped=False, skip=skip | leave_out)
    return parser, names


@cache
def _defaults(cls: type, *, supplied: int) -> Namespace:
    return _parser(cls, supplied=supplied)[0].get_defaults()


def _parameter(cls: type, name: str) -> tuple[object, object] | None:
    """The annotation and the default of an argument, from the first class of the line that names it, if one does."""
    for owner in cls.__mro__:
        init = vars(owner).get("__init__")
        if init is None or not hasattr(init, "__code__"):
            continue
        parameter = inspect.signature(init).parameters.get(name)
        if parameter is not None:
            return _hints(init).get(name, parameter.annotation), parameter.default
    return None


def _hints(function: Callable[..., object]) -> dict[str, object]:
    try:
        return get_type_hints(function)
    except (NameError, TypeError):  # names that exist for type checkers only
        return {}
