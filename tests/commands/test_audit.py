"""`mnistlab audit`: labels that look wrong, and images that stand twice."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pages import Page
from PIL import Image

from mnistlab.cli import main
from mnistlab.training.auditing import Course, margins_of

Audit = Callable[..., dict[str, Any]]

_LEARNT = ("--model=CNN8K", "--model.optimizer.lr=0.02", "--data.batch_size=32", "--trainer.max_epochs=4")
_DIGITS = ("--data=SyntheticDigits", "--data.train_size=1200", "--data.test_size=100", "--data.val_size=0")


@pytest.fixture
def audit(here: Path, capsys: pytest.CaptureFixture[str]) -> Audit:
    """What `audit --json` says."""
    del here

    def said(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["audit", *arguments, "--folds=3", "--json"]) == 0, capsys.readouterr().err
        report: dict[str, Any] = json.loads(capsys.readouterr().out)
        return report

    return said


@pytest.fixture
def shades(here: Path) -> Path:
    """Dark and bright pictures; a dark one stands twice under both names, a bright one for training and test."""
    rng = np.random.default_rng(0)
    for split, many in (("train", 20), ("test", 6)):
        for name, level in (("dark", 20), ("bright", 200)):
            folder = here / "shades" / split / name
            folder.mkdir(parents=True)
            for number in range(many):
                pixels = (level + rng.integers(0, 40, (8, 8))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number:02}.png")
    for source, copy in (("train/dark/00", "train/bright/90"), ("train/bright/01", "test/bright/91")):
        (here / "shades" / f"{copy}.png").write_bytes((here / "shades" / f"{source}.png").read_bytes())
    return here / "shades"


def test_planted_labels_are_named_first(audit: Audit) -> None:
    """By small nets too: chance would name one of them among as many."""
    found = audit(*_DIGITS, *_LEARNT, "--data.label_noise=0.02")

    assert found["images"] == 1200
    assert found["planted"]["labels"] == 24
    assert found["planted"]["named"] >= 12
    scores = [each["score"] for each in found["worst"]]
    assert scores == sorted(scores)
    assert found["wrong"] >= found["planted"]["named"]


def test_images_that_stand_twice_are_named(audit: Audit, shades: Path) -> None:
    """Among those for training, with their labels, and in training and test."""
    found = audit("--data=Images", f"--data.path={shades}", "--model=SDN8K", "--trainer.max_epochs=1")

    (twice,) = found["twice"]
    assert sorted(twice["labels"]) == ["bright", "dark"]
    (tested,) = found["tested"]
    assert tested["image"] not in twice["images"]
    assert found["images"] == 41


def test_the_page_shows_images_that_no_network_is_needed_for(audit: Audit, shades: Path) -> None:
    """With what they are called, what they look like, and how that went on."""
    found = audit("--data=Images", f"--data.path={shades}", "--model=SDN8K", "--trainer.max_epochs=2", "--images=5")
    page = Page(Path(found["page"]))

    assert len(found["worst"]) == 5
    assert len(page.all("img")) == 5 + 1 + 1
    assert len(page.all("polyline")) == 5
    assert all(str(image["src"]).startswith("data:image/png") for image in page.all("img"))
    assert not page.all("script", "link")
    assert f"{found['worst'][0]['label']}, looks like {found['worst'][0]['looks_like']}" in page.text
    assert "mnistlab audit" in page.text
    assert "--folds=3" in page.text


def test_a_spreadsheet_has_every_image_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The worst first, with the probability of its label after each epoch, and no run is kept."""
    assert main(["audit", *_DIGITS, "--model=SDN8K", "--trainer.max_epochs=2", "--folds=2", "--csv"]) == 0

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert sorted(int(row["image"]) for row in rows) == [*range(1200)]
    assert {"label", "looks_like", "score", "confidence_1", "confidence_2"} < rows[0].keys()
    assert float(rows[0]["score"]) <= float(rows[-1]["score"])
    assert not (here / "runs").exists()


def test_people_read_what_was_found(shades: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In sentences, after a line for each net."""
    typed = ["--data=Images", f"--data.path={shades}", "--model=SDN8K", "--trainer.max_epochs=1", "--folds=2"]
    assert main(["audit", *typed, "--output=found.html"]) == 0

    out, err = capsys.readouterr()
    assert "net 2 of 2, " in out
    assert err.count("stands in") == 1
    assert "1 image is a copy of another, 1 of several labels" in out
    assert "1 test image stands among them too" in out
    assert out.endswith("wrote found.html\n")


def test_a_margin_is_what_the_label_has_before_the_next_class() -> None:
    """From -1 to 1."""
    probs = torch.tensor([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [0.0, 0.0, 1.0]])

    assert margins_of(probs, torch.tensor([0, 1, 0])).tolist() == pytest.approx([0.5, -0.5, -1.0])


def test_a_net_that_ended_early_counts_with_the_epochs_that_it_had() -> None:
    """The mean over the epochs is that of each image's own."""

    def course(row: int, margins: list[float]) -> Course:
        last = torch.tensor([[(1 + margins[-1]) / 2, (1 - margins[-1]) / 2]])
        each = torch.tensor(margins)[:, None]
        return Course(torch.tensor([row]), torch.tensor([0]), last, (1 + each) / 2, each)

    joined = Course.joined([course(1, [0.0, 0.5]), course(0, [-0.5])])

    assert joined.rows.tolist() == [0, 1]
    assert joined.scores.tolist() == pytest.approx([0.25, (0.75 + 0.625) / 2])
    assert joined.is_wrong.tolist() == [True, False]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["--folds=1"], "--folds=1: from 2 on"),
        (["--folds=none"], "--folds=none: a whole number above 0 is wanted"),
        (["--csv", "--json"], "--csv and --json exclude each other"),
        (["--output=nowhere/page.html"], "there is no folder"),
        (["--model.hiden_dim=3"], "Did you mean"),
        (["--ckpt_path=last"], "audit trains its nets anew"),
        (["--trainer.limit_val_batches=1", "--data.eval_batch_size=50"], "audit needs all of them"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    typed: list[str], message: str, here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """And no page is written."""
    assert main(["audit", "--model=TinyModel", *small_data, "--trainer.max_epochs=1", *typed]) == 2
    assert message in capsys.readouterr().err
    assert not [*here.glob("*.html")]
