"""Runs of `mnistlab fit` in this process, as a user at a terminal has them."""

import os
import pty
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from mnistlab.benchmark.clock import Clock
from mnistlab.benchmark.probes import option
from mnistlab.errors import LabError
from mnistlab.training.failures import RunFailedError
from mnistlab.training.running import run

_CHUNK = 65_536


@contextmanager
def terminal(log: Path) -> Iterator[None]:
    """Let standard output and error be a terminal of 80 columns, all of it kept in `log`."""
    ours, theirs = pty.openpty()
    copy = threading.Thread(target=_copy, args=(ours, log), daemon=True)
    copy.start()
    with os.fdopen(theirs, "w", buffering=1) as screen:
        before = os.environ.get("COLUMNS")
        os.environ["COLUMNS"] = "80"
        try:
            with redirect_stdout(screen), redirect_stderr(screen):
                yield
        finally:
            if before is None:
                del os.environ["COLUMNS"]
            else:
                os.environ["COLUMNS"] = before
    copy.join(timeout=5)
    os.close(ours)


def _copy(ours: int, log: Path) -> None:
    with log.open("ab") as file:
        while True:
            try:
                some = os.read(ours, _CHUNK)
            except OSError:  # what Linux says once nobody writes any more
                return
            if not some:
                return
            file.write(some)


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of what was shown."""
    sys.stdout.flush()
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def fit(data: Sequence[str], arguments: Sequence[str], folder: Path) -> None:
    """Train on `data`, as it is typed, with a bar, a table and checkpoints; what is shown goes to a file.

    Raises:
        RunFailedError: If it fails.
    """
    typed = [*data, *arguments, f"--run.dir={folder / 'runs'}"]
    try:
        with terminal(folder / "screen"):
            run(typed)
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
    length = f"--trainer.max_epochs={epochs}"
    Clock.between = between
    try:
        fit(data, [f"--model={model}", length, option(Clock), "--run.test=false", *options], folder)
    finally:
        Clock.between = None
    return Clock.last
