"""Processes, how long they take and what memory."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from mnistlab.training.failures import RunFailedError

PROGRAM = (sys.executable, "-m", "mnistlab")


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    begun: float  # when it was started, in seconds of the system's clock
    seconds: float  # from its start to its end
    output: str  # what it has printed


def importing(module: str) -> tuple[str, ...]:
    """The command that imports a module and does nothing else."""
    return sys.executable, "-c", f"import {module}"


def ended(command: Sequence[str], code: int = 0) -> Ended:
    """Run a process to its end.

    Args:
        command: What is run.
        code: The exit code that it must have.

    Raises:
        RunFailedError: If it has another.
    """
    begun, begin = time.time(), time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - this program, and Python
        list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    with process.stdout as stream:
        output = stream.read()
    differs = process.wait() != code
    seconds = time.perf_counter() - begin
    if differs:
        last = output.strip().splitlines()[-1:] or ["it said nothing"]
        raise RunFailedError(f"{' '.join(command[1:6])} ... has failed: {last[0]}")
    return Ended(begun, seconds, output)
