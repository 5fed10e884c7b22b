"""What images there are: how many of which class, which are there twice, and how they look."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnistlab.cli import main

Said = Callable[..., dict[str, Any]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """What `data --json` says."""

    def of(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["data", *arguments, "--json"]) == 0
        report: dict[str, Any] = json.loads(capsys.readouterr().out)
        return report

    return of


@pytest.fixture
def animals(here: Path) -> Path:
    """Two classes in two splits, in colour; one picture three times, one of another size, one in both classes."""
    rng = np.random.default_rng(0)
    for split, many in (("train", 12), ("test", 4)):
        for name in ("cat", "dog"):
            folder = here / "animals" / split / name
            folder.mkdir(parents=True)
            for number in range(many):
                Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    one = (here / "animals/train/cat/0.png").read_bytes()
    for other in ("train/cat/97.png", "train/cat/98.png", "test/dog/99.png"):
        (here / "animals" / other).write_bytes(one)
    Image.new("RGB", (4, 4), (255, 0, 0)).save(here / "animals/train/dog/99.png")
    return here / "animals"


def test_images_are_counted_by_class_and_split(animals: Path, said: Said) -> None:
    """With their size and channels, and what they were before."""
    report = said("animals", "--data.val_size=4")

    assert (report["data"], report["path"]) == ("Images", str(animals))
    assert report["images"] == {"train": 23, "val": 4, "test": 9}
    assert (report["channels"], report["height"], report["width"]) == (3, 6, 8)
    assert [shape["images"] for shape in report["shapes"]] == [35, 1]
    classes = report["classes"]["label"]
    assert {name: counts["train"] + counts["val"] for name, counts in classes.items()} == {"cat": 14, "dog": 13}
    assert {name: counts["test"] for name, counts in classes.items()} == {"cat": 4, "dog": 5}
    assert 0.4 < report["mean"] < 0.6
    assert 0.2 < report["std"] < 0.4


def test_what_is_there_twice_is_counted(animals: Path, said: Said) -> None:
    """Within a split, in two of them, and under two names."""
    report = said(str(animals), "--data.val_size=0")

    assert report["copies"] == {"train": 2, "test": 0}
    assert report["shared"] == [{"in": "train", "of": "test", "images": 1}]
    assert report["contradictory"] == 4


def test_a_page_has_a_row_of_samples_for_each_class(animals: Path, said: Said) -> None:
    """Where it was asked for, else in the current folder, called after what was looked at."""
    assert said("animals")["page"] == "data-animals.png"
    said("animals", "--output=two.png", "--data.val_size=0")

    with Image.open("two.png") as page, Image.open("data-animals.png") as usual:
        assert page.size == usual.size
        assert page.height > 2 * 56
    assert animals.is_dir()


def test_people_read_a_table(animals: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And what is odd in sentences."""
    assert main(["data", str(animals), "--data.val_size=4"]) == 0

    shown = capsys.readouterr().out
    assert "36 images of 6 x 8, colour" in shown
    assert "as they lie there: 35 of 6 x 8, colour, 1 of 4 x 4, colour" in shown
    assert [line.split() for line in shown.splitlines() if line.startswith("  all")] == [["all", "23", "4", "9", "36"]]
    assert "1 image of test stands in train too" in shown
    assert "4 images with an equal one of another class" in shown
    assert "samples are in data-animals.png" in shown


def test_a_data_set_is_looked_at_by_its_name(here: Path, said: Said) -> None:
    """With its options, as in fit; each of several labels has its classes."""
    small = ["--data.train_size=300", "--data.test_size=50", "--data.val_size=50"]
    report = said("SyntheticDigits", *small, "--data.labels=MeasuredLabels")

    assert report["images"] == {"train": 250, "val": 50, "test": 50}
    assert report["classes"].keys() > {"digit"}
    assert sum(counts["test"] for counts in report["classes"]["digit"].values()) == 50
    assert said("--data=SyntheticDigits", *small)["page"] == "data-SyntheticDigits.png"
    assert (here / "data-SyntheticDigits.png").is_file()


def test_pictures_without_labels_are_counted(here: Path, said: Said) -> None:
    """And shown."""
    (here / "scans").mkdir()
    for number in range(3):
        Image.new("L", (5, 5), number).save(here / "scans" / f"{number}.png")

    report = said("scans")

    assert (report["images"], report["classes"]) == ({"test": 3}, {})
    assert (here / "data-scans.png").is_file()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ([], "data takes one data set, or one folder or file, got none"),
        (["MNIST", "KMNIST"], "got 2: MNIST, KMNIST"),
        (["MNSIT"], "MNSIT is no data set, and no folder or file here. Did you mean MNIST"),
        (["anmals"], "Did you mean animals?"),
        (["other/cats"], "other/cats is not there."),
        (["nope.csv"], "nope.csv is no data set, and no folder or file here."),
        (["animals", "--data.imge_size=3"], "Did you mean image_size?"),
        (["animals", "--output=none/page.png"], "--output=none/page.png: there is no folder"),
        (["animals", "--output=animals"], "animals cannot be written"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    typed: list[str], message: str, animals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is written."""
    assert main(["data", *typed]) == 2

    told = capsys.readouterr().err
    assert message in told
    assert len([line for line in told.splitlines() if not line.startswith("note:")]) == 1
    assert not [*animals.parent.glob("*.png")]
