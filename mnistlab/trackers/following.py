"""Tells the trackers of a run what happens, and lets none of them disturb it."""

import importlib.util
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mnistlab.errors import LabError, tell, visible
from mnistlab.runs.recorder import Recorder
from mnistlab.runs.supervision import Listener, Row
from mnistlab.text.addresses import masked
from mnistlab.trackers.tracker import Followed, Tracker, epoch_of, metrics_of

_LONGEST = 140  # characters of an error that are shown
_CLOSING = ")]}'\""  # what is left at the end of an error that quotes others


class Trackers(Listener):
    """The trackers of a run. One that fails is told in a line and hears nothing more; the run goes on.

    Args:
        trackers: The trackers.
        recorder: The figures of the run.
        root: Where all runs are kept.
        config: The resolved configuration.

    Raises:
        LabError: If what one of them needs is not installed.
    """

    def __init__(self, trackers: Sequence[Tracker], recorder: Recorder, root: Path, config: Mapping[str, Any]) -> None:
        for tracker in trackers:
            _check_installed(tracker)
        self._active = list(trackers)
        self._recorder, self._root, self._config = recorder, root, config
        self._run: Followed | None = None

    def begin(self) -> None:
        """Begin with the run, and say how to look at it."""
        recorder = self._recorder
        self._run = run = Followed(recorder.folder, self._root, recorder.record, self._config, recorder.rows)
        self._each(lambda tracker: print(f"{_name(tracker)}: {visible(tracker.begin(run))}", flush=True))

    def row(self, row: Row) -> bool:
        """Pass the metrics of an epoch on."""
        self._each(lambda tracker: tracker.row(epoch_of(row), metrics_of(row)))
        return True

    def end(self) -> None:
        """Pass on how the run has ended."""
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
