"""Epochs of some models: through `mnistlab fit`, in a plain loop, and as a template trains them, in turn."""

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mnistlab.benchmark.figures import Figure, Mark, Result, ratio
from mnistlab.benchmark.fitting import fitted
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.plain import Images

BATCH_SIZE = 128
EVAL_BATCH_SIZE = 256
QUIET = 0.41
"""Seconds that a quiet machine takes for an epoch of SDN68K in a plain loop; marks in seconds are for that machine."""

_THEIRS = 200  # steps of the template at most; each takes as long as many of ours


@dataclass(frozen=True)
class Net:
    """A model that is timed."""

    name: str  # its class
    part: float = 1.0  # what part of an epoch's steps is made; the figures are for a whole one
    val_part: float = 1.0  # what part of the validation images is looked at; likewise
    epochs: int = 3  # of a run of fit; the first does not count, and before each there is one of the plain loop
    fast: tuple[str, ...] = ()  # the options with which it is fastest on a CPU


BFLOAT16 = "--trainer.precision=bf16-mixed"
CHANNELS_LAST = "--model.channels_last=true"
REFERENCE = Net("SDN68K", epochs=8)
LARGER = (
    Net("CNN421K", 0.06, 0.2, fast=(BFLOAT16, CHANNELS_LAST)),
    Net("ConvNeXt73K", 0.07, 0.2, fast=(CHANNELS_LAST,)),
    Net("ViT210K", 0.03, 0.2, fast=(BFLOAT16,)),
)

# Over the plain loop; and of SDN68K's validation, in seconds of a quiet machine.
_EPOCH = {"SDN68K": Mark(1.15, 1.10)}
_VALIDATION = {"SDN68K": Mark(0.03, 0.015)}
# The template's epoch over that of fit.
_TEMPLATE = {"SDN68K": Mark(6, 8, at_least=True)}
_FAST_TEMPLATE = {"CNN421K": Mark(2.5, 3, at_least=True)}

PLAIN, FIT, FAST, TEMPLATE = "plain loop", "fit", "fit with its fastest options", "template"


@dataclass(frozen=True)
class Ways:
    """Seconds for each way to train a net: of a whole epoch without its validation, and of a whole validation."""

    epochs: dict[str, Figure]
    validations: dict[str, Figure]

    def both(self, way: str) -> Figure:
        """An epoch with its validation, by the medians."""
        return Figure([self.epochs[way].median + self.validations[way].median])


def epochs(ground: Ground) -> Iterator[Result]:
    """Time each net in all ways, in turn so that what else the machine does meets all of them alike."""
    rounds = {REFERENCE: 1, LARGER[0]: 1} if ground.quick else {REFERENCE: 3, **dict.fromkeys(LARGER, 2)}
    scale, images = 1.0, ground.images
    for net, turns in rounds.items():
        with tempfile.TemporaryDirectory() as folder:
            ways = _ways(ground, net, turns, Path(folder))
        if net == REFERENCE:
            scale = QUIET / ways.epochs[PLAIN].median
        yield from _results(net, ways, len(images.train), len(images.val), scale)


def reference(ground: Ground) -> float:
    """Seconds that the machine takes now for the epoch that a quiet one takes QUIET for."""
    seconds = ground.peers.epoch(REFERENCE.name, BATCH_SIZE, _batches(ground.images, 1.0))
    return seconds * 55_000 / len(ground.images.train)


def _results(net: Net, ways: Ways, train: int, val: int, scale: float) -> Iterator[Result]:
    plain, fit, theirs = ((way, ways.epochs[way]) for way in (PLAIN, FIT, TEMPLATE))
    yield ratio(f"{net.name}, an epoch", fit, plain, _EPOCH.get(net.name), paired=True)
    both = [(way, ways.both(way)) for way in (TEMPLATE, FIT)]
    yield ratio(f"{net.name}, training and validation", both[0], both[1], _TEMPLATE.get(net.name))
    if FAST in ways.epochs:
        fast = (f"{FIT} {' '.join(net.fast)}", ways.epochs[FAST])
        yield ratio(f"{net.name}, an epoch", theirs, fast, _FAST_TEMPLATE.get(net.name))
    best = min((way for way in (FIT, FAST) if way in ways.epochs), key=lambda way: ways.epochs[way].median)
    speeds = Figure([train / seconds for seconds in ways.epochs[best].values], "images/s")
    yield Result(f"{net.name}, {best}", speeds.median, "images/s", str(speeds), parts={best: speeds})
    seconds = ways.validations[FIT]
    mark = _VALIDATION.get(net.name)
    others = f"{PLAIN} {ways.validations[PLAIN]}, {TEMPLATE} {ways.validations[TEMPLATE]}"
    if mark is None:
        value, what = seconds.median, f"{net.name}, validation of {val:,}"
    else:
        value, what = seconds.median * 5_000 / val * scale, f"{net.name}, validation of 5,000 on a quiet machine"
    yield Result(what, value, "s", f"here {FIT} {seconds}, {others}", mark, ways.validations)


def _ways(ground: Ground, net: Net, rounds: int, folder: Path) -> Ways:
    data, images, peers = ground.data, ground.images, ground.peers
    batches, every = _batches(images, net.part), _batches(images, 1.0)
    part = batches / every
    held = len(images.val)
    val_batches = max(1, round(net.val_part * math.ceil(held / EVAL_BATCH_SIZE)))
    most = min(held, val_batches * EVAL_BATCH_SIZE)
    their_val_batches = math.ceil(most / BATCH_SIZE)
    epochs: dict[str, list[float]] = {}
    validations: dict[str, list[float]] = {}

    def note(way: str, trained: Sequence[float], validated: Sequence[float], looked_at: int) -> None:
        epochs.setdefault(way, []).extend(trained)
        validations.setdefault(way, []).extend(seconds * held / looked_at for seconds in validated)

    sizes = [f"--data.batch_size={BATCH_SIZE}", f"--data.eval_batch_size={EVAL_BATCH_SIZE}"]
    limits = [*sizes, f"--trainer.limit_train_batches={batches}", f"--trainer.limit_val_batches={val_batches}"]
    per_batch = held / math.ceil(held / EVAL_BATCH_SIZE)  # the loader divides evenly
    plain = partial(peers.epoch, net.name, BATCH_SIZE, batches)
    for _ in range(rounds):
        clock = fitted(data, net.name, folder, net.epochs, *limits, between=plain)
        note(FIT, clock.epochs(part)[1:], clock.validations[1:], round(val_batches * per_batch))
        validated = peers.validate(net.name, BATCH_SIZE, EVAL_BATCH_SIZE, most)
        note(PLAIN, [seconds / part for seconds in clock.beside[1:]], [validated], most)
        if net.fast:
            clock = fitted(data, net.name, folder, net.epochs, *limits, *net.fast)
            note(FAST, clock.epochs(part)[1:], clock.validations[1:], round(val_batches * per_batch))
        clock = peers.template(net.name, BATCH_SIZE, min(batches, _THEIRS), their_val_batches, folder)
        looked_at = min(held, their_val_batches * BATCH_SIZE)
        note(TEMPLATE, clock.epochs(min(batches, _THEIRS) / every)[1:], clock.validations[1:], looked_at)
    return Ways(
        {way: Figure(seconds) for way, seconds in epochs.items()},
        {way: Figure(seconds) for way, seconds in validations.items()},
    )


def _batches(images: Images, part: float) -> int:
    return max(1, round(part * math.ceil(len(images.train) / BATCH_SIZE)))
