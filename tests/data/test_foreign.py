"""Modules of Lightning with images and labels, taken as they are."""

import csv
import sys
from pathlib import Path

import pytest
import torch
from support import only_run, record_of

from mnistlab import TinyModel, config, main

MODULE = '''
"""Data of a user."""
import torch
from lightning import LightningDataModule
from torch.utils.data import DataLoader, Dataset, TensorDataset

class Bars(LightningDataModule):
    """Bars that lie or stand.

    Args:
        batch_size: Images in a batch.
        form: What is wrong with a batch, or its form.
    """

    def __init__(self, batch_size: int = 32, form: str = "") -> None:
        super().__init__()
        self.save_hyperparameters()

    def setup(self, stage):
        self.parts = {split: self.made(split) for split in ("train", "val", "test")}

    def made(self, split):
        drawn = torch.Generator().manual_seed(len(split))
        labels = torch.arange(160) % 2
        places = torch.randint(4, 24, (160,), generator=drawn)
        images = torch.zeros(160, 1, 28, 28)
        for image, stands, place in zip(images[:, 0], labels, places):
            (image[:, place] if stands else image[place]).fill_(1)
        images = images + 0.05 * torch.rand(images.shape, generator=drawn)
        return TensorDataset(*self.formed(images.clamp(0, 1) / 0.5 - 1, labels))

    def formed(self, images, labels):
        form = self.hparams.form
        if form == "uint8":
            images = ((images + 1) * 127.5).to(torch.uint8)
        if form == "flat":
            return images[:, 0], labels[:, None]
        if form == "numbers":
            images = (images * 100).long()
        if form == "shares":
            labels = labels.float()
        if form == "from 1":
            labels = labels + 1
        return (images, labels, labels) if form == "three" else (images, labels)

    def loader(self, split, shuffle=False):
        collate = (lambda rows: {"image": rows[0][0], "label": rows[0][1]}) if self.hparams.form == "dict" else None
        return DataLoader(self.parts[split], self.hparams.batch_size, shuffle=shuffle, collate_fn=collate)

    def train_dataloader(self):
        return self.loader("train", shuffle=True)

    def val_dataloader(self):
        return [self.loader("val")] * (2 if self.hparams.form == "two" else 1)

    def test_dataloader(self):
        return self.loader("test", shuffle=self.hparams.form == "shuffled")

class Named(Bars):
    """Bars with names."""
    classes = ["lies", "stands"]

class Told(Bars):
    """Bars with a number."""
    num_classes = 2

class Trains(LightningDataModule):
    """Bars to train with only."""

    def train_dataloader(self):
        return DataLoader(Bars().made("train"), 32, shuffle=True)
'''

EPOCH = ("--model=TinyModel", "--trainer.max_epochs=1")
TRUSTED = ("--ckpt_path=last", "--trust=own_data")


@pytest.fixture(autouse=True)
def _own_data(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of modules in the current folder, which no other test has imported."""
    (here / "own_data.py").write_text(MODULE)
    monkeypatch.delitem(sys.modules, "own_data", raising=False)


@pytest.mark.parametrize("form", ["", "uint8", "flat"])
def test_a_module_is_trained_on_tested_and_explained(form: str, here: Path) -> None:
    """Floating point as it is, uint8 from 0 to 1; with or without a channel. The net sees what the module gives."""
    assert main(["fit", *EPOCH, "--data=own_data.Bars", f"--data.form={form}", "--data.batch_size=16"]) == 0
    run = only_run(here / "runs")
    record = record_of(run)
    assert record["effective_batch_size"] == 16
    assert record["train_images"] == 160
    assert main(["test", *TRUSTED]) == main(["validate", *TRUSTED]) == 0
    assert main(["explain", *TRUSTED, "--images=2", "--method=gradient"]) == 0
    assert main(["predict", *TRUSTED]) == 0

    with next((here / "runs").rglob("predictions.csv")).open() as file:
        rows = list(csv.DictReader(file))
    model = TinyModel.load_from_checkpoint(run / "checkpoints" / "last.ckpt").eval()
    data = sys.modules["own_data"].Bars(form="flat" if form == "flat" else "")
    images = data.made("test").tensors[0].view(160, 1, 28, 28)
    if form == "uint8":
        images = ((images + 1) * 127.5).to(torch.uint8) / 255
    with torch.inference_mode():
        probs = model(images).softmax(dim=1)[:, 1]
    assert [float(row["prob_1"]) for row in rows] == pytest.approx(probs.tolist(), rel=1e-4)
    assert [int(row["target"]) for row in rows] == [0, 1] * 80


def test_what_is_not_known_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The number of classes is counted where nobody has said it."""
    assert main(["fit", *EPOCH, "--data=Bars"]) == 0
    err = capsys.readouterr().err
    assert err.count("note: Bars is taken as it is") == 1
    assert "Its training labels have 2 classes; `num_classes` of the class would say how many." in err
    assert main(["fit", *EPOCH, "--data=Bars"]) == 0
    assert "note" not in capsys.readouterr().err

    assert main(["fit", *EPOCH, "--data=Told"]) == 0
    err = capsys.readouterr().err
    assert "note: Told is taken as it is" in err
    assert "num_classes" not in err


def test_names_of_classes_are_taken_too(here: Path) -> None:
    """From `classes`."""
    assert main(["fit", *EPOCH, "--data=own_data.Named"]) == 0
    assert main(["predict", *TRUSTED]) == 0
    assert "lies" in next((here / "runs").rglob("predictions.csv")).read_text()


def test_a_module_that_only_trains_is_neither_validated_nor_tested(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, and nothing fails after the training."""
    assert main(["fit", *EPOCH, "--data=Trains"]) == 0
    assert "It has no val_dataloader, so nothing is validated. It has no test_data" in capsys.readouterr().err
    for command, told in (
        ("test", "nothing to test: Trains has no test_dataloader"),
        ("predict", "nothing to predict: Trains has no test_dataloader"),
        ("validate", "nothing to validate: Trains has no val_dataloader"),
    ):
        assert main([command, *TRUSTED]) == 2
        assert told in capsys.readouterr().err
    assert main(["sweep", *EPOCH, "--data=Trains", "--model.dropout=choice:0,0.1"]) == 2
    assert "there are none: Trains has no val_dataloader" in capsys.readouterr().err


@pytest.mark.usefixtures("inline")
def test_a_run_on_a_module_is_repeated_continued_swept_and_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """To the bit where it is repeated."""
    assert main(["fit", *EPOCH, "--data=Bars"]) == 0
    assert main(["reproduce", "last", "--trust=own_data"]) == 0
    assert "Bit-identical" in capsys.readouterr().out
    assert main(["fit", *TRUSTED, "--trainer.max_epochs=2"]) == 0
    assert "epoch     2/2" in capsys.readouterr().out
    assert main(["sweep", *EPOCH, "--data=Bars", "--data.batch_size=choice:16,32"]) == 0
    assert "2 finished" in capsys.readouterr().out
    assert main(["compare", "--models=TinyModel", "--data=Bars", "--trainer.max_epochs=1", "--seeds=1"]) == 0


def test_its_options_have_help_and_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the module; it is listed, and stands in presets of Python."""
    assert main(["fit", "--data.help=Bars"]) == 0
    assert "--data.batch_size=32" in capsys.readouterr().out
    assert main(["datasets"]) == 0
    assert "Bars that lie or stand" in capsys.readouterr().out
    assert main(["fit", *EPOCH, "--data=Bars", "--data.batch_sice=3"]) == 2
    assert "Did you mean batch_size?" in capsys.readouterr().err
    sys.path.append(str(Path.cwd()))
    module = __import__("own_data")
    sys.path.pop()
    assert config(module.Bars, form="flat").specification.init_args["batch_size"] == 32


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("dict", "Bars gives batches with image, label, and pairs are wanted: images (n, channels, height, width)"),
        ("three", "Bars gives batches of a tensor (float32, 32x1x28x28), a tensor (int64, 32), a tensor (int64, 32)"),
        ("numbers", "Bars gives batches of a tensor (int64, 32x1x28x28)"),
        ("shares", "Bars gives batches of a tensor (float32, 32x1x28x28), a tensor (float32, 32)"),
        ("shuffled", "test_dataloader of Bars shuffles"),
        ("two", "val_dataloader of Bars gives 2 loaders"),
    ],
)
def test_what_cannot_be_taken_is_told_in_a_line(form: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is trained."""
    assert main(["fit", *EPOCH, "--data=Bars", f"--data.form={form}"]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


def test_labels_outside_of_the_classes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Here they begin with 1."""
    assert main(["fit", *EPOCH, "--data=Told", "--data.form=from 1"]) == 2
    assert "Told has 2 classes, and labels from 1 to 2. Let it give those from 0 to 1." in capsys.readouterr().err
