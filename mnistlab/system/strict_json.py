"""JSON that every language reads: it has no numbers that are none."""

import json
import math
from collections.abc import Mapping

NOT_FINITE = "not_finite"
"""The key under which stands what was no finite number, by dotted names; each is null."""


_SIMPLE = frozenset((str, int, bool, type(None)))  # most of a record; they need not be asked what else they might be


def as_json(data: object, *, indent: int | None = 2) -> str:
    """Plain data as JSON, with null for NaN and the infinities, and a list of where they stood in each object."""
    return json.dumps(_finite(data), indent=indent, allow_nan=False)


def finite(data: Mapping[str, object]) -> dict[str, object]:
    """An object in which null stands for what is no finite number: `{"loss": None, "not_finite": ["loss"]}`.

    They are named beside those that were named there before. The same data where there are none.
    """
    names: list[str] = []
    cleaned = {name: _cleaned(value, str(name), names) for name, value in data.items()}
    before = data.get(NOT_FINITE)
    known = [name for name in before if isinstance(name, str)] if isinstance(before, list) else []
    return {**cleaned, NOT_FINITE: [*dict.fromkeys([*known, *names])]} if names else cleaned


def read_json(written: str) -> object:
    """What JSON of any origin says; in an object null stands for what is no finite number, `NaN` or `1e999`.

    Raises:
        ValueError: If it is no JSON.
        RecursionError: If it is nested too deeply.
    """
    none: list[str] = []

    def number(spelling: str) -> float:
        value = float(spelling)
        if not math.isfinite(value):
            none.append(spelling)
        return value

    said = json.loads(written, parse_float=number, parse_constant=number)
    return finite(said) if none and isinstance(said, Mapping) else said


def _finite(data: object) -> object:
    if isinstance(data, Mapping):
        return finite(data)
    if isinstance(data, list | tuple):
        return [_finite(each) for each in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def spelt(data: object) -> object:
    """Plain data in which a number that is none is written as text, as it is on the command line: `inf`.

    So are the options of a model kept where JSON keeps them: null would be another value.
    """
    if isinstance(data, Mapping):
        return {name: spelt(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [spelt(each) for each in data]
    return str(data) if isinstance(data, float) and not math.isfinite(data) else data


def _cleaned(value: object, where: str, names: list[str]) -> object:
    if type(value) in _SIMPLE:
        return value
    if isinstance(value, Mapping):
        return {name: _cleaned(each, f"{where}.{name}", names) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(each, f"{where}.{at}", names) for at, each in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        names.append(where)
        return None
    return value
