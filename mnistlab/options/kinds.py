"""What values an option takes: one table, from which reading, messages, help, completion and the schema follow.

A type is written down as the kinds of values that will do, so that nothing here needs the class whose option it is:
`PositiveInt | None` is `(Kind("integer", low=0, open=True), Kind("null"))`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Name = Literal[
    "any", "null", "boolean", "integer", "number", "text", "words", "path", "list", "row", "mapping", "numbers",
    "function", "class", "choice", "other",
]  # fmt: skip
"""The kinds.

`words` are names that are listed, `row` a list of so many, `numbers` the values of a tensor; `function` and `class` are
code, by its dotted path; `choice` is a class with options of its own; what `other` takes only its class knows.
"""

Plain = None | bool | int | float | str


@dataclass(frozen=True)
class Kind:
    """One kind of value.

    Attributes:
        name: Which.
        low: The smallest number; None where there is none.
        high: The largest number; None where there is none.
        open: Whether `low` itself is too small.
        words: What will do of `words`.
        parts: The types within: of a list one, of a row each place's, of a mapping that of its keys and of its values.
        title: The class behind `choice` and `other`, and behind what nobody can resolve.
    """

    name: Name
    low: float | None = None
    high: float | None = None
    open: bool = False
    words: tuple[Plain, ...] = ()
    parts: tuple["Type", ...] = ()
    title: str = ""

    def holds(self, number: float) -> bool:
        """Whether a number is within the bounds."""
        above = self.low is None or (number > self.low if self.open else number >= self.low)
        return above and (self.high is None or number <= self.high)  # nothing of which is true of NaN

    def takes(self, data: object) -> bool:
        """Whether null, true, false or a number is of this kind, whatever its bounds."""
        if self.name == "any" or (self.name == "null" and data is None):
            return True
        if self.name == "words":
            return any(same(word, data) for word in self.words)
        wanted = {"boolean": bool, "integer": int, "number": float}.get(self.name)
        return wanted is not None and type(data) is wanted


Type = tuple[Kind, ...]
"""What an option takes: a value of any of these kinds."""

ANY: Type = (Kind("any"),)

FOREIGN = ("path", "function", "class", "other")
"""The kinds of which only a class, or jsonargparse on its behalf, knows what it makes of a text."""

_SWITCH = {True: "true", False: "false"}
_WORDS = {
    "any": "a value",
    "null": "null",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "text": "text",
    "path": "a path",
    "numbers": "a list of numbers, such as [1,2.5,3]",
    "function": "a function by its dotted path, such as package.module.function",
    "class": "a class",
    "choice": "a class",
}
_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "null": {"type": "null"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "text": {"type": "string"},
    "numbers": {"type": "array", "items": {"type": "number"}},
}


def from_dict(data: Mapping[str, Any]) -> Kind:
    """From the fields of a kind, as JSON has them; what is not said is as in any kind."""
    parts = tuple(tuple(map(from_dict, part)) for part in data.get("parts", ()))
    return Kind(**{**data, "words": tuple(data.get("words", ())), "parts": parts})


def within(type_: Type) -> Iterator[Kind]:
    """All kinds of a type, however deep."""
    for kind in type_:
        yield kind
        for part in kind.parts:
            yield from within(part)


def same(word: object, value: object) -> bool:
    """Whether two values are one: 1 is not true."""
    return type(word) is type(value) and word == value


def expected(type_: Type) -> str:
    """What values a type takes, in words."""
    return _either(word for kind in type_ for word in _in_words(kind).split(" or "))


def listed(type_: Type) -> list[str]:
    """The values that can be listed, as they are typed."""
    found = (word for kind in type_ for word in _values(kind))
    return list(dict.fromkeys(found))


def named(type_: Type) -> list[str]:
    """The words that a type names among the values it takes, however deep."""
    return [str(word) for kind in within(type_) for word in kind.words]


def schema_of(type_: Type) -> dict[str, Any]:
    """The plain values that a type takes, as JSON schema; {} where anything may be right."""
    schemas = [_schema(kind) for kind in type_]
    unique = [each for index, each in enumerate(schemas) if each not in schemas[:index]]
    if {} in unique or not unique:
        return {}
    return unique[0] if len(unique) == 1 else {"anyOf": unique}


def _in_words(kind: Kind) -> str:
    if kind.name in ("integer", "number") and (kind.low is not None or kind.high is not None):
        return f"{_WORDS[kind.name]} {_bounds(kind)}"
    if kind.name == "words":
        return _either(str(word) for word in kind.words)
    if kind.name == "row":
        return f"a list of {len(kind.parts)}"
    if kind.name == "list":
        return f"a list, each {expected(kind.parts[0])}" if kind.parts else "a list"
    if kind.name == "mapping":
        free = not kind.parts or any(part == ANY for part in kind.parts)
        return "a mapping" if free else f"a mapping, each {expected(kind.parts[-1])}"
    return f"{'an' if kind.title[0] in 'AEIOU' else 'a'} {kind.title}" if kind.title else _WORDS[kind.name]


def _bounds(kind: Kind) -> str:
    if kind.low is None:
        return f"up to {kind.high:g}"
    if kind.high is None:
        return f"above {kind.low:g}" if kind.open else f"from {kind.low:g} on"
    return f"from {kind.low:g} to {kind.high:g}"


def _values(kind: Kind) -> Iterator[str]:
    if kind.name == "words":
        yield from (_SWITCH[word] if isinstance(word, bool) else str(word) for word in kind.words)
    elif kind.name == "boolean":
        yield from _SWITCH.values()
    elif kind.name == "null":
        yield "null"


def _schema(kind: Kind) -> dict[str, Any]:
    schema = dict(_SCHEMAS.get(kind.name, {}))
    if kind.low is not None:
        schema["exclusiveMinimum" if kind.open else "minimum"] = _whole(kind.low)
    if kind.high is not None:
        schema["maximum"] = _whole(kind.high)
    if kind.name == "words":
        return {"enum": list(kind.words)}
    if kind.name == "row":
        return {
            "type": "array",
            "items": [schema_of(part) for part in kind.parts],
            "minItems": len(kind.parts),
            "maxItems": len(kind.parts),
        }
    if kind.name in ("list", "mapping"):
        inner = schema_of(kind.parts[-1]) if kind.parts else {}
        what, below = ("array", "items") if kind.name == "list" else ("object", "additionalProperties")
        return {"type": what, below: inner} if inner else {"type": what}
    return schema


def _whole(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _either(words: Iterator[str]) -> str:
    return " or ".join(dict.fromkeys(words))
