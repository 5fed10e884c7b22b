"""On clusters a run has the weights that were named, and no others."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Fit

from mnistlab.cli import main
from mnistlab.runs.folder import LAST, PREDICTIONS

SLURM = {"SLURM_NTASKS": "1", "SLURM_JOB_NAME": "it", "SLURM_JOB_ID": "99"}
RANKS = {f"SLURM_{name}": "0" for name in ("PROCID", "LOCALID", "NODEID")}
ENVIRONMENTS = {
    "SLURM": SLURM | RANKS,
    "SLURM in a batch script": SLURM,
    "torchrun": {"TORCHELASTIC_RUN_ID": "1", "RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"},
    "torchrun under SLURM": SLURM | {"TORCHELASTIC_RUN_ID": "1", "RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"},
    "LSF": {
        "LSB_JOBID": "99",
        "LSB_DJOB_RANKFILE": "ranks",
        "JSM_NAMESPACE_LOCAL_RANK": "0",
        "JSM_NAMESPACE_RANK": "0",
        "JSM_NAMESPACE_SIZE": "1",
    },
}
PLACE = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}  # Lightning sets them and leaves them so

Enter = Callable[[str], None]


@pytest.fixture
def enter(here: Path, monkeypatch: pytest.MonkeyPatch) -> Enter:
    """Let what follows be on a cluster."""

    def entered(name: str) -> None:
        for key in {key for variables in ENVIRONMENTS.values() for key in variables}:
            monkeypatch.delenv(key, raising=False)
        (here / "ranks").write_text("launch\nlocalhost\n")
        for key, value in {**ENVIRONMENTS[name], **PLACE}.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setattr("socket.gethostname", lambda: "localhost")

    return entered


@pytest.fixture
def run(trained: Fit, here: Path) -> Path:
    """A run of one epoch; the current folder has what Lightning keeps of another one, of two."""
    other = trained("--trainer.max_epochs=2")
    shutil.copy(other / LAST, here / "hpc_ckpt_1.ckpt")
    return trained("--seed_everything=7")


def newest(folder: str) -> Path:
    """The last run that was kept in a folder."""
    return max(Path(folder).glob("*/*"), key=lambda path: path.name)


def record_of(folder: Path) -> dict[str, Any]:
    """The record of a run."""
    record: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return record


def measured(run: Path) -> list[object]:
    """What each command has to say of a run."""
    for command in ("test", "validate"):
        assert main([command, f"--ckpt_path={run}", f"--run.dir={command}"]) == 0
    assert main(["predict", f"--ckpt_path={run}", "--run.dir=predict"]) == 0
    assert main(["explain", f"--ckpt_path={run}", "--run.dir=explain", "--which=unsure"]) == 0
    explained = record_of(newest("explain"))["explained"]["rows"]
    metrics = [record_of(newest(command))["metrics"] for command in ("test", "validate")]
    return [*metrics, (newest("predict") / PREDICTIONS).read_text(), explained]


def test_each_command_measures_what_it_names(run: Path, enter: Enter) -> None:
    """Whatever lies in the current folder."""
    wanted = measured(run)

    for name in ENVIRONMENTS:
        enter(name)
        assert measured(run) == wanted, name


def test_a_fresh_run_begins_afresh(run: Path, fit: Fit, enter: Enter) -> None:
    """With the same bits as elsewhere."""
    weights = torch.load(run / LAST, weights_only=True)["state_dict"]

    for name in ENVIRONMENTS:
        enter(name)
        again = fit("--seed_everything=7")

        found = torch.load(again / LAST, weights_only=True)["state_dict"]
        assert (run / "metrics.csv").read_text() == (again / "metrics.csv").read_text(), name
        assert all(torch.equal(value, found[key]) for key, value in weights.items()), name
        assert record_of(run)["metrics"] == record_of(again)["metrics"], name


def test_a_run_goes_on_and_is_reproduced(run: Path, enter: Enter) -> None:
    """As elsewhere."""
    enter("SLURM")

    assert main(["reproduce", str(run)]) == 0
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 0
    assert len((run / "metrics.csv").read_text().splitlines()) == 3


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(
    "command",
    [
        ("sweep", "--model=TinyModel", "--model.hidden_dim=choice:16,32", "--name=it"),
        pytest.param(("compare", "--models=TinyModel,SDN8K", "--seeds=1", "--name=it"), marks=pytest.mark.slow),
    ],
    ids=["sweep", "compare"],
)
def test_each_of_many_runs_begins_afresh(
    run: Path, enter: Enter, small_data: tuple[str, ...], command: tuple[str, ...]
) -> None:
    """None of them has the weights of another one."""
    del run

    def values(folder: str) -> list[object]:
        assert main([*command, *small_data, "--trainer.max_epochs=1", f"--run.dir={folder}"]) == 0
        paths = sorted(Path(folder).glob("*/*/run.json"))
        assert len(paths) == 2
        return [json.loads(path.read_text())["metrics"] for path in paths]

    wanted = values("before")
    enter("SLURM")

    assert values("after") == wanted


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--trainer.plugins=SLURMEnvironment"], "Add --trainer.plugins.auto_requeue=false"),
        (["--trainer.default_root_dir=."], "would begin with hpc_ckpt_1.ckpt"),
        (
            ["--trainer.callbacks=OnExceptionCheckpoint", "--trainer.callbacks.dirpath=."],
            "a run keeps checkpoints/last.ckpt",
        ),
        (["--seed_everything=true"], "need a number, the same for all"),
    ],
)
def test_what_would_bring_foreign_weights_is_refused(
    here: Path,
    enter: Enter,
    small_data: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    """In a line that says what to do instead, before anything is written."""
    enter("SLURM")
    (here / "hpc_ckpt_1.ckpt").touch()
    if "--seed_everything=true" in options:
        monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)  # an earlier run of this process has left it
        monkeypatch.setenv("SLURM_NTASKS", "2")
        monkeypatch.setenv("SLURM_NTASKS_PER_NODE", "2")

    assert main(["fit", "--model=TinyModel", *small_data, *options]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not (here / "runs").exists()


def test_a_plugin_that_queues_nothing_again_serves(fit: Fit, enter: Enter) -> None:
    """Also where the run goes on."""
    enter("SLURM")

    run = fit("--trainer.plugins=SLURMEnvironment", "--trainer.plugins.auto_requeue=false")

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 0


@pytest.mark.parametrize("name", ["hpc", "registry"])
def test_a_checkpoint_may_be_called_like_a_word_of_lightning(fit: Fit, here: Path, name: str) -> None:
    """It is a file all the same."""
    run = fit()
    shutil.copy(run / LAST, here / name)

    assert main(["fit", f"--ckpt_path={name}", "--trainer.max_epochs=2", "--run.dir=on"]) == 0

    assert len((newest("on") / "metrics.csv").read_text().splitlines()) == 3
