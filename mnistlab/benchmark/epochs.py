"""Epochs of some models: through `mnistlab fit`, in a plain loop, and as a template trains them, in turn."""

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from mnistlab import models
from mnistlab.benchmark import template
from mnistlab.benchmark.clock import Clock
from mnistlab.benchmark.figures import Figure, Mark, Result, ratio
from mnistlab.benchmark.fitting import Setting, fitted
from mnistlab.benchmark.plain import Images, PlainLoop
from mnistlab.benchmark.terminal import terminal
from mnistlab.data import ImageData

BATCH_SIZE = 128
EVAL_BATCH_SIZE = 256
QUIET = 0.41
"""Seconds that a quiet machine takes for an epoch of SDN68K in a plain loop; marks in seconds are for that machine."""

_WARM_UP = 20
"""Steps of the plain loop that do not count."""


@dataclass(frozen=True)
class Net:
    """A model that is timed.

    Attributes:
        name: Its class.
        part: What part of an epoch's steps is made; the figures are for a whole one.
        val_part: What part of the validation images is looked at; likewise.
        fast: The options with which it is fastest on a CPU.
    """

    name: str
    part: float = 1.0
    val_part: float = 1.0
    fast: tuple[str, ...] = ()


BFLOAT16 = "--trainer.precision=bf16-mixed"
CHANNELS_LAST = "--model.channels_last=true"
REFERENCE = Net("SDN68K")
LARGER = (
    Net("CNN421K", 0.1, 0.2, (BFLOAT16, CHANNELS_LAST)),
    Net("ConvNeXt73K", 0.07, 0.2, (CHANNELS_LAST,)),
    Net("ViT210K", 0.03, 0.2, (BFLOAT16,)),
)

# Over the plain loop; and of SDN68K's validation, in seconds of a quiet machine.
_EPOCH = {"SDN68K": Mark(1.35, 1.10)}
_VALIDATION = {"SDN68K": Mark(0.03, 0.015)}
# The template's epoch over that of fit.
_TEMPLATE = {"SDN68K": Mark(6, 8, at_least=True)}
_FAST_TEMPLATE = {"CNN421K": Mark(2.5, 3, at_least=True)}

PLAIN, FIT, FAST, TEMPLATE = "plain loop", "fit", "fit with options", "template"


@dataclass(frozen=True)
class Ways:
    """Seconds for each way to train a net: of a whole epoch without its validation, and of a whole validation."""

    epochs: dict[str, Figure]
    validations: dict[str, Figure]

    def both(self, way: str) -> Figure:
        """An epoch with its validation, by the medians."""
        return Figure([self.epochs[way].median + self.validations[way].median])


def epochs(setting: Setting, images: Images, nets: Sequence[Net], rounds: int) -> Iterator[Result]:
    """Time each net in all ways, in turn so that what else the machine does meets all of them alike.

    Args:
        setting: The data set.
        images: The same, read already.
        nets: The models, the reference first.
        rounds: How often each way has its turn.

    Raises:
        RunFailedError: If one cannot be trained.
    """
    scale = 1.0
    for net in nets:
        with tempfile.TemporaryDirectory() as folder:
            ways = _ways(setting, images, net, rounds, Path(folder))
        if net == REFERENCE:
            scale = QUIET / ways.epochs[PLAIN].median
        yield from _results(net, ways, len(images.train), len(images.val), scale)


def in_memory(data: ImageData) -> Images:
    """The training and the validation images of a data set, as `fit` divides them."""
    data.prepare_data()
    data.setup("fit")
    train, val = data.train_dataloader(), data.val_dataloader()
    (pictures, targets), (held, held_targets) = [list(zip(*loader, strict=True)) for loader in (train, val)]
    name = next(iter(targets[0]))
    assert data.mean is not None
    assert data.std is not None
    return Images(
        torch.cat(pictures),
        torch.cat([target[name] for target in targets]),
        torch.cat(held),
        torch.cat([target[name] for target in held_targets]),
        data.mean,
        data.std,
    )


def reference(images: Images) -> float:
    """Seconds that the machine takes now for the epoch that a quiet one takes QUIET for."""
    loop = PlainLoop(_made(REFERENCE), images, BATCH_SIZE)
    loop.epoch(_WARM_UP)
    return loop.epoch(_batches(images, 1.0)) * 55_000 / len(images.train)


def _results(net: Net, ways: Ways, train: int, val: int, scale: float) -> Iterator[Result]:
    plain, fit, theirs = ((way, ways.epochs[way]) for way in (PLAIN, FIT, TEMPLATE))
    yield ratio(f"{net.name}, an epoch over the plain loop's", fit, plain, _EPOCH.get(net.name))
    yield ratio(
        f"{net.name}, training and validation, times faster than the template",
        (TEMPLATE, ways.both(TEMPLATE)),
        (FIT, ways.both(FIT)),
        _TEMPLATE.get(net.name),
    )
    if FAST in ways.epochs:
        options = " ".join(net.fast)
        fast = (options, ways.epochs[FAST])
        yield ratio(f"{net.name}, an epoch, times faster than the template", theirs, fast, _FAST_TEMPLATE.get(net.name))
    best = min((way for way in (FIT, FAST) if way in ways.epochs), key=lambda way: ways.epochs[way].median)
    speeds = Figure([train / seconds for seconds in ways.epochs[best].values], "images/s")
    yield Result(f"{net.name}, trained", speeds.median, "images/s", f"{best} {speeds}", parts={best: speeds})
    seconds = ways.validations[FIT]
    others = f"{PLAIN} {ways.validations[PLAIN]}, {TEMPLATE} {ways.validations[TEMPLATE]}"
    mark = _VALIDATION.get(net.name)
    how = f"{FIT} {seconds}, {others}"
    value = seconds.median * 5_000 / val * scale if mark else seconds.median
    what = " of 5,000, on a quiet machine" if mark else f" of {val:,}"
    yield Result(f"{net.name}, validation{what}", value, "s", how, mark, ways.validations)


def _ways(setting: Setting, images: Images, net: Net, rounds: int, folder: Path) -> Ways:
    plain = PlainLoop(_made(net), images, BATCH_SIZE)
    plain.epoch(_WARM_UP)
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
    for _ in range(rounds):
        note(PLAIN, [plain.epoch(batches) / part], [plain.validate(EVAL_BATCH_SIZE, most)], most)
        for way, options in ((FIT, ()), (FAST, net.fast)):
            if way == FIT or options:
                clock = fitted(setting, net.name, folder, 3, *limits, *options)
                note(way, clock.epochs(part)[1:], clock.validations[1:], round(val_batches * per_batch))
        clock = _as_template(net, images, batches, their_val_batches, folder)
        looked_at = min(held, their_val_batches * BATCH_SIZE)
        note(TEMPLATE, clock.epochs(part)[1:], clock.validations[1:], looked_at)
    return Ways(
        {way: Figure(seconds) for way, seconds in epochs.items()},
        {way: Figure(seconds) for way, seconds in validations.items()},
    )


def _as_template(net: Net, images: Images, batches: int, val_batches: int, folder: Path) -> Clock:
    classes = int(images.train_target.max()) + 1
    with terminal(folder / "screen"):
        return template.train(_made(net), classes, images, BATCH_SIZE, batches, val_batches, str(folder))


def _batches(images: Images, part: float) -> int:
    return max(1, round(part * math.ceil(len(images.train) / BATCH_SIZE)))


def _made(net: Net) -> nn.Module:
    made: nn.Module = getattr(models, net.name)().net
    return made
