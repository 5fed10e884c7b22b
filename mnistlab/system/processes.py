"""Processes: this one, and whether that which a record speaks of is still there."""

import os
import platform
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import psutil

_SAME = 2.0  # seconds by which the start of one and the same process may seem to differ: the clock is set now and then


SILENT_S = 600
"""Seconds without a sign of life after which a process of another machine counts as gone."""


def this_process() -> dict[str, object]:
    """What finds this process again: host, number, and when it started in seconds since 1970."""
    return that_process(os.getpid())


def that_process(number: int) -> dict[str, object]:
    """The same of another process of this host."""
    return {"host": _host(), "process": number, "process_started": _started(number)}


def usable_cores() -> list[int]:
    """The numbers of the cores that this process may use."""
    allowed = getattr(psutil.Process(), "cpu_affinity", None)  # not every system has it
    return list(allowed()) if allowed else list(range(psutil.cpu_count() or 1))


def is_gone(said: Mapping[str, object]) -> bool:
    """Whether the process that is described has ended; of another host's that is not known, so it has not.

    Args:
        said: What `this_process` gave in that process, and maybe more.
    """
    number, started = said.get("process"), said.get("process_started")
    if said.get("host") != _host() or not isinstance(number, int):
        return False
    now = _started(number)
    return now is None or (isinstance(started, int | float) and abs(now - started) > _SAME)


def is_same(said: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Whether two descriptions are of one process."""
    started, another = said.get("process_started"), other.get("process_started")
    if (said.get("host"), said.get("process")) != (other.get("host"), other.get("process")):
        return False
    return isinstance(started, float) and isinstance(another, float) and abs(started - another) <= _SAME


def is_elsewhere(said: Mapping[str, object]) -> bool:
    """Whether a process runs, or ran, on another host, or does not say where."""
    return said.get("host") != _host()


def is_silent(record: Path) -> bool:
    """Whether the process that renews this file has not done so for long."""
    try:
        return time.time() - record.stat().st_mtime > SILENT_S
    except OSError:
        return False


@cache
def _host() -> str:
    return platform.node()


def _started(number: int) -> float | None:
    """When the process of that number started; None where there is none, or only its body is left."""
    try:
        process = psutil.Process(number)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        return round(process.create_time(), 3)
    except psutil.Error:
        return None
