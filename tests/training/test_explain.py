"""`mnistlab explain` writes a picture of what a net looked at, from a checkpoint alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from mnistlab import main

Fit = Callable[..., Path]


def explained(root: Path, *arguments: str) -> tuple[Image.Image, dict[str, Any]]:
    """Run the command below `root`; the picture and what the record says of it."""
    before = set(root.glob("runs/*/*"))
    assert main(["explain", *arguments]) == 0
    (folder,) = set(root.glob("runs/*/*")) - before
    record = json.loads((folder / "run.json").read_text())
    assert record["command"] == "explain"
    assert record["status"] == "finished"
    picture = Image.open(folder / "explanation.png")
    picture.load()  # which closes the file
    return picture, record["explained"]


def tiles(picture: Image.Image, count: int, columns: int) -> list[bytes]:
    """The part of each image with its heat, five pixels for one."""
    found = []
    for number in range(count):
        row, column = divmod(number, columns)
        left, top = 12 + column * 292, 40 + row * 172
        found.append(picture.crop((left, top, left + 280, top + 140)).tobytes())
    return found


def test_a_picture_shows_as_many_images_as_are_asked_for(
    fit: Fit, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with a heat of its own; the same command writes the same picture, and says where it is."""
    run = fit()
    capsys.readouterr()
    picture, record = explained(here, f"--ckpt_path={run}", "--images=4")
    again, _ = explained(here, f"--ckpt_path={run}", "--images", "4")

    assert "4 of the test images explained by gradient in runs/tiny/" in capsys.readouterr().out
    assert record["rows"] == [0, 1, 2, 3]
    assert record["method"] == "gradient"
    assert picture.format == "PNG"
    assert picture.size == (640, 28 + 2 * 172 + 12)
    assert len(set(tiles(picture, 4, 2))) == 4
    assert picture.tobytes() == again.tobytes()


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("SDN8K", "gradient"),
        ("CNN8K", "gradcam"),
        ("EfficientNet22K", "gradcam"),
        ("ConvNeXt18K", "gradcam"),
        ("ViT38K", "attention"),
    ],
)
def test_every_family_is_explained_from_any_folder(
    fit: Fit, here: Path, monkeypatch: pytest.MonkeyPatch, model: str, method: str
) -> None:
    """With the checkpoint alone, by the method that suits the net."""
    run = fit(f"--model={model}").resolve()
    there = here / "elsewhere"
    there.mkdir()
    monkeypatch.chdir(there)

    picture, record = explained(there, f"--ckpt_path={run}", "--images=2")

    assert record["method"] == method
    assert len(set(tiles(picture, 2, 2))) == 2


def test_one_head_of_several_is_explained(trained: Fit, here: Path) -> None:
    """The primary one unless another is named, and then the picture is another."""
    run = trained("--data.labels=MeasuredLabels")
    first, _ = explained(here, f"--ckpt_path={run}", "--images=2")
    other, record = explained(here, f"--ckpt_path={run}", "--images=2", "--head=loops")

    assert record["head"] == "loops"
    assert tiles(first, 2, 2) != tiles(other, 2, 2)


def test_mistakes_and_doubts_can_be_chosen(trained: Fit, here: Path) -> None:
    """`wrong` are rows that predict gets wrong, `unsure` those with the smallest largest probability first."""
    run = trained()
    assert main(["predict", f"--ckpt_path={run}"]) == 0
    (table,) = here.glob("runs/*/*/predictions.csv")
    rows = [[float(value) for value in line.split(",")] for line in table.read_text().splitlines()[1:]]
    wrong = [int(row[0]) for row in rows if row[1] != row[-1]]
    by_doubt = torch.tensor([max(row[2:-1]) for row in rows]).argsort(stable=True)

    assert explained(here, f"--ckpt_path={run}", "--images=3", "--which=wrong")[1]["rows"] == wrong[:3]
    assert explained(here, f"--ckpt_path={run}", "--images=1", "--which=unsure")[1]["rows"] == by_doubt[:1].tolist()


def test_the_true_class_can_be_looked_for(trained: Fit, here: Path) -> None:
    """What would have spoken for it is not what spoke for the wrong one."""
    run = trained()
    options = (f"--ckpt_path={run}", "--images=2", "--which=wrong")
    taken, _ = explained(here, *options)
    true, _ = explained(here, *options, "--target=true")

    assert tiles(taken, 2, 2) != tiles(true, 2, 2)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--method=gradcam", "--method=gradcam: `gradcam` needs a net with maps"),
        ("--method=gradcm", "Did you mean gradcam?"),
        ("--metod=gradcam", "Did you mean --method?"),
        ("--stage=stem", "--stage=stem: `gradcam` needs a net with maps"),
        ("--head=digit", "--head=digit: the model has label."),
        ("--images=0", "--images=0: a whole number above 0 is wanted."),
        (f"--images={'9' * 5000}", "--images=999999999...: a whole number above 0 is wanted."),
        ("--trainer.limit_predict_batches=0", "explain has no images: trainer.limit_predict_batches is 0."),
        ("--which=wron", "Did you mean wrong?"),
        ("--target=tru", "Did you mean true?"),
        ("--data.val_sise=3", "Did you mean val_size?"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    trained: Fit, here: Path, capsys: pytest.CaptureFixture[str], argument: str, said: str
) -> None:
    """With the option that it is in, and nothing is left behind."""
    run = trained()
    before = set(here.rglob("*"))
    capsys.readouterr()

    assert main(["explain", f"--ckpt_path={run}", argument]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1
    assert set(here.rglob("*")) == before


def test_weights_are_asked_for(here: Path, capsys: pytest.CaptureFixture[str], small_data: tuple[str, ...]) -> None:
    """As `predict` does, and random ones can be looked at on purpose."""
    assert main(["explain", *small_data, "--model=TinyModel"]) == 2
    assert "explain needs the weights of a trained model" in capsys.readouterr().err
    assert explained(here, *small_data, "--model=TinyModel", "--untrained", "--images=1")[1]["rows"] == [0]


def test_its_options_are_completed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own beside those of predict, each once, and the words that they take."""
    del here

    def offered(*words: str) -> list[str]:
        assert main(["completion", "--complete", "fish", "explain", *words]) == 0
        return [line.partition("\t")[0] for line in capsys.readouterr().out.splitlines()]

    assert {"--method=", "--images=", "--ckpt_path=", "--data.", "--untrained"} <= set(offered("--"))
    assert "--method=" not in offered("--method=gradcam", "--")
    assert offered("--which=") == ["--which=first", "--which=wrong", "--which=unsure"]
    assert offered("--target", "t") == ["true"]


def test_help_is_its_own_and_that_of_predict(capsys: pytest.CaptureFixture[str]) -> None:
    """A page of its own for what is its own, and for the rest what predict says."""
    assert main(["explain", "--help"]) == 0
    assert "--which" in capsys.readouterr().out
    assert main(["explain", "--help=data"]) == 0
    said = capsys.readouterr().out
    assert main(["predict", "--help=data"]) == 0
    assert said == capsys.readouterr().out
