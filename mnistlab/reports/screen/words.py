"""Numbers and lines as people read them."""

from collections.abc import Iterable

from mnistlab.errors import visible
from mnistlab.text.layout import fitted, shown

_ONE_DIGIT = 10.0


def say(lines: Iterable[str]) -> None:
    """Print lines; a stranger may have written part of them."""
    print(fitted("\n".join(map(visible, lines))))


def percent(share: float | None) -> str:
    """A share from 0 to 1 in percent, without the sign."""
    return "" if share is None else f"{100 * share:.2f}"


def seconds(value: float | None) -> str:
    """Seconds, as exactly as they matter."""
    return "" if value is None else f"{value:,.{1 if value < _ONE_DIGIT else 0}f}"


def size(size_bytes: float) -> str:
    """Bytes in the largest unit of which there is one."""
    for unit in ("bytes", "kB", "MB"):
        if size_bytes < 1000:  # noqa: PLR2004
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:,.3g} GB"


def said(value: object) -> str:
    """A value as it is typed."""
    if value is None or isinstance(value, bool | int | float | str | dict | list):
        return shown(value)
    return str(value)
