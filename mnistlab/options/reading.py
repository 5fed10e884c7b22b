"""From what is written to a value, by the type of the option that takes it: a text is read once, and here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from os import PathLike
from types import NoneType
from typing import Any, ForwardRef, Literal, TypeVar, get_args, get_origin

from mnistlab.errors import LabError
from mnistlab.options.composing import compose, data_in
from mnistlab.options.notation import Plain, at_home, data_of, scalar
from mnistlab.options.signatures import REQUIRED, members

Kinds = Sequence[object]
"""The members of an option's type."""


class Unfit(ValueError):  # noqa: N818 - it is what the value is
    """A value is none of those that an option takes."""


def read(value: object, annotation: object) -> object:
    """The value that an option of this type is given, as plain data.

    What only a class can make of it (of a text a path, or a member of an enumeration) is left as it is; so are bounds.

    Raises:
        Unfit: If the option takes no such value.
    """
    kinds = members(annotation)
    if isinstance(value, Plain) and value[0] in "[{":
        several = takes_several(annotation) if value[0] == "[" else takes_parts(annotation)
        value = _in_brackets(value) if several or not takes_text(annotation) else str(value)
    if isinstance(value, str):
        return _of_text(value, kinds)
    try:
        if isinstance(value, Mapping):
            return _first(_mapping, value, kinds)
        if isinstance(value, list | tuple):
            return _first(_sequence, list(value), kinds)
        return _of_data(value, kinds)
    except Unfit:
        if any(map(_is_foreign, kinds)):
            return data_of(value)
        raise


def takes_text(annotation: object) -> bool:
    """Whether an option takes any text as it stands."""
    return any(kind is str or _is_free(kind) for kind in members(annotation))


def takes_parts(annotation: object) -> bool:
    """Whether an option is a mapping, so that `--option.part=value` sets one entry of it."""
    return any(_is_free(kind) or _is_collection(kind, Mapping) for kind in members(annotation))


def takes_several(annotation: object) -> bool:
    """Whether an option takes a list."""
    return any(_is_free(kind) or _is_collection(kind, Iterable) for kind in members(annotation))


def _of_text(text: str, kinds: Kinds) -> object:
    """A text as one of several kinds; where text is one of them, it is that unless it was `Plain`."""
    any_text = any(kind is str or _is_free(kind) for kind in kinds)
    has_path = any(isinstance(kind, type) and issubclass(kind, PathLike) for kind in kinds)
    is_word = any(_same(choice, str(text)) for choice in _choices(kinds))
    as_text = at_home(text) if has_path else str(text)
    if not isinstance(text, Plain) and (any_text or is_word):
        return as_text
    data = scalar(text.strip())
    is_null = data is None and (text == "null" or not (any_text or has_path))
    if is_null or not isinstance(data, str | NoneType):
        try:
            return _of_data(data, kinds)
        except Unfit:
            pass
    if is_word or ((any_text or any(map(_is_foreign, kinds))) and not is_null):
        return as_text
    raise Unfit


def _of_data(data: object, kinds: Kinds) -> object:
    """Null, true, false or a number as one of several kinds; true is no number, and a fraction no whole number."""
    if any(_takes(kind, data) for kind in kinds):
        return data
    if type(data) is int and any(_takes(kind, 0.0) for kind in kinds):
        with suppress(OverflowError):
            return float(data)
    raise Unfit


def _takes(kind: object, data: object) -> bool:
    """Whether null, true, false or a number is of a kind; the bounds of a restricted number are not asked for."""
    if _is_free(kind) or kind is type(data) or any(_same(choice, data) for choice in _choices([kind])):
        return True
    if type(data) not in (int, float) or not isinstance(kind, type):
        return False
    return issubclass(kind, type(data)) and not issubclass(kind, bool | Enum)


def _first(made: Callable[[Any, object], object], value: object, kinds: Kinds) -> object:
    """What the first kind makes of a value that takes it."""
    for kind in sorted(kinds, key=_is_free):
        try:
            return made(value, kind)
        except Unfit:
            continue
    raise Unfit


def _sequence(values: Sequence[object], kind: object) -> object:
    if _is_free(kind):
        return data_of(values)
    if not _is_collection(kind, Iterable) or _is_collection(kind, Mapping):
        raise Unfit
    wanted = get_args(kind) or (Any,)
    if get_origin(kind) is tuple and Ellipsis not in wanted:
        if len(wanted) != len(values):
            raise Unfit
        return [read(value, each) for value, each in zip(values, wanted, strict=True)]
    return [read(value, wanted[0]) for value in values]


def _mapping(values: Mapping[object, object], kind: object) -> object:
    if _is_free(kind):
        return data_of(values)
    if not _is_collection(kind, Mapping):
        raise Unfit
    key, part = get_args(kind) or (str, Any)
    return {str(name) if key is str else read(name, key): read(value, part) for name, value in values.items()}


def _in_brackets(text: str) -> object:
    """The list or the mapping that a text is; itself where it is none."""
    try:
        node = compose(text, "")
        return str(text) if node is None else data_in(node, "")
    except LabError:
        return str(text)


def _choices(kinds: Kinds) -> Iterator[object]:
    for kind in kinds:
        if get_origin(kind) is Literal:
            yield from get_args(kind)


def _same(choice: object, value: object) -> bool:
    return type(choice) is type(value) and choice == value


def _is_free(kind: object) -> bool:
    """Whether a type says nothing of its values, at least here."""
    return kind in (Any, object, REQUIRED) or isinstance(kind, str | ForwardRef | TypeVar)


def _is_collection(kind: object, of: type) -> bool:
    """Whether a kind is a list, a mapping or the like, and not a class that can be iterated over."""
    origin = get_origin(kind) or (kind if kind in (list, tuple, set, frozenset, dict) else None)
    return isinstance(origin, type) and issubclass(origin, of)


def _is_foreign(kind: object) -> bool:
    """Whether only a class, or jsonargparse on its behalf, knows what it makes of a value."""
    if _is_free(kind) or get_origin(kind) is Literal or _is_collection(kind, Iterable):
        return False
    number = isinstance(kind, type) and issubclass(kind, int | float) and not issubclass(kind, Enum)
    return not number and kind not in (str, NoneType)
