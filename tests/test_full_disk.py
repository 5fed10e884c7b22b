"""A disk that is full, at whatever write of whatever command: one line, and what was there before is whole."""

import ast
import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import BEST, LAST

import mnistlab
from mnistlab import main
from mnistlab.checkpoints.reading import read_checkpoint
from mnistlab.runs.reading import read_record, read_rows

Fit = Callable[..., Path]
Failing = Callable[..., Iterator[str]]

PACKAGE = Path(mnistlab.__file__).parent
ELSEWHERE = {
    "system/files.py": "the one writer",
    "system/locks.py": "a lock, which is empty",
    "system/sharing.py": "it opens for the two that say so what others may write to",
    "data/download.py": "a folder of its own, from which whole files are moved",
    "data/own/cache.py": "a folder of its own, which is moved whole",
    "data/own/pictures.py": "a file in that folder",
    "data/own/parquet.py": "a file beside it, which goes",
    "runs/looks.py": "a line is added to a file that grows",
    "sweeps/local_workers.py": "the log of a worker grows line by line",
    "benchmark/many_runs.py": "a folder that goes",
    "benchmark/fitting.py": "a log in a folder that goes",
    "benchmark/scaling.py": "a folder that goes",
}
"""Where files are opened to be written, and why not by the one writer."""


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Failing:
    """The command once for each of its writes, with a disk that is full at that one; what it says each time."""
    real = os.fsync

    def each(*command: str) -> Iterator[str]:
        for at in range(1, 40):
            count = 0

            def sync(number: int, at: int = at) -> None:
                nonlocal count
                count += 1
                if count == at:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                real(number)

            capsys.readouterr()
            with monkeypatch.context() as patch:
                patch.setattr(os, "fsync", sync)
                code = main([*command])
            if count < at:
                assert code == 0
                return
            error = capsys.readouterr().err
            assert code == 1
            assert [line for line in error.splitlines() if line.startswith("mnistlab: ")] == [error.splitlines()[0]]
            assert "mnistlab: the disk is full while " in error
            yield error
        pytest.fail("it never ends")

    return each


def contents(*places: Path) -> dict[Path, bytes]:
    """All files, hidden ones too."""
    return {path: path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()}


def writes(path: Path) -> bool:
    """Whether a source file opens files to be written, or has an object write one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr == "O_CREAT":
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = method or (node.func.id if isinstance(node.func, ast.Name) else "")
            words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if name == "open" and any(word[:1] in "wax" and len(word) <= 2 for word in words):
                return True
            if method in ("write_text", "write_bytes", "mkstemp", "NamedTemporaryFile"):
                return True
    return False


def test_every_file_is_written_by_the_one_writer() -> None:
    """Which writes beside it first; all others are known by name, each with its reason."""
    found = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if writes(path)}

    forms = {"export/c.py", "export/onnx.py", "export/page.py", "export/pt2.py"}
    given = {"training/predictions.py", "training/answered.py", "training/pages.py", *forms}
    assert given <= found  # these open what the writer gives them
    assert found - given == set(ELSEWHERE)


def test_a_run_on_a_full_disk_is_whole_and_goes_on(fit: Fit, failing: Failing) -> None:
    """Whichever file it was that did not fit."""
    run = fit()
    epochs = 0
    for error in failing("fit", f"--ckpt_path={run}", "--trainer.max_epochs=3"):
        epochs += 1
        record = read_record(run)
        assert record is not None
        assert record["status"] in ("failed", "finished", "running")
        best = read_checkpoint(run / BEST)["callbacks"]["Recorder"]["best"]
        assert read_checkpoint(run / LAST)["epoch"] in range(3)
        assert best["step"] <= read_checkpoint(run / LAST)["global_step"] or "last.ckpt" in error
        assert read_rows(run)
        assert not list(run.rglob(".*"))

    assert epochs > 5
    assert [row["epoch"] for row in read_rows(run)] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "command", [["test"], ["predict"], ["predict", "--each", "--format=npz"], ["explain", "--images=1"]]
)
def test_what_could_not_be_kept_is_no_run(fit: Fit, failing: Failing, command: list[str]) -> None:
    """A run that was measured, and all others, are as they were."""
    run = fit()
    before = _kept(run.parent.parent)

    assert len([*map(str, _unchanged(failing(*command, f"--ckpt_path={run}"), before, run.parent.parent))]) > 2


def _unchanged(errors: Iterator[str], before: dict[Path, bytes], place: Path) -> Iterator[str]:
    for error in errors:
        assert _kept(place) == before
        yield error


def _kept(place: Path) -> dict[Path, bytes]:
    """All files but the ledger of looks: who has measured has looked, whether or not that could be kept."""
    return {path: text for path, text in contents(place).items() if path.name != "looks.csv"}


def test_what_is_written_over_stays_as_it_was(fit: Fit, failing: Failing, here: Path) -> None:
    """A page, a schema, the scripts of a shell."""
    run = fit()
    home = here / "home"
    assert main(["schema"]) == 0  # there is a cache now
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        home.mkdir()
        (home / ".bashrc").write_text("mine\n")
        for name in ("page.html", "schema.json"):
            (here / name).write_text("old\n")
        commands = (
            ["report", str(run), "--output=page.html"],
            ["schema", "--output=schema.json"],
            ["completion", "bash", "--install"],
        )
        for command in commands:
            before = {**contents(here)}
            for _ in failing(*command):
                changed = {path for path, content in contents(here).items() if before.get(path) != content}
                assert changed <= {home / "data/mnistlab/completion.bash"}  # a whole one, which nothing loads yet
    assert json.loads((here / "schema.json").read_text())
    assert (home / ".bashrc").read_text().startswith("mine\n")


def test_what_was_left_over_goes_with_the_next_write(here: Path) -> None:
    """But not what another process is writing just now."""
    dead, living = here / f".schema.json.{2**22 + 1}.tmp", here / f".schema.json.{os.getppid()}.tmp"
    for path in (dead, living):
        path.write_text("half")

    assert main(["schema", "--output=schema.json"]) == 0
    assert {path.name for path in here.iterdir()} == {"schema.json", living.name}


def test_what_is_no_file_is_written_to_as_it_is(here: Path) -> None:
    """A pipe would be gone, and whoever reads from it would wait for ever; a link stays one."""
    os.mkfifo(here / "pipe")
    reader = os.open(here / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    (here / "real.json").write_text("old")
    (here / "link.json").symlink_to("real.json")

    assert main(["completion", "bash"]) == 0
    assert main(["schema", "--output=link.json"]) == 0
    assert (here / "link.json").is_symlink()
    assert json.loads((here / "real.json").read_text())
    assert (here / "pipe").is_fifo()
    os.close(reader)
