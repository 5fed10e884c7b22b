"""`last` means one run, whatever is asked of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistlab.cli import main
from mnistlab.errors import LabError
from mnistlab.runs.newest import newest

Fit = Callable[..., Path]


def make(place: str, *files: str, **record: object) -> Path:
    """A run with these files, all empty but its record."""
    folder = Path("runs", place)
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"command": "fit", "status": "finished", **record}))
    return folder


def test_it_is_the_newest_training_run_with_weights(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A trial that kept its weights counts as any other run; what is passed over is named."""
    del here
    make("tiny/a", "checkpoints/last.ckpt", started="2026-01-01")
    best = make("lr/trial-0001", "model.safetensors", started="2026-01-03")
    assert newest(Path("runs"), "last") == best
    assert not capsys.readouterr().err

    other = make("lr/trial-0002", started="2026-01-04")
    make("tiny/test", "checkpoints/last.ckpt", started="2026-01-05", command="test")
    assert newest(Path("runs"), "last") == best
    assert capsys.readouterr().err == f"note: last is {best}; {other} is newer, with no weights.\n"

    make("lr/trial-0003", started="2026-01-06")
    assert newest(Path("runs"), "last") == best
    assert "; 2 are newer, such as runs/lr/trial-0003, with no weights" in capsys.readouterr().err


def test_to_go_on_it_needs_more_than_weights(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the word that is said tells that another run is meant."""
    del here
    first = make("tiny/a", "checkpoints/best.ckpt", started="2026-01-01")
    newer = make("lr/trial-0001", "model.safetensors", started="2026-01-03")

    assert newest(Path("runs"), "x", continues=True) == first
    assert capsys.readouterr().err == f"note: x is {first}; {newer} is newer, with nothing to continue from.\n"


def test_ones_own_comes_before_those_of_others(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of a class; that others are newer is said. Who has none means the newest of all."""
    del here
    first, second = (
        make(f"tiny/{name}", "checkpoints/last.ckpt", started=f"2026-01-0{day}", user=name)
        for day, name in enumerate(("anna", "ben"), 1)
    )
    for user, meant in (("anna", first), ("ben", second), ("teacher", second)):
        monkeypatch.setattr("getpass.getuser", lambda user=user: user)
        assert newest(Path("runs"), "last") == meant
        told = f"note: last is {first}; {second} is newer, of somebody else.\n" if user == "anna" else ""
        assert capsys.readouterr().err == told


def test_where_none_has_weights_it_is_the_newest(here: Path) -> None:
    """It can be looked at, and not be tested."""
    del here
    make("tiny/a", started="2026-01-01")
    newer = make("tiny/b", started="2026-01-02")

    assert newest(Path("runs"), "last") == newer
    assert main(["test", "--ckpt_path=last"]) == main(["fit", "--ckpt_path=last"]) == 2
    with pytest.raises(LabError, match="no training run lies there"):
        newest(Path("nowhere"), "last")


def test_every_command_means_the_same_run(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the newest training has lost its weights, as most trials of a sweep have."""
    first, second, third = fit(), fit(), fit()
    shutil.rmtree(second / "checkpoints")  # as after a sweep
    shutil.rmtree(third / "checkpoints")
    (third / "model.safetensors").unlink()
    name = second.name
    assert first.name != name

    for command in (
        ["runs", "show", "last"],
        ["runs", "diff", "last", first.name],
        ["report"],
        ["inspect", "last"],
        ["inspect", "best"],
        ["test", "--ckpt_path=last"],
        ["reproduce", "last"],
        ["fit", "--model=TinyModel", "--model.init_from=last", "--print_config"],
    ):
        capsys.readouterr()
        assert main(command) == 0, capsys.readouterr().err
        outcome = capsys.readouterr()
        assert name in outcome.out or command[-1] == "--print_config"
        assert f"{third.name} is newer, with no weights" in outcome.err or command[-1] == "--print_config"
        for other in Path("runs/tiny").iterdir():
            if other.name not in (first.name, name, third.name):
                shutil.rmtree(other)
