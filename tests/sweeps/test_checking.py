"""Everything that is wrong with a sweep is told at once, before anything is written."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistlab.cli import main


def test_all_faults_are_told_at_once(refused_sweep: Callable[..., list[str]]) -> None:
    """Every value of a choice, both ends of an interval, every misspelt option; and nothing is written."""
    lines = refused_sweep(
        "--model=choice:TinyModle,TinyModel,ViT38K",
        "--model.hidden_dim=choice:16,abc,-3",
        "--model.patch_size=choice:7,5",
        "--model.dropout=float:0..1.5",
        "--epochs=3",
    )

    begins = [line.removeprefix("mnistlab: ").partition(":")[0] for line in lines]
    assert set(begins) == {
        "--model=TinyModle",
        "--model.hidden_dim=abc",
        "--model.hidden_dim=-3",
        "--model.patch_size=5",
        "--model.dropout=1.5",
        "--epochs=3",
    }


def test_faults_of_the_sweep_itself_are_told_with_those_of_the_runs(refused_sweep: Callable[..., list[str]]) -> None:
    """Each in a line."""
    lines = refused_sweep(
        "--model=TinyModel",
        "--trials=abc",
        "--workers=-1",
        "--sampler=bayes",
        "--keep=-2",
        "--metric=val/x",
        "--name=a/b",
        "--seed_everything=x",
        "--model.dropout=float:0..2",
        "--model.hidden_dim=choice:64,x",
        "--model.optimizer.lr=log:-1..1",
        "--model.layers=int:2",
    )

    begins = [line.removeprefix("mnistlab: ").partition(":")[0] for line in lines]
    assert sorted(begins) == sorted(
        [
            "--trials=abc",
            "--workers=-1",
            "--sampler=bayes",
            "--keep=-2",
            "--metric=val/x",
            "--name=a/b",
            "--seed_everything=x",
            "--model.dropout=2.0",
            "--model.hidden_dim=x",
            "--model.optimizer.lr=log",
            "--model.layers=int",
        ]
    )


def test_what_only_a_class_refuses_is_told_once_the_rest_is_right(here: Path) -> None:
    """The others are told before torch is imported, all at once."""
    del here
    wrong = ["--model.patch_size=5", "--model.dropout=float:0..1.5", "--epochs=3", "--trials=abc"]

    def told(*arguments: str) -> list[str]:
        command = [sys.executable, "-m", "mnistlab", "sweep", "--model=ViT38K", "--seeds=2", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 2
        return [line.removeprefix("mnistlab: ").partition(":")[0] for line in done.stderr.splitlines()]

    assert sorted(told(*wrong)) == ["--epochs=3", "--model.dropout=1.5", "--trials=abc"]
    assert told(*wrong[:1]) == ["--model.patch_size=5"]


def test_all_faults_of_a_preset_are_told_at_their_place(refused_sweep: Callable[..., list[str]], here: Path) -> None:
    """Nested ones too."""
    (here / "wide.py").write_text(
        "from mnistlab import Preset, SDN8K, TinyModel, choice, config, interval\n\n\n"
        "class Wide(Preset):\n"
        '    """Faulty."""\n\n'
        '    _tiny = config(TinyModel, hidden_dim=choice(128, "x"), dropout=interval(0.0, 2.0))\n'
        "    model = choice(_tiny, SDN8K)\n"
        "    trainer = {'max_epochs': choice(1, 2.5)}\n"
    )
    lines = refused_sweep("--config=wide.py")

    assert len(lines) == 3
    assert all(re.match(r"(mnistlab: )?\S*wide.py:\d+ \(Wide\): ", line) for line in lines)
    for line, got in zip(lines, ("x", "2.0", "2.5"), strict=True):
        assert f"got {got}" in line


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("choise:64,128", "choice:64,128"),
        ("64..128", "int:64..128"),
        ("'choice:64,128'", "choice:64,128"),
        ("choice:64;128", "choice:64,128"),
    ],
)
def test_a_slip_in_a_domain_is_told(refused_sweep: Callable[..., list[str]], typed: str, meant: str) -> None:
    """With what was probably meant."""
    (line,) = refused_sweep("--model=TinyModel", f"--model.hidden_dim={typed}")

    assert line.endswith(f" Did you mean {meant}?")


def test_a_list_that_a_space_has_cut_is_told(refused_sweep: Callable[..., list[str]]) -> None:
    """And nothing about its halves."""
    (line,) = refused_sweep("--model=TinyModel", "--model.hidden_dim=choice:64,", "128")

    assert line.endswith("a space has cut the list. Write --model.hidden_dim=choice:64,128")


def test_that_values_are_checked_is_said_at_once(
    refused_sweep: Callable[..., list[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To somebody at a terminal: it may take half a minute."""
    assert "checking" not in refused_sweep("--model=TinyModel", "--trials=abc")[0]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["sweep", "--model=TinyModel", "--trials=abc"]) == 2
    assert capsys.readouterr().err.startswith("checking all values")
