"""What a benchmark measures, section by section."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mnistlab.benchmark.accuracy import BEST, QUICK99, accuracy
from mnistlab.benchmark.augmentation import augmentation
from mnistlab.benchmark.epochs import LARGER, REFERENCE, epochs
from mnistlab.benchmark.figures import Found
from mnistlab.benchmark.fitting import Setting
from mnistlab.benchmark.memory import memory
from mnistlab.benchmark.plain import Images
from mnistlab.benchmark.scaling import by_batch, by_images, by_records
from mnistlab.benchmark.starts import starts


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        quick: Less of everything.
        seeds: With how many the longest training is repeated.
    """

    quick: bool
    seeds: int


Section = Callable[[Setting, Images, Effort], Iterator[Found]]


def _epochs(setting: Setting, images: Images, effort: Effort) -> Iterator[Found]:
    nets = (REFERENCE, *(LARGER[:1] if effort.quick else LARGER))
    return epochs(setting, images, nets, rounds=1 if effort.quick else 3)


def _augmentation(setting: Setting, images: Images, effort: Effort) -> Iterator[Found]:
    del setting
    return augmentation(images, rounds=3 if effort.quick else 7)


def _starts(setting: Setting, images: Images, effort: Effort) -> Iterator[Found]:
    del images
    with tempfile.TemporaryDirectory() as folder:
        yield from starts(setting, 1 if effort.quick else 3, Path(folder))


def _memory(setting: Setting, images: Images, effort: Effort) -> Iterator[Found]:
    del images
    with tempfile.TemporaryDirectory() as folder:
        yield from memory(setting, 8 if effort.quick else 50, Path(folder))


def _scaling(setting: Setting, images: Images, effort: Effort) -> Iterator[Found]:
    times, sizes, counts = ((1, 4), (128, 1024), (100, 1_000)) if effort.quick else _MANY
    with tempfile.TemporaryDirectory() as folder:
        yield from by_images(times, Path(folder))
        yield from by_batch(setting, sizes, len(images.train), Path(folder))
        yield from by_records(counts, 1 if effort.quick else 3, Path(folder))


_MANY = ((1, 4, 16), (32, 128, 512, 2_048, 4_096), (100, 1_000, 10_000))


def _accuracy(setting: Setting, images: Images, effort: Effort) -> Iterator[Found]:
    yield from accuracy(setting, images, QUICK99, 1 if effort.quick else 3)
    if not effort.quick:
        yield from accuracy(setting, images, BEST, effort.seeds)


SECTIONS: dict[str, Section] = {
    "epochs": _epochs,
    "augmentation": _augmentation,
    "starts": _starts,
    "memory": _memory,
    "scaling": _scaling,
    "accuracy": _accuracy,
}
