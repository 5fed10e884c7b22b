"""Standard streams may be closed, full, or read by nobody: no traceback, and nothing is lost but what was printed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MNISTLAB = f"{sys.executable} -m mnistlab"
NO_ROOM = "mnistlab: standard output cannot be written: no space left on device.\n"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of a line, in which `mnistlab` is this program."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    whole = f'mnistlab() {{ {MNISTLAB} "$@"; }}; {line}'
    return subprocess.run(["/bin/bash", "-c", whole], capture_output=True, text=True, timeout=300, check=False, env=env)


@needs_full
@pytest.mark.parametrize("command", ["--help", "fit --help", "runs", "models", "completion bash", "fit --print_config"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_device_is_named_as_such(here: Path, command: str, unbuffered: str) -> None:
    """In one line, whether the text is written at once or at the end."""
    del here
    done = shell(f"mnistlab {command} > /dev/full", PYTHONUNBUFFERED=unbuffered)

    assert (done.returncode, done.stderr) == (1, NO_ROOM)


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_without_output_a_command_does_what_it_should(here: Path, closed: str) -> None:
    """And what it writes into files is not what it would have printed."""
    assert shell(f"mnistlab schema --output=schema.json {closed}").returncode == 0
    assert (here / "schema.json").read_text().startswith("{")


def test_a_reader_that_has_seen_enough_is_no_fault(here: Path) -> None:
    """However little there was to be read."""
    del here
    for command in ("runs", "completion bash"):
        done = shell(f"mnistlab {command} | true; exit ${{PIPESTATUS[0]}}")
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_without_output_a_net_is_trained_and_without_input_nobody_is_asked(
    here: Path, small_data: tuple[str, ...]
) -> None:
    """And a run that cannot say what it learns any more can be gone on with."""
    fit = f"mnistlab fit --model=TinyModel {' '.join(small_data)} --trainer.max_epochs=1"
    assert shell(f"{fit} >&-").returncode == 0
    assert shell(f"{fit} | head -1; exit ${{PIPESTATUS[0]}}").returncode == 0  # whose reader has seen enough
    assert len([*here.glob("runs/*/*/model.safetensors")]) == 2

    done = shell("mnistlab runs rm last <&-")
    assert done.returncode == 2
    assert "add --yes to remove runs/tiny/" in done.stderr
    assert done.stderr.count("\n") == 1

    if Path("/dev/full").exists():
        done = shell(f"{fit} > /dev/full", PYTHONUNBUFFERED="1")
        assert done.returncode == 1
        assert done.stderr.startswith(NO_ROOM.rstrip())


@pytest.mark.skipif(sys.platform != "linux", reason="another system limits memory otherwise")
def test_where_a_library_does_not_fit_into_memory_a_line_says_so(here: Path) -> None:
    """Also of the process that looks at a class of one's own."""
    (here / "own.py").write_text('from mnistlab.models import CNN8K\n\nclass Mine(CNN8K):\n    """Mine."""\n')
    for command in ("fit", "fit --model=own.Mine --help"):
        done = shell(f"ulimit -v 400000; mnistlab {command}", XDG_CACHE_HOME="nowhere")
        assert done.returncode == 1
        assert done.stderr.startswith("mnistlab: too little memory is free for what this needs")
        assert done.stderr.count("\n") == 1
