"""What plain data must look like, said in a few words, and the first place where it does not.

A shape is a function that takes a value and says what is wrong with it, as the rest of a sentence that begins with the
name of the value; None where nothing is.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TypeGuard

Shape = Callable[[object], str | None]

_LARGEST = 2**63
_SHOWN = 40
_MOST_THREADS = 1024


def text(value: object) -> str | None:
    """Any text."""
    return None if isinstance(value, str) else unlike(value, "text")


def flag(value: object) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else unlike(value, "true or false")


def whole(value: object) -> str | None:
    """A whole number of 64 bits."""
    is_one = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST
    return None if is_one else unlike(value, "a whole number")


def count(value: object) -> str | None:
    """A whole number from 0 on."""
    is_one = isinstance(value, int) and whole(value) is None and value >= 0
    return None if is_one else unlike(value, "a whole number from 0 on")


def threads(value: object) -> str | None:
    """A number of threads that a machine can have."""
    is_one = count(value) is None and isinstance(value, int) and 1 <= value <= _MOST_THREADS
    return None if is_one else unlike(value, f"a whole number from 1 to {_MOST_THREADS}")


def real(value: object) -> str | None:
    """A number that a float holds, be it finite or not."""
    return None if isinstance(value, float) or whole(value) is None else unlike(value, "a number")


def number(value: object) -> str | None:
    """A finite number."""
    if type(value) is float and math.isfinite(value):  # most of them
        return None
    is_one = isinstance(value, int | float) and real(value) is None and math.isfinite(value)
    return None if is_one else unlike(value, "a finite number")


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number that can be compared: true, false and what is not finite are none."""
    return number(value) is None


def scalar(value: object) -> str | None:
    """Null, a text, true, false, or a finite number."""
    if type(value) is float and math.isfinite(value):  # most of them
        return None
    return None if value is None or isinstance(value, str | bool) or is_number(value) else unlike(value, "one value")


def mapping(value: object) -> str | None:
    """A mapping of anything."""
    return None if isinstance(value, Mapping) else unlike(value, "a mapping")


def maybe(shape: Shape) -> Shape:
    """The same, or null."""
    return lambda value: None if value is None else shape(value)


def either(first: Shape, second: Shape) -> Shape:
    """One of two; the second one says what is wrong."""
    return lambda value: first(value) and second(value)


def both(first: Shape, second: Shape) -> Shape:
    """One thing and another."""
    return lambda value: first(value) or second(value)


def listed(shape: Shape) -> Shape:
    """A list of such."""

    def problem(value: object) -> str | None:
        if not isinstance(value, list | tuple):
            return unlike(value, "a list")
        for at, each in enumerate(value):
            what = shape(each)
            if what:
                return f".{at}{what}"
        return None

    return problem


def some(shape: Shape) -> Shape:
    """A list of such that is not empty."""
    return lambda value: " is empty" if isinstance(value, list | tuple) and not value else listed(shape)(value)


def row(*shapes: Shape) -> Shape:
    """A list of so many, each of its own shape."""

    def problem(value: object) -> str | None:
        if not isinstance(value, list | tuple) or len(value) != len(shapes):
            return unlike(value, f"a list of {len(shapes)}")
        return _first((at, shape(each)) for at, (each, shape) in enumerate(zip(value, shapes, strict=True)))

    return problem


def named(shape: Shape) -> Shape:
    """A mapping with any names, all values of which are such."""

    def problem(value: object) -> str | None:
        if not isinstance(value, Mapping):
            return unlike(value, "a mapping")
        for name, each in value.items():
            what = shape(each)
            if what:
                return f".{name}{what}"
        return None

    return problem


def scalars(value: object) -> str | None:
    """A mapping of single values."""
    if type(value) is not dict:
        return _SCALARS(value)
    for each in value.values():
        kind = type(each)
        if not (kind is str or (kind is float and math.isfinite(each)) or (kind is int and abs(each) < _LARGEST)):
            return _SCALARS(value)  # which says what is wrong, if anything is
    return None


_SCALARS = named(scalar)


def fields(needed: Mapping[str, Shape], known: Mapping[str, Shape] | None = None) -> Shape:
    """A mapping that has what is needed, and may have what is known; of what else it has nothing is asked."""
    known = {**(known or {}), **needed}

    def problem(value: object) -> str | None:
        if not isinstance(value, Mapping):
            return unlike(value, "a mapping")
        missing = ((name, " is missing") for name in needed if name not in value)
        return _first(missing) or _first((name, shape(value[name])) for name, shape in known.items() if name in value)

    return problem


def _first(found: Iterable[tuple[object, str | None]]) -> str | None:
    """The first thing that is wrong, behind its place: `.threads.0 is null, and ...`."""
    return next((f".{where}{what}" for where, what in found if what), None)


def unlike(value: object, wanted: str) -> str:
    """What is wrong with a value that is of another kind."""
    if value is None or isinstance(value, bool):
        shown = {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, int) and abs(value) >= _LARGEST:
        shown = "a number without end"
    elif isinstance(value, int | float | str):
        shown = ascii(value) if len(ascii(value)) <= _SHOWN else f"{ascii(value)[:_SHOWN]}..."
    else:
        shown = f"a {type(value).__name__}"
    return f" is {shown}, and {wanted} is wanted"
