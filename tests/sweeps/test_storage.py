"""The database of a sweep, used by several processes at once."""

import subprocess
import sys
from pathlib import Path

import optuna
import pytest

pytestmark = pytest.mark.slow

WORKER = """
import random, sys, time
import optuna
optuna.logging.set_verbosity(optuna.logging.CRITICAL)
kind, url, begin = sys.argv[1:]
if kind == "ours":
    from mnistlab.sweeps.storage import open_storage
    storage = open_storage(url)
else:
    storage = optuna.storages.RDBStorage(url)
study = optuna.load_study(study_name="race", storage=storage)
time.sleep(max(0.0, float(begin) - time.time()))
waiting = (optuna.trial.TrialState.WAITING,)
while study.get_trials(deepcopy=False, states=waiting):
    trial = study.ask()
    if "point" not in trial.user_attrs:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        continue
    trial.set_user_attr("taken", trial.user_attrs.get("taken", 0) + 1)
    print(trial.user_attrs["point"], flush=True)
    time.sleep(random.uniform(0, 0.004))
    study.tell(trial, 1.0)
"""
POINTS = 60


def race(folder: Path, kind: str) -> tuple[list[int], int]:
    """Which points three processes have taken, and how many of the processes have crashed."""
    import time  # noqa: PLC0415 - only here

    folder.mkdir()
    url = f"sqlite:///{folder / 'race.db'}"
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    study = optuna.create_study(study_name="race", storage=url)
    for point in range(POINTS):
        study.enqueue_trial({}, user_attrs={"point": point})
    begin = time.time() + (12 if kind == "ours" else 3)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, kind, url, str(begin)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(3)
    ]
    outs = [worker.communicate(timeout=120)[0] for worker in workers]
    taken = [int(line) for out in outs for line in out.split()]
    return sorted(taken), sum(worker.returncode != 0 for worker in workers)


def test_each_point_is_taken_by_one_process(tmp_path: Path) -> None:
    """And no process crashes."""
    assert race(tmp_path / "race", "ours") == (list(range(POINTS)), 0)


def test_the_hooks_are_still_needed(tmp_path: Path) -> None:
    """Where this fails, Optuna's own SQLite storage has become safe: mnistlab.sweeps.storage can do without hooks."""
    tries = (race(tmp_path / str(number), "stock") for number in range(6))

    assert any(found != (list(range(POINTS)), 0) for found in tries)
