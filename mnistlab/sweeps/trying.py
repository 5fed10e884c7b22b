"""Lets workers do all jobs, here or on a cluster, and shows how far they are."""

import sys
from typing import TextIO

from mnistlab.sweeps.local_workers import Team
from mnistlab.sweeps.progress import Display, stopping_told
from mnistlab.sweeps.study import Study


def try_all(study: Study, workers: int, launcher: str, stream: TextIO | None = None) -> None:
    """Do all jobs.

    Args:
        study: The sweep.
        workers: How many work at the same time.
        launcher: `processes` or `ray`.
        stream: Where it is told, standard output if not given.

    Raises:
        LabError: If the workers cannot work.
        KeyboardInterrupt: If the user ends it; then nothing runs any more.
    """
    study.free()
    with stopping_told(), Display(study, stream or sys.stdout) as display:
        if launcher == "ray":
            from mnistlab.sweeps.ray_workers import work_on_cluster  # noqa: PLC0415 - an extra

            work_on_cluster(study, workers, display.look)
        else:
            Team(study.plan, workers).work(study, display.look)
