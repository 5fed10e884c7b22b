"""Processes: this one, and whether that which a record speaks of is still there."""

import os
import platform
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import psutil

_SAME = 2.0  # seconds by which the start of one and the same process may seem to differ: the clock is set now and then


_USED, _FREE = 0.4, 0.1
"""Others are in the way where they use so many cores, and of all cores at most this part is idle."""

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


class Machine:
    """The cores that this process may use."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._cores = usable_cores()
        self._last = self._read()

    @property
    def cores(self) -> int:
        """How many there are."""
        return len(self._cores)

    def look(self) -> float:
        """How many of them others have used since the last look; 0 where they were not in the way."""
        now, before = self._read(), self._last
        self._last = now
        seconds, idle, own = (new - old for new, old in zip(now, before, strict=True))
        if not seconds:
            return 0.0
        used = self.cores - (idle + own) / seconds
        return used if used >= _USED and idle <= _FREE * self.cores * seconds else 0.0

    def _read(self) -> tuple[float, float, float]:
        """Seconds on the clock, idle seconds of all these cores, and seconds that this process has computed."""
        every = psutil.cpu_times(percpu=True)
        idle = sum(every[core].idle + getattr(every[core], "iowait", 0.0) for core in self._cores if core < len(every))
        own = self._process.cpu_times()
        return time.perf_counter(), idle, own.user + own.system


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


def memory_size() -> int | None:
    """The memory of this machine in bytes; None where the system does not say it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
