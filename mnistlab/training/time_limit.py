"""`trainer.max_time` as Lightning takes it, and what is wrong with another one."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from mnistlab.text.values import seconds_in

_SPAN = re.compile(r"(\d+):(\d\d):(\d\d):(\d\d)")
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d{2})")
_DAY, _HOUR, _MINUTE = 86_400, 3600, 60


def why_no_time(time: object) -> str:
    """Why a value is no time for which a training can last, with the nearest that is; empty where it is one.

    Args:
        time: Text, a `timedelta`, or what makes one: `{"minutes": 10}`.
    """
    seconds = _seconds(time)
    if seconds is None:
        near = _near(str(time))
        hint = f" Did you mean --trainer.max_time={near}?" if near else ""
        return f"max_time takes days:hours:minutes:seconds, such as 00:00:10:00.{hint}"
    return "" if seconds > 0 else "max_time must be above 0, or nothing is learnt."


def _seconds(time: object) -> float | None:
    with suppress(TypeError, OverflowError):
        span = timedelta(**time) if isinstance(time, Mapping) else time
        if isinstance(span, timedelta):
            return span.total_seconds()
    parts = _SPAN.fullmatch(str(time).strip())
    return _sum(*parts.groups()) if parts else None


def _sum(*parts: str | None) -> int:
    return sum(int(part or 0) * size for part, size in zip(parts, (_DAY, _HOUR, _MINUTE, 1), strict=True))


def _near(text: str) -> str:
    """The time that `90s`, `1:30` or `00:01:30` means as it is typed, `00:00:01:30`; empty of anything else."""
    clock = _CLOCK.fullmatch(text)
    seconds = _sum("0", *clock.groups()) if clock else int(seconds_in(text) or 0)
    parts = (seconds // _DAY, seconds // _HOUR % 24, seconds // _MINUTE % 60, seconds % 60)
    return ":".join(f"{part:02}" for part in parts) if seconds else ""
