"""The database of a sweep, used by several processes at once."""

import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from forked import Popen

pytestmark = pytest.mark.slow

WORKERS = """
import os, random, sys, time
import optuna
optuna.logging.set_verbosity(optuna.logging.CRITICAL)
kind, url = sys.argv[1:]
if kind == "ours":
    from mnistlab.sweeps.storage import open_storage
children = []
while len(children) < 3 and (child := os.fork()):
    children.append(child)
if len(children) == 3:
    sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
storage = open_storage(url) if kind == "ours" else optuna.storages.RDBStorage(url)
study = optuna.load_study(study_name="race", storage=storage)
waiting = (optuna.trial.TrialState.WAITING,)
while study.get_trials(deepcopy=False, states=waiting):
    trial = study.ask()
    if "point" not in trial.user_attrs:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        continue
    trial.set_user_attr("taken", trial.user_attrs.get("taken", 0) + 1)
    os.write(1, f"{trial.user_attrs['point']}\\n".encode())  # at once: the others write there too
    time.sleep(random.uniform(0, 0.004))
    study.tell(trial, 1.0)
"""
POINTS = 60


def race(folder: Path, kind: str) -> tuple[list[int], int]:
    """Which points three processes have taken, and how many of the processes have crashed."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'race.db'}"
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    study = optuna.create_study(study_name="race", storage=url)
    for point in range(POINTS):
        study.enqueue_trial({}, user_attrs={"point": point})
    process = Popen([sys.executable, "-c", WORKERS, kind, url], stdout=subprocess.PIPE, text=True)
    taken, _ = process.communicate(timeout=120)
    return sorted(map(int, taken.split())), process.returncode


def test_each_point_is_taken_by_one_process(tmp_path: Path) -> None:
    """And no process crashes."""
    assert race(tmp_path / "race", "ours") == (list(range(POINTS)), 0)


def test_the_hooks_are_still_needed(tmp_path: Path) -> None:
    """Where this fails, Optuna's own SQLite storage has become safe: mnistlab.sweeps.storage can do without hooks."""
    tries = (race(tmp_path / str(number), "stock") for number in range(6))

    assert any(found != (list(range(POINTS)), 0) for found in tries)
