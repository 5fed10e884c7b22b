"""Measures section by section, shows each line when it is there, and keeps all of it."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mnistlab.benchmark.accuracy import BEST, QUICK99, accuracy
from mnistlab.benchmark.augmentation import augmentation
from mnistlab.benchmark.busy import LOADS, busy
from mnistlab.benchmark.epochs import LARGER, REFERENCE, epochs
from mnistlab.benchmark.figures import Found, Result
from mnistlab.benchmark.memory import memory
from mnistlab.benchmark.peers import Peers, peers
from mnistlab.benchmark.plain import Images, in_memory
from mnistlab.benchmark.scaling import by_batch, by_images, by_records
from mnistlab.benchmark.screen import head, lines
from mnistlab.benchmark.starts import starts
from mnistlab.runs.record import environment, now, write_json
from mnistlab.system.files import telling
from mnistlab.text.layout import screen_width
from mnistlab.training.running import check
from mnistlab.training.screen import quiet


@dataclass(frozen=True)
class Ground:
    """What all sections stand on.

    Attributes:
        data: The data set and its options, as they are typed.
        images: The same, read already.
        peers: What fit is measured against.
        quick: Less of everything.
        seeds: With how many the longest training is repeated.
    """

    data: Sequence[str]
    images: Images
    peers: Peers
    quick: bool
    seeds: int


Section = Callable[[Ground], Iterator[Found]]


def _epochs(ground: Ground) -> Iterator[Found]:
    rounds = {REFERENCE: 1, LARGER[0]: 1} if ground.quick else {REFERENCE: 3, **dict.fromkeys(LARGER, 2)}
    return epochs(ground.data, ground.images, ground.peers, rounds)


def _augmentation(ground: Ground) -> Iterator[Found]:
    return augmentation(ground.images, rounds=3 if ground.quick else 7)


def _starts(ground: Ground) -> Iterator[Found]:
    with tempfile.TemporaryDirectory() as folder:
        yield from starts(ground.data, 1 if ground.quick else 2, Path(folder))


def _memory(ground: Ground) -> Iterator[Found]:
    with tempfile.TemporaryDirectory() as folder:
        yield from memory(ground.data, 8 if ground.quick else 50, Path(folder))


def _scaling(ground: Ground) -> Iterator[Found]:
    times, sizes, counts = ((1, 4), (128, 1024), (100, 1_000)) if ground.quick else _MANY
    with tempfile.TemporaryDirectory() as folder:
        yield from by_images(times, Path(folder))
        yield from by_batch(ground.data, sizes, len(ground.images.train), Path(folder))
        yield from by_records(counts, 1 if ground.quick else 3, Path(folder))


def _busy(ground: Ground) -> Iterator[Found]:
    with tempfile.TemporaryDirectory() as folder:
        loads, together = (LOADS[:1], 2) if ground.quick else (LOADS, 4)
        yield from busy(ground.data, loads, together, Path(folder))


_MANY = ((1, 4, 16), (32, 128, 512, 2_048, 4_096), (100, 1_000, 10_000))


def _accuracy(ground: Ground) -> Iterator[Found]:
    yield from accuracy(ground.data, ground.images, ground.peers, QUICK99, 1 if ground.quick else 3)
    if not ground.quick:
        yield from accuracy(ground.data, ground.images, ground.peers, BEST, ground.seeds)


SECTIONS: dict[str, Section] = {
    "epochs": _epochs,
    "augmentation": _augmentation,
    "starts": _starts,
    "memory": _memory,
    "scaling": _scaling,
    "busy": _busy,
    "accuracy": _accuracy,
}


def measure(sections: Sequence[str], data: Sequence[str], out: Path, *, seeds: int, quick: bool) -> None:
    """Measure some sections; what is there is in the file after each of them, even if a later one fails.

    Args:
        sections: Their names.
        data: The data set, as options of `fit`.
        out: A file that is not there yet.
        seeds: How often the longest training is repeated.
        quick: Less of everything.

    Raises:
        LabError: If there is no such data set, or something fails.
    """
    quiet()
    images = in_memory(check(data).datamodule)
    about = environment()
    machine, gpu = about["machine"], torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    print(f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads, {gpu}")
    print(", ".join(f"{name} {version}" for name, version in about["versions"].items()))
    print(head())
    kept: dict[str, Any] = {"format": 1, "started": now(), "quick": quick, "data": list(data), **about, "sections": {}}
    everything: list[Found] = []
    with peers(data) as beside:
        ground = Ground(data, images, beside, quick, seeds)
        for name in sections:
            print(f"\n{name}", flush=True)
            found: list[Found] = []
            for each in SECTIONS[name](ground):
                found.append(each)
                print("\n".join(lines(each, screen_width())), flush=True)
            everything += found
            kept["sections"][name] = [each.as_dict() for each in found]
            kept["ended"] = now()
            with telling(out, "Name a file with --output=..."):
                write_json(out, kept)
    marks = [reached for each in everything if isinstance(each, Result) for _, reached in each.verdicts()[:1]]
    print(f"\n{sum(marks)} of {len(marks)} marks are reached. All figures are in {out}.")
