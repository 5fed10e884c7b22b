"""Several processes that train one model: none of them waits for one that is gone or silent."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Never

import psutil
from lightning.pytorch import Callback, LightningModule, Trainer

from mnistlab.errors import LabError
from mnistlab.runs.keeper import DivergedError
from mnistlab.system.lightning_inside import Epochwise, take_over_processes

_FIRST = "MNISTLAB_FIRST_PROCESS"
"""The variable that tells those which Lightning has started the number of the first one, their parent."""

_LOOK_S = 0.25
_GRACE_S = 5.0  # seconds in which a process may end by itself, as it does where it finds the connection broken
_INTERRUPTED = 130
_BROKEN = ("gloo", "nccl", "socket", "connection")


class LostError(LabError):
    """One of the processes is gone, or gives no sign of life."""

    exit_code = 1


class Group(Epochwise, Callback):
    """The processes of this machine that Lightning has started for one model; who is started otherwise has a guardian.

    Each of them looks after the first one, and the first one after all. Where one is lost the others end; the first of
    them says so. Lightning would kill the first one without a word, and leave the others waiting.

    Args:
        patience_s: After how many seconds a process that was stopped is given up.
    """

    abstract = True  # the lab adds it by itself

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._sigterm = signal.getsignal(signal.SIGTERM)
        self._over, self._noticed = threading.Event(), threading.Event()
        self._lost = ""
        self._silent: Counter[int] = Counter()  # looks at which a rank was found stopped
        self._children: list[subprocess.Popen[bytes]] = []
        follows = _FIRST in os.environ and os.environ.get("LOCAL_RANK", "0") != "0"
        self._parent = int(os.environ[_FIRST]) if follows else None

    @contextmanager
    def watched(self, trainer: Trainer, close: Callable[[str], None]) -> Iterator[None]:
        """Watch the others.

        Args:
            trainer: What they have in common.
            close: Does what must be done before this process is ended where it cannot end by itself.

        Raises:
            LostError: If one of them is lost, and this process is the one to say so.
        """
        if trainer.world_size == 1:
            yield
            return
        if self._parent is None:
            os.environ[_FIRST] = str(os.getpid())
        thread = threading.Thread(target=self._watch, args=(trainer, close), daemon=True)
        thread.start()
        patience_s = 0.0
        try:
            yield
            patience_s = _GRACE_S
        except BaseException as error:
            self._end_by(error)
            raise
        finally:
            self._over.set()
            thread.join()
            self._children += take_over_processes(trainer)
            self._end_children(patience_s)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take back SIGTERM, which Lightning answers by a message to all that never arrives while they compute."""
        if trainer.world_size > 1 and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._sigterm)

    on_validation_start = on_test_start = on_predict_start = on_train_start

    def _watch(self, trainer: Trainer, close: Callable[[str], None]) -> None:
        while not self._over.wait(_LOOK_S):
            self._children += take_over_processes(trainer)
            self._lost = self._look(trainer)
            if self._lost:
                self._noticed.set()
                self._end_others()
                if not self._over.wait(_GRACE_S):
                    if self._speaks:
                        close(self._lost)
                    _exit(LostError.exit_code)
                return

    def _look(self, trainer: Trainer) -> str:
        """Who is lost, and how; nothing while all is well."""
        local = int(os.environ.get("LOCAL_RANK", "0"))
        first = trainer.global_rank - local
        if self._parent is not None:
            others = {first: (self._parent, "is gone" if os.getppid() != self._parent else "")}
        else:
            others = {first + 1 + n: (each.pid, _ended(each.poll())) for n, each in enumerate(self._children)}
        for rank, (number, why) in others.items():
            self._silent[rank] = self._silent[rank] + 1 if _is_stopped(number) else 0
            if self._silent[rank] * _LOOK_S >= self._patience_s:
                why = f"was stopped {self._patience_s:g} s ago (--run.process_timeout)"  # noqa: PLW2901 - another one
            if why:
                return f"rank {rank} of {trainer.world_size}, process {number}, {why}."
        return ""

    @property
    def _speaks(self) -> bool:
        """Whether nobody before this process is left."""
        return self._parent is None or os.environ["LOCAL_RANK"] == "1"

    def _end_by(self, error: BaseException) -> None:
        """End by an error; where it is only that another one has ended, say that, or let that one say why."""
        if self._parent is not None and isinstance(error, KeyboardInterrupt | SystemExit):
            _exit(_INTERRUPTED)
        if self._parent is not None and isinstance(error, DivergedError):
            _exit(error.exit_code)  # the first process says so
        text = str(error).lower()
        if not isinstance(error, RuntimeError) or not any(word in text for word in _BROKEN):
            return
        self._noticed.wait(4 * _LOOK_S)
        if self._lost and self._speaks:
            raise LostError(self._lost) from error
        if self._parent is not None:
            _exit(LostError.exit_code)

    def _end_others(self) -> None:
        if self._parent is not None and os.getppid() == self._parent:
            os.kill(self._parent, signal.SIGKILL)  # it is stopped, and hears nothing else
        self._end_children(0)

    def _end_children(self, patience_s: float) -> None:
        for child in self._children:
            try:
                child.wait(patience_s)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _ended(code: int | None) -> str:
    """How a process has ended; nothing where it has not, or as it should."""
    if not code:
        return ""
    if code == _INTERRUPTED:
        return "was interrupted"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"has ended with exit code {code}"


def _is_stopped(number: int) -> bool:
    try:
        return bool(psutil.Process(number).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def _exit(code: int) -> Never:
    """End at once: what else would be closed waits for processes that are gone."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
