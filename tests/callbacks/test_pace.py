"""With how many threads a run computes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
from support import differences, outcome, record_of

from mnistlab.callbacks import pace
from mnistlab.cli import main

Fit = Callable[..., Path]
CORES = 2


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process as it is where nobody has chosen how many threads it has, and does not look at the machine."""
    monkeypatch.setattr(pace, "_WINDOW_S", 1e9)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch, two_threads: None) -> None:
    """A machine on which no core is ever idle; a look is taken at each step, and one thread is always worth it."""
    del two_threads
    monkeypatch.setattr(psutil.Process, "cpu_affinity", lambda _: [0, 1], raising=False)
    monkeypatch.setattr(psutil.Process, "cpu_times", lambda _: SimpleNamespace(user=0.0, system=0.0))
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: [SimpleNamespace(idle=0.0)] * CORES if percpu else None)
    monkeypatch.setattr(pace, "_WINDOW_S", 0.0)
    monkeypatch.setattr(pace, "_WORTH", 0.0)


@pytest.mark.usefixtures("two_threads")
def test_a_number_that_was_chosen_stays(fit: Fit) -> None:
    """The record has it, and the process has as many as before."""
    folder = fit("--threads=3")

    assert record_of(folder)["threads"] == [[0, 3]]
    assert record_of(folder)["machine"]["threads"] == 3
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_torch_is_not_told_the_number_that_it_has(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attention takes two thirds longer once it has been told any."""
    fit()  # the digits are drawn, with another number
    told: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", told.append)

    folder = fit()
    fit("--threads=2")
    assert main(["test", f"--ckpt_path={folder}"]) == 0
    assert told == []

    fit("--threads=1")
    assert set(told) == {1}


@pytest.mark.usefixtures("busy")
def test_a_busy_machine_gets_fewer_threads_and_is_told_once(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """From the batch on that the record has."""
    folder = fit("--trainer.max_epochs=3")

    (first, _), (later, fewer) = record_of(folder)["threads"]
    assert (first, fewer) == (0, 1)
    assert 0 < later < 12
    said = capsys.readouterr().err
    assert said.count("this machine is busy: others use 2.0 of its 2 cores") == 1
    assert "--threads=2 keeps all" in said


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("chosen", ["--threads=2", "OMP_NUM_THREADS"])
def test_who_chooses_keeps_the_bits(fit: Fit, monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    """Neither option nor variable is overruled."""
    if chosen == "OMP_NUM_THREADS":
        monkeypatch.setenv(chosen, "2")

    assert record_of(fit(*[chosen] * chosen.startswith("--")))["threads"] == [[0, 2]]


@pytest.mark.usefixtures("busy")
def test_a_run_is_done_again_with_the_threads_of_each_batch(
    fit: Fit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the machine is quiet by then."""
    folder = fit("--model=SDN8K", "--trainer.max_epochs=3")
    monkeypatch.setattr(pace, "_WINDOW_S", 1e9)

    assert main(["reproduce", str(folder)]) == 0

    assert "Bit-identical to" in capsys.readouterr().out
    again = next(each for each in Path("runs").glob("*/*") if each.name != folder.name)
    assert record_of(again)["threads"] == record_of(folder)["threads"]


@pytest.mark.usefixtures("two_threads")
def test_a_run_goes_on_with_as_many_as_it_was_begun(fit: Fit) -> None:
    """What another process has by default makes no difference."""
    whole = fit("--model=SDN8K", "--model.scheduler=null", "--trainer.max_epochs=2")
    parts = fit("--model=SDN8K", "--model.scheduler=null")
    torch.set_num_threads(1)

    assert main(["fit", f"--ckpt_path={parts}", "--trainer.max_epochs=2"]) == 0

    assert record_of(parts)["threads"] == [[0, 2]]
    assert not differences(outcome(whole), outcome(parts))


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_others_that_really_compute_are_noticed() -> None:
    """A program with as many threads as there are cores beside as many that use one wholly each."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    data = ["--data=SyntheticDigits", "--data.train_size=6000", "--data.test_size=500", "--data.val_size=500"]
    command = [sys.executable, "-m", "mnistlab", "fit", "--model=SDN68K", *data, "--trainer.max_epochs=20"]
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(psutil.cpu_count() or 1)]
    try:
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
        ) as run:
            said = any("this machine is busy" in line for line in run.stderr or ())
            run.kill()
    finally:
        for other in others:
            other.kill()
            other.wait()

    assert said or (psutil.cpu_count() or 1) == 1
