"""How long commands take to start, beside the imports that they cannot do without; and what memory they take."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mnistlab.benchmark.figures import Figure
from mnistlab.failures import RunFailedError

PROGRAM = (sys.executable, "-m", "mnistlab")
IMPORTS = {name: (sys.executable, "-c", f"import {name}") for name in ("lightning.pytorch", "lightning.pytorch.cli")}
_MIB = 1024 if sys.platform != "darwin" else 1024 * 1024
"""What the operating system counts memory in, for a MiB."""


@dataclass(frozen=True)
class Process:
    """A process that has ended.

    Attributes:
        seconds: From its start to its end.
        peak: The most memory that it had at once, in MiB.
        output: What it has printed.
    """

    seconds: float
    peak: float
    output: str


def ended(command: Sequence[str], more: Mapping[str, str] | None = None) -> Process:
    """Run a process to its end.

    Args:
        command: The program and its arguments.
        more: Variables of its environment beside ours.

    Raises:
        RunFailedError: If it fails.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - this program, and Python
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(more or {})},
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = output.strip().splitlines()[-1:] or ["it said nothing"]
        raise RunFailedError(f"{' '.join(command[:4])} ... has failed: {last[0]}")
    return Process(seconds, usage.ru_maxrss / _MIB, output)


def in_turn(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Figure]:
    """The seconds of some commands, each run once a round; a round before that does not count fills the disk's cache."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            took = ended(command).seconds
            if number:
                seconds[name].append(took)
    return {name: Figure(values) for name, values in seconds.items()}
