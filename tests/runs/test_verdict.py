"""What is said of a run that has learnt nothing, or not what it should; of one that goes well nothing is."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from mnistlab.cli import main
from mnistlab.runs.record import write_rows
from mnistlab.runs.run import Run
from mnistlab.runs.verdict import verdict

Fit = Callable[..., Path]
SMALL = ("CNN8K", "SDN8K", "ConvNeXt18K", "TinyModel")
COUNTS = {"train": {"digit": [5500] * 10}, "val": {"digit": [520, 480, *[500] * 8]}}
RECORD = {"command": "fit", "status": "finished", "class_counts": COUNTS, "train_images": 55000, "lr": 1e-3}


def course(**columns: Sequence[float]) -> list[dict[str, float]]:
    """The rows of as many epochs as there are values of each metric; `val_acc` is `val/acc`."""
    names = [name.replace("_", "/") for name in columns]
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [{"epoch": at, "step": 430 * (at + 1), **row} for at, row in enumerate(rows)]


FLAT = course(train_loss=[2.31, 2.303], train_acc=[0.1, 0.1], val_loss=[2.303, 2.303], val_acc=[0.1, 0.104])
WELL = course(train_loss=[0.5, 0.1], train_acc=[0.85, 0.97], val_loss=[0.2, 0.1], val_acc=[0.95, 0.97])


@pytest.mark.parametrize(
    ("rows", "said", "words"),
    [
        (FLAT, {}, ["10.40 % (95 %, Wilson: 9.58 to 11.28 %), is not above the 10.40 %", "OverfitBatches"]),
        (FLAT, {"lr": 1e-7}, ["Learnt nothing", "--model.optimizer.lr=0.001"]),
        (FLAT, {"lr": 10.0}, ["Learnt nothing", "--model.optimizer.lr=0.01"]),
        (
            course(train_loss=[2.5, 2.4], train_acc=[0.1, 0.1], val_loss=[2.4, 2.35], val_acc=[0.1, 0.1]),
            {},
            ["Learnt nothing", "still falls, from 2.5 to 2.4", "--trainer.max_epochs=4"],
        ),
        (
            course(train_loss=[8.4, 2.5], train_acc=[0.1, 0.1], val_loss=[9855.0, 2.6], val_acc=[0.03, 0.1]),
            {},
            ["Learnt nothing", "steps are too large", "--model.optimizer.lr=0.0001"],
        ),
        (
            course(train_loss=[9.0, 9.0], train_acc=[0.3, 0.3], val_loss=[9e3, 272680.0], val_acc=[0.3, 0.3]),
            {"lr": 10.0},
            ["beyond all use, 272,680", "--model.optimizer.lr=0.01"],
        ),
        (
            course(train_loss=[2.4, 2.3, 2.17], train_acc=[0.1, 0.2, 0.2], val_loss=[2.2, 2.1, 2.1], val_acc=[0.2] * 3),
            {},
            ["Learnt little: train acc 20.00 %, best val acc 20.00 %", "--model.dropout=0.1"],
        ),
        (
            course(
                train_loss=[0.5, 0.2, 0.1, 0.05, 0.01],
                train_acc=[0.85, 0.9, 0.95, 0.99, 1.0],
                val_loss=[0.5, 0.4, 0.6, 0.8, 0.9],
                val_acc=[0.8, 0.84, 0.84, 0.84, 0.84],
            ),
            {},
            [
                "by heart: train acc 100.00 %, val acc 84.00 %",
                "least after epoch 2, 0.4 against 0.9",
                "--data.augment=",
            ],
        ),
        (
            course(train_loss=[2.0] * 5, val_loss=[2.0, 1.6, 1.3, 1.0, 0.8], val_acc=[0.3, 0.4, 0.5, 0.6, 0.7]),
            {},
            ["Still learning", "from 1 to 0.8", "--trainer.max_epochs=10"],
        ),
        (
            course(train_loss=[2.0] * 5, val_loss=[2.0, 1.6, 1.3, 1.0, 0.8], val_acc=[0.3, 0.4, 0.5, 0.6, 0.7]),
            {"ended_by": "trainer.max_time"},
            ["Still learning", "Try first more --trainer.max_time"],
        ),
        (
            course(val_acc=[0.1]),
            {"not_finite": ["metrics.last.train/loss"]},
            ["train/loss is no number", "--model.optimizer.lr=0.0001"],
        ),
    ],
)
def test_one_line_says_what_is_wrong_and_what_to_try_first(
    here: Path, rows: Sequence[Mapping[str, float]], said: Mapping[str, object], words: Sequence[str]
) -> None:
    """From the rows as numbers and as those of the table alike."""
    line = verdict(rows, {**RECORD, **said})

    assert line is not None
    assert "\n" not in line
    assert all(word in line for word in words), line
    write_rows(here / "metrics.csv", rows)
    assert Run(here, {**RECORD, **said}).verdict == line


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (WELL, {}),
        (WELL, {"not_finite": ["metrics.last.train/loss"]}),
        (FLAT, {"status": "interrupted"}),
        (FLAT, {"command": "test"}),
        (FLAT, {"class_counts": {"train": COUNTS["train"]}}),
        (FLAT, {"class_counts": None}),
        (FLAT, {"class_counts": {"train": {"digit": ["x"]}, "val": [3]}}),
        (FLAT, {"train_images": 384}),
        ([{**FLAT[0], "step": 12}], {}),
        ([], {}),
        ([{}], {}),
    ],
)
def test_otherwise_nothing_is_said(rows: Sequence[Mapping[str, float]], said: Mapping[str, object]) -> None:
    """Of a run that went well, has not finished, is a trial on a few images, or whose record is odd or old."""
    assert verdict(rows, {**RECORD, **said}) is None


def test_fit_and_show_and_the_report_say_the_same(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """The figure that is compared with is that of the images held out, which the record has."""
    run = fit("--trainer.max_epochs=2", "--model.optimizer.lr=1e-9")
    counts = json.loads((run / "run.json").read_text())["class_counts"]
    assert sum(next(iter(counts["val"].values()))) == 100
    line = capsys.readouterr().out.splitlines()[-1]
    assert "is not above the" in line

    assert main(["runs", "show", "last", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == line
    assert main(["runs", "show", "last"]) == 0
    assert line.split(", ")[0] in " ".join(capsys.readouterr().out.split())
    assert main(["report", "last"]) == 0
    assert line in (run / "report.html").read_text()


def test_of_a_net_that_learns_nothing_is_said(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """The test is the last that is spoken of, and how to have it again."""
    fit("--trainer.max_epochs=3")

    assert capsys.readouterr().out.splitlines()[-1].startswith("Test it again: ")


@pytest.mark.slow
@pytest.mark.parametrize("model", SMALL)
def test_one_epoch_of_a_small_model_raises_no_false_alarm(here: Path, model: str) -> None:
    """Of the digits that are drawn, as many as come by default."""
    assert (
        main(["fit", f"--model={model}", "--data=SyntheticDigits", "--trainer.max_epochs=1", "--run.test=false"]) == 0
    )
    (folder,) = here.glob("runs/*/*")

    assert Run.of(folder).verdict is None
