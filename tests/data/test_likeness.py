"""Images are those of the run, as many as there should be, and not both trained and tested on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support import BEST, LAST, differences, idx, outcome, record_of
from torch import Tensor

from mnistlab import main
from mnistlab.data import MNIST, FashionMNIST
from mnistlab.data.imageset import ImageSet
from mnistlab.data.likeness import equal_images, fingerprint, oddities

FIT = ("fit", "--model=SDN8K", "--data=FashionMNIST", "--trainer.max_epochs=1", "--data.batch_size=64")


def make_set(size: int, seed: int, classes: int = 10) -> ImageSet:
    """Random images of classes in turn."""
    images = torch.randint(256, (size, 1, 28, 28), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    return ImageSet(images, {"article": torch.arange(size) % classes})


def write_split(part: str, data: ImageSet) -> None:
    """Put the files of FashionMNIST into the folder of this test."""
    raw = Path("sets", "FashionMNIST", "raw")
    raw.mkdir(parents=True, exist_ok=True)
    (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(data.images[:, 0]))
    (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(data.primary.to(torch.uint8)))


@pytest.fixture
def small_set(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small FashionMNIST of which nothing is odd."""
    monkeypatch.setenv("MNISTLAB_DATA_DIR", str(here / "sets"))
    monkeypatch.setattr(FashionMNIST, "num_images", {"train": 300, "test": 100})
    write_split("train", make_set(300, 0))
    write_split("t10k", make_set(100, 1))
    return here


@pytest.fixture
def run(small_set: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A run on it of one epoch, about which nothing was told."""
    assert main([*FIT]) == 0
    assert "note" not in capsys.readouterr().err
    (folder,) = small_set.glob("runs/*/*")
    return folder


def test_a_run_says_what_it_has_read(run: Path) -> None:
    """Its record, each checkpoint and the exported weights: the class and what was asked of it, and both splits."""
    said = record_of(run)["data_fingerprint"]

    assert said == {
        "of": "mnistlab.data.FashionMNIST {}",
        "train": fingerprint(make_set(300, 0).images, make_set(300, 0).primary),
        "test": fingerprint(make_set(100, 1).images, make_set(100, 1).primary),
    }
    for checkpoint in (BEST, LAST):
        assert torch.load(run / checkpoint, weights_only=True)["mnistlab"]["data_fingerprint"] == said
    assert main(["test", f"--ckpt_path={run}", "--run.dir=tests"]) == 0
    (tested,) = Path("tests").glob("*/*")
    assert record_of(tested)["data_fingerprint"] == {"of": said["of"], "test": said["test"]}


@pytest.mark.parametrize("part", ["train", "t10k"])
@pytest.mark.parametrize("what", ["images", "labels"])
def test_a_run_goes_on_with_its_own_images_only(
    run: Path, capsys: pytest.CaptureFixture[str], part: str, what: str
) -> None:
    """Whatever was replaced, by files of the same size; nothing is trained, and the run stays as it was."""
    before, data = outcome(run), make_set(300 if part == "train" else 100, 0 if part == "train" else 1)
    pixels, classes = data.images.clone(), data.primary.clone()
    (pixels[7, 0, 3] if what == "images" else classes[7:8]).copy_(torch.tensor(3))
    write_split(part, ImageSet(pixels, {"article": classes}))

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    kind = "training" if part == "train" else "test"
    assert line.startswith(f"mnistlab: the {kind} images of FashionMNIST in {Path('sets').absolute()} are not those of")
    assert line.endswith(f"or begin a new run with its weights: --model.init_from={run / LAST}")
    assert differences(before, outcome(run)) == []
    assert main([*FIT, f"--model.init_from={run / LAST}"]) == 0


def test_the_same_images_elsewhere_are_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run goes on with them, and with an older checkpoint's, which says nothing."""
    shutil.move("sets", "moved")
    more = ["--data.data_dir=moved", "--trainer.max_epochs=2", "--data.batch_size=32"]

    assert main(["fit", f"--ckpt_path={run}", *more]) == 0

    contents = torch.load(run / LAST, weights_only=True)
    del contents["mnistlab"]["data_fingerprint"]
    torch.save(contents, run / LAST)
    write_split("train", make_set(300, 2))
    shutil.copytree("sets", "moved", dirs_exist_ok=True)
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=3"]) == 0
    assert "not those" not in capsys.readouterr().err


def test_a_test_on_other_images_says_so(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Validation knows the training images; a data set that is named is meant."""

    def told(*arguments: str) -> list[str]:
        assert main([*arguments, f"--ckpt_path={run}"]) == 0
        return [line for line in capsys.readouterr().err.splitlines() if "not those of" in line]

    write_split("t10k", make_set(100, 3))
    for command in ("test", "predict"):
        (line,) = told(command)
        assert line.startswith("note: the test images of FashionMNIST in ")
        assert line.endswith(f"are not those of {run / BEST}: their figures do not compare.")
    assert told("validate") == []
    write_split("train", make_set(300, 4))
    assert "training images" in told("validate")[0]
    assert told("test", "--data=SyntheticDigits", "--data.train_size=600", "--data.test_size=200") == []


def test_a_run_is_repeated_with_its_own_images_only(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise nothing is trained."""
    assert main(["reproduce", str(run)]) == 0
    write_split("train", make_set(300, 5))
    before = sorted(Path("runs").rglob("*"))

    assert main(["reproduce", str(run)]) == 2

    assert "are not those of the run that is repeated. Put those back." in capsys.readouterr().err
    assert sorted(Path("runs").rglob("*")) == before


def test_other_digits_may_be_drawn_for_the_rest_of_a_run(
    trained: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """They are asked for, so they are no surprise."""
    run = trained()

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2", "--data.draw_seed=5"]) == 0
    assert "not those" not in capsys.readouterr().err


def test_test_images_in_place_of_the_training_images_are_told(
    small_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their number, and that the same are trained and tested on."""
    write_split("train", make_set(100, 1))

    assert small_set == Path.cwd()
    assert main([*FIT]) == 0

    same = "the 100 test images of FashionMNIST stand among its training images"
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("note")] == [
        "note: FashionMNIST has 100 train and 100 test images here, and 300 train and 100 test images in the original.",
        f"note: 100 of {same} too: what is tested was learnt by heart.",
    ]


@pytest.mark.parametrize(
    ("train", "said"),
    [
        (torch.full((200,), 7), ["all 200 training images of MNIST are of class 7"]),
        (torch.arange(200) % 9, ["no training image of MNIST is of class 9, but 10 test images are"]),
        (torch.arange(200) % 7, ["no training image of MNIST is of classes 7, 8, 9, but 30 test images are"]),
        (torch.arange(200) % 10, []),
        (torch.tensor([3, 4]), []),
    ],
)
def test_a_class_that_cannot_be_learnt_is_told(train: Tensor, said: list[str]) -> None:
    """Not where so few images are wanted that chance may have left it out."""
    data = ImageSet(make_set(len(train), 0).images, {"digit": train})

    assert [oddity.text for oddity in oddities("MNIST", data, make_set(100, 1), {}, 10)] == said


def test_few_twins_are_no_fault() -> None:
    """Good sets have some: they are told from a hundredth of the test images on."""
    train, test = make_set(1000, 0), make_set(400, 1)

    def told(twins: int) -> list[str]:
        images = torch.cat([train.images[:twins], test.images[twins:]])
        return [oddity.text for oddity in oddities("MNIST", train, ImageSet(images, test.targets), {}, 10)]

    assert told(3) == []
    assert told(4)[0].startswith("4 of the 400 test images of MNIST stand among its training images too")


@pytest.mark.parametrize("side", [1, 3, 4, 5, 28])
def test_equal_images_are_equal_in_every_pixel(side: int) -> None:
    """As comparing each with each finds them, whatever their size."""
    images = torch.randint(3, (60, 1, side, side), dtype=torch.uint8)
    some, others = images[:40], torch.cat([images[35:], images[:3]])
    each = (some[:, None] == others[None]).flatten(2).all(dim=2).any(dim=0)

    assert equal_images(some, others) == int(each.sum())
    assert equal_images(images, torch.zeros(5, 2, side, side, dtype=torch.uint8)) == 0


def test_nothing_is_odd_about_mnist(real_data: Path) -> None:
    """No image of its test stands among the training images."""
    data = MNIST(data_dir=real_data)

    assert list(data.oddities(data.read("train"), data.read("test"))) == []
    assert equal_images(data.read("train").images, data.read("test").images) == 0
