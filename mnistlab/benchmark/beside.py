"""This build beside another, in whole commands of both by turns: what has become faster, or slower."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import TypeVar

from mnistlab.benchmark import peak
from mnistlab.benchmark.accuracy import BEST
from mnistlab.benchmark.builds import Build
from mnistlab.benchmark.figures import Figure, Found, LeftOut, Mark, Result, ratio
from mnistlab.benchmark.loads import Load, epoch_seconds
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.probes import said
from mnistlab.benchmark.starts import FIRST_STEP, MISTAKE, SHOW, STARTS, TEST
from mnistlab.errors import LabError
from mnistlab.runs.run import Run

Measured = TypeVar("Measured")

_EPOCHS = {
    Load("ViT210K", 6): Mark(1.5, 1.8, at_least=True),
    Load("ConvNeXt73K", 20): Mark(1.6, 2.2, at_least=True),
    Load("EfficientNet66K", 10): Mark(1.3, 1.6, at_least=True),
    Load("LargeModel", 6): Mark(1.3, 1.6, at_least=True),
    Load("SDN68K", 430): None,
    Load("CNN421K", 25): None,
}


def epochs(ground: Ground) -> Iterator[Found]:
    """Parts of epochs, as the records of both have them; of a run the median, without its first one."""
    for load, mark in list(_EPOCHS.items())[: 2 if ground.quick else None]:
        yield from _or_left_out(f"{load.net}, an epoch", _epochs(ground, load, mark))


def _epochs(ground: Ground, load: Load, mark: Mark | None) -> Iterator[Found]:
    def seconds(build: Build) -> float:
        with TemporaryDirectory(dir=build.scratch) as folder:
            build.run(*load.fit(ground.data, Path(folder)))
            return median(epoch_seconds(Path(folder))[1:])

    ours, others = _in_turn(ground, seconds, 1 if ground.quick else 3 if mark else 2)
    yield _faster(ground, f"{load.net}, an epoch of {load.batches} batches", ours, others, mark)


def starts(ground: Ground) -> Iterator[Found]:
    """Whole commands; before the rounds that count there is one that fills the caches."""
    for name in (TEST, FIRST_STEP, MISTAKE, SHOW):
        yield from _or_left_out(name, _starts(ground, name))


def _starts(ground: Ground, name: str) -> Iterator[Found]:
    def seconds(build: Build) -> float:
        return STARTS[name].ways[0](build, ground.data)

    if not ground.quick:
        _in_turn(ground, seconds, 1)
    ours, others = _in_turn(ground, seconds, 1 if ground.quick else 2)
    yield _faster(ground, name, ours, others)


def sweeps(ground: Ground) -> Iterator[Found]:
    """What a sweep takes beside the steps of its trials."""
    yield from _or_left_out("sweep", _sweeps(ground, 4 if ground.quick else 40))


def _sweeps(ground: Ground, trials: int) -> Iterator[Found]:
    images = ["--data=SyntheticDigits", "--data.train_size=5500", "--data.val_size=500", "--data.test_size=500"]
    options = ["--model=SDN8K", "--model.optimizer.lr=log:1e-4..1e-2", "--trainer.max_epochs=1", "--workers=1"]

    def seconds(build: Build) -> tuple[float, list[float]]:
        """Of the whole command, and from the start of each trial to that of the next, without steps."""
        with TemporaryDirectory(dir=build.scratch) as folder:
            ended = build.run("sweep", *images, *options, f"--trials={trials}", f"--run.dir={folder}")
            runs = sorted(map(Run.of, Path(folder).glob("*/trial-*")), key=lambda run: run.started)
            steps = [run.seconds or 0.0 for run in runs]
            begun = pairwise(datetime.fromisoformat(run.started) for run in runs)
            gaps = [(b - a).total_seconds() - took for (a, b), took in zip(begun, steps, strict=False)]
            return (ended.seconds - sum(steps)) / trials, gaps

    ours, others = _in_turn(ground, seconds, 1)
    name = f"a sweep of {trials} trials of SDN8K on 5,000 images, a trial beyond its steps"
    whole, other_whole = (Figure([each for each, _ in side]) for side in (ours, others))
    yield _less(ground, name, whole, other_whole, Mark(0.25, 0.1))
    between, other_between = (Figure([gap for _, gaps in side for gap in gaps]) for side in (ours, others))
    yield _less(ground, f"{name}, without the sweep's own start and end", between, other_between)


def memory(ground: Ground) -> Iterator[Found]:
    """The peak of a fit."""
    yield from _or_left_out("memory", _memory(ground))


def _memory(ground: Ground) -> Iterator[Found]:
    def most(build: Build, *command: str) -> float:
        return said(build.python(peak.__file__, *command).output)[-1]

    def above(build: Build) -> float:
        with TemporaryDirectory(dir=build.scratch) as folder:
            load = Load("LargeModel", 10, epochs=1)
            return most(build, "mnistlab", *load.fit(ground.data, Path(folder))) - imported

    imported = most(ground.builds[0], "lightning.pytorch.cli")
    ours, others = (Figure(each, "MiB") for each in _in_turn(ground, above, 1 if ground.quick else 2))
    yield _less(ground, "peak memory of a fit of LargeModel above the import", ours, others, Mark(0.8, 0.6))


def accuracy(ground: Ground) -> Iterator[Found]:
    """Seconds of the training of Best, and what it reaches."""
    yield from _or_left_out(BEST.preset, _best(ground))


def _best(ground: Ground) -> Iterator[Found]:
    def trained(seed: int, build: Build) -> Run:
        """A run, of which the folder has gone."""
        preset = [f"--config={BEST.preset}", f"--seed_everything={seed}", "--run.test=true"]
        with TemporaryDirectory(dir=build.scratch) as folder:
            build.run("fit", *ground.data, *preset, f"--run.dir={folder}")
            (path,) = Path(folder).glob("*/*")
            return Run.of(path)

    ours: list[Run] = []
    others: list[Run] = []
    for seed in range(ground.seeds):
        (our,), (other,) = _in_turn(ground, partial(trained, seed), 1, first=seed)
        ours.append(our)
        others.append(other)
    reached = [mean((run.test_acc or 0.0) * 100 for run in side) for side in (ours, others)]
    enough = ground.seeds >= BEST.seeds
    found = _faster(
        ground,
        f"{BEST.preset}, training",
        [run.seconds or 0.0 for run in ours],
        [run.seconds or 0.0 for run in others],
        Mark(1.25, 1.5, at_least=True) if enough else None,
    )
    how = f"{found.how}; {reached[1]:.2f} % and here {reached[0]:.2f} % on the test images"
    more = "" if enough else f". The mark is for {BEST.seeds} seeds: --seeds={BEST.seeds}."
    yield replace(found, how=f"{how}{more}", judged=reached[0] >= BEST.accuracy)


def _in_turn(
    ground: Ground, measure: Callable[[Build], Measured], rounds: int, first: int = 0
) -> tuple[list[Measured], list[Measured]]:
    """What is measured of both builds, round by round; each goes first as often as the other."""
    found: dict[str, list[Measured]] = {build.name: [] for build in ground.builds}
    for number in range(first, first + rounds):
        for build in ground.builds[:: -1 if number % 2 else 1]:
            found[build.name].append(measure(build))
    ours, others = found.values()
    return ours, others


def _faster(
    ground: Ground, name: str, ours: Sequence[float], others: Sequence[float], mark: Mark | None = None
) -> Result:
    """How many times as fast this build is: its seconds below those of the other."""
    this, other = (build.name for build in ground.builds)
    return ratio(name, (other, Figure(others)), (this, Figure(ours)), mark, paired=True)


def _less(ground: Ground, name: str, ours: Figure, others: Figure, mark: Mark | None = None) -> Result:
    """What part of the other's this build needs."""
    this, other = (build.name for build in ground.builds)
    return ratio(name, (this, ours), (other, others), mark, paired=len(ours.values) == len(others.values))


def _or_left_out(name: str, found: Iterator[Found]) -> Iterator[Found]:
    """What is found; where a build cannot do that, or keeps it otherwise, a word why."""
    try:
        yield from found
    except (LabError, ValueError, IndexError, ZeroDivisionError) as error:
        yield LeftOut(name, str(error))
