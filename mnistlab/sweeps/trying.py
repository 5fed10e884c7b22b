"""Lets workers do all jobs, here or on a cluster, and shows how far they are."""

import shlex
from collections.abc import Sequence
from typing import TextIO

from mnistlab.sweeps.local_workers import Team
from mnistlab.sweeps.progress import Display, Watch, stopping_told
from mnistlab.sweeps.study import Study
from mnistlab.training.failures import Interrupted


def try_all(
    study: Study,
    workers: int,
    launcher: str,
    again: Sequence[str],
    stream: TextIO,
    watch: Watch | None = None,
) -> None:
    """Do all jobs, or as many as are needed.

    Args:
        study: The sweep.
        workers: How many work at the same time.
        launcher: `processes` or `ray`.
        again: The command that goes on, without `mnistlab`.
        stream: Where it is told.
        watch: Looks after all again and again.

    Raises:
        LabError: If the workers cannot work.
        Interrupted: If the user ends it; then nothing runs any more.
    """
    study.free()
    try:
        with stopping_told(), Display(study, stream, watch) as display:
            if launcher == "ray":
                from mnistlab.sweeps.ray_workers import work_on_cluster  # noqa: PLC0415 - an extra

                work_on_cluster(study, workers, display.look)
            else:
                Team(study.plan, workers).work(study, display.look)
    except KeyboardInterrupt as error:
        command = shlex.join(["mnistlab", *again])
        raise Interrupted(f"interrupted. What has finished is kept. Go on with:\n  {command}") from error
