"""The words of an error: what would have been right."""

import types
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mnistlab.options.notation import scalar
from mnistlab.options.signatures import members, options, slot_of
from mnistlab.text.nearest import said

_LONGEST = 200
"""Characters that are shown of a wrong value."""

_SWITCHES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_PLAIN: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    types.NoneType: "null",
    dict: "a mapping",
    Any: "a value",
    Path: "a path",
    list: "a list",
}
_RESTRICTED = {
    "PositiveInt": "a whole number above 0",
    "ThreadCount": "a whole number from 1 to 1024",
    "NonNegativeInt": "a whole number from 0 on",
    "PositiveFloat": "a number above 0",
    "NonNegativeFloat": "a number from 0 on",
    "ClosedUnitInterval": "a number from 0 to 1",
    "Tensor": "a list of numbers, such as [1,2.5,3]",
}


def options_of(cls: type, *, supplied: int = 0) -> str:
    """The names of a class's options, for a sentence."""
    return ", ".join(options(cls, supplied=supplied)) or "no options"


def expected(annotation: object) -> str:
    """What values an annotation takes, in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is None:
        return _plain(annotation)
    if origin in (Union, types.UnionType):
        return _either(part for member in arguments for part in expected(member).split(" or "))
    if origin is Literal:
        return _either(str(choice) for choice in arguments)
    if origin is Annotated:
        return expected(arguments[0])
    return _collection(origin, arguments)


def came(value: object) -> str:
    """A value that came instead, a mapping without the signs around it, and no more of it than is read."""
    if isinstance(value, Mapping):
        text = ", ".join(f"{name}: {came(part)}" for name, part in value.items())
    else:
        text = f"[{', '.join(map(came, value))}]" if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def meant(value: object, annotation: object) -> str:
    """' Did you mean true?', or how the text is written that was taken for something else."""
    if not isinstance(value, str):
        return ""
    kinds = members(annotation)
    if bool in kinds and value.lower() in _SWITCHES:
        return said([_SWITCHES[value.lower()]])
    if str in kinds and value == "null":
        return " The text null is written literal:null."
    number = scalar(value)
    return said([str(int(number))]) if isinstance(number, float) and number.is_integer() else ""


def choices(annotation: object) -> list[str]:
    """The words that an annotation names among the values it takes."""
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(choice.value) for choice in annotation]
    return [choice for member in get_args(annotation) for choice in choices(member)]


def _plain(annotation: object) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _either(choices(annotation))
    if not isinstance(annotation, type):
        return _PLAIN.get(annotation, str(annotation))
    return _RESTRICTED.get(annotation.__name__) or _PLAIN.get(annotation) or _with_article(annotation.__name__)


def _collection(origin: object, arguments: tuple[object, ...]) -> str:
    if origin is tuple:
        return f"a list of {len(arguments)}" if Ellipsis not in arguments else "a list"
    if origin is Callable and not (arguments and slot_of(arguments[-1])):
        return "a function by its dotted path, such as package.module.function"
    if origin is Callable or origin is type:
        return "a class"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "a mapping" if Any in arguments else f"a mapping, each {expected(arguments[-1])}"
    return f"a list, each {expected(arguments[0])}"


def _either(choices: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(choices))


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
