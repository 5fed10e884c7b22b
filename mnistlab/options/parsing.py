"""jsonargparse, asked so that it reads no text a second time.

It takes a text for YAML, and reads a file of that name, wherever an option takes more than text: `null` for a name is
lost, `1e5` becomes a number, and a file called `auto` changes the trainer. Here a text has been read already.

All that leans on the inside of jsonargparse stands here, seen in 4.53: the next version is read against this file and
no other. tests/options/test_values.py and tests/test_lightning_cli.py notice where it holds no more.
"""

from collections.abc import Mapping
from enum import Enum
from functools import partial
from types import NoneType

import yaml
from jsonargparse import ArgumentParser, Namespace

_SCALARS = (str, int, float, NoneType)


class _Verbatim(str):
    """A text that jsonargparse takes for no YAML and for no file: it looks at those whose type is just `str`."""

    __slots__ = ()


yaml.SafeDumper.add_representer(_Verbatim, lambda dumper, text: dumper.represent_str(str(text)))  # as it tries out


def parse(parser: ArgumentParser, values: Mapping[str, object]) -> Namespace:
    """The outcome of a parser for values that have been read already; what is not among them is left to its class.

    Raises:
        ArgumentError: If a value is of a wrong type, or an option is missing.
    """
    found: Namespace = parser.parse_object(verbatim(values), env=False, defaults=False)
    keep(found, values)
    return found


def keep(parsed: Namespace | dict[str, object], read: Mapping[str, object]) -> None:
    """Put each plain value that has been read in place of what jsonargparse has made of it.

    Beside texts these are whole numbers where 1 and 1.0 mean something else, one batch and all of them: of a union it
    tries the types in turn, but Python remembers unions without their order, so that another package decides on it.
    """
    inner = vars(parsed) if isinstance(parsed, Namespace) else parsed
    names = {str(name): name for name in inner}
    for name, value in read.items():
        if str(name) in names:
            inner[names[str(name)]] = _kept(inner[names[str(name)]], value)


def _kept(parsed: object, read: object) -> object:
    if isinstance(read, Mapping | list) and isinstance(parsed, str):
        return read  # a mapping that may be a timedelta is written down as the text of it
    if isinstance(read, Mapping):
        if isinstance(parsed, Namespace | dict):
            keep(parsed, read)
    elif isinstance(read, list):
        if isinstance(parsed, list | tuple) and len(parsed) == len(read):
            return type(parsed)([_kept(part, value) for part, value in zip(parsed, read, strict=True)])
        if isinstance(parsed, set | frozenset):
            return type(parsed)(_kept(part, str(part) if isinstance(part, str) else part) for part in parsed)
    elif isinstance(read, _SCALARS) and isinstance(parsed, _SCALARS) and not isinstance(parsed, Enum):
        return read
    return parsed


def built_by(value: partial[object]) -> type | None:
    """The class that a partial builds objects of; jsonargparse's call a function of its own, with the class at last."""
    if str(getattr(value.func, "__module__", "")).startswith("jsonargparse.") and value.args:
        return value.args[-1] if isinstance(value.args[-1], type) else None
    return value.func if isinstance(value.func, type) and not value.args else None


def verbatim(values: Mapping[str, object]) -> dict[str, object]:
    """Values in which jsonargparse takes a text for a text."""
    return {name: _verbatim(value) for name, value in values.items()}


def _verbatim(value: object) -> object:
    if isinstance(value, Mapping):
        return verbatim(value)
    if isinstance(value, list):
        return [_verbatim(part) for part in value]
    return _Verbatim(value) if isinstance(value, str) else value
