"""Processes, and how long they take."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mnistlab.training.failures import RunFailedError

PROGRAM = (sys.executable, "-m", "mnistlab")


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    begun: float  # when it was started, in seconds of the system's clock
    seconds: float  # from its start to its end
    output: str  # what it has printed


def ended(command: Sequence[str], code: int = 0, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a process to its end.

    Args:
        command: What is run.
        code: The exit code that it must have.
        environment: Its variables; if not given, those of this process.

    Raises:
        RunFailedError: If it has another.
    """
    begun, begin = time.time(), time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this program, and Python
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=environment,
    )
    seconds = time.perf_counter() - begin
    if done.returncode != code:
        last = done.stdout.strip().splitlines()[-1:] or ["it said nothing"]
        raise RunFailedError(f"{' '.join(command[1:6])} ... has failed: {last[0]}")
    return Ended(begun, seconds, done.stdout)
