"""What values an annotation takes, for machines: as JSON schema, and as a list where they can be listed."""

import types
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Annotated, Literal, Union, get_args, get_origin

from mnistlab.catalogue.entries import Value

_PLAIN: dict[object, dict[str, Value]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    types.NoneType: {"type": "null"},
    list: {"type": "array"},
    dict: {"type": "object"},
}
_RESTRICTED: dict[str, dict[str, Value]] = {
    "PositiveInt": {"type": "integer", "exclusiveMinimum": 0},
    "NonNegativeInt": {"type": "integer", "minimum": 0},
    "ThreadCount": {"type": "integer", "minimum": 1, "maximum": 1024},
    "PositiveFloat": {"type": "number", "exclusiveMinimum": 0},
    "NonNegativeFloat": {"type": "number", "minimum": 0},
    "ClosedUnitInterval": {"type": "number", "minimum": 0, "maximum": 1},
    "Tensor": {"type": "array", "items": {"type": "number"}},
}


def schema_of(annotation: object) -> dict[str, Value]:
    """The plain values that an annotation takes, as JSON schema; {} where anything may be right."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return schema_of(arguments[0])
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        members = [schema_of(member) for member in arguments]
        unique = [member for index, member in enumerate(members) if member not in members[:index]]
        return {} if {} in unique else {"anyOf": unique}
    if isinstance(origin, type):
        return _collection(origin, arguments)
    if isinstance(annotation, type):
        return _plain(annotation)
    return {}


def choices_of(annotation: object) -> list[str]:
    """The values that can be listed, as they are typed."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return [str(value) for value in arguments]
    if origin in (Union, types.UnionType, Annotated):
        return list(dict.fromkeys(choice for member in arguments for choice in choices_of(member)))
    if annotation is bool:
        return ["true", "false"]
    if annotation is types.NoneType:
        return ["null"]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [member.name for member in annotation]
    return []


def _plain(annotation: type) -> dict[str, Value]:
    if issubclass(annotation, Enum):
        return {"enum": [member.name for member in annotation]}
    return dict(_RESTRICTED.get(annotation.__name__) or _PLAIN.get(annotation) or {})


def _collection(origin: type, arguments: tuple[object, ...]) -> dict[str, Value]:
    if issubclass(origin, Mapping):
        values = schema_of(arguments[1])
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    if issubclass(origin, tuple) and Ellipsis not in arguments:
        members: list[Value] = [schema_of(member) for member in arguments]
        return {"type": "array", "items": members, "minItems": len(members), "maxItems": len(members)}
    if issubclass(origin, Iterable):
        items = schema_of(arguments[0])
        return {"type": "array", "items": items} if items else {"type": "array"}
    return {}
