"""What an epoch takes on a machine whose cores others keep busy, over the same on a quiet one."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mnistlab.benchmark.figures import Figure, Mark, Result, ratio
from mnistlab.benchmark.loads import Load, epoch_seconds
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.processes import PROGRAM, ended
from mnistlab.runs.folder import METRICS
from mnistlab.system.processes import usable_cores
from mnistlab.training.failures import RunFailedError

_BUSY = Mark(3, 2.3)
_AT_ONCE = Mark(1.15)
_LOOK_S = 0.05


_LOADS = (Load("SDN68K", 430), Load("SmallModel", 150), Load("CNN421K", 25))


def busy(ground: Ground) -> Iterator[Result]:
    """Epochs of whole commands: quiet, busy from their start, and busy from their middle on."""
    with tempfile.TemporaryDirectory() as folder:
        for load in [replace(_LOADS[0], epochs=3)] if ground.quick else _LOADS:
            yield from _beside_others(ground.data, load, Path(folder))
        yield _at_once(ground.data, _LOADS[0], 2 if ground.quick else 4, Path(folder))


def _beside_others(data: Sequence[str], load: Load, folder: Path) -> Iterator[Result]:
    beside = f"beside {len(usable_cores())} busy processes"
    with _others():
        whole = _epochs(data, load, folder / f"{load.net}-whole", load.epochs)
    midway = _epochs(data, load, folder / f"{load.net}-midway", 2 * load.epochs, disturbed_from=load.epochs)
    quiet = Figure(midway[1 : load.epochs])  # the first epoch warms up
    later = Figure(midway[load.epochs + 1 :])
    name = f"{load.net}, an epoch"
    yield ratio(name, (beside, Figure(whole[1:])), ("quiet", quiet), _BUSY)
    yield ratio(name, (f"{beside} from its middle on", later), ("quiet", quiet), _BUSY)


def _at_once(data: Sequence[str], load: Load, many: int, folder: Path) -> Result:
    """Whole commands at the same time, and one after the other."""

    def seconds(name: str) -> float:
        return ended([*PROGRAM, *load.fit(data, folder / name)]).seconds

    row = Figure([sum(seconds(f"row-{number}") for number in range(many))])
    begin = time.perf_counter()
    with ThreadPoolExecutor(many) as pool:
        list(pool.map(seconds, (f"at-once-{number}" for number in range(many))))
    together = Figure([time.perf_counter() - begin])
    return ratio(f"{load.net}, {many} runs of fit", ("at once", together), ("in a row", row), _AT_ONCE)


def _epochs(data: Sequence[str], load: Load, root: Path, epochs: int, disturbed_from: int | None = None) -> list[float]:
    """Seconds of each epoch of a run, beside which others begin after so many."""
    process = subprocess.Popen(  # noqa: S603 - this program
        [*PROGRAM, *load.fit(data, root, epochs)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if disturbed_from is not None:
        while process.poll() is None and _rows(root) < disturbed_from:
            time.sleep(_LOOK_S)
        with _others():
            process.wait()
    _, said = process.communicate()
    if process.returncode:
        raise RunFailedError(f"mnistlab fit --model={load.net} has failed: {said.strip()}")
    return epoch_seconds(root)


def _rows(root: Path) -> int:
    """How many epochs the run has ended."""
    return sum(len(table.read_text(encoding="utf-8").splitlines()) - 1 for table in root.glob(f"*/*/{METRICS}"))


@contextmanager
def _others() -> Iterator[None]:
    """As many processes as there are cores, each of which uses one wholly."""
    every = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(len(usable_cores()))]
    try:
        yield
    finally:
        for each in every:
            each.kill()
            each.wait()
