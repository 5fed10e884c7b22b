"""Variables of the environment in place of options that would be typed each time."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support import only_run, record_of

from mnistlab.cli import main

QUICK = ("fit", "--model=SDN8K", "--trainer.max_epochs=1")


@pytest.fixture
def elsewhere(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that `MNISTLAB_RUN_DIR` names."""
    monkeypatch.setenv("MNISTLAB_RUN_DIR", str(here / "kept"))
    return here / "kept"


def test_runs_are_kept_and_found_where_a_variable_says(
    elsewhere: Path, here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """By every command that takes `--run.dir`, and by TAB."""
    assert main([*QUICK, *small_data, "--run.name=mine"]) == 0
    run = only_run(elsewhere)
    for command in (
        ["runs", "show", "last"],
        ["inspect", "last"],
        ["test", "--ckpt_path=last"],
        ["explain", "--ckpt_path=last"],
        ["report", "last"],
        ["reproduce", run.name],
        [*QUICK, *small_data, "--model.init_from=last"],
        ["completion", "--complete", "bash", "mnistlab runs show ", ""],
    ):
        capsys.readouterr()
        assert main(command) in (0, 1), command
        printed = capsys.readouterr()
        assert run.name[-6:] in printed.out + printed.err or str(elsewhere) in printed.out, command
    assert not (here / "runs").exists()
    assert main(["doctor"]) in (0, 1)
    assert str(elsewhere) in capsys.readouterr().out


@pytest.mark.usefixtures("inline")
def test_a_sweep_and_a_comparison_are_kept_there_too(elsewhere: Path, here: Path, small_data: tuple[str, ...]) -> None:
    """Under their names."""
    options = [*small_data, "--trainer.max_epochs=1"]
    assert main(["sweep", "--model=SDN8K", "--model.optimizer.lr=choice:0.1,0.01", "--name=it", *options]) == 0
    assert main(["compare", "--models=SDN8K", "--seeds=1", "--name=both", *options]) == 0

    assert {path.name for path in elsewhere.iterdir()} == {"it", "both", "looks.csv"}
    assert not (here / "runs").exists()


@pytest.mark.parametrize("say", ["typed", "configured"])
def test_what_is_typed_or_configured_counts_before_it(
    elsewhere: Path, here: Path, small_data: tuple[str, ...], say: str
) -> None:
    """The environment is the weakest of all."""
    (here / "own.yaml").write_text("run.dir: own\n")
    assert main([*QUICK, *small_data, "--run.dir=own" if say == "typed" else "--config=own.yaml"]) == 0

    assert only_run(here / "own").is_dir()
    assert not elsewhere.exists()


def test_a_variable_is_named_as_the_origin(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also that of the data, which stays out of the configuration."""
    monkeypatch.setenv("MNISTLAB_DATA_DIR", "/sets")
    monkeypatch.setenv("MNISTLAB_LOGGER", "tensorboard")
    assert main(["fit", "--model=SDN8K", "--print_config=origins"]) == 0
    lines = capsys.readouterr().out.splitlines()

    for name, origin in {
        "dir:": f"MNISTLAB_RUN_DIR={elsewhere}",
        "data_dir:": "MNISTLAB_DATA_DIR=/sets",
        "- class_path: mnistlab.trackers.TensorBoard": "MNISTLAB_LOGGER=tensorboard",
    }.items():
        assert [line for line in lines if line.strip().startswith(name) and line.endswith(f"# {origin}")], (name, lines)


def test_a_tracker_may_be_named_there(
    here: Path, fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it is typed; a run that goes on keeps its own."""
    monkeypatch.setenv("MNISTLAB_LOGGER", "tensorboard")
    tracked = fit()
    assert "TensorBoard: tensorboard --logdir=runs" in capsys.readouterr().out
    assert list(tracked.glob("events.*"))
    monkeypatch.setenv("MNISTLAB_LOGGER", "tensorbaord")
    assert main(["fit", f"--ckpt_path={tracked}", "--trainer.max_epochs=2"]) in (0, 2)
    capsys.readouterr()
    assert main(list(QUICK)) == 2

    assert "MNISTLAB_LOGGER=tensorbaord: no tracker is called tensorbaord" in capsys.readouterr().err
    assert record_of(tracked)["status"] == "finished"
    assert here.is_dir()


def test_a_variable_that_means_nothing_is_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the nearest that means something, and once; those of the lab itself are known."""
    monkeypatch.setenv("MNISTLAB_RUNDIR", "x")
    monkeypatch.setenv("MNISTLAB_TEST_SEED", "3")
    monkeypatch.setenv("MNISTLAB_FIRST_PROCESS", "x")
    assert main(["runs"]) == 0
    said = "note: MNISTLAB_RUNDIR means nothing. Did you mean MNISTLAB_RUN_DIR?"

    assert capsys.readouterr().err.startswith(said)
    assert not list(here.iterdir())
    assert main(["completion", "--complete", "bash", "mnistlab fi", ""]) == 0
    assert capsys.readouterr().err == ""
