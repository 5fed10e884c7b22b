"""What the values of a domain are called, in tables, in plots and by Optuna."""

import re
from math import isfinite

Label = str | int | float | bool | None
"""What a value is called."""

_CLASS_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_KNOWN = ("mnistlab.", "torch.", "lightning.")


def label_of(value: object) -> Label:
    """A value as it is typed, a class by its name: `torch.optim.SGD` is `SGD`, and the text `128` a number."""
    label = value if value is None or isinstance(value, int | float | bool) else as_typed(value)
    return _number(_short(label)) if isinstance(label, str) else label


def as_typed(value: object) -> str:
    """A value as it is typed on the command line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        from mnistlab.options.composing import dump  # noqa: PLC0415 - YAML takes long to import, and few values are such

        return dump(value, flow=True).strip()
    return repr(value) if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    """A class by its name; of somebody's own the whole path, for another module may have one of that name."""
    is_known = _CLASS_PATH.fullmatch(text) and text.startswith(_KNOWN)
    return text.rpartition(".")[2] if is_known else text


def _number(text: str) -> str | int | float:
    """The number that a text is, if it would be typed just so."""
    for kind in (int, float):
        try:
            if repr(kind(text)) == text and isfinite(kind(text)):
                return kind(text)
        except ValueError:
            continue
    return text
