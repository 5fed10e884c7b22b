"""What goes wrong in a sweep or a comparison is told as what it is, and where it comes from is shown on request."""

import json
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
import sqlalchemy

from mnistlab import TinyModel
from mnistlab.cli import main
from mnistlab.sweeps.storage import open_storage, told_of_the_database
from mnistlab.training.failures import RunFailedError

SLIP = '''
from mnistlab import SDN8K


class Slip(SDN8K):
    """It fails while it is trained."""

    name = "slip"

    def on_train_epoch_start(self) -> None:
        raise RuntimeError("a slip")


class Sound(SDN8K):
    """It does not."""

    name = "sound"
'''


@pytest.fixture
def odd(here: Path, small_data: tuple[str, ...], inline: None, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The options of a model of the user's own that fails."""
    del inline
    (here / "odd.py").write_text(SLIP)
    monkeypatch.syspath_prepend(here)
    return *small_data, "--trainer.max_epochs=1"


@pytest.mark.parametrize(
    "command", [("sweep", "--model=choice:odd.Slip,SDN8K"), ("compare", "--models=odd.Slip,odd.Sound", "--seeds=1")]
)
def test_where_an_error_comes_from_is_shown_for_a_trial(
    odd: tuple[str, ...], here: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """With `--debug`, which makes no other sweep of it; without, only its last line."""
    assert main([*command, *odd]) == (1 if command[0] == "compare" else 0)
    assert "Traceback" not in capsys.readouterr().out
    main([*command, *odd, "--debug", "--retry_failed"])

    out = capsys.readouterr().out
    place = next(line for line in out.splitlines() if "odd.py" in line and "on_train_epoch_start" in line)
    assert place.strip().startswith("File")
    assert "\nRuntimeError: a slip\n" in out
    assert len(list(here.glob("runs/*/sweep.json"))) == 1
    finished = [path.parent.name for path in here.glob("runs/*/*/run.json") if '"finished"' in path.read_text()]
    assert finished == ["odd.Sound-seed-0" if command[0] == "compare" else "trial-0001"]


def test_an_error_of_a_repeated_run_is_shown(
    fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`reproduce` takes the switch as `fit` does."""
    run = fit()

    def fail(module: TinyModel) -> None:
        raise RuntimeError(f"a slip of {module.name}")

    monkeypatch.setattr(TinyModel, "on_train_epoch_start", fail)
    assert main(["reproduce", str(run)]) == 1
    assert "RuntimeError: a slip of tiny" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="a slip of tiny"):
        main(["reproduce", str(run), "--debug"])


@pytest.mark.parametrize(
    "command", [("sweep", "--model=SDN8K", "--model.optimizer.lr=choice:0.1,0.01"), ("compare", "--models=SDN8K,CNN8K")]
)
def test_images_that_are_not_there_are_missed_before_anything_is_trained(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """Once, as `fit` says it, and no folder is left."""
    assert main([*command, *small_data, "--data.val_size=5000"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mnistlab: `val_size` must leave training images: SyntheticDigits has 600, got 5000. ")
    assert not (here / "runs").exists()


def test_every_data_set_of_a_sweep_is_looked_at(refused_sweep: Callable[..., list[str]]) -> None:
    """Not that of the first trial only."""
    (line,) = refused_sweep("--model=SDN8K", "--data.val_size=choice:100,5000")

    assert "got 5000" in line


@pytest.mark.parametrize(
    "command", [("sweep", "--model=SDN8K", "--model.optimizer.lr=choice:0.1,0.01"), ("compare", "--models=SDN8K,CNN8K")]
)
def test_a_place_is_refused_in_the_name_of_the_command(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """It is not `fit` that was typed."""
    (here / "runs").write_text("")

    assert main([*command, *small_data]) == 2
    assert capsys.readouterr().err.startswith(f"mnistlab: mnistlab {command[0]}: runs is a file")


def test_a_full_disk_is_called_so(tmp_path: Path) -> None:
    """Optuna calls it invalid data in the commit; here SQLite is given no more room than it has."""
    storage = open_storage(f"sqlite:///{tmp_path / 'some.db'}")
    study = optuna.create_study(storage=storage)

    def limit(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("pragma max_page_count = 1")

    sqlalchemy.event.listen(storage.engine, "begin", limit)
    with pytest.raises(RunFailedError) as full, told_of_the_database():
        study.set_user_attr("large", "x" * 1_000_000)
    assert str(full.value) == "the disk is full. Make room: what was written before is whole."


def test_another_fault_of_a_database_is_told_with_its_cause(tmp_path: Path) -> None:
    """In the words of the database, not in those of the libraries on the way."""
    storage = open_storage(f"sqlite:///{tmp_path / 'some.db'}")
    study = optuna.create_study(storage=storage)
    with storage.engine.begin() as connection:
        connection.exec_driver_sql("drop table study_user_attributes")

    with pytest.raises(RunFailedError) as broken, told_of_the_database():
        study.set_user_attr("any", json.dumps(1))
    assert str(broken.value) == "the database of the sweep cannot be used: no such table: study_user_attributes."


def test_another_kind_of_server_is_refused(refused_sweep: Callable[..., list[str]]) -> None:
    """Whether or not a driver for it is installed."""
    address = "--storage=mysql://user@localhost/name"
    (line,) = refused_sweep("--model=TinyModel", "--model.hidden_dim=choice:16,32", address)

    assert "this is no address of a database. Write sqlite:///file.db or postgresql://" in line
