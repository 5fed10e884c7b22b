"""Makes pixels of encoded pictures, in as many processes as there are cores."""

import itertools
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mnistlab.data.own import decoding
from mnistlab.data.own.decoding import Decoded, Job, Size, Unreadable
from mnistlab.data.own.gathered import Stored
from mnistlab.errors import LabError
from mnistlab.system.processes import usable_cores

_WORTH = 2000  # pictures for which it pays to start another process
_LOOKED_AT = 50  # pictures by which the size is guessed before all are seen


def decode_all(
    sources: Sequence[Stored], target: Path, size: int | Sequence[int] | None, channels: int | None
) -> tuple[Size, Decoded]:
    """Decode pictures into a file, all of one size: what is asked for, else what most of them have.

    Args:
        sources: The pictures.
        target: The file of pixels, (n, channels, height, width) uint8.
        size: Height and width, or one number for both.
        channels: 1 for grey, 3 for colour.

    Returns:
        Channels, height and width; and what was found.

    Raises:
        LabError: If one is broken: which and why.
    """
    some = sources[:: max(1, len(sources) // _LOOKED_AT)][:_LOOKED_AT]
    seen = Counter(_looked_at(source) for source in some)
    while True:
        wanted = commonest(seen, size, channels)
        with target.open("wb") as file:
            file.truncate(len(sources) * wanted[0] * wanted[1] * wanted[2])
        decoded = _decode(sources, target, wanted)
        seen = decoded.sizes
        if commonest(seen, size, channels) == wanted:
            return wanted, decoded


def commonest(seen: Counter[Size], size: int | Sequence[int] | None, channels: int | None) -> Size:
    """What pictures become: as asked for, else as most of them are."""
    shapes, depths = Counter[tuple[int, int]](), Counter[int]()
    for (depth, *shape), number in seen.items():
        shapes[shape[0], shape[1]] += number
        depths[depth] += number
    height, width = (
        (size, size) if isinstance(size, int) else size or max(shapes, key=lambda each: (shapes[each], each))
    )
    return channels or max(depths, key=lambda each: (depths[each], each)), height, width


def _looked_at(source: Stored) -> Size:
    try:
        picture = decoding.opened(*source)
    except Unreadable as error:
        raise _broken(str(error)) from error
    return (1 if picture.mode == "L" else 3), picture.height, picture.width


def _decode(sources: Sequence[Stored], target: Path, size: Size) -> Decoded:
    """Share the pictures out among processes."""
    workers = max(1, min(len(usable_cores()), len(sources) // _WORTH))
    bounds = [len(sources) * number // workers for number in range(workers + 1)]
    jobs = [Job(sources[begin:end], str(target), begin, size) for begin, end in itertools.pairwise(bounds)]
    with _shown(len(sources)) as report:
        try:
            if workers == 1:
                return decoding.decode(jobs[0], report)
            with ThreadPoolExecutor(workers) as threads:  # each waits for a process
                parts = [*threads.map(lambda job: _elsewhere(job, report), jobs)]
                sizes = sum((part.sizes for part in parts), Counter[Size]())
                return Decoded(sizes, [digest for part in parts for digest in part.digests])
        except Unreadable as error:
            raise _broken(str(error)) from error


def _elsewhere(job: Job, report: Callable[[int], object]) -> Decoded:
    """Decode in a process of its own; without mnistlab's folder among those that it imports from."""
    command = [sys.executable, "-P", str(decoding.__file__)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            json.dump(job, process.stdin)
            process.stdin.close()
            for line in process.stdout:
                said = json.loads(line)
                if isinstance(said, int):
                    report(said)
                elif "found" in said:
                    sizes = {(depth, height, width): n for depth, height, width, n in said["found"]}
                    return Decoded(Counter(sizes), said["digests"])
                elif "broken" in said:
                    raise Unreadable(said["broken"])
                else:
                    raise LabError(f"{job.target} cannot be written: {said['failed']}.")
        finally:
            process.kill()
    raise LabError(f"a process that decodes pictures has ended with exit code {process.returncode}.")


@contextmanager
def _shown(total: int) -> Iterator[Callable[[int], object]]:
    """A bar on a terminal where it takes long."""
    console = Console(stderr=True)
    if total < _WORTH or not console.is_terminal:
        yield lambda _: None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    lock = Lock()
    with Progress(TextColumn("{task.description}"), *columns, console=console, transient=True) as progress:
        task = progress.add_task("Reading pictures", total=total)

        def report(number: int) -> None:
            with lock:
                progress.advance(task, number)

        yield report


def _broken(said: str) -> LabError:
    where, _, why = said.partition("\n")
    return LabError(f"{where} cannot be read as a picture: {why}. Replace it, or take it out.")
