"""`mnistlab predict` answers pictures."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mnistlab import main
from mnistlab.catalogue import load_catalogue
from mnistlab.data.digits import draw_digits
from mnistlab.training.refusal import Refusal

Answer = Callable[..., tuple[str, list[dict[str, str]]]]


def paper(path: Path, *digits: int, seed: int = 3) -> Path:
    """A picture of some synthetic digits beside each other, dark on light."""
    drawn = draw_digits(80, seed)
    images = [np.pad(drawn.images[list(drawn.targets["digit"]).index(digit), 0].numpy(), 6) for digit in digits]
    ink = np.kron(np.hstack(images), np.ones((3, 3))) / 255 if images else np.zeros((120, 120))
    Image.fromarray((230 - 190 * ink).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def run(trained: Callable[..., Path]) -> Path:
    """A net that knows a few digits."""
    return trained("--trainer.max_epochs=3")


@pytest.fixture
def answer(here: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> Answer:
    """What the command prints about pictures, and the rows of its table."""

    def asked(*arguments: str) -> tuple[str, list[dict[str, str]]]:
        before = set(here.glob("runs/*/*"))
        assert main(["predict", f"--ckpt_path={run}", *arguments]) == 0, capsys.readouterr().err
        (folder,) = set(here.glob("runs/*/*")) - before
        with (folder / "predictions.csv").open() as file:
            return capsys.readouterr().out, list(csv.DictReader(file))

    return asked


def test_each_sign_of_each_picture_has_a_row(here: Path, answer: Answer) -> None:
    """Files in the order in which they are named, those of a folder by their names, signs as they are read."""
    (here / "scans").mkdir()
    paper(here / "scans" / "b.png", 1)
    paper(here / "scans" / "a.png", 7)
    (here / "scans" / "notes.txt").write_text("no picture")
    paper(here / "sheet.png", 3, 0, 1)

    _, rows = answer("sheet.png", "scans")

    named = [(row["file"], row["number"]) for row in rows]
    assert named == [*(("sheet.png", f"{nr}") for nr in (1, 2, 3)), ("scans/a.png", "1"), ("scans/b.png", "1")]
    assert all(row["refused"] or 0 <= int(row["prediction"]) <= 9 for row in rows)
    assert sorted(int(row["left"]) for row in rows[:3]) == [int(row["left"]) for row in rows[:3]]


def test_a_picture_comes_by_standard_input(here: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a lone dash says, with the answer of the file."""
    content = paper(here / "one.png", 4).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))

    _, (from_input, from_file) = answer("-", "one.png")

    assert from_input["file"] == "-"
    assert from_input["prob_4"] == from_file["prob_4"]


def test_a_sheet_without_ink_is_no_digit(here: Path, answer: Answer) -> None:
    """And is told so."""
    paper(here / "empty.png")

    out, (row,) = answer("empty.png")

    assert "no digit" in out
    assert "there is no ink on it" in out
    assert "prediction" not in row


def test_answers_are_drawn(here: Path, answer: Answer) -> None:
    """In a picture beside the table."""
    paper(here / "one.png", 4)
    answer("one.png")

    (drawn,) = here.glob("runs/*/*/predictions.png")
    with Image.open(drawn) as picture:
        assert min(picture.size) > 140


def test_json_has_every_probability(here: Path, answer: Answer) -> None:
    """And nothing else is printed."""
    paper(here / "two.png", 4, 1)

    out, _ = answer("--json", "two.png")

    said = json.loads(out)
    assert [each["number"] for each in said] == [1, 2]
    assert all(len(each["label"]["probs"]) == 10 for each in said)


def test_no_data_are_needed(here: Path, run: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint says all that a picture is prepared with."""
    del run
    monkeypatch.setattr("mnistlab.data.SyntheticDigits.read", lambda *_: pytest.fail("the images were read"))
    paper(here / "one.png", 4)

    answer("one.png")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("broken.png", b"no picture", "broken.png cannot be read as a picture: it is no picture of a known format."),
        ("cut.png", None, "cut.png cannot be read as a picture:"),
        ("missing.png", b"", "missing.png: there is no such picture or folder."),
        ("empty/", b"", "empty/ holds no pictures:"),
        (
            "above",
            b"",
            "above holds no pictures: none of its files ends in .png, .jpg, .jpeg or the like. Its folder in ",
        ),
    ],
)
def test_what_is_no_picture_is_refused_in_a_line(
    here: Path, run: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, said: str
) -> None:
    """With its name, and nothing is kept."""
    (here / "empty").mkdir()
    (here / "above" / "in").mkdir(parents=True)
    paper(here / "above" / "in" / "one.png", 1)
    if content:
        (here / name).write_bytes(content)
    elif content is None:
        (here / name).write_bytes(paper(here / "whole.png", 3).read_bytes()[:400])
    before = set(here.glob("runs/*/*"))

    assert main(["predict", f"--ckpt_path={run}", name]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mnistlab: {said}")
    assert set(here.glob("runs/*/*")) == before


def test_json_without_pictures_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Test images have a table."""
    assert main(["predict", f"--ckpt_path={run}", "--json"]) == 2
    assert "--json is for pictures" in capsys.readouterr().err


def test_a_checkpoint_that_says_nothing_of_it_refuses_the_same(
    here: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of an older version, or of a run without a test: it is learnt from the data, where they are."""
    for path in (*run.glob("checkpoints/*.ckpt"),):
        contents = torch.load(path, weights_only=True)
        contents["mnistlab"].pop("refusal", None)
        torch.save(contents, path)
    paper(here / "two.png", 4, 1)
    (here / "nothing").mkdir()
    pictures = ["two.png", "two.png"]

    assert main(["predict", f"--ckpt_path={run}", *pictures]) == 0
    assert "every picture gets an answer" not in capsys.readouterr().err
    assert main(["predict", f"--ckpt_path={run}", "--data=MNIST", "--data.data_dir=nothing", *pictures]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("every picture gets an answer") == 1
    assert "no digit" not in captured.out
    assert not list((here / "nothing").iterdir())  # nothing was fetched


def test_the_weights_alone_refuse_what_the_checkpoint_refuses(here: Path, run: Path, answer: Answer) -> None:
    """What is none of the classes is kept in both."""
    paper(here / "digits.png", 4, 1, 7)
    _, by_run = answer("digits.png")
    _, by_weights = answer("digits.png", f"--ckpt_path={run / 'model.safetensors'}")

    assert by_run == by_weights


def test_what_has_no_numbers_in_single_precision_is_worked_out_in_double(
    here: Path, fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with MKL 2024.2 for noise and one thread: a net that was trained has its threshold all the same."""
    decomposed = torch.linalg.eigh
    seen: list[torch.dtype] = []

    def eigh(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(matrix.dtype)
        values, vectors = decomposed(matrix)
        return values, vectors * float("nan") if matrix.dtype == torch.float32 else vectors

    monkeypatch.setattr("torch.linalg.eigh", eigh)
    run = fit("--trainer.max_epochs=3")
    assert seen == [torch.float32, torch.float64]
    paper(here / "digits.png", *range(10))
    capsys.readouterr()

    assert main(["predict", f"--ckpt_path={run}", "digits.png", "--json"]) == 0

    captured = capsys.readouterr()
    assert "every picture gets an answer" not in captured.err
    assert sum(row["refused"] is not None for row in json.loads(captured.out)) <= 2


def test_scribbles_are_refused_and_digits_are_not(here: Path, answer: Answer) -> None:
    """Most of them: of images like those that were learnt few are refused, of noise nearly all."""
    paper(here / "digits.png", *range(10))
    rng = np.random.default_rng(0)
    blots = np.full((120, 1200), 230, dtype=np.uint8)
    for at in range(10):
        blots[20:100, 120 * at + 20 : 120 * at + 100] = np.kron(
            rng.integers(0, 2, (16, 16)) * 200 + 30, np.ones((5, 5))
        )
    Image.fromarray(blots).save(here / "blots.png")

    _, digits = answer("digits.png")
    _, scribbles = answer("blots.png")

    assert sum(bool(row["refused"]) for row in digits) <= 2
    assert sum(bool(row["refused"]) for row in scribbles) >= 0.8 * len(scribbles)


def test_pictures_are_answered_without_lightning(here: Path, run: Path) -> None:
    """Nor torchvision, nor matplotlib."""
    load_catalogue()
    paper(here / "one.png", 4)
    script = (
        "import atexit, sys; atexit.register(lambda: print('LOADED', *sys.modules)); from mnistlab.cli import entry; "
        f"sys.argv[1:] = ['predict', '--ckpt_path={run}', 'one.png']; entry()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.partition("LOADED")[2].split()}

    assert not loaded & {"lightning", "torchvision", "matplotlib", "scipy", "cv2"}


def test_classes_are_called_by_their_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the table, in its file and for machines; numbers stay beside them."""
    drawn = draw_digits(200, 5)
    for split in ("train", "test"):
        for digit, name in ((1, "one"), (7, "seven")):
            (here / "mine" / split / name).mkdir(parents=True)
            for number, image in enumerate(drawn.images[drawn.targets["digit"] == digit][:15, 0].numpy()):
                Image.fromarray(image).save(here / "mine" / split / name / f"{number}.png")
    options = ["--data=Images", f"--data.path={here / 'mine'}", "--trainer.max_epochs=1"]
    assert main(["fit", "--model=TinyModel", *options, "--trainer.enable_progress_bar=false"]) == 0
    paper(here / "pic.png", 1)
    capsys.readouterr()

    assert main(["predict", "--ckpt_path=last", "--json", "pic.png"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert said["label"]["class"] == ["one", "seven"][said["label"]["prediction"]]
    assert main(["predict", "--ckpt_path=last", "pic.png"]) == 0
    assert said["refused"] or said["label"]["class"] in capsys.readouterr().out
    newest = max(here.glob("runs/*/*/predictions.csv"), key=lambda path: path.stat().st_mtime_ns)
    with newest.open() as file:
        assert [row["class"] for row in csv.DictReader(file)] == [said["label"]["class"]]


def test_what_is_refused_takes_little_room(run: Path) -> None:
    """40 kB in a checkpoint."""
    contents = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)

    assert len(json.dumps(contents["mnistlab"]["refusal"])) < 40_000
    assert Refusal.of(contents) is not None


def test_a_picture_of_ones_own_is_answered_as_in_the_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is resized as those that were learnt from; where it is handwriting, each sign is cut out as MNIST's were."""
    rng = np.random.default_rng(0)
    for number in range(24):
        path = here / "own" / "ab"[number % 2] / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(rng.integers(0, 128, (28, 28), np.uint8) + 100 * np.uint8(number % 2))
        (picture.resize((60, 40)) if number < 8 else picture).save(path)
    fit = ["fit", "--model=TinyModel", "--data=Images", "--data.path=own", "--trainer.max_epochs=1"]
    assert main([*fit, "--data.test_fraction=0.5", "--run.name=own"]) == 0
    assert main(["predict", "--ckpt_path=own", "--data.path=own", "--data.test_fraction=1"]) == 0
    (table,) = here.glob("runs/*/*/predictions.csv")
    expected = [float(row["prob_0"]) for row in csv.DictReader(table.read_text().splitlines())]
    pictures = sorted(map(str, (here / "own").rglob("*.png")))
    capsys.readouterr()
    assert main(["predict", "--ckpt_path=own", "--json", *pictures]) == 0
    found = [each["label"]["probs"][0] for each in json.loads(capsys.readouterr().out)]

    assert len(found) == len(expected) == 24
    assert sorted(found) == pytest.approx(sorted(expected), abs=1e-5)
    assert main(["predict", "--ckpt_path=own", *pictures]) == 0
    told = capsys.readouterr()
    assert "no label" not in told.out
    assert "is known of handwriting only" in told.err

    paper(here / "two.png", 4, 1)
    assert main(["predict", "--ckpt_path=own", "--data.handwriting=true", "--json", "two.png"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert main([*fit, "--data.image_size=32", "--data.handwriting=true", "--run.name=large"]) == 0
    assert main(["predict", "--ckpt_path=large", "two.png"]) == 2
    assert "makes grey images of 28 x 28, and these have 32 x 32" in capsys.readouterr().err
