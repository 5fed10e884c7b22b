"""The worker processes of a sweep on this machine, and what becomes of them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import torch

from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.study import Study
from mnistlab.sweeps.worker import POISONED
from mnistlab.system.processes import that_process, this_process, usable_cores
from mnistlab.text.addresses import known
from mnistlab.training.failures import RunFailedError

_START = (
    "import sys; sys.path[:] = {path!r}; from mnistlab.system.purpose import be_the_program; be_the_program(); "
    "from mnistlab.sweeps.worker import main; main()"
)
_LOOK_S = 0.25
_PATIENCE_S = 30.0
_MOST_FAILURES = 3  # workers that may end in a row without having done anything


class Team:
    """Some workers.

    Args:
        plan: What they work on.
        size: How many.
    """

    def __init__(self, plan: Plan, size: int) -> None:
        self._plan = plan
        self._devices = devices(size, plan.arguments)
        self._processes: dict[int, subprocess.Popen[str]] = {}
        self._identities: dict[int, Mapping[str, object]] = {}
        self._failures = 0

    def work(self, study: Study, look: Callable[[], bool]) -> None:
        """Let them work until all is done, or `look` says that it is enough; whoever dies is replaced at once.

        Raises:
            RunFailedError: If they cannot work at all.
            KeyboardInterrupt: If the user ends it; then they have ended too.
        """
        try:
            for number in range(len(self._devices)):
                self._start(number)
            while self._processes:
                time.sleep(_LOOK_S)
                self._replace_dead(study)
                if look():
                    break
        finally:
            self._end()
            study.free()
            look()

    def _replace_dead(self, study: Study) -> None:
        for number, process in list(self._processes.items()):
            code = process.poll()
            if code is None:
                continue
            del self._processes[number]
            if code == 0:
                continue
            at_work = study.note_crash(self._identities[number])
            study.free()
            self._failures = 0 if at_work or code == POISONED else self._failures + 1
            if self._failures >= _MOST_FAILURES:
                raise RunFailedError(f"the workers end at once: {_last_words(self._log(number))}")
            self._start(number)

    def _start(self, number: int) -> None:
        log = self._log(number)
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "OMP_NUM_THREADS": str(self._plan.threads), **self._devices[number]}
        with log.open("a", encoding="utf-8") as output:
            process = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, "-c", _START.format(path=sys.path)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment,
                text=True,
                start_new_session=True,  # Ctrl-C comes here only, and is passed on
            )
        assert process.stdin is not None
        _say(process.stdin, self._plan.as_text())
        _say(process.stdin, json.dumps(known()))  # passwords: other users see arguments
        _say(process.stdin, json.dumps(this_process()))
        self._processes[number] = process
        self._identities[number] = that_process(process.pid)

    def _end(self) -> None:
        """End all that are left; what they were doing waits again."""
        for process in self._processes.values():
            process.terminate()
        until = time.monotonic() + _PATIENCE_S
        for process in self._processes.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._processes = {}

    def _log(self, number: int) -> Path:
        return self._plan.folder / "logs" / f"worker-{number}.log"


def devices(size: int, arguments: Sequence[str]) -> list[dict[str, str]]:
    """What each of some workers sees of the GPUs, as variables of its environment: one each, in turn."""
    on_cpu = any(each == "--trainer.accelerator=cpu" for each in arguments)
    count = 0 if on_cpu or not torch.cuda.is_available() else torch.cuda.device_count()
    if count == 0:
        return [{} for _ in range(size)]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    names = visible if len(visible) == count and all(visible) else [str(number) for number in range(count)]
    return [{"CUDA_VISIBLE_DEVICES": names[number % count]} for number in range(size)]


def default_size(threads: int, arguments: Sequence[str]) -> int:
    """As many workers as there are GPUs, or cores for their threads."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() and devices(1, arguments)[0] else 0
    return gpus or max(1, len(usable_cores()) // threads)


def _say(stdin: IO[str], text: str) -> None:
    try:
        stdin.write(f"{text}\n")
        stdin.flush()
    except BrokenPipeError:
        pass  # it has died; its exit code is looked at


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.is_file() else []
    return f"{lines[-1] if lines else 'they say nothing'} ({log})"
