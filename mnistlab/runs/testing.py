"""Where what the test of a run said of each image is kept: with the run, or with a later test of its weights."""

from pathlib import Path

from mnistlab.runs.folder import BEST, OUTCOMES, weights_of
from mnistlab.runs.summary import Run, read_runs
from mnistlab.system.files import is_file, stands


def tested_in(run: Run, root: Path) -> Path | None:
    """The folder with the outcomes of a run's test: its own, else that of the newest `test` of its weights as they are.

    Args:
        run: The run.
        root: The folder of all runs.

    Returns:
        None where there is no such test.
    """
    if stands(run.folder / OUTCOMES):
        return run.folder
    weights = str((weights_of(run.folder) or run.folder / BEST).resolve())
    later = [each for each in read_runs(root).all if each.text("checkpoint") == weights]
    fitting = [each for each in later if each.text("data") == run.text("data") and each.started > run.text("ended")]
    tested = [each for each in fitting if is_file(each.folder / OUTCOMES)]
    return max(tested, key=lambda each: each.started).folder if tested else None
