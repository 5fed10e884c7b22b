"""The one notation of values: what is written means the same on the command line, in YAML, in JSON and in presets.

The type of an option says what a text is, once. Where an option takes text, any text is just that: `010`, `~`, `#5`,
`1:30`, `yes`, `2026-01-01`. Only `null`, where it may be null, and a number or true or false, where it takes those as
well, are not; quotes in YAML, or `literal:` before it anywhere, make a text of them. All other options read

- null: `null`, `Null`, `NULL`, `None`, `~`, and in YAML nothing at all;
- true and false: `true`, `True`, `TRUE`, `false`, `False`, `FALSE`;
- whole numbers as Python writes them: `10`, `1_000`, `0x1f`, `0o17`, `0b101`; leading zeros count nothing, `010` is 10;
  `+3` is none, since it looks like three more;
- other numbers as Python writes them: `0.1`, `.5`, `1e-3`, `inf`, `nan`, and as YAML does: `.inf`, `.nan`. Each whole
  number is one of them, but none of them is a whole number: `1e5` and `2.0` are not;
- lists and mappings: `[a, b]` and `{a: 1}`, as in YAML and JSON.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress

NULLS = (None, "null", "Null", "NULL", "None", "~")
"""What says that there shall be nothing."""

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DIGITS = "[0-9](?:_?[0-9])*"
_WHOLE = re.compile(f"-?{_DIGITS}")
_BASED = re.compile("-?0(?:[xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+)")
_FRACTION = re.compile(rf"[-+]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][-+]?{_DIGITS})?")
_INFINITE = re.compile(r"[-+]?\.?(?:inf|Inf|INF)|[-+]?[iI]nfinity|\.?(?:nan|NaN|NAN)")

NOTATION = re.compile(
    "(?:"
    + "|".join(
        [
            *(re.escape(word) for word in NULLS if word),
            *_BOOLEANS,
            *(kind.pattern for kind in (_BASED, _FRACTION, _INFINITE)),
        ]
    )
    + r")?\Z"
)
"""Every text that is a value and no text where its option says so; nothing at all is null in YAML."""


class Plain(str):
    """Text without quotes that is something else where its option takes that: `null`, `true`, `010`, `[1, 2]`."""

    __slots__ = ()


def as_written(text: str) -> str:
    """A text of the command line, `Plain` where it may be something else."""
    return Plain(text) if text and (NOTATION.match(text) or text[0] in "[{") else text


def scalar(text: str) -> bool | int | float | str | None:
    """What a text is by the notation alone; itself where it is nothing else."""
    if text in NULLS:
        return None
    if _WHOLE.fullmatch(text) or _BASED.fullmatch(text):
        with suppress(ValueError):  # more digits than Python reads
            return int(text, 0 if _BASED.fullmatch(text) else 10)
    elif _FRACTION.fullmatch(text):
        return float(text)
    elif _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return _BOOLEANS.get(text, str(text))


def data_of(value: object) -> object:
    """A value as plain data, where no option says more of it."""
    if isinstance(value, Plain):
        return scalar(value)
    if isinstance(value, Mapping):
        return {data_of(name): data_of(part) for name, part in value.items()}
    return [data_of(part) for part in value] if isinstance(value, list) else value


def at_home(path: str) -> str:
    """A path with the folder of its user in place of `~`; one of a user who is not here stays as it is."""
    return os.path.expanduser(path)  # noqa: PTH111 - Path's refuses ~nobody
