"""What a person sees while a sweep goes on."""

import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from mnistlab.errors import visible
from mnistlab.sweeps.jobs import Progress, State
from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.space import Point
from mnistlab.sweeps.study import Study
from mnistlab.text.values import duration, four_digits, last_parts

Watch = Callable[[Mapping[str, Progress]], tuple[Sequence[str], bool]]
"""What is to be told of jobs, and whether no more of them are needed."""

_ENDED = (State.FINISHED, State.PRUNED, State.FAILED)
_EVERY_S = 1.0


class Display:
    """Prints a line for each trial that ends, and on a terminal one that tells how far all is.

    Args:
        study: The sweep.
        stream: Where to.
        watch: What looks after it, if something does.
    """

    def __init__(self, study: Study, stream: TextIO, watch: Watch | None = None) -> None:
        self._study, self._plan, self._watch = study, study.plan, watch
        self._console = Console(highlight=False, soft_wrap=True, markup=False, file=stream)
        self._live = Live(Text(), console=self._console, auto_refresh=False, transient=True)
        self._told = {key for key, each in study.jobs().items() if each.state in _ENDED}
        self._begun, self._looked = time.monotonic(), 0.0
        self._first = len(self._told)

    def __enter__(self) -> Self:
        """Begin."""
        if self._first:
            self._console.print(f"{self._first} of {len(self._study.jobs())} trials are there already.")
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *args: object) -> None:
        """End, with a last look."""
        self.look(now=True)
        self._live.stop()

    def look(self, *, now: bool = False) -> bool:
        """Tell what is new, and say whether that is enough; a database is not asked more than once a second."""
        if not now and time.monotonic() - self._looked < _EVERY_S:
            return False
        self._looked = time.monotonic()
        jobs = self._study.jobs()
        for key, each in jobs.items():
            if each.state in _ENDED and key not in self._told:
                self._told.add(key)
                traceback = str(each.last.user_attrs.get("traceback", "")).splitlines()
                self._console.print("\n".join(map(visible, [ended_line(self._plan, each), *traceback])))
        news, enough = self._watch(jobs) if self._watch else ([], False)
        for line in news:
            self._console.print(visible(line))
        if self._console.is_terminal:
            self._live.update(Text(self._status(list(jobs.values()))), refresh=True)
        return enough

    def _status(self, jobs: Sequence[Progress]) -> str:
        done = [each for each in jobs if each.state in _ENDED]
        running = sum(each.state is State.RUNNING for each in jobs)
        parts = [f"{len(done)}/{len(jobs)} trials", f"{running} running"]
        if self._watch:  # which knows better what is needed
            return "  ".join(parts)
        best = best_of(self._plan, jobs)
        if best is not None and best.last.value is not None:
            parts.append(f"best {self._plan.measure.figure(best.last.value)} ({best.stem})")
        here = len(done) - self._first
        if here > 0:
            left = (time.monotonic() - self._begun) / here * (len(jobs) - len(done))
            parts.append(f"about {duration(left, 0)} left")
        return "  ".join(parts)


@contextmanager
def stopping_told() -> Iterator[None]:
    """Answer Ctrl-C at once: the workers take some seconds to end."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or current_thread() is not main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        print("stopping; the trials that run can be continued", file=sys.stderr, flush=True)
        before(number, frame)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def ended_line(plan: Plan, job: Progress) -> str:
    """How a trial has ended, in a line."""
    trial = job.last
    seconds = f"{trial.duration.total_seconds():.1f} s" if trial.duration else ""
    seeds = trial.user_attrs["seeds"]
    one_of_many = len(seeds) == 1 and (len(plan.seeds) > 1 or plan.kind in ("compare", "judge"))
    name = f"{job.stem} seed {seeds[0]}" if one_of_many else job.stem
    if job.state is State.FAILED:
        return f"{name}  failed: {job.error}"
    value = "" if trial.value is None else f"{plan.metric} {plan.measure.figure(trial.value)}"
    stopped = f"stopped after epoch {trial.last_step}" if job.state is State.PRUNED else ""
    point = point_text(job.point) if plan.kind == "sweep" else ""
    parts = [name, value, stopped, seconds, point]
    return "  ".join(part for part in parts if part)


def best_of(plan: Plan, jobs: Sequence[Progress]) -> Progress | None:
    """The finished job with the best metric, the earlier of equal ones."""
    done = [each for each in jobs if each.state is State.FINISHED and each.last.value is not None]
    sign = 1 if plan.minimizes else -1
    return min(done, key=lambda each: sign * (each.last.value or 0.0), default=None)


def point_text(point: Point) -> str:
    """The values of a trial, by the last parts of their names where these are enough."""
    return " ".join(f"{name}={four_digits(point[option])}" for option, name in last_parts(point).items())
