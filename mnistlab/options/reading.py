"""From what is written to a value, by the type of the option that takes it: a text is read once, and here."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from mnistlab.errors import LabError
from mnistlab.options.kinds import ANY, FOREIGN, Kind, Type, same, within
from mnistlab.options.notation import Plain, at_home, data_of, scalar


class Unfit(ValueError):  # noqa: N818 - it is what the value is
    """A value is none of those that an option takes."""


def read(value: object, type_: Type) -> object:
    """The value that an option of this type is given, as plain data: `"010" -> 10` for a whole number.

    What only a class can make of it (of a text a path, or a time) is left as it is; so are bounds.

    Raises:
        Unfit: If the option takes no such value.
    """
    if isinstance(value, Plain) and value[0] in "[{":
        several = takes_several(type_) if value[0] == "[" else takes_parts(type_)
        value = _in_brackets(value) if several or not takes_text(type_) else str(value)
    if isinstance(value, str):
        return _of_text(value, type_)
    try:
        if isinstance(value, Mapping):
            return _first(_mapping, value, type_)
        if isinstance(value, list | tuple):
            return _first(_sequence, list(value), type_)
        return _of_data(value, type_)
    except Unfit:
        if _is_foreign(type_):
            return data_of(value)
        raise


def fits(value: object, type_: Type) -> bool:
    """Whether a value that has been read is within the bounds of one of the kinds that take it."""
    return any(_holds(value, kind) for kind in type_)


def is_known(type_: Type) -> bool:
    """Whether a type says of every value whether it takes it; of some only a class knows."""
    return all(kind.name not in (*FOREIGN, "choice") for kind in within(type_))


def takes_text(type_: Type) -> bool:
    """Whether an option takes any text as it stands."""
    return any(kind.name in ("text", "any") for kind in type_)


def takes_parts(type_: Type) -> bool:
    """Whether an option is a mapping, so that `--option.part=value` sets one entry of it."""
    return any(kind.name in ("mapping", "any") for kind in type_)


def takes_several(type_: Type) -> bool:
    """Whether an option takes a list."""
    return any(kind.name in ("list", "row", "mapping", "any") for kind in type_)


def takes_code(type_: Type) -> bool:
    """Whether a text given to an option could make a parser import something: a function, a class, or anything."""
    return any(kind.name in ("any", "function", "class") or _is_factory(kind) for kind in within(type_))


def _is_factory(kind: Kind) -> bool:
    """Whether it is what makes an object of a class when it is called, and not the class."""
    return kind.name == "choice" and not kind.title


def _is_foreign(type_: Type) -> bool:
    return any(kind.name in FOREIGN for kind in type_)


def _of_text(text: str, type_: Type) -> object:
    """A text as one of several kinds; where text is one of them, it is that unless it was `Plain`."""
    any_text = takes_text(type_)
    has_path = any(kind.name == "path" for kind in type_)
    is_word = any(same(word, str(text)) for kind in type_ for word in kind.words)
    as_text = at_home(text) if has_path else str(text)
    if not isinstance(text, Plain) and (any_text or is_word):
        return as_text
    data = scalar(text.strip())
    is_null = data is None and (text == "null" or not (any_text or has_path))
    if is_null or not (data is None or isinstance(data, str)):
        with suppress(Unfit):
            return _of_data(data, type_)
    if is_word or ((any_text or _is_foreign(type_)) and not is_null):
        return as_text
    raise Unfit


def _of_data(data: object, type_: Type) -> object:
    """Null, true, false or a number as one of several kinds; true is no number, and a fraction no whole number."""
    if any(kind.takes(data) for kind in type_):
        return data
    if type(data) is int and any(kind.takes(0.0) for kind in type_):
        with suppress(OverflowError):
            return float(data)
    raise Unfit


def _first(made: Callable[[Any, Kind], object], value: object, type_: Type) -> object:
    """What the first kind makes of a value that takes it."""
    for kind in sorted(type_, key=lambda kind: kind.name == "any"):
        try:
            return made(value, kind)
        except Unfit:
            continue
    raise Unfit


def _sequence(values: Sequence[object], kind: Kind) -> object:
    if kind.name == "any" or (kind.name == "numbers" and _are_numbers(data_of(values))):
        return data_of(values)
    if kind.name == "row":
        if len(kind.parts) != len(values):
            raise Unfit
        return [read(value, part) for value, part in zip(values, kind.parts, strict=True)]
    if kind.name != "list":
        raise Unfit
    wanted = kind.parts[0] if kind.parts else ANY
    return [read(value, wanted) for value in values]


def _mapping(values: Mapping[object, object], kind: Kind) -> object:
    if kind.name == "any":
        return data_of(values)
    if kind.name != "mapping":
        raise Unfit
    key, part = kind.parts or ((Kind("text"),), ANY)
    as_text = [each.name for each in key] == ["text"]
    return {str(name) if as_text else read(name, key): read(value, part) for name, value in values.items()}


def _holds(value: object, kind: Kind) -> bool:
    """Whether a value that has been read is one of a kind, within its bounds."""
    if kind.name == "any":
        return True
    if isinstance(value, str):
        return kind.name == "text" or any(same(word, value) for word in kind.words)
    if isinstance(value, Mapping):
        return kind.name == "mapping" and all(
            fits(each, kind.parts[-1] if kind.parts else ANY) for each in value.values()
        )
    if isinstance(value, list):
        return _holds_all(value, kind)
    return kind.takes(value) and (not isinstance(value, int | float) or kind.holds(value))


def _holds_all(values: Sequence[object], kind: Kind) -> bool:
    if kind.name == "row":
        return len(values) == len(kind.parts) and all(map(fits, values, kind.parts))
    if kind.name == "list":
        return all(fits(each, kind.parts[0] if kind.parts else ANY) for each in values)
    return kind.name == "numbers" and _are_numbers(values)


def _are_numbers(values: object) -> bool:
    """Whether it is a list of numbers, at least one."""
    return isinstance(values, list) and bool(values) and all(type(value) in (int, float) for value in values)


def _in_brackets(text: str) -> object:
    """The list or the mapping that a text is; itself where it is none."""
    from mnistlab.options.composing import compose, data_in  # noqa: PLC0415 - YAML takes long to import

    try:
        node = compose(text, "")
        return str(text) if node is None else data_in(node, "")
    except LabError:
        return str(text)
