"""Runs that are named without an option, and their pages; torch is not needed to open one that is there."""

import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mnistlab.errors import LabError, tell
from mnistlab.runs.finding import find_checkpoint
from mnistlab.training.export_options import Export, is_newer
from mnistlab.training.invocation import Invocation
from mnistlab.training.typed import refuse_mistakes


@contextmanager
def called(runs: Sequence[str]) -> Iterator[None]:
    """Let errors call runs as they were typed, not by an option that was not."""
    try:
        yield
    except LabError as error:
        if str(error).startswith(tuple(f"--ckpt_path={run}" for run in runs)):
            raise LabError(str(error).removeprefix("--ckpt_path=")) from error
        raise


def refuse_runs(command: str, runs: Sequence[str], others: Sequence[str]) -> None:
    """Refuse what can be seen to be wrong with some runs, and with what was typed besides.

    Raises:
        LabError: For the first mistake.
    """
    for named in [[f"--ckpt_path={run}"] for run in runs] or [[]]:
        refuse_mistakes(command, [*named, *others])


def newer_page(command: str, runs: Sequence[str], others: Sequence[str], wanted: Export) -> Path | None:
    """The page of a run that was written after its weights, if there is one; of several runs there is none."""
    invocation = Invocation(command, [*(f"--ckpt_path={run}" for run in runs), *others])
    if invocation.ckpt_path is None or len(runs) > 1:
        return None
    made, folder = find_checkpoint(invocation.ckpt_path, invocation.root(), where=invocation.ckpt_where)
    path = wanted.path_of("html", folder)
    return path if is_newer(path, made) else None


def open_page(path: Path) -> int:
    """Show a page in the browser, or say where it is; the exit code."""
    if not webbrowser.open(path.resolve().as_uri()):
        tell(f"note: no browser is found here. Open {path} in one.")
    return 0
