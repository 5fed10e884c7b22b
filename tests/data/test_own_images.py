"""Pictures of one's own: as a person sees them, in one size, divided, known again, and learnt from by every model."""

import csv
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from support import record_of
from torch import Tensor

from mnistlab.cli import main
from mnistlab.data import Images
from mnistlab.errors import LabError

GREY = np.array([[0, 51], [204, 255]], np.uint8)


def _one(tmp_path: Path, name: str, picture: Image.Image, **how: Any) -> Tensor:
    """What becomes of a picture, (channels, height, width)."""
    folder = tmp_path / "some"
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
        picture.save(folder / label / name, **how)
    data = Images(path=folder, test_fraction=0.5)
    data.setup("test")
    return data.test_images().images[0]


def _with_alpha() -> Image.Image:
    picture = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    picture.putpixel((0, 0), (10, 20, 30, 255))
    return picture


def _palette(colours: list[int]) -> Image.Image:
    picture = Image.fromarray(np.array([[0, 1], [2, 3]], np.uint8), "P")
    picture.putpalette(colours)
    return picture


def test_sixteen_bits_are_no_white(tmp_path: Path) -> None:
    """Levels above 255 are levels of grey."""
    picture = Image.fromarray(GREY.astype(np.uint16) * 257)

    assert _one(tmp_path, "deep.png", picture)[0].tolist() == GREY.tolist()


def test_a_tiff_whose_white_is_zero_is_turned(tmp_path: Path) -> None:
    """Of 16 bits too, which Pillow leaves as they are."""
    picture = Image.fromarray(65_535 - GREY.astype(np.uint16) * 257)

    assert _one(tmp_path, "scan.tif", picture, tiffinfo={262: 0})[0].tolist() == GREY.tolist()


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    """Not 0 and 1."""
    assert _one(tmp_path, "fax.png", Image.fromarray(GREY > 100))[0].tolist() == [[0, 0], [255, 255]]


def test_a_palette_is_its_colours(tmp_path: Path) -> None:
    """Not the numbers of the colours."""
    image = _one(tmp_path, "icon.png", _palette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]))

    assert image.permute(1, 2, 0).tolist() == [[[0, 0, 0], [255, 0, 0]], [[0, 255, 0], [0, 0, 255]]]


def test_a_palette_of_grey_is_grey(tmp_path: Path) -> None:
    """One channel says all."""
    image = _one(tmp_path, "grey.gif", _palette([level for level in (0, 51, 204, 255) for _ in range(3)]))

    assert image.tolist() == [GREY.tolist()]


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    """Black that nobody sees stays unseen."""
    image = _one(tmp_path, "logo.png", _with_alpha())

    assert image.permute(1, 2, 0).tolist() == [[[10, 20, 30], [255] * 3], [[255] * 3, [255] * 3]]


def test_a_photograph_stands_upright(tmp_path: Path) -> None:
    """As its camera says that it was held."""
    picture = Image.fromarray(np.repeat(np.repeat(GREY, 8, 0), 8, 1)[:, :8])
    exif = picture.getexif()
    exif[274] = 6  # turned to the left

    image = _one(tmp_path, "photo.jpg", picture, exif=exif)

    assert image.shape == (1, 8, 16)
    assert image[0, 4, [4, 12]].tolist() == pytest.approx([204, 0], abs=3)


def _write(root: Path, sizes: dict[str, tuple[int, ...]], count: int = 10) -> Path:
    """A class of pictures for each shape."""
    generator = np.random.default_rng(0)
    for name, shape in sizes.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels: NDArray[np.uint8] = generator.integers(0, 255, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


def test_the_commonest_size_counts_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What differs is resized, and in grey and colour alike."""
    root = _write(tmp_path / "some", {"a": (8, 8), "b": (8, 8), "c": (6, 9, 3)})

    data = Images(path=root)
    data.setup("fit")

    assert data.image_shape == (1, 8, 8)
    told = capsys.readouterr().err
    assert "10 of 30 pictures are not 8 x 8" in told
    assert "10 of 30 pictures are colour, most are grey" in told


def test_size_and_channels_are_those_that_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Then there is nothing to tell."""
    root = _write(tmp_path / "some", {"a": (8, 8), "b": (6, 9, 3)})

    square, oblong = Images(path=root, image_size=5, channels=3), Images(path=root, image_size=[4, 7], channels=1)
    square.setup("fit")

    assert square.image_shape == (3, 5, 5)
    assert oblong.image_shape == (1, 4, 7)
    assert not capsys.readouterr().err


def test_colour_becomes_grey_by_what_an_eye_sees(tmp_path: Path) -> None:
    """Green is brighter than blue."""
    root = tmp_path / "some"
    for name, colour in (("a", (0, 255, 0)), ("b", (0, 0, 255))):
        (root / name).mkdir(parents=True)
        Image.new("RGB", (4, 4), colour).save(root / name / "0.png")

    data = Images(path=root, channels=1, test_fraction=1.0)
    data.setup("test")

    assert data.test_images().images.amax(dim=(1, 2, 3)).tolist() == [150, 29]


def _rows(data: Images) -> list[set[tuple[int, ...]]]:
    """The pictures of each split."""
    data.setup("fit")
    data.setup("test")
    loaders = [data.train_dataloader(), data.val_dataloader(), data.test_dataloader()]
    return [{tuple(image.flatten().tolist()) for images, _ in loader for image in images} for loader in loaders]  # type: ignore[union-attr]


def test_what_is_not_divided_is_divided_by_shares(tmp_path: Path) -> None:
    """Every picture is in one split."""
    root = _write(tmp_path / "some", {"a": (4, 4), "b": (4, 4)}, 50)

    train, val, test = _rows(Images(path=root, val_fraction=0.25, test_fraction=0.2))

    assert (len(train), len(val), len(test)) == (60, 20, 20)
    assert len(train | val | test) == 100


def test_every_class_has_its_share_of_each_split(tmp_path: Path) -> None:
    """Also where classes lie one after the other."""
    data = Images(path=_write(tmp_path / "some", {"a": (4, 4), "b": (4, 4)}, 50), test_fraction=0.2)

    assert data.class_counts("test") == {"label": [10, 10]}


def test_the_seed_of_the_split_says_which(tmp_path: Path) -> None:
    """The same seed the same pictures, another seed others."""
    root = _write(tmp_path / "some", {"a": (4, 4), "b": (4, 4)}, 50)

    assert _rows(Images(path=root)) == _rows(Images(path=root))
    assert _rows(Images(path=root)) != _rows(Images(path=root, partition_seed=1))


def test_a_share_of_the_test_is_refused_where_there_is_one(tmp_path: Path) -> None:
    """The official images count."""
    for split in ("train", "test"):
        _write(tmp_path / "some" / split, {"a": (4, 4), "b": (4, 4)}, 5)

    with pytest.raises(LabError, match=r"test_fraction=0.5: .* has 10 test images of its own"):
        _ = Images(path=tmp_path / "some", test_fraction=0.5).heads


def _written_by(folder: Path, writers: int) -> Path:
    """Six pictures of each writer, in two classes; a picture has the numbers of its writer and its own."""
    folder.mkdir()
    lines = ["file,label,writer"]
    for number in range(6 * writers):
        Image.fromarray(np.array([[number // 6, number]], np.uint8)).save(folder / f"{number}.png")
        lines.append(f"{number}.png,{number % 2},w{number // 6}")
    (folder / "labels.csv").write_text("\n".join(lines))
    return folder


def test_a_group_stays_on_one_side(tmp_path: Path) -> None:
    """Nobody is tested on a writer whose hand was learnt, and classes keep about their share."""
    root = _written_by(tmp_path / "some", 20)

    splits = _rows(Images(path=root, group="writer", test_fraction=0.2, val_fraction=0.2))
    writers = [{image[0] for image in split} for split in splits]

    assert [len(split) for split in splits] == pytest.approx([77, 19, 24], abs=6)
    assert not writers[0] & writers[1]
    assert not (writers[0] | writers[1]) & writers[2]


def test_a_group_stays_in_one_fold(tmp_path: Path) -> None:
    """The folds are as large as groups allow, have no writer in common, and are all images together."""
    root = _written_by(tmp_path / "some", 22)

    writers = []
    for fold in range(5):
        data = Images(path=root, group="writer", test_fraction=0, fold=fold)
        data.setup("fit")
        images, rows = data.rows_of("val")
        writers.append(set(images.images[rows, 0, 0, 0].tolist()))
        assert len(rows) == 6 * len(writers[fold])

    assert sorted(map(len, writers)) == [4, 4, 4, 5, 5]
    assert len(set.union(*writers)) == 22
    with pytest.raises(LabError, match=r"the 22 groups of --data.group cannot be divided into 23 folds"):
        Images(path=root, group="writer", test_fraction=0, folds=23, fold=0).setup("fit")


def test_folds_take_the_images_for_validation_too(tmp_path: Path) -> None:
    """Where the data are divided already, all that is not for the test is dealt out anew."""
    for split, count in (("train", 12), ("val", 3), ("test", 5)):
        _write(tmp_path / "some" / split, {"a": (4, 4), "b": (4, 4)}, count)

    for fold in range(5):
        data = Images(path=tmp_path / "some", fold=fold)
        data.setup("fit")
        assert [len(data.rows_of(split)[1]) for split in ("train", "val", "test")] == [24, 6, 10]
    with pytest.raises(ValueError, match="`fold` and `val_fraction` exclude each other"):
        Images(path=tmp_path / "some", fold=0, val_fraction=0.2)


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    """Also where there are no columns at all."""
    root = _write(tmp_path / "some", {"a": (4, 4)})

    with pytest.raises(LabError, match=r"--data.group=writer: .* has no columns"):
        _ = Images(path=root, group="writer").heads


def test_images_in_two_splits_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One is enough to be told."""
    root = _write(tmp_path / "some" / "train", {"a": (4, 4), "b": (4, 4)}, 20).parent
    (root / "test" / "a").mkdir(parents=True)
    for name in ("3.png", "5.png"):
        shutil.copy(root / "train" / "a" / name, root / "test" / "a" / name)

    Images(path=root, val_fraction=0).setup("fit")

    assert "2 images of test stand in train too, pixel by pixel: it was learnt by heart" in capsys.readouterr().err


def test_what_was_read_is_read_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where it lay, nor where it was moved."""
    root = _write(tmp_path / "some", {"a": (4, 4), "b": (4, 4)})
    before = _rows(Images(path=root))
    moved = shutil.copytree(root, tmp_path / "moved", copy_function=shutil.copyfile)
    monkeypatch.setattr("mnistlab.data.own.decoding.opened", None)

    assert _rows(Images(path=root)) == before
    assert _rows(Images(path=Path(moved))) == before


def test_what_has_changed_is_read_anew(tmp_path: Path) -> None:
    """Even a single picture."""
    root = _write(tmp_path / "some", {"a": (4, 4), "b": (4, 4)})
    before = set[tuple[int, ...]]().union(*_rows(Images(path=root)))
    Image.new("L", (4, 4), 77).save(root / "a" / "3.png")

    after = set[tuple[int, ...]]().union(*_rows(Images(path=root)))

    assert after - before == {(77,) * 16}


def test_a_file_that_was_changed_in_secret_is_read_anew(tmp_path: Path) -> None:
    """Though its size and its time are those of before."""
    root = tmp_path / "some"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (4, 4), number).save(root / name / f"{number}.bmp")
    changed = root / "a" / "3.bmp"
    before = changed.stat()
    os.utime(changed, ns=(before.st_atime_ns, 10**18))
    _ = _rows(Images(path=root))
    Image.new("L", (4, 4), 77).save(changed)
    os.utime(changed, ns=(before.st_atime_ns, 10**18))
    assert changed.stat().st_size == before.st_size

    assert (77,) * 16 in set[tuple[int, ...]]().union(*_rows(Images(path=root)))


def test_what_nobody_has_used_for_long_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And beyond some size the oldest, unless it was used today, each time that more is written."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    now = time.time()
    for number, days in enumerate((0, 2, 3, 40)):
        root = _write(tmp_path / str(number), {"a": (4, 4), "b": (4, 4)})
        Image.new("L", (4, 4), number).save(root / "a" / "0.png")
        known = {*(tmp_path / "cache" / "mnistlab" / "own").glob("*-*")}
        _ = Images(path=root).heads
        (entry,) = {*(tmp_path / "cache" / "mnistlab" / "own").glob("*-*")} - known
        os.utime(entry, (now - days * 86_400,) * 2)
    entries = tmp_path / "cache" / "mnistlab" / "own"

    _ = Images(path=_write(tmp_path / "more", {"a": (5, 5), "b": (5, 5)})).heads
    assert len([*entries.glob("*-*")]) == 4
    monkeypatch.setattr("mnistlab.data.own.cache._MUCH", 1)
    _ = Images(path=_write(tmp_path / "most", {"a": (6, 6), "b": (6, 6)})).heads

    assert len([*entries.glob("*-*")]) == 3
    monkeypatch.setattr("mnistlab.data.own.decoding.opened", None)
    assert Images(path=tmp_path / "0").num_images["train"] == 17


def test_a_broken_picture_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    """And once it is mended all is read."""
    root = _write(tmp_path / "some", {"a": (4, 4), "b": (4, 4)})
    whole = (root / "a" / "3.png").read_bytes()
    (root / "a" / "3.png").write_bytes(whole[:30])
    with pytest.raises(LabError):
        _ = Images(path=root).heads
    (root / "a" / "3.png").write_bytes(whole)

    assert Images(path=root).num_images == {"train": 17, "test": 3}


def test_what_is_larger_than_half_of_the_memory_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pixels, which a loss may be learnt from."""
    root = _write(tmp_path / "some", {"a": (4, 4), "b": (4, 4)})
    before = _rows(Images(path=root))
    monkeypatch.setattr("psutil.virtual_memory", type("Memory", (), {"available": 1}))
    shutil.copytree(root, tmp_path / "other")

    assert _rows(Images(path=tmp_path / "other")) == before


def test_without_a_cache_it_is_read_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody may write."""
    root = _write(tmp_path / "some", {"a": (4, 4), "b": (4, 4)})
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    assert len(set[tuple[int, ...]]().union(*_rows(Images(path=root)))) == 20


def test_many_pictures_are_decoded_by_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same order as by one, and a broken one is named."""
    root = _write(tmp_path / "some", {"a": (4, 4), "b": (4, 4)})
    before = _rows(Images(path=root))
    monkeypatch.setattr("mnistlab.data.own.pictures._WORTH", 5)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (root / "b" / "note.txt").write_text("another cache entry")

    assert _rows(Images(path=root)) == before
    (root / "b" / "7.png").write_bytes(b"")
    with pytest.raises(LabError, match=r"b/7\.png cannot be read as a picture: it is empty"):
        _ = Images(path=root).heads


FAMILIES = ("TinyModel", "SDN8K", "CNN8K", "CompactCNN62K", "EfficientNet22K", "ViT38K", "ConvNeXt73K")


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small pictures in colour, of three classes."""
    return _write(tmp_path_factory.mktemp("colours") / "some", dict.fromkeys(("red", "green", "blue"), (20, 20, 3)), 20)


@pytest.mark.parametrize("model", FAMILIES)
def test_every_family_takes_what_the_data_say(model: str, colours: Path, here: Path) -> None:
    """Channels, size and classes, without a word about them."""
    command = [f"--model={model}", "--data=Images", f"--data.path={colours}", "--trainer.max_steps=1"]

    assert main(["fit", *command, "--run.test=false"]) == 0
    (run,) = (here / "runs").glob("*/*")
    assert record_of(run)["status"] == "finished"


def test_what_is_written_about_the_images_counts(colours: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And where it does not fit it is refused before any work."""
    command = ["fit", "--model=CNN8K", "--data=Images", f"--data.path={colours}", "--model.in_channels=1"]

    assert main(command) == 2
    assert "--model.in_channels=1: CNN8K does not take the images of Images, 3x20x20" in capsys.readouterr().err
    assert not (here / "runs").exists()


@pytest.mark.parametrize("path", ["colours/", "train.csv", "colours", "elsewhere/train.csv"])
def test_a_path_is_no_data_set(path: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And what to write is said."""
    (here / "colours").mkdir()
    (here / "train.csv").write_text("")

    assert main(["fit", f"--data={path}"]) == 2
    assert f"--data={path}: a data set is wanted, not a path. Write --data=Images --data.path={path}" in (
        capsys.readouterr().err
    )


def test_a_checkpoint_finds_its_images_from_another_folder(
    colours: Path, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the whole path, with their size and the names of their classes."""
    monkeypatch.chdir(colours.parent)
    root = f"--run.dir={here / 'runs'}"
    fit = ["fit", "--model=CNN8K", "--data=Images", "--data.path=some", "--trainer.max_epochs=1", root]
    assert main(fit) == 0
    monkeypatch.chdir(here)

    assert main(["test", "--ckpt_path=last", root]) == 0
    assert "test/acc" in capsys.readouterr().out
    (run,) = (run for run in (here / "runs").glob("*/*") if record_of(run)["command"] == "fit")
    said = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["mnistlab"]["data"]["init_args"]
    assert said["path"] == str(colours)
    assert said["classes"] == ["blue", "green", "red"]
    assert (said["image_size"], said["channels"]) == (20, 3)


def test_other_images_become_what_a_checkpoint_has_learnt(colours: Path, here: Path, tmp_path: Path) -> None:
    """Of its size, in its colours, and with its numbers of classes."""
    other = _write(tmp_path / "other", {"red": (9, 9)}, 12)
    assert main(["fit", "--model=CNN8K", "--data=Images", f"--data.path={colours}", "--trainer.max_epochs=1"]) == 0

    assert main(["test", "--ckpt_path=last", f"--data.path={other}", "--data.test_fraction=1"]) == 0
    (tested,) = (run for run in (here / "runs").glob("*/*") if record_of(run)["command"] == "test")
    assert "metrics" in record_of(tested)


def test_classes_are_told_by_their_names(colours: Path, here: Path) -> None:
    """In the table of predictions and in the report."""
    assert main(["fit", "--model=CNN8K", "--data=Images", f"--data.path={colours}", "--trainer.max_epochs=1"]) == 0
    (run,) = (here / "runs").glob("*/*")

    assert main(["report", str(run)]) == 0
    assert main(["predict", f"--ckpt_path={run}"]) == 0

    (table,) = (here / "runs").rglob("predictions.csv")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert {row["class"] for row in rows} <= {"blue", "green", "red"}
    page = (run / "report.html").read_text()
    assert all(f'scope="row">{name}<' in page for name in ("blue", "green", "red"))


def test_the_names_of_the_classes_go_with_the_weights(colours: Path, here: Path) -> None:
    """In the metadata of `model.safetensors`."""
    assert main(["fit", "--model=CNN8K", "--data=Images", f"--data.path={colours}", "--trainer.max_steps=1"]) == 0
    (weights,) = (here / "runs").glob("*/*/model.safetensors")

    with safe_open(weights, "pt") as file:
        record = json.loads(file.metadata()["mnistlab"])
    assert record["data"]["init_args"]["classes"] == ["blue", "green", "red"]


@pytest.mark.parametrize("command", ["test", "validate", "predict", "explain"])
@pytest.mark.parametrize("option", ["--data.image_size=12", "--data.channels=1"])
def test_images_that_a_trained_net_does_not_take_are_refused(
    command: str, option: str, colours: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a line that names what makes them differ, and nothing is kept."""
    assert main(["fit", "--model=ViT38K", "--data=Images", f"--data.path={colours}", "--trainer.max_steps=1"]) == 0
    runs = {*(here / "runs").glob("*/*")}
    capsys.readouterr()

    assert main([command, "--ckpt_path=last", option]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"mnistlab: {option}: ViT38K does not take the images of Images, ")
    assert {*(here / "runs").glob("*/*")} == runs


def test_pictures_are_answered_without_the_images_that_were_learnt(colours: Path, here: Path, tmp_path: Path) -> None:
    """A checkpoint says of what size, in which colours, and what the classes are called."""
    own = shutil.copytree(colours, tmp_path / "own")
    assert main(["fit", "--model=CNN8K", "--data=Images", f"--data.path={own}", "--trainer.max_steps=1"]) == 0
    shutil.rmtree(own)

    assert main(["predict", "--ckpt_path=last", str(colours / "red" / "0.png")]) == 0
    (table,) = (here / "runs").rglob("predictions.csv")
    assert "0.png" in table.read_text()
