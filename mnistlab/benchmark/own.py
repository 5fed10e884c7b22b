"""Pictures of one's own beside a data set with the same pixels: reading them, starting with them, an epoch of them."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms import PILToTensor

from mnistlab.benchmark.epochs import BATCH_SIZE, REFERENCE
from mnistlab.benchmark.figures import Figure, Mark, Result, ratio
from mnistlab.benchmark.fitting import fitted
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.starts import first_step
from mnistlab.data import ImageData, Images
from mnistlab.training.running import check

_READ, _START, _EPOCH = Mark(3, at_least=True), Mark(1.1), Mark(1.02)
_QUICK = 10  # of the pictures one in so many


def own(ground: Ground) -> Iterator[Result]:
    """Seconds of each, in turn with those of the data set, whose images are written out as PNG."""
    data = check(list(ground.data)).datamodule
    with TemporaryDirectory(prefix="mnistlab-bench-") as folder, _cache(Path(folder, "cache")):
        root = Path(folder, "png")
        count = _write(data, root, _QUICK if ground.quick else 1)
        pictures = ["--data=Images", f"--data.path={root}"]
        if ground.quick:
            yield replace(_reading(root / "train", count, 1), mark=None)
        else:
            yield _reading(root / "train", count, 3)
            yield _starting(ground, pictures, Path(folder), 5)
            yield _training(ground, pictures, Path(folder), 4)


def _write(data: ImageData, root: Path, step: int) -> int:
    """Write the official images, a folder for each split and class; how many there are for training."""
    data.prepare_data()
    for split, parts in {"train": ("train", "val"), "test": ("test",)}.items():
        for part in parts:
            images, rows = data.rows_of(part)
            for row in rows[::step].tolist():
                folder = root / split / str(int(images.primary[row]))
                folder.mkdir(parents=True, exist_ok=True)
                pixels = images.images[row].permute(1, 2, 0).squeeze(2).numpy()
                Image.fromarray(pixels).save(folder / f"{part}-{row}.png")
    return sum(1 for _ in (root / "train").glob("*/*"))


def _reading(root: Path, count: int, rounds: int) -> Result:
    """Read for the first time, without a cache; and image by image in one process, to tensors of uint8."""
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds + 1):
        with TemporaryDirectory() as folder, _cache(Path(folder)):
            begin = time.perf_counter()
            Images(path=root).prepare_data()
            ours.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        files = ImageFolder(str(root), transform=PILToTensor())
        for at in range(len(files)):
            files[at]
        theirs.append(time.perf_counter() - begin)
        if not number:  # the system has read the files from the disk
            ours.clear()
            theirs.clear()
    over, under = ("torchvision's ImageFolder", Figure(theirs)), ("Images", Figure(ours))
    return ratio(f"{count:,} PNG files read", over, under, _READ, paired=True)


def _starting(ground: Ground, pictures: Sequence[str], folder: Path, rounds: int) -> Result:
    """Start for the second time."""
    build = ground.builds[0]
    build = replace(build, environment={**build.environment, "XDG_CACHE_HOME": str(folder / "cache")})
    ways: dict[str, Sequence[str]] = {"Images": pictures, ground.data[0].partition("=")[2]: ground.data}
    took = _in_turn(ways, rounds + 1, lambda data: [first_step(build, data)])
    over, under = ((name, Figure(seconds[1:])) for name, seconds in took.items())
    return ratio("a second start, to the first step", over, under, _START, paired=True)


def _training(ground: Ground, pictures: Sequence[str], folder: Path, rounds: int) -> Result:
    """Train for some epochs, of which the first does not count."""
    ways: dict[str, Sequence[str]] = {"Images": pictures, ground.data[0].partition("=")[2]: ground.data}
    took = _in_turn(ways, rounds, lambda data: _epochs(data, folder))
    over, under = ((name, Figure(seconds)) for name, seconds in took.items())
    return ratio(f"{REFERENCE.name}, an epoch", over, under, _EPOCH, paired=True)


def _epochs(data: Sequence[str], folder: Path) -> list[float]:
    return fitted(data, REFERENCE.name, folder, 5, f"--data.batch_size={BATCH_SIZE}").epochs()[1:]


def _in_turn(
    ways: Mapping[str, Sequence[str]], rounds: int, measure: Callable[[Sequence[str]], list[float]]
) -> dict[str, list[float]]:
    """What is measured of both, each first as often as the other."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in [*ways][:: -1 if number % 2 else 1]:
            took[name] += measure(ways[name])
    return took


@contextmanager
def _cache(folder: Path) -> Iterator[None]:
    """Let the cache be elsewhere."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before
