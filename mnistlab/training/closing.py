"""The end of a training run, whatever has brought it about: its record says so, and its user hears how to go on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from mnistlab.errors import LabError, is_hangup, tell
from mnistlab.runs.folder import LAST, continues_from
from mnistlab.runs.hints import command_for
from mnistlab.runs.keeper import DivergedError
from mnistlab.runs.reading import read_record
from mnistlab.runs.recorder import Recorder
from mnistlab.runs.supervision import Supervision
from mnistlab.runs.verdict import lower_rate
from mnistlab.system.interruptions import is_interruption
from mnistlab.text.addresses import masked
from mnistlab.training.failures import Interrupted
from mnistlab.training.group import LostError


def by_hand(supervision: Supervision | None) -> bool:
    """Whether the user goes on with the run, and not a sweep."""
    return supervision is None or supervision.repeats is not None


@contextmanager
def ending(recorder: Recorder) -> Iterator[None]:
    """Let every listener know that it is over, whatever has ended it."""
    with ExitStack() as stack:
        for listener in reversed(recorder.listeners):
            stack.callback(listener.end)
        yield


@contextmanager
def closing(recorder: Recorder, supervision: Supervision | None) -> Iterator[None]:
    """Whatever ends the run, its record says so, and the user hears how to go on.

    A run of a sweep is gone on with by the sweep.
    """
    mine = by_hand(supervision)
    try:
        yield
    except DivergedError as error:
        _close(recorder, "diverged", str(error))
        raise DivergedError(f"{error}{_way_on(recorder, diverged=True) if mine else ''}") from error
    except LostError as error:
        _close_lost(recorder, str(error))
        raise LostError(f"{error}{_way_on(recorder)}") from error
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        if is_interruption(error):
            _close(recorder, "interrupted", "KeyboardInterrupt")
            raise Interrupted(f"interrupted.{_way_on(recorder)}") from error
        _close(recorder, "interrupted" if is_hangup(error) else "failed", f"{type(error).__name__}: {error}")
        if mine and (recorder.folder / LAST).is_file():
            error.add_note(_way_on(recorder))
        raise
    finally:
        recorder.let_go()


def tell_lost(recorder: Recorder, lost: str) -> None:
    """Say that a process was lost, where the run itself cannot: its record says so too."""
    _close_lost(recorder, lost)
    tell(f"mnistlab: {lost}{_way_on(recorder)}")


def _close(recorder: Recorder, status: str, error: str) -> None:
    """Say in a record that is still open how its run has ended.

    A file that was being written is removed first: on a full disk it takes the room that the record needs.
    """
    if not (recorder.begun and recorder.writes):
        return  # what lies there may be another process's
    with suppress(OSError, LabError):  # what ended the run is what the user must hear of
        for temporary in recorder.folder.rglob(".*.tmp"):
            temporary.unlink(missing_ok=True)
        if (read_record(recorder.folder) or {}).get("status") == "running":
            recorder.finish(status, error=masked(error))


def _close_lost(recorder: Recorder, lost: str) -> None:
    """The same for a run that has lost a process, maybe the one that writes."""
    recorder.stand_in()
    if recorder.begun and recorder.record.get("status") in ("running", "failed"):
        recorder.finish("failed", error=lost)


def _way_on(recorder: Recorder, *, diverged: bool = False) -> str:
    """How to go on; where the run has `diverged`, from the last checkpoint that is sound, with a lower rate."""
    rate = [lower_rate(recorder.record)] if diverged else []
    if continues_from(recorder.folder):
        where = " from the last sound checkpoint, at a lower rate," if diverged else ""
        return f" Go on{where} with:\n  {command_for('fit', recorder.folder, *rate)}"
    if diverged:
        return f" Nothing was kept yet. Start anew at a lower rate: {rate[0]}"
    return " Nothing was kept yet: the first checkpoint comes at the end of an epoch."
