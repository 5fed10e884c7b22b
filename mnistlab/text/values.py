"""Numbers and values as people read them; whoever shows one takes the function from here."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

UNKNOWN = "–"  # noqa: RUF001 - it is to be seen

_MINUTE_S, _HOUR_MIN = 60, 60
_NUMBER = r"(\d+(?:\.\d+)?)"
_TIME = re.compile(rf"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s?)?")
_CLASS_PATH = re.compile(r"[a-z_]\w*(\.\w+)*\.[A-Z]\w*")
_UNIT = 1000
_THREE_DIGITS = 100
_UP = 2  # folders above, at most, of what is near
_FEW_S = 10.0  # seconds below which a tenth matters


def percent(share: float | None, digits: int = 2) -> str:
    """A share from 0 to 1: `99.87 %`."""
    return UNKNOWN if share is None else f"{in_percent(share, digits)} %"


def in_percent(share: float | None, digits: int = 2) -> str:
    """The same where the sign stands elsewhere: `99.87`; nothing where it is not known."""
    return "" if share is None else f"{100 * share:.{digits}f}"


def count(number: float | None) -> str:
    """A whole number: `67,978`."""
    return UNKNOWN if number is None else f"{number:,.0f}"


def in_letters(number: float, digits: int = 3) -> str:
    """A number in a few letters: `0.001`, `20`, `1.5k`, `62k`, `2.5M`; from thousands on in so many digits."""
    for unit, of_unit in (("M", 1e6), ("k", 1e3)):
        if abs(number) >= of_unit:
            return f"{number / of_unit:.{max(digits, _whole(number / of_unit))}g}{unit}"
    return f"{number:.3g}"


def _whole(number: float) -> int:
    """How many digits stand before the point."""
    return len(f"{abs(number):.0f}")


def three_digits(number: float) -> str:
    """A number in three digits, with commas between thousands: `0.0123`, `1.23`, `12.3`, `12,345`."""
    return f"{number:.3g}" if abs(number) < _THREE_DIGITS else f"{number:,.0f}"


def counted(number: int, thing: str) -> str:
    """A number of things: `1 trial`, `2,000 trials`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def duration(seconds: float | None, digits: int = 1) -> str:
    """A time as one would say it: `12.5 s`, `1 min 05 s`, `2 h 05 min`."""
    if seconds is None:
        return UNKNOWN
    if seconds < _MINUTE_S:
        return f"{seconds:.{digits}f} s"
    minutes, rest = divmod(round(seconds), _MINUTE_S)
    hours, minutes = divmod(minutes, _HOUR_MIN)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def seconds_in(text: str) -> float | None:
    """The seconds of a time as one types it, `90`, `60s`, `10m`, `1.5h` or `1h30m`; None of anything else."""
    found = _TIME.fullmatch(text)
    if found is None or not text:
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return _HOUR_MIN * _MINUTE_S * hours + _MINUTE_S * minutes + seconds


def milliseconds(seconds: float) -> str:
    """A short time: `12.5 ms`."""
    return f"{1000 * seconds:.3g} ms"


def in_seconds(seconds: float | None) -> str:
    """Seconds, as exactly as they matter: `9.5`, `1,234`; nothing where they are not known."""
    return "" if seconds is None else f"{seconds:,.{1 if seconds < _FEW_S else 0}f}"


def size(size_bytes: float) -> str:
    """Bytes in the largest unit of which there is one: `12.5 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if size_bytes < _UNIT:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= _UNIT
    return f"{size_bytes:,.3g} GB"


def moment(time: str, until: str = "seconds") -> str:
    """A time of ISO's form in UTC, to the `seconds` or the `minutes`: `2026-01-31 12:00`."""
    return time[: 19 if until == "seconds" else 16].replace("T", " ")


def shown(value: object) -> str:
    """A value as it is typed: `null`, `true`, `[a,b]`, `{a: 1}`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(shown(entry) for entry in value) + "]"
    return str(value)


def four_digits(value: object) -> str:
    """A value as it is typed, of a fraction four digits: its configuration has all of them."""
    return f"{value:.4g}" if isinstance(value, float) else shown(value)


def class_name(path: str) -> str:
    """`Adam` of `torch.optim.Adam`; any other text as it is."""
    return path.rpartition(".")[2] if _CLASS_PATH.fullmatch(path) else path


def last_parts(names: Iterable[str]) -> dict[str, str]:
    """Options by their last parts, where no other ends so: `model.optimizer.lr` -> `lr`.

    Of the numbered entries of a list the number is left out: `trainer.callbacks.0.monitor` -> `callbacks.monitor`.
    """
    parts = {name: _last_part(name) for name in names}
    ends = list(parts.values())
    return {name: end if ends.count(end) == 1 else name for name, end in parts.items()}


def _last_part(name: str) -> str:
    words = name.split(".")
    numbers = [at for at, word in enumerate(words) if word.isdigit()]
    begin = numbers[0] - 1 if numbers and numbers[0] else len(words) - 1
    return ".".join(word for word in words[begin:] if not word.isdigit()) or name


def short_path(path: Path) -> str:
    """A path as it is said where one stands: relative to the current folder if it lies below that."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def from_here(path: Path | str) -> str:
    """A path as it is said where one stands: beginning with `../` if it is near and that is shorter."""
    here = Path.cwd()
    near = os.path.relpath(path, here) if Path(path).is_absolute() and not Path(path).is_relative_to(here) else ""
    return near if near and near.count("..") <= _UP and len(near) < len(str(path)) else str(path)


def cut(text: str, most: int, mark: str = "...") -> str:
    """A text of at most so many characters; the mark says that there was more."""
    return text if len(text) <= most else f"{text[: most - len(mark)]}{mark}"
