"""What a benchmark measures, section by section."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mnistlab.benchmark.accuracy import BEST, QUICK99, accuracy
from mnistlab.benchmark.augmentation import augmentation
from mnistlab.benchmark.busy import LOADS, busy
from mnistlab.benchmark.epochs import LARGER, REFERENCE, epochs
from mnistlab.benchmark.figures import Found
from mnistlab.benchmark.fitting import Setting
from mnistlab.benchmark.memory import memory
from mnistlab.benchmark.peers import Peers
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


@dataclass(frozen=True)
class Ground:
    """What all sections stand on.

    Attributes:
        setting: The data set.
        images: The same, read already.
        peers: What fit is measured against.
    """

    setting: Setting
    images: Images
    peers: Peers


Section = Callable[[Ground, Effort], Iterator[Found]]


def _epochs(ground: Ground, effort: Effort) -> Iterator[Found]:
    rounds = {REFERENCE: 1, LARGER[0]: 1} if effort.quick else {REFERENCE: 3, **dict.fromkeys(LARGER, 2)}
    return epochs(ground.setting, ground.images, ground.peers, rounds)


def _augmentation(ground: Ground, effort: Effort) -> Iterator[Found]:
    return augmentation(ground.images, rounds=3 if effort.quick else 7)


def _starts(ground: Ground, effort: Effort) -> Iterator[Found]:
    with tempfile.TemporaryDirectory() as folder:
        yield from starts(ground.setting, 1 if effort.quick else 2, Path(folder))


def _memory(ground: Ground, effort: Effort) -> Iterator[Found]:
    with tempfile.TemporaryDirectory() as folder:
        yield from memory(ground.setting, 8 if effort.quick else 50, Path(folder))


def _scaling(ground: Ground, effort: Effort) -> Iterator[Found]:
    times, sizes, counts = ((1, 4), (128, 1024), (100, 1_000)) if effort.quick else _MANY
    with tempfile.TemporaryDirectory() as folder:
        yield from by_images(times, Path(folder))
        yield from by_batch(ground.setting, sizes, len(ground.images.train), Path(folder))
        yield from by_records(counts, 1 if effort.quick else 3, Path(folder))


def _busy(ground: Ground, effort: Effort) -> Iterator[Found]:
    with tempfile.TemporaryDirectory() as folder:
        loads, together = ((replace(LOADS[0], epochs=3),), 2) if effort.quick else (LOADS, 4)
        yield from busy(ground.setting, loads, together, Path(folder))


_MANY = ((1, 4, 16), (32, 128, 512, 2_048, 4_096), (100, 1_000, 10_000))


def _accuracy(ground: Ground, effort: Effort) -> Iterator[Found]:
    yield from accuracy(ground.setting, ground.images, ground.peers, QUICK99, 1 if effort.quick else 3)
    if not effort.quick:
        yield from accuracy(ground.setting, ground.images, ground.peers, BEST, effort.seeds)


SECTIONS: dict[str, Section] = {
    "epochs": _epochs,
    "augmentation": _augmentation,
    "starts": _starts,
    "memory": _memory,
    "scaling": _scaling,
    "busy": _busy,
    "accuracy": _accuracy,
}
