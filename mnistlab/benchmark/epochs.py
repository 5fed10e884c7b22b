"""Epochs of some models: through `mnistlab fit`, in a plain loop, and as a template trains them, in turn."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

import mnistlab
from mnistlab.benchmark import template
from mnistlab.benchmark.clock import Clock
from mnistlab.benchmark.figures import Figure
from mnistlab.benchmark.plain import Images, PlainLoop
from mnistlab.benchmark.terminal import tail, terminal
from mnistlab.data import ImageData
from mnistlab.failures import RunFailedError

BATCH_SIZE = 128
EVAL_BATCH_SIZE = 256
NUM_CLASSES = 10
CLOCK = "mnistlab.benchmark.clock.Clock"

Command = Callable[[Sequence[str]], int]
"""`mnistlab` itself: it takes the arguments and gives the exit code."""


@dataclass(frozen=True)
class Net:
    """A model that is timed.

    Attributes:
        name: Its class.
        batches: Batches of an epoch that are trained; the figures are for a whole epoch.
        fast: The options with which it is fastest on this device.
    """

    name: str
    batches: int
    fast: tuple[str, ...] = ()


BFLOAT16 = "--trainer.precision=bf16-mixed"
CHANNELS_LAST = "--model.channels_last=true"
NETS = (
    Net("SDN68K", 430),
    Net("CNN421K", 40, (BFLOAT16, CHANNELS_LAST)),
    Net("ConvNeXt73K", 40, (CHANNELS_LAST,)),
    Net("ViT210K", 20, (BFLOAT16,)),
)


@dataclass(frozen=True)
class Ways:
    """Seconds for each way to train a net: of an epoch as long as `Net.batches`, and of a validation of all images."""

    epochs: dict[str, Figure]
    validations: dict[str, Figure]


def timed(command: Command, data: ImageData, nets: Sequence[Net], rounds: int) -> Iterator[tuple[Net, Ways]]:
    """Time each net in all ways, in turn so that what else the machine does meets all of them alike.

    Args:
        command: `mnistlab`.
        data: The set, read already.
        nets: The models.
        rounds: How often each way has its turn.

    Raises:
        RunFailedError: If one cannot be trained.
    """
    images = in_memory(data)
    for net in nets:
        with tempfile.TemporaryDirectory() as folder:
            yield net, _ways(command, type(data).__name__, images, net, rounds, Path(folder))


def in_memory(data: ImageData) -> Images:
    """The training and the validation images of a data set, as `fit` divides them."""
    data.prepare_data()
    data.setup("fit")
    train, val = data.train_dataloader(), data.val_dataloader()
    parts = [list(zip(*loader, strict=True)) for loader in (train, val)]
    (pictures, targets), (held, held_targets) = parts
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


def _ways(command: Command, data: str, images: Images, net: Net, rounds: int, folder: Path) -> Ways:
    plain = PlainLoop(_net(net), images, BATCH_SIZE)
    plain.epoch(min(net.batches, 20))  # the first steps are slower
    epochs: dict[str, list[float]] = {}
    validations: dict[str, list[float]] = {}

    def note(way: str, trained: Sequence[float], validated: Sequence[float]) -> None:
        epochs.setdefault(way, []).extend(trained)
        validations.setdefault(way, []).extend(validated)

    for _ in range(rounds):
        note("plain loop", [plain.epoch(net.batches)], [plain.validate(EVAL_BATCH_SIZE)])
        for way, options in (("fit", ()), ("fit, fast", net.fast)):
            if way == "fit" or options:
                clock = _fitted(command, data, net, options, folder)
                note(way, clock.epochs[1:], clock.validations[1:])
        with terminal(folder / "screen"):
            clock = template.train(_net(net), NUM_CLASSES, images, BATCH_SIZE, net.batches, str(folder))
        note("template", clock.epochs[1:], clock.validations[1:])
    return Ways(
        {way: Figure(seconds) for way, seconds in epochs.items()},
        {way: Figure(seconds) for way, seconds in validations.items()},
    )


def _net(net: Net) -> nn.Module:
    made: nn.Module = getattr(mnistlab, net.name)().net
    return made


def _fitted(command: Command, data: str, net: Net, options: Sequence[str], folder: Path) -> Clock:
    """Train for a warm-up epoch and two that count, as a user does; the clock that timed them."""
    arguments = [
        f"--model={net.name}",
        f"--data={data}",
        f"--data.batch_size={BATCH_SIZE}",
        f"--data.eval_batch_size={EVAL_BATCH_SIZE}",
        "--trainer.max_epochs=3",
        f"--trainer.limit_train_batches={net.batches}",
        f"--trainer.callbacks={CLOCK}",
        f"--run.dir={folder / 'runs'}",
        "--run.test=false",
        *options,
    ]
    with terminal(folder / "screen"):
        code = command(["fit", *arguments])
    if code:
        raise RunFailedError(f"mnistlab fit {' '.join(arguments)} has failed:\n{tail(folder / 'screen')}")
    return Clock.last
