"""What a run leaves in its folder."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
import yaml
from forked import Popen

from mnistlab.classifier import Classifier
from mnistlab.cli import main

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def record_of(folder: Path) -> dict[str, Any]:
    """What `run.json` says."""
    record: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return record


def table_of(folder: Path) -> list[dict[str, str]]:
    """The rows of `metrics.csv`."""
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def weights_of(folder: Path, name: str = "last") -> dict[str, torch.Tensor]:
    """The weights in a checkpoint."""
    checkpoint = torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
    weights: dict[str, torch.Tensor] = checkpoint["state_dict"]
    return weights


def equal(some: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of weights agree bit for bit."""
    return some.keys() == other.keys() and all(torch.equal(some[name], other[name]) for name in some)


def test_a_run_has_a_folder_of_its_own(trained: Any) -> None:
    """It is named after the model, the time in UTC and a short id, and holds what the run left."""
    folder = trained()

    assert re.fullmatch(r"runs/tiny/\d{8}T\d{6}Z-[0-9a-f]{6}", folder.relative_to(Path.cwd()).as_posix())
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    checkpoints = {"checkpoints/best.ckpt", "checkpoints/last.ckpt", "model.safetensors"}
    assert files == {"config.yaml", "run.json", "metrics.csv", "outcomes.safetensors", *checkpoints}


def test_the_same_command_may_run_twice(fit: Any) -> None:
    """Each run gets another folder, and neither complains."""
    assert fit() != fit()


def test_the_record_says_what_the_run_was(fit: Any) -> None:
    """Name, tags, command, seed, configuration, commit, versions, machine, model and times."""
    record = record_of(fit("--run.name=first try", "--run.tags=[a,b]", "--seed_everything=3"))

    assert (record["status"], record["name"], record["tags"], record["seed"]) == (
        "finished",
        "first try",
        ["a", "b"],
        3,
    )
    assert (record["model"], record["data"], record["device"]) == ("tiny", "SyntheticDigits", "cpu")
    assert record["parameters"] == 135_562
    assert record["machine"]["threads"] == 1
    assert record["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert record["segments"][0]["command"].startswith("mnistlab fit --model=TinyModel")
    assert "'--run.name=first try'" in record["segments"][0]["command"]
    assert len(record["config_hash"]) == 64
    assert record["git"] is None or len(record["git"]["commit"]) == 40
    assert record["started"] < record["ended"]


def test_the_record_has_a_time_for_every_epoch(trained: Any) -> None:
    """As a list, which the test of the best checkpoint does not turn back."""
    timings = record_of(trained("--trainer.max_epochs=3"))["timings"]

    assert len(timings["epoch_seconds"]) == 3
    assert all(seconds > 0 for seconds in timings["epoch_seconds"])
    assert timings["train_seconds"] == pytest.approx(sum(timings["epoch_seconds"]), abs=1e-5)


def test_the_hash_tells_configurations_apart_and_ignores_where_runs_are_kept(fit: Any) -> None:
    """Name and tags are no part of what is computed; a hyperparameter is."""
    plain, named, other = (record_of(fit(*options)) for options in ((), ("--run.name=x",), ("--model.dropout=0.2",)))

    assert plain["config_hash"] == named["config_hash"] != other["config_hash"]


def test_the_table_has_a_row_for_every_epoch(trained: Any) -> None:
    """With the metrics of training and validation, and the record repeats the last and the best."""
    folder = trained("--trainer.max_epochs=3")
    rows, metrics = table_of(folder), record_of(folder)["metrics"]

    assert [(row["epoch"], row["step"]) for row in rows] == [("0", "4"), ("1", "8"), ("2", "12")]
    columns = {"epoch", "step", "lr", "train/loss", "train/acc", "val/loss", "val/acc", "val/acc_best"}
    assert set(rows[0]) == columns
    assert all(row[name] for row in rows for name in columns)
    assert metrics["last"]["step"] == 12
    assert {name: str(value) for name, value in metrics["last"].items()} == rows[-1]
    assert metrics["best"]["val/acc"] == max(float(row["val/acc"]) for row in rows)
    assert float(rows[-1]["val/acc_best"]) == metrics["best"]["val/acc"]


def test_the_test_at_the_end_is_that_of_the_best_checkpoint(trained: Any, small_data: tuple[str, ...]) -> None:
    """`test` on the best checkpoint gives the same figures."""
    folder = trained("--trainer.max_epochs=3")
    tested = record_of(folder)["metrics"]["test"]

    assert main(["test", f"--ckpt_path={folder / 'checkpoints' / 'best.ckpt'}", "--run.dir=tests"]) == 0

    (again,) = Path("tests").glob("*/*")
    assert small_data
    assert tested.pop("checkpoint") == "best"
    assert record_of(again)["metrics"] == tested


def test_the_test_at_the_end_can_be_left_out(fit: Any) -> None:
    """With `--run.test=false` nothing is tested."""
    assert "test" not in record_of(fit("--run.test=false"))["metrics"]


def test_of_equal_validations_the_earlier_is_the_best(fit: Any) -> None:
    """Of a model that always says the same the first epoch stays the best."""

    def indifferent(self: Classifier, images: torch.Tensor) -> Any:
        output = self.net(images)
        return output * 0 if isinstance(output, torch.Tensor) else {head: 0 * output[head] for head in output}

    with mock.patch.object(Classifier, "forward", indifferent):
        folder = fit("--trainer.max_epochs=3")

    assert len({row["val/acc"] for row in table_of(folder)}) == 1
    assert record_of(folder)["metrics"]["best"]["epoch"] == 0
    assert torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)["global_step"] == 4


def test_without_validation_the_last_weights_are_tested(trained: Any) -> None:
    """With `val_size=0` there is no best checkpoint, and everything else is as it was."""
    folder = trained("--data.val_size=0", "--trainer.max_epochs=2")
    metrics = record_of(folder)["metrics"]

    assert metrics["best"] is None
    assert metrics["test"]["checkpoint"] == "last"
    assert not (folder / "checkpoints" / "best.ckpt").exists()
    assert [row["epoch"] for row in table_of(folder)] == ["0", "1"]


def test_an_epoch_may_be_validated_several_times(fit: Any) -> None:
    """It still has one row, with the figures of its last validation; the best may be an earlier one."""
    validations: list[int] = []
    end = Classifier.on_validation_epoch_end

    def count(self: Classifier) -> None:
        validations.append(self.trainer.global_step)
        end(self)

    with mock.patch.object(Classifier, "on_validation_epoch_end", count):
        folder = fit("--trainer.val_check_interval=0.5", "--trainer.max_epochs=2")

    assert validations == [2, 4, 6, 8]
    assert [row["step"] for row in table_of(folder)] == ["4", "8"]
    assert record_of(folder)["metrics"]["best"]["step"] in validations


def test_an_epoch_without_validation_has_no_figures_of_one(fit: Any) -> None:
    """With `check_val_every_n_epoch=2` every other row leaves those columns empty."""
    rows = table_of(fit("--trainer.check_val_every_n_epoch=2", "--trainer.max_epochs=4"))

    assert [bool(row["val/acc"]) for row in rows] == [False, True, False, True]
    assert all(row["train/acc"] for row in rows)


def test_a_trial_of_one_batch_leaves_a_record(fit: Any) -> None:
    """`fast_dev_run` trains, validates and tests a batch and writes no checkpoint."""
    folder = fit("--trainer.fast_dev_run=true")

    assert record_of(folder)["status"] == "finished"
    assert len(table_of(folder)) == 1
    assert not list((folder / "checkpoints").iterdir())


def test_the_root_can_be_chosen(here: Path, small_data: tuple[str, ...]) -> None:
    """`--run.dir` sets where the folders of all models lie."""
    arguments = ("--model=TinyModel", *small_data, "--trainer.max_epochs=1", "--run.dir=elsewhere/mine")
    assert main(["fit", *arguments]) == 0

    assert len(list(here.glob("elsewhere/mine/tiny/*/run.json"))) == 1
    assert not (here / "runs").exists()


def test_the_saved_configuration_reruns_the_run(fit: Any, tmp_path: Path) -> None:
    """`config.yaml` alone gives the same weights, bit for bit, and the same configuration."""
    options = ("--data.augment=RandomDistortion", "--model.dropout=0.3", "--seed_everything=5", "--data.batch_size=50")
    first = fit(*options, "--trainer.max_epochs=2")

    assert main(["fit", f"--config={first / 'config.yaml'}", f"--run.dir={tmp_path / 'again'}"]) == 0

    (second,) = (tmp_path / "again").glob("*/*")
    assert equal(weights_of(first), weights_of(second))
    assert record_of(first)["config_hash"] == record_of(second)["config_hash"]
    assert table_of(first) == table_of(second)


def test_a_seed_that_was_drawn_is_written_down(fit: Any, tmp_path: Path) -> None:
    """With `--seed_everything=true` the saved configuration has the number, so that it reruns too."""
    first = fit("--seed_everything=true")
    seed = yaml.safe_load((first / "config.yaml").read_text())["seed_everything"]

    assert isinstance(seed, int)
    assert not isinstance(seed, bool)
    assert record_of(first)["seed"] == seed
    assert main(["fit", f"--config={first / 'config.yaml'}", f"--run.dir={tmp_path / 'again'}"]) == 0
    (second,) = (tmp_path / "again").glob("*/*")
    assert equal(weights_of(first), weights_of(second))


@pytest.mark.parametrize("place", ["training_step", "validation_step", "test_step"])
def test_a_failure_is_recorded(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """The status is `failed`, the exit code 1, and no traceback reaches the user."""

    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    with mock.patch.object(Classifier, place, fail):
        assert main(["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=1"]) == 1

    (folder,) = here.glob("runs/*/*")
    record = record_of(folder)
    assert record["status"] == "failed"
    assert record["segments"][-1]["error"] == "RuntimeError: the disk is full"
    error = capsys.readouterr().err
    assert "the disk is full" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("place", ["training_step", "on_save_checkpoint", "test_step"])
def test_an_interruption_is_recorded_whatever_is_made_of_it(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """In the middle of a file, torch raises an error of its own; the next run is a run of its own."""

    def interrupted(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("unexpected pos 14144 vs 14038") from None

    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    small = ["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=1"]
    with mock.patch.object(Classifier, place, interrupted):
        assert main(small) == 130

    (folder,) = here.glob("runs/*/*")
    record = record_of(folder)
    assert (record["status"], record["segments"][-1]["status"]) == ("interrupted", "interrupted")
    assert "mnistlab: interrupted. " in capsys.readouterr().err  # and how to go on
    with mock.patch.object(Classifier, "training_step", fail):
        assert main([*small, "--seed_everything=2"]) == 1
    assert {record_of(each)["status"] for each in here.glob("runs/*/*")} == {"interrupted", "failed"}


def test_the_record_exists_while_the_run_goes_on(here: Path, small_data: tuple[str, ...]) -> None:
    """Whoever looks at it sees that it is running, and how far it is."""
    seen: list[dict[str, Any]] = []
    step = Classifier.training_step

    def look(self: Classifier, *args: Any) -> Any:
        (folder,) = here.glob("runs/*/*")
        seen.append(record_of(folder))
        return step(self, *args)

    with mock.patch.object(Classifier, "training_step", look):
        assert main(["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=2"]) == 0

    assert {record["status"] for record in seen} == {"running"}
    assert [len(record["timings"]["epoch_seconds"]) for record in seen] == [0] * 4 + [1] * 4


@pytest.mark.slow
def test_an_interrupted_run_says_so(here: Path, small_data: tuple[str, ...]) -> None:
    """Ctrl-C ends with exit code 130 and the status `interrupted`; the run can be continued."""
    process = Popen(
        [sys.executable, "-m", "mnistlab", "fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=100000"],
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        deadline = time.monotonic() + 100
        while not list(here.glob("runs/*/*/metrics.csv")) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()

    (folder,) = here.glob("runs/*/*")
    assert process.returncode == 130
    assert "Traceback" not in error
    record = record_of(folder)
    assert (record["status"], record["segments"][-1]["status"]) == ("interrupted", "interrupted")
    done = len(table_of(folder))
    assert main(["fit", f"--ckpt_path={folder}", f"--trainer.max_epochs={done + 1}"]) == 0
    assert record_of(folder)["status"] == "finished"
