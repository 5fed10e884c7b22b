"""Two processes train one model; the default tests have two of these, that what they share is run at all."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from forked import Popen, children
from lightning.fabric.plugins.environments.lightning import find_free_network_port
from support import rates

from mnistlab.cli import main
from mnistlab.runs.folder import LAST

TWO = ("--trainer.accelerator=cpu", "--trainer.devices=2", "--trainer.strategy=ddp")
LIMIT_S = 150
SLOW_BLOWS = [(0, signal.SIGKILL), (0, signal.SIGSTOP), (1, signal.SIGSTOP)]

SPY = """
import json, sys
from mnistlab.classifier import Classifier
from mnistlab.cli import main

step = Classifier.training_step

def spying(self, batch, batch_idx):
    images = batch[0].flatten(1).sum(dim=1, dtype=float).tolist()
    with open(f"seen-{self.global_rank}.jsonl", "a") as file:
        file.write(json.dumps([self.current_epoch, images]) + "\\n")
    return step(self, batch, batch_idx)

if __name__ == "__main__":
    Classifier.training_step = spying
    sys.exit(main())
"""

KILLING = """
import os, random, signal, sys
import torch
from mnistlab.classifier import Classifier
from mnistlab.cli import main

step, start = Classifier.training_step, Classifier.on_fit_start

def starting(self):
    start(self)
    if "own" in os.environ.get("RANDOM", ""):  # numbers of its own for each process
        torch.manual_seed(self.global_rank)
        random.seed(self.global_rank)

def killing(self, batch, batch_idx):
    if self.global_step == int(os.environ.get("KILLED_AT", -1)):
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch, batch_idx)

if __name__ == "__main__":
    Classifier.training_step, Classifier.on_fit_start = killing, starting
    sys.exit(main())
"""


@contextmanager
def _started(*command: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Start Python; in the end nothing of it is left. It meets where it likes, not where a test before has met."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MASTER_ADDR", "MASTER_PORT")}
    process = Popen(
        [sys.executable, *command],
        env={**inherited, "OMP_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _ended(*command: str) -> tuple[int, str]:
    """Let Python run, with a hard time limit; its exit code and what it wrote."""
    with _started(*command) as process:
        output, _ = process.communicate(timeout=LIMIT_S)
    return process.returncode, output


def _run(*command: str) -> str:
    """The same of what must succeed; what it wrote on the screen."""
    code, output = _ended(*command)
    assert code == 0, output
    return output


def _only_run(root: Path) -> Path:
    (folder,) = root.glob("*/*")
    return folder


def _record_of(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return record


@pytest.fixture
def options(small_data: tuple[str, ...]) -> list[str]:
    """A run of two epochs; 499 training images do not divide by two, nor do 101 or 199."""
    sizes = ("--data.train_size=600", "--data.test_size=199", "--data.val_size=101")
    metrics = "--model.metrics=Top3Accuracy,CalibrationError"
    return ["--model=TinyModel", metrics, small_data[0], *sizes, "--trainer.max_epochs=2", *TWO]


def test_two_processes_train_on_disjoint_shards_and_leave_one_record(here: Path, options: list[str]) -> None:
    """No image is seen twice in an epoch, the record knows of both, and the figures are exact."""
    (here / "spy.py").write_text(SPY)

    output = _run("spy.py", "fit", *options)

    seen = [[json.loads(line) for line in (here / f"seen-{rank}.jsonl").read_text().splitlines()] for rank in (0, 1)]
    for epoch in (0, 1):
        shards = [[image for at, images in rank if at == epoch for image in images] for rank in seen]
        assert [len(shard) for shard in shards] == [249, 249]
        assert not set(shards[0]) & set(shards[1])
    folder = _only_run(here / "runs")
    record = _record_of(folder)
    assert (record["status"], record["processes"], record["effective_batch_size"]) == ("finished", 2, 256)
    assert len((folder / "metrics.csv").read_text().splitlines()) == 3
    assert output.count("kept in") == 1
    _check_figures(folder, record)


def _check_figures(folder: Path, record: dict[str, Any]) -> None:
    """One process measures the same on the best checkpoint."""
    checkpoint = f"--ckpt_path={folder / 'checkpoints' / 'best.ckpt'}"
    for command, split, wanted in (
        ("validate", "val", record["metrics"]["best"]),
        ("test", "test", record["metrics"]["test"]),
    ):
        assert main([command, checkpoint, "--trainer.devices=1", f"--run.dir={command}"]) == 0
        alone = _record_of(_only_run(Path(command)))["metrics"]
        assert all(alone[f"{split}/{name}"] == wanted[f"{split}/{name}"] for name in ("acc", "top3"))
        assert alone[f"{split}/ece"] == pytest.approx(wanted[f"{split}/ece"], rel=1e-5)
        assert alone[f"{split}/loss"] == pytest.approx(wanted[f"{split}/loss"], rel=1e-6)


@pytest.mark.slow
def test_a_test_in_two_processes_is_that_in_one(here: Path, options: list[str]) -> None:
    """Every test image counts exactly once, and there is one record."""
    one = [option for option in options if option not in TWO]
    assert main(["fit", *one, "--run.test=false"]) == 0
    checkpoint = f"--ckpt_path={_only_run(here / 'runs')}"
    assert main(["test", checkpoint, "--run.dir=alone"]) == 0

    _run("-m", "mnistlab", "test", checkpoint, *TWO, "--run.dir=together")

    alone, together = (_record_of(_only_run(here / name))["metrics"] for name in ("alone", "together"))
    assert all(together[name] == alone[name] for name in ("test/acc", "test/top3"))
    assert together["test/ece"] == pytest.approx(alone["test/ece"], rel=1e-5)
    assert together["test/loss"] == pytest.approx(alone["test/loss"], rel=1e-6)


@pytest.mark.slow
def test_two_processes_continue_a_run(here: Path, options: list[str]) -> None:
    """A run of one epoch made longer by one ends with the weights and the table of a run of two."""
    constant = [*options, "--model.scheduler=null"]
    _run("-m", "mnistlab", "fit", *constant, "--run.dir=whole")
    _run("-m", "mnistlab", "fit", *constant, "--run.dir=parts", "--trainer.max_epochs=1")
    whole, parts = _only_run(here / "whole"), _only_run(here / "parts")

    _run("-m", "mnistlab", "fit", f"--ckpt_path={parts}", "--trainer.max_epochs=2")

    assert _only_run(here / "parts") == parts
    assert (whole / "metrics.csv").read_text() == (parts / "metrics.csv").read_text()
    last = [torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True) for folder in (whole, parts)]
    assert all(torch.equal(last[0]["state_dict"][name], last[1]["state_dict"][name]) for name in last[0]["state_dict"])
    assert [segment["status"] for segment in _record_of(parts)["segments"]] == ["finished", "finished"]


@pytest.mark.slow
@pytest.mark.parametrize("random", ["one", "own"])
def test_two_processes_killed_within_an_epoch_lose_nothing(
    here: Path, options: list[str], monkeypatch: pytest.MonkeyPatch, random: str
) -> None:
    """They go on to the table and weights of an undisturbed run, whether they draw the same numbers or their own."""
    (here / "killing.py").write_text(KILLING)
    monkeypatch.setenv("RANDOM", random)
    more = ("--data.batch_size=32", "--data.augment=RandomDistortion", "--run.checkpoint_every_n_steps=1")
    _run("killing.py", "fit", *options, *more, "--run.dir=whole")
    with monkeypatch.context() as patch:
        patch.setenv("KILLED_AT", "11")
        assert _ended("killing.py", "fit", *options, *more, "--run.dir=parts")[0] == -signal.SIGKILL
    whole, parts = _only_run(here / "whole"), _only_run(here / "parts")
    assert torch.load(parts / LAST, weights_only=True)["global_step"] == 11

    _run("killing.py", "fit", f"--ckpt_path={parts}")

    assert (parts / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()
    last = [torch.load(folder / LAST, weights_only=True) for folder in (whole, parts)]
    assert all(torch.equal(last[0]["state_dict"][name], last[1]["state_dict"][name]) for name in last[0]["state_dict"])


@pytest.mark.slow
def test_a_run_goes_on_in_two_processes_where_a_fresh_one_would_be(here: Path, options: list[str]) -> None:
    """An epoch has half as many steps then; the learning rate is where that of two processes from the start is."""
    one = [option for option in options if option not in TWO]
    assert main(["fit", *one, "--run.dir=parts", "--data.batch_size=32"]) == 0
    parts = _only_run(here / "parts")
    longer = "--trainer.max_epochs=3"
    _run("-m", "mnistlab", "fit", *options, "--run.dir=fresh", "--data.batch_size=32", longer)

    _run("-m", "mnistlab", "fit", f"--ckpt_path={parts}", *TWO, longer)

    assert rates(parts)[2:] == rates(_only_run(here / "fresh"))[2:]


@pytest.mark.slow
def test_two_processes_keep_what_each_has_accumulated(here: Path, options: list[str]) -> None:
    """From a checkpoint between two steps, written by a callback after a validation, to the same weights."""
    kept = [
        f"--trainer.callbacks.{name}" for name in ("save_top_k=-1", "save_on_train_epoch_end=false", "dirpath=kept")
    ]
    ways = ["--data.batch_size=64", "--trainer.accumulate_grad_batches=2", "--trainer.val_check_interval=3"]
    ways.append("--trainer.check_val_every_n_epoch=null")
    fit = ["-m", "mnistlab", "fit", *options, *ways, "--trainer.callbacks=ModelCheckpoint", *kept]
    _run(*fit, "--run.dir=whole")
    between = next(path for path in sorted(Path("kept").glob("*.ckpt")) if _gradients(path))
    assert {len(each) for each in _gradients(between).values()} == {2}

    _run(*fit, f"--ckpt_path={between}", "--run.dir=again", "--trainer.callbacks.dirpath=others")

    last = [torch.load(_only_run(here / name) / LAST, weights_only=True)["state_dict"] for name in ("whole", "again")]
    assert all(torch.equal(last[0][name], last[1][name]) for name in last[0])


def _gradients(path: Path) -> dict[str, torch.Tensor]:
    """What has been accumulated for the next step when a checkpoint was written."""
    gradients: dict[str, torch.Tensor] = torch.load(path, weights_only=True)["mnistlab"]["gradients"]
    return gradients


def _wait_for(what: Callable[[], Any]) -> Any:
    """Look until there is something."""
    until = time.monotonic() + LIMIT_S
    while not (found := what()):
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.05)
    return found


def _hit(options: list[str], rank: int, blow: signal.Signals, *, early: bool = False) -> tuple[int, str]:
    """Train in two processes and send one a signal; the exit code of the first, and what both have written.

    Neither is left, and both have ended in good time.
    """
    long = [*options, "--trainer.max_epochs=100000", "--run.process_timeout=3"]
    with _started("-m", "mnistlab", "fit", *long) as process:
        first = psutil.Process(process.pid)
        (second,) = _wait_for(lambda: children(first))  # the process that Lightning has started
        if not early:
            _wait_for(lambda: list(Path().glob("runs/*/*/metrics.csv")))
        (first, second)[rank].send_signal(blow)
        output, _ = process.communicate(timeout=60)
        assert not psutil.wait_procs([second], timeout=10)[1]
    return process.returncode, output


@pytest.mark.parametrize(
    ("rank", "blow"),
    [
        (1, signal.SIGKILL),
        *(pytest.param(rank, blow, marks=pytest.mark.slow) for rank, blow in SLOW_BLOWS),
    ],
)
def test_nobody_waits_for_a_process_that_is_lost(
    here: Path, options: list[str], rank: int, blow: signal.Signals
) -> None:
    """It is named in a line, the record says so, and the run can be continued."""
    code, output = _hit(options, rank, blow)

    folder = _only_run(here / "runs")
    *_, message, way_on = output.splitlines()
    assert code == (1 if rank else -signal.SIGKILL)
    assert message.startswith(f"mnistlab: rank {rank} of 2, process ")
    assert ("was stopped 3 s ago" in message) == (blow is signal.SIGSTOP)
    assert "gloo" not in output
    assert "Traceback" not in output
    record = _record_of(folder)
    assert (record["status"], record["segments"][-1]["status"]) == ("failed", "failed")
    assert record["segments"][-1]["error"] in message
    assert way_on == f"  mnistlab fit --ckpt_path={folder.relative_to(here)}"
    done = len((folder / "metrics.csv").read_text().splitlines()) - 1
    one = ("--trainer.devices=1", "--trainer.strategy=auto")
    assert main(["fit", f"--ckpt_path={folder}", f"--trainer.max_epochs={done + 1}", *one]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_nobody_waits_for_a_process_that_never_came(here: Path, options: list[str], rank: int) -> None:
    """Nothing is left behind, no folder either."""
    code, output = _hit(options, rank, signal.SIGKILL, early=True)

    assert code == (1 if rank else -signal.SIGKILL)
    assert output.count("mnistlab: ") == 1
    assert f"mnistlab: rank {rank} of 2, process " in output
    assert not list(here.glob("runs/*/*"))


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_of_the_first_process_ends_both(here: Path, options: list[str], blow: signal.Signals) -> None:
    """Also one that Lightning would pass on while they compute, and wait for an answer for ever."""
    code, output = _hit(options, 0, blow)

    assert code == 130
    assert output.count("mnistlab: ") == 1
    assert "mnistlab: interrupted. Go on with:" in output
    assert _record_of(_only_run(here / "runs"))["status"] == "interrupted"


@pytest.mark.slow
def test_two_processes_of_slurm_leave_one_record(here: Path, options: list[str]) -> None:
    """Which has the figures of two that Lightning has started; what it keeps itself of another run is not looked at."""
    _run("-m", "mnistlab", "fit", *options, "--run.dir=alone")
    (here / "hpc_ckpt_1.ckpt").write_bytes((_only_run(here / "alone") / LAST).read_bytes())
    slurm = {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_JOB_ID": "99", "SLURM_NODEID": "0"}
    slurm |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(find_free_network_port())}
    command = ("-m", "mnistlab", "fit", *options, "--run.dir=slurm")

    with (
        _started(*command, **slurm, SLURM_PROCID="0", SLURM_LOCALID="0") as first,
        _started(*command, **slurm, SLURM_PROCID="1", SLURM_LOCALID="1") as second,
    ):
        outputs = [process.communicate(timeout=LIMIT_S)[0] for process in (first, second)]

    assert [first.returncode, second.returncode] == [0, 0], outputs
    alone, together = (_only_run(here / name) for name in ("alone", "slurm"))
    assert (alone / "metrics.csv").read_text() == (together / "metrics.csv").read_text()
    assert _record_of(alone)["metrics"] == _record_of(together)["metrics"]


@pytest.mark.slow
def test_all_processes_end_where_the_loss_is_no_number(here: Path, options: list[str]) -> None:
    """The first of them says so, once."""
    code, output = _ended("-m", "mnistlab", "fit", *options, "--model.optimizer=SGD", "--model.optimizer.lr=1e30")

    assert code == 1
    assert output.count("the loss is nan") == 1
    assert "Start anew at a lower rate" in output.splitlines()[-1]
    assert _record_of(_only_run(here / "runs"))["status"] == "diverged"
