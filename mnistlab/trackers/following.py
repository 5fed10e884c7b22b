"""Tells the trackers of a run what happens, and lets none of them disturb it."""

import importlib.util
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from mnistlab.errors import LabError, tell, visible
from mnistlab.text.addresses import masked
from mnistlab.trackers.tracker import Followed, Tracker, epoch_of, metrics_of

_LONGEST = 140
"""Characters of an error that are shown."""

_CLOSING = ")]}'\""
"""What is left at the end of an error that quotes others."""


class Trackers:
    """The trackers of a run. One that fails is told in a line and hears nothing more; the run goes on.

    Args:
        trackers: The trackers.

    Raises:
        LabError: If what one of them needs is not installed.
    """

    def __init__(self, trackers: Sequence[Tracker]) -> None:
        for tracker in trackers:
            _check_installed(tracker)
        self._active = list(trackers)
        self._run: Followed | None = None

    def begin(self, run: Followed) -> None:
        """Begin with a run, and say how to look at it."""
        self._run = run
        self._each(lambda tracker: print(f"{_name(tracker)}: {visible(tracker.begin(run))}", flush=True))

    def row(self, row: Mapping[str, float]) -> None:
        """Pass the metrics of an epoch on."""
        self._each(lambda tracker: tracker.row(epoch_of(row), metrics_of(row)))

    @contextmanager
    def until_the_end(self) -> Iterator[None]:
        """Pass on how the run has ended, whatever ends it."""
        try:
            yield
        finally:
            run = self._run
            if run is not None:
                self._each(lambda tracker: tracker.end(run))

    def _each(self, pass_on: Callable[[Tracker], None]) -> None:
        for tracker in list(self._active):
            try:
                with _undisturbed():
                    pass_on(tracker)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the run matters more
                self._active.remove(tracker)
                tell(f"note: the run goes on without {_name(tracker)}. {_said(error)}")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Leave the random numbers of the run as they are, and keep the warnings of a tool off the screen."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global one is meant
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


def _check_installed(tracker: Tracker) -> None:
    if tracker.module and importlib.util.find_spec(tracker.module) is None:
        name, extra = _name(tracker), tracker.extra
        way_out = f"pip install 'mnistlab[{extra}]'" if extra else f"pip install {tracker.module}"
        raise LabError(f"--logger={name} needs {tracker.module}, which is not installed: {way_out}")


def _name(tracker: Tracker) -> str:
    return type(tracker).__name__


def _said(error: BaseException) -> str:
    """An error in one line that is not long: its beginning says what was tried, its end why it was in vain."""
    text = " ".join(masked(str(error)).split())
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2].rpartition(' ')[0]} ... {text[-_LONGEST // 2 :].partition(' ')[2]}"
    return f"{type(error).__name__}: {text.rstrip(_CLOSING)}"
