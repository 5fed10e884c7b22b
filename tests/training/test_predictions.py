"""`mnistlab predict` over all test images: logits, npz and parquet, and several nets in one table."""

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pyarrow import parquet
from support import record_of
from torch.nn import functional as F

from mnistlab.checkpoints.loading import load_model
from mnistlab.data import SyntheticDigits
from mnistlab.models import TinyModel
from mnistlab.runs.run import Run

Told = Callable[..., str]
Trained = Callable[..., Path]
NUMBERS = range(10)


@pytest.fixture
def table(told: Told, here: Path) -> Callable[..., Path]:
    """The file that `predict` writes."""

    def written(*arguments: str) -> Path:
        before = set(here.glob("runs/*/*/predictions.*"))
        told("predict", *arguments)
        (path,) = set(here.glob("runs/*/*/predictions.*")) - before
        return path

    return written


def rows(path: Path) -> list[dict[str, str]]:
    """Those of a table as CSV."""
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_logits_are_those_of_the_net(trained: Trained, table: Callable[..., Path]) -> None:
    """To the last bit in CSV too; their softmax is the probabilities that stand beside them."""
    run = trained()
    data = SyntheticDigits(train_size=600, test_size=200, val_size=100)
    data.setup("test")
    model = load_model(TinyModel, run / "checkpoints/best.ckpt", {}).eval()
    with torch.inference_mode():
        batches: list[Any] = [data.on_after_batch_transfer(batch, 0) for batch in data.test_dataloader()]
        wanted = torch.cat([model(images) for images, _ in batches])

    found = rows(table(f"--ckpt_path={run}", "--logits"))

    logits = torch.tensor([[float(row[f"logit_{number}"]) for number in NUMBERS] for row in found])
    probs = torch.tensor([[float(row[f"prob_{number}"]) for number in NUMBERS] for row in found])
    assert torch.equal(logits, wanted.float())
    assert probs.allclose(F.softmax(wanted, dim=1), rtol=1e-5, atol=1e-7)
    assert [int(row["prediction"]) for row in found] == wanted.argmax(dim=1).tolist()
    assert list(found[0])[:2] == ["index", "prediction"]
    assert list(found[0])[-1] == "target"


def test_the_three_forms_hold_the_same(trained: Trained, table: Callable[..., Path]) -> None:
    """Typed where the form has types; arrays of npz stay whole."""
    run = trained()
    by_csv, npz, columns = (
        table(f"--ckpt_path={run}", "--logits", f"--format={form}") for form in ("csv", "npz", "parquet")
    )

    read = parquet.read_table(columns)
    assert read.column_names == list(rows(by_csv)[0])
    assert {str(read.schema.field(name).type) for name in ("index", "prediction", "target")} == {"int64"}
    assert str(read.schema.field("logit_0").type) == "float"
    with np.load(npz) as arrays:
        assert {name: arrays[name].shape for name in arrays.files} == {
            **dict.fromkeys(("index", "prediction", "target"), (200,)),
            **dict.fromkeys(("probs", "logits"), (200, 10)),
        }
        assert arrays["logits"][:, 3].tolist() == read["logit_3"].to_pylist()
        assert [np.float32(row["logit_3"]) for row in rows(by_csv)] == arrays["logits"][:, 3].tolist()
        assert arrays["target"].tolist() == read["target"].to_pylist()


def test_several_nets_have_columns_each(trained: Trained, table: Callable[..., Path], here: Path) -> None:
    """In one row for each image, with what each says alone; one target stands behind them."""
    one, other = trained("--run.name=one"), trained("--model=SDN8K", "--run.name=other", "--data.mean=0.2")
    alone = [rows(table(f"--ckpt_path={run}", "--logits")) for run in (one, other)]

    path = table("--ckpt_path=one,other", "--each", "--logits")

    joined = rows(path)
    assert len(joined) == 200
    for name, own in zip(("one", "other"), alone, strict=True):
        for column in ("prediction", *(f"{kind}_{number}" for kind in ("prob", "logit") for number in NUMBERS)):
            assert [row[f"{name}.{column}"] for row in joined] == [row[column] for row in own]
    assert [row["target"] for row in joined] == [row["target"] for row in alone[0]]
    assert len(joined[0]) == 2 + 2 * 21
    record = record_of(path.parent)
    assert record["predictions"] == 200
    assert (record["model"], record["class"], path.parent.parent.name) == ("several_nets", "2 nets", "several_nets")
    assert record["checkpoint"] == ",".join(str(run.resolve() / "checkpoints/best.ckpt") for run in (one, other))
    assert len(list(here.glob("runs/*/*/predictions.*"))) == 3
    assert Run.of(path.parent).options.keys().isdisjoint({"model", "model.optimizer.lr", "data.mean"})
    assert Run.of(path.parent).options["data.val_size"] == Run.of(one).options["data.val_size"]


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "--logits", "--format=npz"),
        ("predict", "--each", "--logits", "--format=npz"),
        ("explain", "--images=2", "--which=wrong"),
    ],
)
def test_a_command_is_recorded_as_it_was_typed(
    trained: Trained, told: Told, here: Path, words: tuple[str, ...]
) -> None:
    """With the options of the command itself."""
    run = trained("--trainer.max_epochs=1")
    command, *own = words
    told(command, f"--ckpt_path={run}", *own)

    (folder,) = {*here.glob("runs/*/*")} - {run}
    (segment,) = record_of(folder)["segments"]
    assert segment["command"] == " ".join(["mnistlab", command, f"--ckpt_path={run}", *own])


def test_one_net_may_have_its_columns_too(trained: Trained, table: Callable[..., Path]) -> None:
    """So that a script need not ask how many there are."""
    trained("--run.name=one")

    with np.load(table("--ckpt_path=one", "--each", "--format=npz")) as arrays:
        assert set(arrays.files) == {"index", "one.prediction", "one.probs", "target"}


def test_nets_that_answer_other_images_are_not_joined(trained: Trained, told: Told, here: Path) -> None:
    """Nothing is written; where it is said what all are asked about, they are."""
    trained("--run.name=one")
    trained("--run.name=other", "--data.test_size=150")
    before = set(here.rglob("predictions.*"))

    said = told("predict", "--ckpt_path=one,other", "--each", code=2)
    assert "one and other answer other images each: a row must be one image." in said
    assert set(here.rglob("predictions.*")) == before
    assert "2 nets about 150 images" in told("predict", "--ckpt_path=one,other", "--each", "--data.test_size=150")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format=kaggle", "--logits"], "--logits: the table for Kaggle has one answer an image"),
        (["--format=kaggle", "--each"], "--each: the table for Kaggle has one answer an image"),
        (["--each", "photo.jpg"], "--each is for the table of all test images"),
        (["--logits", "photo.jpg"], "--logits is for the table of all test images"),
        (["--format=parket"], "--format=parket: csv or kaggle or npz or parquet is wanted. Did you mean parquet?"),
        (["--each", "--print_config"], "--each is for trained nets and prints no configuration"),
    ],
)
def test_what_does_not_go_together_is_refused(trained: Trained, told: Told, arguments: list[str], said: str) -> None:
    """In a line, before any work."""
    assert said in told("predict", f"--ckpt_path={trained()}", *arguments, code=2)


def test_parquet_without_its_package_is_refused(trained: Trained, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line that installs it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    said = told("predict", f"--ckpt_path={trained()}", "--format=parquet", code=2)
    assert said == "mnistlab: --format=parquet needs pyarrow: pip install 'mnistlab[parquet]'\n"
