"""A run that can be repeated."""

from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.runs.hints import command_for
from mnistlab.runs.listing import find_run
from mnistlab.runs.run import Run
from mnistlab.runs.verdict import lower_rate


def ended_run(name: str, root: Path) -> Run:
    """The run of a training that has come to its end.

    Args:
        name: What the user calls it.
        root: Where runs are kept.

    Raises:
        LabError: If there is none.
    """
    folder = find_run(name, root)
    run = Run.of(folder)
    if run.command != "fit":
        raise LabError(f"{folder} is no training run, but one of `{run.command}`: repeat its command.")
    status = run.status
    if status == "running":
        raise LabError(f"{folder} is still running: there is nothing to compare with yet.")
    if status not in ("finished", "pruned"):
        why = "its process has died without a word" if status == "lost" else str(status)
        rate = [lower_rate(run.record)] if status == "diverged" else []
        way_on = command_for("fit", folder, *rate)
        raise LabError(f"{folder} has not come to its end: {why}. Go on with:\n  {way_on}")
    return run
