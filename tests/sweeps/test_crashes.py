"""Sweeps whose processes are killed, crash, or are interrupted, with real workers and the shipped times."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from forked import Popen, children

OPTIONS = (
    "--model=TinyModel",
    "--model.hidden_dim=choice:16,32",
    "--model.optimizer.lr=choice:0.001,0.01",
    "--data=SyntheticDigits",
    "--data.train_size=6000",
    "--data.test_size=200",
    "--data.val_size=500",
    "--trainer.max_epochs=8",
    "--name=it",
)
PROGRAM = (  # a shell may have turned Ctrl-C off for what it starts in the background
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom mnistlab.cli import entry; entry()"
)
JUDGED = (
    "--baseline.model=SDN8K",
    "--baseline.data=SyntheticDigits",
    "--baseline.data.train_size=6000",
    "--baseline.data.test_size=200",
    "--baseline.data.val_size=500",
    "--baseline.trainer.max_epochs=4",
    "--model.optimizer.lr=0.01",
    "--max_pairs=2",
    "--name=it",
    "--json",
)
PATIENCE_S = 120


def start(folder: Path, *options: str, command: str = "sweep") -> Popen:
    """A sweep as a process of its own, in its own folder."""
    folder.mkdir(exist_ok=True)
    return Popen(
        [sys.executable, "-c", PROGRAM, command, *(options or (*OPTIONS, "--workers=2"))],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(sweep: Popen, code: int = 0) -> str:
    """Wait for its end, which must be good; what it printed."""
    out, _ = sweep.communicate(timeout=PATIENCE_S)
    assert sweep.returncode == code, out
    return out


def wait_until(what: Callable[[], bool]) -> None:
    """Look until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


def epochs(folder: Path) -> int:
    """How many epochs have been kept in all runs."""
    return sum(len(path.read_text().splitlines()) - 1 for path in folder.glob("runs/it/*/metrics.csv"))


def outcome(folder: Path) -> dict[str, tuple[str, object]]:
    """The table and the metrics of each run."""
    found = {}
    for path in sorted(folder.glob("runs/it/*/run.json")):
        record = json.loads(path.read_text())
        assert record["status"] == "finished"
        found[path.parent.name] = ((path.parent / "metrics.csv").read_text(), record["metrics"])
    return found


def reports(folder: Path) -> list[tuple[str, int, float]]:
    """What the database was told of each epoch of each job that has finished."""
    query = (
        "select a.value_json, i.step, i.intermediate_value "
        "from trial_intermediate_values i join trials t using(trial_id) "
        "join trial_user_attributes a using(trial_id) where t.state = 'COMPLETE' and a.key = 'job'"
    )
    with sqlite3.connect(folder / "runs/it/sweep.db") as database:
        return sorted(database.execute(query))


def states(folder: Path) -> list[str]:
    """The states of all trials of Optuna."""
    with sqlite3.connect(folder / "runs/it/sweep.db") as database:
        return [state for (state,) in database.execute("select state from trials")]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same sweep, with one worker, left alone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(start(folder, *OPTIONS, "--workers=1"))
    return folder


def is_as_undisturbed(folder: Path, undisturbed: Path) -> bool:
    """Whether every figure is the same to the bit, and every job was finished once."""
    assert states(folder).count("COMPLETE") == 4
    assert {"RUNNING", "WAITING"}.isdisjoint(states(folder))
    assert reports(folder) == reports(undisturbed)
    return outcome(folder) == outcome(undisturbed)


def family(sweep: Popen) -> list[psutil.Process]:
    """A sweep and its workers."""
    parent = psutil.Process(sweep.pid)
    return [parent, *children(parent)]


def kill_a_worker(sweep: Popen) -> None:
    """The sweep itself goes on, with another one."""
    family(sweep)[1].kill()


def kill_all(sweep: Popen) -> None:
    """As a power cut does."""
    for process in family(sweep):
        process.kill()


def kill_the_parent(sweep: Popen) -> None:
    """Its workers end by themselves, and leave nothing running behind."""
    _, *workers = family(sweep)
    sweep.kill()

    assert workers
    assert not psutil.wait_procs(workers, timeout=30)[1]


def press_ctrl_c(sweep: Popen) -> None:
    """It says how to go on, and leaves nothing running behind."""
    assert "stopping; the trials that run can be continued" in interrupted(sweep, signal.SIGINT)


def close_the_terminal(sweep: Popen) -> None:
    """It is the same."""
    interrupted(sweep, signal.SIGHUP)


def interrupted(sweep: Popen, number: signal.Signals) -> str:
    """What it says in the end."""
    _, *workers = family(sweep)
    sweep.send_signal(number)
    out, _ = sweep.communicate(timeout=PATIENCE_S)

    assert sweep.returncode == 130
    assert "Go on with:\n  mnistlab sweep --model=TinyModel" in out
    assert not any(worker.is_running() for worker in workers)
    return out


@pytest.mark.slow
def test_nothing_is_lost_whatever_is_killed(tmp_path: Path, undisturbed: Path) -> None:
    """The same command goes on from the checkpoints, to the figures of one worker that was left alone.

    More often than a trial may kill its own worker: it is not to blame here.
    """
    blows = (kill_all, kill_a_worker, press_ctrl_c, close_the_terminal, kill_the_parent, kill_all, kill_all)
    sweep = start(tmp_path)
    for number, blow in enumerate(blows):
        wait_until(lambda number=number: epochs(tmp_path) > 2 * number)  # type: ignore[misc]  # of 16, two trials end
        blow(sweep)
        if blow is not kill_a_worker:
            assert blow is kill_all or "RUNNING" not in states(tmp_path)  # it may fall between two trials
            if not sweep.stdout.closed:  # type: ignore[union-attr]
                sweep.communicate()
            sweep = start(tmp_path)
    out = finish(sweep)

    assert "failed" not in out
    assert is_as_undisturbed(tmp_path, undisturbed)
    segments = [len(json.loads(path.read_text())["segments"]) for path in tmp_path.glob("runs/it/*/run.json")]
    assert max(segments) > 2


@pytest.mark.slow
def test_a_judgement_that_is_killed_goes_on_to_the_same_figures(tmp_path: Path) -> None:
    """Those of one that was left alone, whatever was killed; each run of the four is finished once."""
    alone = finish(start(tmp_path / "alone", *JUDGED, "--workers=1", command="judge"), 4)
    folder, words = tmp_path / "killed", (*JUDGED, "--workers=2")
    judgement = start(folder, *words, command="judge")
    for number, blow in enumerate((kill_all, kill_a_worker, kill_all)):
        wait_until(lambda number=number: epochs(folder) > 2 * number)  # type: ignore[misc]  # of 16
        blow(judgement)
        if blow is kill_all:
            judgement.communicate()
            judgement = start(folder, *words, command="judge")
    out = finish(judgement, 4)

    assert json.loads(out[out.index("{") :]) == json.loads(alone[alone.index("{") :])
    assert outcome(folder) == outcome(tmp_path / "alone")
    assert states(folder).count("COMPLETE") == 4


def test_a_crash_costs_one_trial_and_is_told(tmp_path: Path) -> None:
    """A model that kills its process, one that runs out of memory, one that raises: each fails, the last one trains."""
    (tmp_path / "odd.py").write_text(
        "import os\n\nfrom mnistlab import SDN8K\n\n\n"
        + "".join(
            f"class {name}(SDN8K):\n"
            f'    """It fails."""\n\n    name = "{name.lower()}"\n\n'
            f"    def on_train_epoch_start(self) -> None:\n        {what}\n\n\n"
            for name, what in (
                ("Killer", "os.kill(os.getpid(), 9)"),
                ("Memory", "raise MemoryError"),
                ("Slip", 'raise RuntimeError("a slip")'),
            )
        )
    )
    data = [each for each in OPTIONS if each.startswith("--data")]
    sweep = start(
        tmp_path,
        "--model=choice:odd.Killer,odd.Memory,odd.Slip,SDN8K",
        *data,
        "--trainer.max_epochs=1",
        "--workers=2",
        "--name=it",
    )

    out = finish(sweep)

    assert "1 finished, 3 failed" in out
    assert "its process has died 3 times" in out
    assert "out of memory" in out
    assert "a slip" in out
