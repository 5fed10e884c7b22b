"""One process at a time writes into the folder of a run, whichever machines can reach it."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.runs.folder import RECORD
from mnistlab.runs.reading import read_record
from mnistlab.runs.run import Run
from mnistlab.system.locks import locked
from mnistlab.system.processes import SILENT_S, is_elsewhere, is_same, this_process
from mnistlab.system.sharing import make_folder

_LOCK = ".lock"
_BEAT_S = 30
"""Seconds between two signs of life: the record gets a new time, so that other machines see that its process lives."""


def refuse_second(folder: Path) -> None:
    """Refuse to write where another process does.

    Raises:
        LabError: If one does, or may do so on another machine.
    """
    run = Run.find(folder)
    if run and run.status == "running" and not is_same(run.record, this_process()):
        raise LabError(f"{folder} {occupation(run)}: nothing was changed. {way_on(run)}")


def occupation(run: Run) -> str:
    """Which process a run is in the hands of."""
    return f"is running (process {run.record.get('process')} on {run.text('host') or 'an unknown machine'})"


def way_on(run: Run) -> str:
    """What to do about a run that is in the hands of another process."""
    if not is_elsewhere(run.record):
        return "Stop it first, or wait for its end."
    return (
        f"Stop it first; if that machine is gone, wait until it has given no sign of life for {SILENT_S // 60} minutes."
    )


@contextmanager
def alone(folder: Path, before: Mapping[str, object] | None) -> Iterator[None]:
    """Begin to write into a folder while no other process can; what is written within must say whose it is now.

    Args:
        folder: Where; it is made.
        before: What the record there said when it was last looked at.

    Raises:
        LabError: If another process writes there, or has done so meanwhile.
    """
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    with locked(folder / _LOCK):
        refuse_second(folder)
        if read_record(folder) != before:
            raise LabError(f"{folder} has been written by another process meanwhile: nothing was changed. Start again.")
        for left_over in folder.rglob(".*.tmp"):  # of a process that is gone, since nobody else may write here
            left_over.unlink(missing_ok=True)
        yield


class Pulse:
    """Signs of life of the process that writes a run.

    Args:
        folder: The run.
    """

    def __init__(self, folder: Path) -> None:
        self._ended = threading.Event()
        threading.Thread(target=self._beat, args=(folder / RECORD,), name="signs of life", daemon=True).start()

    def end(self) -> None:
        """Give none any more."""
        self._ended.set()

    def _beat(self, record: Path) -> None:
        while not self._ended.wait(_BEAT_S):
            with suppress(OSError):
                os.utime(record)
