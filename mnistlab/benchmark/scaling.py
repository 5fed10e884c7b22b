"""How the cost grows: with the images, with the batch, with the runs in a folder."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import torch

from mnistlab.benchmark.figures import Figure, Found, Mark, Result, Series
from mnistlab.benchmark.fitting import fitted
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.processes import PROGRAM, ended
from mnistlab.data import ImageSet, SyntheticDigits
from mnistlab.runs.folder import RECORD
from mnistlab.runs.run import Run

_IMAGES = 6_000
_LISTING = Mark(2.0)
_MANY = ((1, 4, 16), (32, 128, 512, 2_048, 4_096), (100, 1_000, 10_000))
_MOST = 10_000  # records, of which the mark speaks
_MODEL = "SDN68K"


class Repeated(SyntheticDigits):
    """Synthetic digits, each several times: more work, and nothing else that is more.

    Args:
        times: How often each training image is there; `train_size` counts it as often.
    """

    abstract = True  # for the benchmark only

    def __init__(self, times: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.times = times

    @property
    def num_images(self) -> dict[str, int]:
        """As many as are different."""
        return {"train": self.train_size // self.times, "test": self.test_size}

    def read(self, split: Literal["train", "test"]) -> ImageSet:
        """The training images, repeated; the test images."""
        once = super().read(split)
        if split == "test":
            return once
        rows = torch.arange(len(once)).repeat(self.times)
        return ImageSet(once.images[rows], {name: target[rows] for name, target in once.targets.items()})


def scaling(ground: Ground) -> Iterator[Found]:
    """How an epoch and the list of runs grow with the images, the batch and the runs."""
    times, sizes, counts = ((1, 4), (128, 1024), (100, 1_000)) if ground.quick else _MANY
    with tempfile.TemporaryDirectory() as folder:
        yield _by_images(times, Path(folder))
        yield _by_batch(ground, sizes, Path(folder))
        yield from _by_records(counts, 1 if ground.quick else 3, Path(folder))


def _by_images(times: Sequence[int], folder: Path) -> Series:
    """Microseconds for an image in sets of different sizes."""
    data = [f"--data={Repeated.__module__}.{Repeated.__qualname__}"]
    sizes = ["--data.test_size=500", "--data.val_size=500", "--data.batch_size=128"]
    rows = []
    for count in times:
        many = [f"--data.times={count}", f"--data.train_size={_IMAGES * count}"]
        clock = fitted(data, _MODEL, folder, 3, *sizes, *many)
        seconds = Figure(clock.steps[1:]).median
        rows.append((count, clock.images, seconds, seconds / clock.images * 1e6))
    return Series(f"{_MODEL}, an epoch by the size of the set", ("times", "images", "s", "us/image"), rows)


def _by_batch(ground: Ground, sizes: Sequence[int], folder: Path) -> Series:
    """Microseconds for an image in batches of different sizes."""
    rows = []
    for size in sizes:
        clock = fitted(ground.data, _MODEL, folder, 3, f"--data.batch_size={size}")
        seconds = Figure(clock.steps[1:]).median
        rows.append((size, seconds, seconds / len(ground.images.train) * 1e6))
    return Series(f"{_MODEL}, an epoch by the size of a batch", ("batch", "s", "us/image"), rows)


def _by_records(counts: Sequence[int], rounds: int, folder: Path) -> Iterator[Found]:
    """Seconds of `mnistlab runs`, the whole command, in folders with many runs: copies of one that lies there."""
    like = next(run for path in sorted((folder / "runs").glob("*/*")) if (run := Run.find(path)))
    rows = []
    kept = 0
    for count in counts:
        _add_records(folder / "many", like, range(kept, count))
        kept = count
        command = [*PROGRAM, "runs", f"--run.dir={folder / 'many'}"]
        ended(command)
        seconds = Figure([ended(command).seconds for _ in range(rounds)])
        rows.append((count, seconds.median))
        if count == _MOST:
            yield Result(f"mnistlab runs with {count:,} records", seconds.median, "s", str(seconds), _LISTING)
    yield Series("mnistlab runs by the number of records", ("records", "s"), rows)


def _add_records(root: Path, like: Run, numbers: range) -> None:
    begin = datetime.fromisoformat(like.started)
    for number in numbers:
        started = begin + timedelta(seconds=number)
        folder = root / like.text("model") / f"{started:%Y%m%d-%H%M%S}-{number:05}"
        folder.mkdir(parents=True)
        (folder / RECORD).write_text(json.dumps({**like.record, "started": started.isoformat()}), encoding="utf-8")
