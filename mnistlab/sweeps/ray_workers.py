"""The workers of a sweep on the machines of a Ray cluster."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.sweeps.jobs import State
from mnistlab.sweeps.plan import Plan, plan_from
from mnistlab.sweeps.study import Study
from mnistlab.text.addresses import know, known

_LOOK_S = 0.25
_TRIES = 10  # how often Ray starts a worker again whose machine or process has died


def work_on_cluster(study: Study, workers: int, look: Callable[[], bool]) -> None:
    """Let workers work until all is done, wherever Ray places them.

    Ray starts a worker again that has died, on another machine if need be; Optuna's database hands out the jobs.

    Args:
        study: What they work on.
        workers: How many.
        look: Called again and again; it says whether no more is needed.

    Raises:
        LabError: If Ray is not installed, or the machines of the cluster have no database in common.
        KeyboardInterrupt: If the user ends it; then nothing runs any more.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise LabError("--launcher=ray: Ray is not installed. Run: pip install 'mnistlab[ray]'") from error
    plan = study.plan
    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    _refuse_file_between_machines(plan, sum(node["Alive"] for node in ray.nodes()))
    gpu = 1 if ray.cluster_resources().get("GPU") else 0
    task = ray.remote(num_cpus=plan.threads, num_gpus=gpu, max_retries=_TRIES)(_work)
    pending = [task.remote(plan.as_text(), str(Path.cwd()), known()) for _ in range(workers)]
    every = list(pending)
    try:
        while pending:
            done, pending = ray.wait(pending, timeout=_LOOK_S)
            ray.get(done)
            if look():
                break
    finally:
        for reference in every:
            ray.cancel(reference, force=True)
        _wait_until_free(study)
        look()


def _work(text: str, folder: str, passwords: Mapping[str, str]) -> None:
    """What runs on a machine of the cluster."""
    from mnistlab.sweeps.worker import work  # noqa: PLC0415 - sets its own threads and imports torch there

    os.chdir(folder)
    know(passwords)
    work(plan_from(text))


def _refuse_file_between_machines(plan: Plan, machines: int) -> None:
    if machines > 1 and plan.address.startswith("sqlite:"):
        raise LabError(
            f"--launcher=ray: this cluster has {machines} machines, which cannot share a file as a database. "
            "Add --storage=postgresql://user@host/name, and a --run.dir that all of them see."
        )


def _wait_until_free(study: Study) -> None:
    """Give the cancelled workers a moment to die, so that their jobs are free at once."""
    for _ in range(20):
        study.free()
        if not any(each.state is State.RUNNING for each in study.jobs().values()):
            return
        time.sleep(_LOOK_S)
