"""`mnistlab new`: a file to begin with."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mnistlab import main

FEW = ("--trainer.max_epochs=1", "--trainer.limit_train_batches=2")
DRAWN = ("--data=SyntheticDigits", "--data.train_size=600", "--data.test_size=200", "--data.val_size=100")
KINDS = {
    "model": ("NewNet", ("--model=NewNet", *DRAWN)),
    "loss": ("NewLoss", ("--model=TinyModel", "--model.loss=NewLoss", *DRAWN)),
    "data": ("NewData", ("--model=TinyModel", "--data=NewData")),
    "preset": ("NewPreset", ("--config=NewPreset", *DRAWN)),
}


@pytest.fixture
def written(here: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """What was written for the kind of the test; its kind."""
    kind = str(request.param)
    monkeypatch.syspath_prepend(here)
    for name in ("new_net", "new_loss", "new_data"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert main(["new", kind, KINDS[kind][0]]) == 0
    return kind


every_kind = pytest.mark.parametrize("written", KINDS, indirect=True)


@every_kind
def test_what_is_written_trains_at_once(written: str) -> None:
    """By its short name."""
    assert main(["fit", *KINDS[written][1], *FEW]) == 0


@every_kind
def test_its_test_passes(written: str, here: Path) -> None:
    """All that is claimed in it."""
    (file,) = here.glob("test_*.py")
    claims = [each for name, each in runpy.run_path(str(file)).items() if name.startswith("test_")]

    assert written in KINDS
    assert claims
    for claim in claims:
        claim()


@every_kind
def test_it_passes_the_linter(written: str, here: Path) -> None:
    """And is formatted."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff is not None, written
    for check in (
        ("check", "--select=ALL", "--ignore=ANN401,COM812,D107,S101,INP001,CPY"),
        ("format", "--check"),
    ):
        done = subprocess.run(
            [
                ruff,
                *check,
                "--isolated",
                "--line-length=120",
                "--config=lint.pydocstyle.convention='google'",
                str(here),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@every_kind
def test_nothing_is_overwritten(written: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the file nor its test."""
    for file in [*here.glob("*.py"), *here.glob("presets/*")]:
        file.write_text("mine")
        assert main(["new", written, KINDS[written][0]]) == 2
        assert "is not overwritten" in capsys.readouterr().err
        assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "takes the kind of what is to be written, model, loss, data, preset, class"),
        ("model", "takes one name, got none"),
        ("model A B", "takes one name, got 2: A, B"),
        ("model 3d", "the name of a class is wanted, such as MyModel"),
        ("model ../Net", "the name of a class is wanted"),
        ("model TinyModel", "is the name of a class of the lab"),
        ("loss Json", "there is another module json"),
        ("modle Net", "Did you mean mnistlab new model?"),
    ],
)
def test_a_name_that_does_not_serve_is_refused(
    here: Path, typed: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is written."""
    assert main(["new", *typed.split()]) == 2

    assert told in capsys.readouterr().err
    assert not list(here.iterdir())
