"""What goes wrong while a command runs: one line, the right exit code, and a record that says how it ended."""

import json
import os
import pty
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from mnistlab.cli import main

# A callback of the user's own, that does something at a moment of the run.
OWN = """
import os, signal
from lightning.pytorch import Callback
import torch

class Trouble(Callback):
    def __init__(self, moment: str = "on_train_batch_end", kind: str = "raise", epoch: int = 0):
        self.moment, self.kind, self.epoch = moment, kind, epoch

    def happen(self, trainer):
        if trainer.current_epoch < self.epoch:
            return
        if self.kind == "raise":
            raise KeyError("no such thing")
        if self.kind == "value":
            raise ValueError("no such value")
        if self.kind == "shape":
            torch.zeros(2) @ torch.zeros(3)
        if self.kind == "trainer":
            trainer.save_checkpoint(3)
        if self.kind == "memory":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB and a page more of text.")
        if self.kind == "cpu_memory":
            torch.empty(2**60)
        os.kill(os.getpid(), getattr(signal, self.kind))

def hook(name):
    def method(self, trainer, *_, **__):
        if self.moment == name:
            self.happen(trainer)
    return method

for name in ("setup", "on_fit_start", "on_train_start", "on_train_batch_end", "on_validation_start",
             "on_train_epoch_end", "on_fit_end", "on_test_start", "teardown"):
    setattr(Trouble, name, hook(name))
"""

Trouble = Callable[..., tuple[int, str, dict[str, Any] | None]]


@pytest.fixture
def trouble(here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Iterator[Trouble]:
    """Train with a callback that makes trouble; the exit code, the message and the record."""
    Path("own_trouble.py").write_text(OWN)
    sys.modules.pop("own_trouble", None)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    def run(kind: str, moment: str = "on_train_batch_end", epoch: int = 0, *more: str) -> Any:
        options = [f"--trainer.callbacks.{name}={value}" for name, value in (("kind", kind), ("moment", moment))]
        callback = ("--trainer.callbacks=own_trouble.Trouble", *options, f"--trainer.callbacks.epoch={epoch}")
        code = main(["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=2", *callback, *more])
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
        return code, capsys.readouterr().err, record_in(here)

    yield run
    sys.modules.pop("own_trouble", None)
    sys.path.remove(str(here))


def record_in(folder: Path) -> dict[str, Any] | None:
    """The record of the only run below a folder, if there is one."""
    found = list(folder.glob("runs/*/*/run.json"))
    record: dict[str, Any] | None = json.loads(found[0].read_text()) if found else None
    return record


MOMENTS = ["on_fit_start", "on_train_start", "on_train_batch_end", "on_validation_start", "on_train_epoch_end"]


@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("moment", [*MOMENTS, "on_fit_end", "on_test_start"])
def test_an_interrupted_run_says_so(trouble: Trouble, moment: str, kind: str) -> None:
    """In one line and one for the command that goes on, whenever it happens, with exit code 130."""
    code, message, record = trouble(kind, moment)

    assert code == 130
    first, *command = message.splitlines()
    assert first.startswith("mnistlab: interrupted.")
    assert len(command) == first.endswith("Go on with:")
    assert all(line.startswith("  mnistlab fit --ckpt_path=") for line in command)
    if moment in ("on_fit_start", "on_train_start"):
        assert record is None  # nothing is written before the training begins
        return
    assert record is not None
    assert record["status"] == record["segments"][-1]["status"] == "interrupted"
    assert record["ended"]


@pytest.mark.parametrize("kind", ["SIGHUP", "SIGUSR1", "SIGUSR2"])
def test_what_a_terminal_or_a_batch_system_sends_is_an_interruption(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Under SLURM too, where Lightning would write a checkpoint of its own and queue the job again."""
    for name in ("NTASKS", "JOB_ID", "PROCID", "LOCALID", "NODEID"):
        monkeypatch.setenv(f"SLURM_{name}", "1" if name == "NTASKS" else "0")

    before = signal.signal(signal.Signals[kind], signal.SIG_DFL)  # whatever has started the tests, `nohup` too
    try:
        code, message, record = trouble(kind, "on_train_batch_end", 1)
    finally:
        signal.signal(signal.Signals[kind], before)

    assert code == 130
    assert message.startswith("mnistlab: interrupted. Go on with:\n  mnistlab fit --ckpt_path=")
    assert record is not None
    assert record["status"] == "interrupted"
    assert not list(Path().glob("hpc_ckpt_*"))


def test_what_is_ignored_stays_so(trouble: Trouble) -> None:
    """As under `nohup`: the run goes on when the terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        code, _, record = trouble("SIGHUP", "on_train_batch_end", 1)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)

    assert code == 0
    assert record is not None
    assert record["status"] == "finished"


@pytest.mark.slow
def test_a_terminal_that_is_closed_ends_a_run(here: Path, small_data: tuple[str, ...]) -> None:
    """Its record says so, and it can be continued, although there is nobody to be told."""
    command = ["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=100000"]
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "mnistlab", *command])  # noqa: S606 - this program
    try:
        while not list(here.glob("runs/*/*/checkpoints/last.ckpt")):
            os.read(terminal, 65536)
        os.close(terminal)
        assert psutil.Process(child).wait(60) is not None
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    record = record_in(here)
    assert record is not None
    assert record["status"] == "interrupted"
    (folder,) = here.glob("runs/*/*")
    done = len((folder / "metrics.csv").read_text().splitlines()) - 1
    assert main(["fit", f"--ckpt_path={folder}", f"--trainer.max_epochs={done + 1}"]) == 0


@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM"])
def test_an_interruption_before_the_run_has_a_folder_leaves_none(trouble: Trouble, here: Path, kind: str) -> None:
    """There is nothing to go on with."""
    code, message, _ = trouble(kind, "setup")

    assert code == 130
    assert message.startswith("mnistlab: interrupted")
    assert not list(here.glob("runs/*/*/checkpoints/*"))


def test_the_way_on_after_an_interruption_works_as_it_is_typed(trouble: Trouble) -> None:
    """It is in the message, once there is a checkpoint."""
    _, message, _ = trouble("SIGINT", "on_train_batch_end", 1)
    command = message.partition("mnistlab fit ")[2].split()

    assert command
    assert main(["fit", *command, "--trainer.callbacks=null"]) == 0


def test_an_interrupted_test_says_so_too(
    trouble: Trouble, here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """It leaves no folder behind."""
    del trouble
    options = ("--trainer.callbacks.kind=SIGINT", "--trainer.callbacks.moment=on_test_start")
    callback = ("--trainer.callbacks=own_trouble.Trouble", *options)

    assert main(["test", "--untrained", "--model=TinyModel", *small_data, *callback]) == 130
    assert capsys.readouterr().err == "mnistlab: interrupted\n"
    assert not list(here.glob("runs/*/*"))


def test_an_interruption_while_importing_shows_no_traceback(here: Path) -> None:
    """Which is when an impatient user presses Ctrl-C."""
    waiting = "import os, signal, threading; threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()"
    script = f"{waiting}\nfrom mnistlab.cli import entry\nimport sys\nsys.argv = ['mnistlab', 'fit']\nentry()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (130, "mnistlab: interrupted\n")
    assert not list(here.iterdir())


IGNORING = """
import os, signal, sys

class Interrupted:
    def find_spec(self, name, path, target=None):
        if name == "{module}":
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                pass

sys.meta_path.insert(0, Interrupted())
from mnistlab.cli import entry
entry()
"""


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("fit --trainer.max_epochs=1", "lightning"),
        ("test --untrained", "torch"),
        ("test --untrained", "mnistlab.training.evaluate"),
        ("test --untrained --trainer.max_epochs=1", "lightning"),
        ("sweep --seeds=2", "lightning"),
        ("compare --models=TinyModel", "lightning"),
        ("explain --untrained", "mnistlab.data"),
    ],
)
def test_an_interruption_that_an_import_ignores_ends_the_command(here: Path, command: str, module: str) -> None:
    """As torch does, which tries some of its imports and goes on whatever they raise."""
    typed = [*command.split(), "--data=SyntheticDigits"]
    script = IGNORING.format(module=module)
    done = subprocess.run([sys.executable, "-c", script, *typed], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr.splitlines()[-1]) == (130, "mnistlab: interrupted")
    assert not list(here.iterdir())


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_an_interruption_at_any_moment_shows_no_traceback(small_data: tuple[str, ...]) -> None:
    """From the first one on: until there Python itself is starting, and answers as it likes."""
    command = ["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=100000"]
    hear = "import signal; from mnistlab import cli; signal.signal(signal.SIGINT, cli._leave)"  # as `entry` begins
    script = f"{hear}; import sys; sys.argv[1:] = {command}; print(flush=True); cli.entry()"
    for wait_ms in (*range(0, 30, 2), *range(30, 300, 30), 500, 1000, 2000, 3000):
        with subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(wait_ms / 1000)
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=60)

        assert process.returncode == 130, error
        assert error.startswith("mnistlab: interrupted")
        assert "Traceback" not in error


@pytest.mark.parametrize("error", ["RecursionError", "ImportError"])
def test_an_interruption_is_one_whatever_a_module_makes_of_it(
    here: Path, capsys: pytest.CaptureFixture[str], error: str
) -> None:
    """A large package that is interrupted in the middle of its import may raise anything."""
    interrupted = "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n"
    (here / f"halfway_{error.lower()}.py").write_text(f"{interrupted}    raise {error}")

    assert main(["fit", f"--model=halfway_{error.lower()}.Model"]) == 130
    assert capsys.readouterr().err == "mnistlab: interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interruption_is_of_one_command_only(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of several that a program runs, the next one ends as it would, whoever listens to Ctrl-C there."""
    (here / "halfway_here.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")

    assert main(["fit", "--model=halfway_here.Model"]) == 130
    capsys.readouterr()
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        assert main(["fit", "--model=NoSuchModel"]) == 2
    finally:
        signal.signal(signal.SIGINT, before)
    assert "NoSuchModel" in capsys.readouterr().err


def test_code_that_raises_is_named_with_its_line(trouble: Trouble) -> None:
    """It is the user's own, not the library that called it."""
    code, message, record = trouble("raise")

    assert code == 1
    assert message.startswith("mnistlab: KeyError: 'no such thing' (in ")
    assert "own_trouble.py, line 14; --debug shows more)" in message
    assert record is not None
    assert record["status"] == record["segments"][-1]["status"] == "failed"
    assert record["segments"][-1]["error"] == "KeyError: 'no such thing'"


@pytest.mark.parametrize(
    ("kind", "line", "words"),
    [
        ("value", 16, "ValueError: no such value"),
        ("shape", 18, "RuntimeError: inconsistent"),
        ("trainer", 20, "Error: "),
    ],
)
def test_a_value_that_the_users_own_code_refuses_in_a_run_is_a_failure(
    trouble: Trouble, kind: str, line: int, words: str
) -> None:
    """Exit code 1 and the line of that code: the input was not at fault."""
    code, message, _ = trouble(kind)

    assert code == 1
    assert words in message
    assert f"own_trouble.py, line {line}; --debug shows more)" in message
    assert message.count("\n") == 1


OWN_MODEL = """
from mnistlab import TinyModel

class Wrong(TinyModel):
    name = "wrong"

    def __init__(self, depth: int = 1, **kwargs):
        super().__init__(**kwargs)
        if depth > 3:
            raise ValueError("depth is at most 3.")
        depth + ("text" if depth > 2 else 0)

    def forward(self, x):
        raise ValueError("no such image")
"""


@pytest.mark.parametrize(
    ("depth", "code", "start", "end"),
    [
        (4, 2, "--model.depth=4: depth is at most 3 (in ", "own_model.py, line 10)"),
        (3, 1, "TypeError: ", "own_model.py, line 11; --debug shows more)"),
        (1, 1, "ValueError: no such image", "own_model.py, line 14; --debug shows more)"),
    ],
)
def test_a_model_of_ones_own_is_named_with_its_line(
    here: Path,
    small_data: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    depth: int,
    code: int,
    start: str,
    end: str,
) -> None:
    """What it refuses is a mistake in its options; a slip in its code, or a failure in a step, is none."""
    (here / "own_model.py").write_text(OWN_MODEL)
    sys.modules.pop("own_model", None)

    try:
        assert main(["fit", "--model=own_model.Wrong", f"--model.depth={depth}", *small_data]) == code
    finally:
        sys.modules.pop("own_model", None)
        sys.path.remove(str(here))
    message = capsys.readouterr().err.splitlines()[-1]

    assert message.startswith(f"mnistlab: {start}")
    assert message.partition(" Nothing was kept")[0].rstrip(".").endswith(end)


@pytest.mark.parametrize("moment", ["on_fit_end", "on_test_start", "on_train_batch_end"])
def test_a_failure_at_any_moment_is_in_the_record(trouble: Trouble, moment: str) -> None:
    """No run stays `running`."""
    code, _, record = trouble("raise", moment)

    assert code == 1
    assert record is not None
    assert record["status"] == "failed"


def test_debug_shows_the_traceback(trouble: Trouble) -> None:
    """And nothing else does."""
    with pytest.raises(KeyError, match="no such thing"):
        trouble("raise", "on_train_batch_end", 0, "--debug")


@pytest.mark.parametrize("kind", ["memory", "cpu_memory"])
def test_too_little_memory_names_the_batch_size(trouble: Trouble, kind: str) -> None:
    """In one line of our own words."""
    code, message, _ = trouble(kind)

    assert code == 1
    assert message.startswith("mnistlab: out of memory.")
    assert "--data.batch_size" in message
    assert message.count("\n") == 1


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may become larger than 100 kB."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_no_fault_of_the_input(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """The run has failed, and its record says so."""
    code = main(["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=1"])
    message, record = capsys.readouterr().err, record_in(here)

    assert code == 1
    assert message.startswith("mnistlab: the disk is full")
    assert message.count("\n") == 1
    assert record is not None
    assert record["status"] == "failed"


def test_a_loss_that_is_no_number_is_told_once(fit: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """With what to try."""
    fit("--model.optimizer=SGD", "--model.optimizer.lr=1e30", "--trainer.max_epochs=3", "--run.stop_when_nan=false")
    message = capsys.readouterr().err

    assert message.count("is nan after epoch 1") == message.count(" is nan ") == 1
    assert "--model.optimizer.lr" in message


def test_a_loss_that_is_a_number_is_not_spoken_of(fit: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """A usual run says nothing beside its metrics."""
    fit()

    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "part"),
    [
        ("--trainer.limit_train_batches=0.001", "`limit_train_batches`"),
        ("--trainer.val_check_interval=99", "`val_check_interval` (99)"),
        ("--trainer.max_epochs=-1", "`max_epochs`"),
    ],
)
def test_what_a_trainer_refuses_only_with_its_data_is_a_mistake_in_the_input(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], option: str, part: str
) -> None:
    """Exit code 2, and no run seems to go on."""
    code = main(["fit", "--model=TinyModel", *small_data, option])
    message, record = capsys.readouterr().err, record_in(here)

    assert record is None or record["status"] == "failed"
    assert code == 2
    assert message.startswith(f"mnistlab: {option}: ")
    assert message.count("\n") == 1
    assert part in message


def test_a_data_set_that_cannot_be_fetched_is_no_fault_of_the_input(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, before there is a folder."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("MNISTLAB_DATA_DIR", os.fspath(here / "empty"))

    assert main(["fit", "--model=TinyModel", f"--data.data_dir={here / 'empty'}"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("mnistlab: ")
    assert not list(here.glob("runs/*/*"))


def test_after_a_failure_the_way_on_is_told(trouble: Trouble) -> None:
    """Once there is a checkpoint; nothing half-written is left."""
    _, message, _ = trouble("raise", "on_train_batch_end", 1)
    command = message.partition("Go on with:\n  mnistlab fit ")[2].split()

    assert command
    assert not list(Path("runs").rglob(".*.tmp"))
    assert main(["fit", *command, "--trainer.callbacks=null"]) == 0


def test_an_error_that_is_not_seen_by_the_trainer_is_in_the_record(
    fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a disk that is full while the record is closed, or in between; room is made for it first."""
    real = Path.replace
    left: list[str] = []

    def replace(path: Path, target: Path) -> Path:
        if path.name == ".best.ckpt.tmp" or (path.name == ".run.json.tmp" and left):
            left.append(path.name)
            if (path.parent / "checkpoints" / ".best.ckpt.tmp").exists() or path.name == ".best.ckpt.tmp":
                raise OSError(28, "No space left on device", str(path))
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(AssertionError):  # the exit code is not 0
        fit()

    record = record_in(Path())
    assert left
    assert record is not None
    assert record["status"] == "failed"
