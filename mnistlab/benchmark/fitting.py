"""Runs of `mnistlab fit` in this process, as a user at a terminal has them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mnistlab.benchmark.clock import Clock
from mnistlab.benchmark.terminal import tail, terminal
from mnistlab.errors import LabError
from mnistlab.training.failures import RunFailedError
from mnistlab.training.running import run


def fit(data: Sequence[str], arguments: Sequence[str], folder: Path) -> None:
    """Train on `data`, as it is typed, with a bar, a table and checkpoints; what is shown goes to a file."""
    typed = [*data, *arguments, f"--run.dir={folder / 'runs'}"]
    try:
        with terminal(folder / "screen"):
            run("fit", typed)
    except LabError as error:
        raise RunFailedError(
            f"mnistlab fit {' '.join(typed)} has failed: {error}\n{tail(folder / 'screen')}"
        ) from error


def fitted(
    data: Sequence[str],
    model: str,
    folder: Path,
    epochs: int,
    *options: str,
    between: Callable[[], float] | None = None,
) -> Clock:
    """Train for some epochs, of which the first should not count; the clock of them, and of `between` before each."""
    clock = f"--trainer.callbacks={Clock.__module__}.{Clock.__qualname__}"
    length = f"--trainer.max_epochs={epochs}"
    Clock.between = between
    try:
        fit(data, [f"--model={model}", length, clock, "--run.test=false", *options], folder)
    finally:
        Clock.between = None
    return Clock.last
