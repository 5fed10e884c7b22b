"""A file has one figure: what the end of `fit` says of its weights, everybody else says too."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from support import only_run, record_of

from mnistlab.cli import main

Fit = Callable[..., Path]

EMA = ("--trainer.callbacks=EMAWeightAveraging", "--trainer.callbacks.decay=0.8")
WAYS = [
    (),
    ("--trainer.callbacks=WeightAveraging",),
    (*EMA, "--trainer.callbacks.update_starting_at_step=2", "--trainer.val_check_interval=0.5"),
    (*EMA, "--data.val_size=0"),
    ("--trainer.precision=bf16-mixed",),
]


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_the_test_of_a_run_is_the_test_of_its_files(fit: Fit, way: tuple[str, ...]) -> None:
    """The figures at the end of `fit`, of `test` and of `predict`, for the best checkpoint and the exported weights."""
    folder = fit("--trainer.max_epochs=2", *way)
    record = record_of(folder)
    said = {name: record["metrics"]["test"][name] for name in ("test/loss", "test/acc")}
    best = folder / "checkpoints" / f"{record['metrics']['test']['checkpoint']}.ckpt"

    for number, file in enumerate((best, folder / "model.safetensors")):
        assert main(["test", f"--ckpt_path={file}", f"--run.dir=test{number}"]) == 0
        assert record_of(only_run(Path(f"test{number}")))["metrics"] == said

    assert main(["predict", f"--ckpt_path={best}", "--run.dir=predict"]) == 0
    with (only_run(Path("predict")) / "predictions.csv").open(encoding="utf-8") as table:
        right = [row["prediction"] == row["target"] for row in csv.DictReader(table)]
    assert sum(right) / len(right) == said["test/acc"]


def test_an_average_is_reproduced_and_reported_as_it_was_measured(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """The run again has the same bits, and the page the same figure."""
    folder = fit("--trainer.max_epochs=2", *EMA)
    accuracy = 100 * record_of(folder)["metrics"]["test"]["test/acc"]
    capsys.readouterr()

    assert main(["reproduce", str(folder)]) == 0
    assert "Bit-identical" in capsys.readouterr().out
    assert main(["report", str(folder), "--output=page.html"]) == 0
    assert f"{accuracy:.2f} %" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["update_starting_at_step=8"], "would keep untrained weights: the run has 2 epochs and 8 steps"),
        (["update_every_n_steps=0"], "would keep untrained weights"),
        (["update_starting_at_epoch=2", "update_every_n_steps=0"], "would keep untrained weights"),
        (
            ["update_starting_at_epoch=1"],
            "delays nothing, each step counts besides. Use --trainer.callbacks.update_star",
        ),
    ],
)
def test_an_average_that_would_not_be_what_it_says_is_refused(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    """Before anything is trained or written."""
    typed = [f"--trainer.callbacks.{option}" for option in options]

    assert main(["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=2", EMA[0], *typed]) == 2

    assert message in capsys.readouterr().err
    assert not list(here.glob("runs/*/*"))
