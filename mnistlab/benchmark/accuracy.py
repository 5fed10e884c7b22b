"""The presets that reach an accuracy in little time, trained, with the reference loop beside each run."""

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mnistlab.benchmark.epochs import QUIET, reference
from mnistlab.benchmark.figures import Figure, Mark, Result
from mnistlab.benchmark.fitting import fit
from mnistlab.benchmark.peers import Ground
from mnistlab.runs.run import Run


@dataclass(frozen=True)
class Goal:
    """An accuracy in time."""

    preset: str  # what is trained
    accuracy: float  # what the mean over the seeds must reach, in per cent
    mark: Mark  # seconds of training on a quiet machine
    seeds: int  # how many the mark asks for


BEST = Goal("Best", 99.6, Mark(60, 45), 5)


def accuracy(ground: Ground) -> Iterator[Result]:
    """Training seconds as runs record them, without import, validation and test, and the accuracy of each run."""
    yield _reached(ground, Goal("Quick99", 99.0, Mark(10, 5), 1), 1 if ground.quick else 3)
    if not ground.quick:
        yield _reached(ground, BEST, ground.seeds)


def _reached(ground: Ground, goal: Goal, seeds: int) -> Result:
    """A preset that is trained with the seeds from 0 on."""
    accuracies, seconds, loops = [], [], [reference(ground)]
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            options = [f"--config={goal.preset}", f"--seed_everything={seed}", "--run.test=true"]
            fit(ground.data, options, Path(folder))
            (path,) = Path(folder).glob("runs/*/*/run.json")
            run = Run.of(path.parent)
        accuracies.append((run.test_acc or 0.0) * 100)
        seconds.append(run.seconds or 0.0)
        loops.append(reference(ground))
    quiet = [took * 2 * QUIET / (loops[at] + loops[at + 1]) for at, took in enumerate(seconds)]
    mean = statistics.mean(accuracies)
    spread = f" ± {statistics.stdev(accuracies):.2f}" if seeds > 1 else ""
    enough = seeds >= goal.seeds
    how = (
        f"{mean:.2f}{spread} % on the test images, n = {seeds}; {Figure(seconds)} here, where the reference loop takes "
        f"{Figure(loops)} and a quiet machine {QUIET} s."
    )
    return Result(
        f"{goal.preset}, {goal.accuracy:g} % in seconds of a quiet machine",
        statistics.mean(quiet),
        "s",
        how if enough else f"{how} The mark is for {goal.seeds} seeds: --seeds={goal.seeds}.",
        goal.mark if enough and "--data=MNIST" in ground.data else None,
        {
            "quiet machine": Figure(quiet),
            "here": Figure(seconds),
            "reference loop": Figure(loops),
            "accuracy": Figure(accuracies, "%"),
        },
        judged=mean >= goal.accuracy,
    )
