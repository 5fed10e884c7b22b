"""The words of an error: what would have been right."""

import types
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Literal, Union, get_args, get_origin

from mnistlab.signatures import options

_PLAIN = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    types.NoneType: "null",
    dict: "a mapping",
    list: "a list",
}
_RESTRICTED = {
    "PositiveInt": "a whole number above 0",
    "NonNegativeInt": "a whole number from 0 on",
    "PositiveFloat": "a number above 0",
    "NonNegativeFloat": "a number from 0 on",
    "ClosedUnitInterval": "a number from 0 to 1",
}


def options_of(cls: type, *, factory: bool = False) -> str:
    """The names of a class's options, for a sentence."""
    return ", ".join(options(cls, factory=factory)) or "no options"


def expected(annotation: object) -> str:
    """What values an annotation takes, in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(expected(member) for member in arguments))
    if origin is Literal:
        return " or ".join(str(choice) for choice in arguments)
    if origin is Annotated:
        return expected(arguments[0])
    if origin is tuple:
        return f"a list of {len(arguments)}" if Ellipsis not in arguments else "a list"
    if origin is Callable:
        return "a class"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "a mapping"
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return f"a list, each {expected(arguments[0])}" if arguments else "a list"
    if isinstance(annotation, type):
        return _RESTRICTED.get(annotation.__name__) or _PLAIN.get(annotation) or f"a {annotation.__name__}"
    return str(annotation)
