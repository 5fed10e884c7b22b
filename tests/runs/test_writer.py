"""One process at a time writes into the folder of a run."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import Popen
from lightning.pytorch import Trainer
from support import record_of

from mnistlab import main
from mnistlab.errors import LabError
from mnistlab.runs.keeper import Keeper
from mnistlab.runs.writer import alone
from mnistlab.system.processes import SILENT_S, this_process

Fit = Callable[..., Path]
Change = Callable[..., None]
GONE = {**this_process(), "process": 2**22 + 1}
ELSEWHERE = {**this_process(), "host": "elsewhere", "process": 7}
PATHS = os.pathsep.join([".", *sys.path])
SLOW = """
import time
from pathlib import Path
from lightning.pytorch import Callback

class Slow(Callback):
    def on_train_epoch_start(self, trainer, pl_module):
        Path("begun").touch()
        time.sleep(60)
"""


def files(folder: Path) -> dict[Path, tuple[bytes, int]]:
    """What lies in a folder, and since when."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def other(here: Path) -> Iterator[Callable[[Path], Popen]]:
    """A process that goes on with a run and is in the midst of an epoch."""
    (here / "slow.py").write_text(SLOW)
    begun: list[Popen] = []

    def start(run: Path) -> Popen:
        command = ["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2", "--trainer.callbacks=slow.Slow"]
        process = Popen([sys.executable, "-m", "mnistlab", *command], env={**os.environ, "PYTHONPATH": PATHS})
        begun.append(process)
        while not (here / "begun").exists():
            assert process.poll() is None
            time.sleep(0.05)
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_second_process_is_refused_until_the_first_is_gone(
    fit: Fit, other: Callable[[Path], Popen], capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, before anything is written; a process that was killed leaves nothing that is in the way."""
    run = fit()
    first = other(run)
    before = files(run)
    capsys.readouterr()

    again = ["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2", "--trainer.callbacks=null", "--trust=slow"]
    assert main(again) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"mnistlab: {run} is running (process {first.pid} on ")
    assert error.count("\n") == 1
    assert files(run) == before

    first.send_signal(signal.SIGKILL)
    first.wait()
    assert main(again) == 0
    assert [part["status"] for part in record_of(run)["segments"]] == ["finished", "lost", "finished"]
    assert not list(run.glob(".*"))


def test_a_run_of_another_machine_is_left_alone_while_it_gives_signs_of_life(
    fit: Fit, change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    """By `fit` and by `runs rm`; then it is lost, as one of this machine whose process is gone."""
    run = fit()
    change(run, status="running", **ELSEWHERE)
    before = files(run)
    capsys.readouterr()
    for command in (["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"], ["runs", "rm", "last", "--yes"]):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert "is running (process 7 on elsewhere)" in error
        assert "if that machine is gone, wait until it has given no sign of life for 10 minutes" in error
    assert files(run) == before

    os.utime(run / "run.json", (0, time.time() - SILENT_S - 1))
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 0
    assert record_of(run)["status"] == "finished"


def test_of_two_that_begin_at_once_one_is_refused(fit: Fit, change: Change) -> None:
    """When both have found that nobody trains it; what the other one has written stays."""
    run = fit()
    before = json.loads((run / "run.json").read_text())
    with alone(run, before):
        change(run, status="running", **ELSEWHERE)

    with pytest.raises(LabError, match="is running"), alone(run, before):
        pytest.fail("two at once")
    change(run, status="finished")
    with pytest.raises(LabError, match="has been written by another process meanwhile"), alone(run, before):
        pytest.fail("it would go on from a checkpoint that is none of its last ones")


def test_what_was_being_written_when_a_process_ended_is_cleared(fit: Fit, change: Change) -> None:
    """At the next start of the run."""
    run = fit()
    change(run, status="running", **GONE)
    for left_over in (run / ".run.json.tmp", run / f".metrics.csv.{2**22 + 1}.tmp", run / "checkpoints/.last.ckpt.tmp"):
        left_over.write_text("half")

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 0
    assert not list(run.rglob(".*"))


def test_who_had_been_taken_for_gone_writes_nothing_any_more(
    fit: Fit, change: Change, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as a machine that slept while another one took its run over."""
    run = fit()
    real = Keeper._save
    seen: list[dict[Path, tuple[bytes, int]]] = []

    def save(keeper: Keeper, trainer: Trainer, name: Path) -> None:
        if not seen:
            change(run, **ELSEWHERE)
            seen.append(files(run))
        real(keeper, trainer, name)

    monkeypatch.setattr(Keeper, "_save", save)
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=3"]) == 2
    assert "goes on elsewhere" in capsys.readouterr().err
    assert files(run) == seen[0]
