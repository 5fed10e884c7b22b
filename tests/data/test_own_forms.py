"""Pictures of one's own: each form in which they lie there, and what is said where they do not."""

import bz2
import gzip
import io
import json
import pickle
import struct
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from support import idx
from torch import Tensor

from mnistlab.cli import main
from mnistlab.data import Images
from mnistlab.errors import LabError

Pixels = NDArray[np.uint8]

SIDE, CLASSES = 6, ("cat", "dog", "fox")


def _image(label: int, number: int, side: int = SIDE) -> Pixels:
    """A picture of its own: its label and its number are its first pixels."""
    image = np.full((side, side), 10 * label + 5, dtype=np.uint8)
    image[0, :3] = label, number % 256, 200
    return image


def _images(count: int = 10, labels: int = 3) -> tuple[Pixels, NDArray[np.int64]]:
    """As many pictures of each class, and their labels."""
    pairs = [(label, number) for number in range(count) for label in range(labels)]
    return np.stack([_image(*pair) for pair in pairs]), np.array([label for label, _ in pairs])


def _save(path: Path, image: Pixels, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **how)
    return path


def _folder(root: Path, count: int = 10, classes: tuple[str, ...] = CLASSES) -> Path:
    for label, name in enumerate(classes):
        for number in range(count):
            _save(root / name / f"{number}.png", _image(label, number))
    return root


def _all(data: Images) -> dict[tuple[int, int], str]:
    """Every picture of a data set by its label and its number, with the name of its class."""
    found = {}
    for stage in ("fit", "test"):
        data.setup(stage)
    loaders: list[Any] = [data.train_dataloader(), data.val_dataloader(), data.test_dataloader()]
    for loader in loaders:
        for images, targets in loader:
            for image, target in zip(images, targets["label"].tolist(), strict=True):
                label, number = image[0, 0, :2].tolist()
                found[label, number] = data.class_names["label"][target]
    return found


def _are_all(data: Images, names: tuple[str, ...] = CLASSES, count: int = 10) -> bool:
    """Whether every picture is there once with its own class."""
    return _all(data) == {(label, number): name for label, name in enumerate(names) for number in range(count)}


def _sizes(data: Images) -> tuple[int, int, int]:
    """How many pictures there are for training, for validation and for the test."""
    data.setup("fit")
    data.setup("test")
    val = data.val_dataloader()
    many = [
        sum(len(images) for images, _ in loader) for loader in (data.train_dataloader(), val, data.test_dataloader())
    ]
    return many[0], many[1], many[2]


DIGITS = ("0", "1", "2")
Writer = Callable[[Path], Path]


def _csv(path: Path, *, header: bool = True, label: bool = True) -> Path:
    images, labels = _images()
    rows = images.reshape(len(images), -1).astype(np.int64)
    rows = np.concatenate([labels[:, None], rows], axis=1) if label else rows
    first = ["label"] * label + [f"pixel{number}" for number in range(SIDE**2)]
    np.savetxt(path, rows, "%d", ",", header=",".join(first) if header else "", comments="")
    return path


def _npz(path: Path) -> Path:
    images, labels = _images()
    np.savez(path, x_train=images[:18], y_train=labels[:18], x_test=images[18:], y_test=labels[18:])
    return path


def _medmnist(path: Path) -> Path:
    images, labels = _images()
    parts = {"train": slice(15), "val": slice(15, 21), "test": slice(21, 30)}
    arrays = {f"{name}_images": images[part] for name, part in parts.items()}
    np.savez(path, **arrays, **{f"{name}_labels": labels[part][:, None] for name, part in parts.items()})  # type: ignore[arg-type]
    return path


def _idx(path: Path, *, packed: bool = False) -> Path:
    images, labels = map(torch.from_numpy, _images())
    path.mkdir()
    for name, values in (
        ("pictures-images-idx3-ubyte", images),
        ("pictures-labels-idx1-ubyte", labels.to(torch.uint8)),
    ):
        content = idx(values)
        (path / f"{name}{'.gz' * packed}").write_bytes(gzip.compress(content) if packed else content)
    return path


def _pt(path: Path) -> Path:
    images, labels = map(torch.from_numpy, _images())
    torch.save({"images": images, "labels": labels}, path)
    return path


def _libsvm(path: Path, *, packed: bool = False) -> Path:
    images, labels = _images()
    lines = [
        f"{label} " + " ".join(f"{at + 1}:{value}" for at, value in enumerate(image.flatten()) if value)
        for image, label in zip(images, labels, strict=True)
    ]
    content = "\n".join(lines).encode()
    path.write_bytes(bz2.compress(content) if packed else content)
    return path


FORMS: Mapping[str, Writer] = {
    "digits.csv": _csv,
    "digits.npz": _npz,
    "med.npz": _medmnist,
    "pairs": _idx,
    "packed": lambda path: _idx(path, packed=True),
    "digits.pt": _pt,
    "digits.libsvm": _libsvm,
    "digits.bz2": lambda path: _libsvm(path, packed=True),
    "headless.csv": lambda path: _csv(path, header=False),
}


def test_what_is_called_a_test_and_stands_alone_is_all_tested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a file as in folders; what is called validation is the test too. None of it is trained or validated on."""
    images, labels = _images()
    np.savez(tmp_path / "test.npz", x_test=images, y_test=labels)
    np.savez(tmp_path / "val.npz", x_val=images, y_val=labels)
    _folder(tmp_path / "folders" / "test")
    for lying in ("test.npz", "val.npz", "folders"):
        for fraction in (None, 1.0):
            data = Images(path=tmp_path / lying, test_fraction=fraction)
            assert data.num_images == {"train": 0, "test": 30}
        assert main(["data", "--data=Images", f"--data.path={tmp_path / lying}", f"--output={tmp_path / 'x.png'}"]) == 0
        assert capsys.readouterr().out.splitlines()[-3].split() == ["all", "30", "30"]
    for command, why in (
        ("fit", "which is the test: nothing is left to train on"),
        ("validate", "are the test. Use t"),
    ):
        given = ["--untrained"] if command == "validate" else []
        words = [command, "--model=TinyModel", "--data=Images", f"--data.path={tmp_path / 'test.npz'}", *given]
        assert main(words) == 2
        assert why in capsys.readouterr().err


@pytest.mark.parametrize("name", FORMS)
def test_each_form_gives_each_picture_once_with_its_class(name: str, tmp_path: Path) -> None:
    """Every pixel that says which picture it is stands where it stood, and the class is right."""
    assert _are_all(Images(path=FORMS[name](tmp_path / name)), DIGITS)


def test_a_folder_for_each_class_names_the_classes(tmp_path: Path) -> None:
    """Pictures lie in folders, also further down."""
    root = _folder(tmp_path / "animals")
    (root / "fox" / "0.png").rename(root / "fox" / "moved.png")
    (root / "fox" / "deep").mkdir()
    (root / "fox" / "moved.png").rename(root / "fox" / "deep" / "0.png")

    assert _are_all(Images(path=root))


def test_folders_of_splits_stand_above_those_of_classes(tmp_path: Path) -> None:
    """Each split is what its folder holds."""
    for split, count in (("train", 5), ("val", 2), ("test", 3)):
        _folder(tmp_path / "animals" / split, count)

    assert _sizes(Images(path=tmp_path / "animals")) == (15, 6, 9)


def test_val_without_test_is_the_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Validation is then held out of the training images, and that is told."""
    for split, count in (("train", 6), ("valid", 2)):
        _folder(tmp_path / "animals" / split, count)

    assert _sizes(Images(path=tmp_path / "animals")) == (15, 3, 6)
    assert "val is the test" in capsys.readouterr().err


def test_a_table_names_files_and_labels(tmp_path: Path) -> None:
    """Endings may be left out, and the table may be named or the folder."""
    images, labels = _images()
    for number, image in enumerate(images):
        _save(tmp_path / "pictures" / f"{number:03}.png", image)
    lines = ["id,label", *(f"{number:03},{CLASSES[label]}" for number, label in enumerate(labels))]
    table = tmp_path / "pictures" / "labels.csv"
    table.write_text("\n".join(lines))

    assert _are_all(Images(path=table))
    assert _are_all(Images(path=table.parent))


def test_a_table_may_divide_its_files(tmp_path: Path) -> None:
    """A column of splits says which picture is for what."""
    lines = ["file,label,split"]
    for number in range(12):
        _save(tmp_path / "pictures" / f"{number}.png", _image(number % 2, number))
        lines.append(f"{number}.png,{number % 2},{'test' if number < 4 else 'train'}")
    (tmp_path / "pictures" / "labels.csv").write_text("\n".join(lines))

    assert _sizes(Images(path=tmp_path / "pictures", val_size=2)) == (6, 2, 4)


def test_a_table_that_names_no_file_says_which(tmp_path: Path) -> None:
    """A picture that is not there is named."""
    _save(tmp_path / "pictures" / "0.png", _image(0, 0))
    (tmp_path / "pictures" / "labels.csv").write_text("file,label\n0.png,1\n7.png,2")

    with pytest.raises(LabError, match=r"labels.csv names 7.png, and there is no such file in .*pictures"):
        _ = Images(path=tmp_path / "pictures").heads


def test_classes_called_by_numbers_stand_in_their_order(tmp_path: Path) -> None:
    """10 comes after 2, so that class and number are the same."""
    names = tuple(str(number) for number in range(11))

    data = Images(path=_folder(tmp_path / "numbers", 3, names))

    assert data.class_names["label"] == list(names)
    assert _are_all(data, names, 3)


def test_two_files_of_a_folder_are_its_splits(tmp_path: Path) -> None:
    """Their names say which is which."""
    for name in ("mnist_train.csv", "mnist_test.csv"):
        _csv(tmp_path / name)

    assert Images(path=tmp_path).num_images == {"train": 30, "test": 30}


def test_parquet_of_a_hub_has_its_names_of_classes(tmp_path: Path) -> None:
    """Also those of which there is no picture, and encoded pictures are decoded."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    images, labels = _images()
    rows = []
    for image, label in zip(images, labels.tolist(), strict=True):
        Image.fromarray(image).save(buffer := io.BytesIO(), "PNG")
        rows.append({"image": {"bytes": buffer.getvalue(), "path": None}, "label": label})
    features = {"label": {"names": [*CLASSES, "owl"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    table = pyarrow.Table.from_pylist(rows)
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, tmp_path / "train-00000-of-00001.parquet")

    data = Images(path=tmp_path)

    assert data.class_names["label"] == [*CLASSES, "owl"]
    assert _are_all(data)


def _element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def _matrix(name: str, kind: int, shape: tuple[int, ...], *content: bytes) -> bytes:
    sizes = np.array(shape, "<i4").tobytes()
    head = _element(6, struct.pack("<II", kind, 0)) + _element(5, sizes) + _element(1, name.encode())
    return _element(14, head + b"".join(content))


def _numbers(name: str, values: NDArray[Any]) -> bytes:
    """An array of doubles that are kept in bytes."""
    return _matrix(name, 6, values.shape, _element(2, values.astype(np.uint8).tobytes(order="F")))


def _structure(name: str, fields: Mapping[str, Callable[[str], bytes]]) -> bytes:
    names = b"".join(field.encode().ljust(32, b"\0") for field in fields)
    length = struct.pack("<HHi", 5, 4, 32)
    return _matrix(name, 2, (1, 1), length, _element(1, names), *(made("") for made in fields.values()))


@pytest.mark.parametrize("packed", [False, True])
def test_matlab_stores_images_by_columns(packed: bool, tmp_path: Path) -> None:
    """Structures within structures, as EMNIST has them, and images turned upright."""
    images, labels = _images()
    flat = images.swapaxes(1, 2).reshape(len(images), -1)

    def split(rows: slice) -> Callable[[str], bytes]:
        fields = {
            "images": lambda name: _numbers(name, flat[rows]),
            "labels": lambda name: _numbers(name, labels[rows, None]),
        }
        return lambda name: _structure(name, fields)

    content = _structure("dataset", {"train": split(slice(20)), "test": split(slice(20, 30))})
    content = struct.pack("<II", 15, len(small := zlib.compress(content))) + small if packed else content
    (tmp_path / "emnist.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + content)

    assert _are_all(Images(path=tmp_path / "emnist.mat"), DIGITS)


def test_pyarrow_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the words that install it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "some.parquet").write_bytes(b"PAR1" + bytes(100))

    with pytest.raises(LabError, match=r"pip install 'mnistlab\[parquet\]'"):
        _ = Images(path=tmp_path / "some.parquet").heads


def test_python_objects_are_refused_and_never_run(tmp_path: Path) -> None:
    """Neither those of an npz, nor of a file of tensors, nor of a bare pickle."""
    np.savez(tmp_path / "objects.npz", images=np.array([_Trap()], dtype=object), labels=np.zeros(1))
    torch.save({"images": _Trap()}, tmp_path / "objects.pt")
    (tmp_path / "objects.pkl").write_bytes(pickle.dumps(_Trap()))

    for name, why in (("objects.npz", "Python objects"), ("objects.pt", "plain tensors"), ("objects.pkl", "a pickle")):
        with pytest.raises(LabError, match=why):
            _ = Images(path=tmp_path / name).heads
    assert not _Trap.sprung


class _Trap:
    """Says so when somebody unpickles it."""

    sprung = False

    def __setstate__(self, state: object) -> None:
        type(self).sprung = True

    def __getstate__(self) -> dict[str, int]:
        return {"a": 1}


BROKEN: Mapping[str, tuple[bytes, str]] = {
    "cut.npz": (b"PK\x03\x04" + b"x" * 20, "cut.npz cannot be read"),
    "cut.pt": (b"\x80\x02}q", "cut.pt"),
    "cut.csv": (b"label," + b",".join([b"pixel"] * 16) + b"\n1" + b",7" * 16 + b"\n1,2,3\n", "row 2"),
    "high.csv": (b"1" + b",7" * 15 + b",70000\n", "pixels from 7 to 70000"),
    "odd.csv": (b"1" + b",7" * 17 + b"\n", "18 columns, which are no square image"),
    "cut.idx": (b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x02\x07", "is 17 bytes, and its header says 24"),
    "cut.mat": (b"MATLAB 5.0".ljust(126) + b"IM" + b"\x0e\0\0\0\xff\0\0\0", "ends within an element"),
    "cut.libsvm": (b"1 1:5 2:7\n2 1:x\n", "line 2 is not `label index:value ...`"),
    "what.hdf5": (b"\x89HDF\r\n\x1a\n", "save it as npz"),
    "photo.png": (b"\x89PNG\r\n", "is one picture"),
    "letter.pdf": (b"%PDF-1.7", "save its pages as pictures"),
    "noise.bin": (b"\0\1\2\3\4", "in no form that can be read"),
    "empty.csv": (b"", "in no form that can be read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_or_none_of_them_is_told_in_a_line(name: str, tmp_path: Path) -> None:
    """Which file, and why."""
    content, why = BROKEN[name]
    (tmp_path / name).write_bytes(content)

    with pytest.raises(LabError) as raised:
        _ = Images(path=tmp_path / name).heads

    message = str(raised.value)
    assert str(tmp_path / name) in message
    assert why in message
    assert "\n" not in message


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    """The file, what is wrong, and what to do."""
    root = _folder(tmp_path / "animals")
    whole = (root / "cat" / "3.png").read_bytes()
    (root / "cat" / "3.png").write_bytes(whole[:40])

    with pytest.raises(LabError, match=r"cat/3.png cannot be read as a picture: .*Replace it, or take it out"):
        _ = Images(path=root).heads


def test_a_place_where_nothing_is_says_what_is_near(tmp_path: Path) -> None:
    """The nearest name is offered."""
    _folder(tmp_path / "animals", 1)

    with pytest.raises(LabError, match=r"animal is not there. Did you mean animals\?"):
        _ = Images(path=tmp_path / "animal").heads


def test_a_folder_without_pictures_says_what_lies_in_it(tmp_path: Path) -> None:
    """And what may lie there."""
    (tmp_path / "notes.md").write_text("nothing")

    with pytest.raises(LabError, match=r"holds no pictures, but notes.md. It may be a folder with a folder for each"):
        _ = Images(path=tmp_path).heads


def test_files_that_are_no_pictures_are_left_out_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hidden ones without a word."""
    root = _folder(tmp_path / "animals")
    for name in ("Thumbs.db", ".DS_Store"):
        (root / "cat" / name).write_bytes(b"x")

    assert _are_all(Images(path=root))
    told = capsys.readouterr().err
    assert "Thumbs.db" in told
    assert "DS_Store" not in told


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 51, 255], np.uint8), [0, 51, 255]),
        (np.array([0.0, 0.2, 1.0]), [0, 51, 255]),
        (np.array([-1.0, -0.6, 1.0]), [0, 51, 255]),
        (np.array([0, 13107, 65535], np.uint16), [0, 51, 255]),
        (np.array([0, 51, 255], np.int64), [0, 51, 255]),
        (np.array([False, False, True]), [0, 0, 255]),
    ],
)
def test_numbers_of_any_kind_become_the_same_pixels(values: NDArray[Any], expected: list[int], tmp_path: Path) -> None:
    """From 0 or -1 to 1, of 16 bits, true and false."""
    images = np.zeros((8, 2, 2), values.dtype)
    images.reshape(8, 4)[:] = values[0]
    images.reshape(8, 4)[:, :3] = values
    np.savez(tmp_path / "some.npz", images=images, labels=np.arange(8) % 2)

    assert _pixels(Images(path=tmp_path / "some.npz"))[0].flatten()[:3].tolist() == expected


@pytest.mark.parametrize(("low", "high", "said"), [(-0.02, 1.003, "0 and 1"), (-1.01, 1.02, "-1 and 1")])
def test_numbers_a_hair_beyond_are_cut_off(low: float, high: float, said: str, tmp_path: Path) -> None:
    """As resized images have them, which are neither dark for that nor grey; a note says so."""
    images = np.full((8, 2, 2), 0.6)
    images[:, 0] = low, high
    np.savez(tmp_path / "some.npz", images=images, labels=np.arange(8) % 2)

    data = Images(path=tmp_path / "some.npz")
    pixels = _pixels(data)[0].flatten().tolist()

    assert pixels[:2] == [0, 255]
    assert pixels[2] == (153 if low > -1 else 204)
    assert f"{tmp_path / 'some.npz'} has pixels from {low} to {high}: cut off at {said}" in data.notes


@pytest.mark.parametrize("values", [[0.0, 0.5, 1.8], [0, 100, 256], [0, 3, 1000]])
@pytest.mark.parametrize("form", ["npz", "csv"])
def test_numbers_whose_white_nobody_knows_are_refused(values: list[float], form: str, tmp_path: Path) -> None:
    """Instead of being taken for almost black; what scales them is said."""
    path = tmp_path / f"some.{form}"
    images = np.zeros((8, 36))
    images[:, :3] = values
    if form == "npz":
        np.savez(path, images=images, labels=np.arange(8) % 2)
    else:
        path.write_text("".join(f"{n % 2},{','.join(map(str, image))}\n" for n, image in enumerate(images)))

    with pytest.raises(LabError) as error:
        _pixels(Images(path=path))

    assert str(error.value) == (
        f"{path} has pixels from 0 to {values[-1]}: what is white? It is sought at 1, 255 or 65,535. "
        "Scale them: (x / x.max() * 255).astype('uint8')."
    )


def _pixels(data: Images) -> Tensor:
    data.setup("test")
    return data.test_images().images


@pytest.mark.parametrize("layout", ["last", "first", "flat"])
def test_colour_may_be_the_first_or_the_last_dimension(layout: str, tmp_path: Path) -> None:
    """Or all values of an image stand in a row, channel by channel."""
    images = np.zeros((8, 3, 4, 4), np.uint8)
    images[:, 0] = 200
    laid_out = {"last": images.transpose(0, 2, 3, 1), "first": images, "flat": images.reshape(8, -1)}[layout]
    np.savez(tmp_path / "some.npz", images=laid_out, labels=np.arange(8) % 2)

    data = Images(path=tmp_path / "some.npz")

    assert data.image_shape == (3, 4, 4)
    assert _pixels(data)[0].amax(dim=(1, 2)).tolist() == [200, 0, 0]


def test_several_labels_of_an_image_are_refused(tmp_path: Path) -> None:
    """As some of MedMNIST have them."""
    np.savez(tmp_path / "chest.npz", train_images=_images()[0], train_labels=np.zeros((30, 14), np.uint8))

    with pytest.raises(LabError, match="14 labels an image"):
        _ = Images(path=tmp_path / "chest.npz").heads


def test_labels_that_begin_at_one_are_classes_of_their_own_names(tmp_path: Path) -> None:
    """No class is made up for the 0 that does not occur."""
    images, labels = _images()
    np.savez(tmp_path / "letters.npz", images=images, labels=labels + 1)

    assert Images(path=tmp_path / "letters.npz").class_names["label"] == ["1", "2", "3"]


def test_libsvm_fills_up_what_no_image_has(tmp_path: Path) -> None:
    """Pixels at the end that are always 0 are not written, and an image is square all the same."""
    (tmp_path / "some.libsvm").write_text("\n".join(f"{n % 2} 1:9 14:{n + 2}" for n in range(20)))

    data = Images(path=tmp_path / "some.libsvm")

    assert data.image_shape == (1, 4, 4)


def test_a_table_of_pixels_without_labels_can_be_predicted_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kaggle's two files: one is learnt from, and of the other all is predicted."""
    monkeypatch.chdir(tmp_path)
    _csv(tmp_path / "train.csv")
    _csv(tmp_path / "test.csv", label=False)
    learn = ["fit", "--model=TinyModel", "--data=Images", "--trainer.max_epochs=1"]

    assert main([*learn, "--data.path=test.csv"]) == 2
    assert "has no labels" in capsys.readouterr().err
    assert main([*learn, "--data.path=train.csv"]) == 0
    assert main(["test", "--ckpt_path=last", "--data.path=test.csv"]) == 2
    assert "it can be predicted, and nothing else" in capsys.readouterr().err
    assert main(["predict", "--ckpt_path=last", "--data.path=test.csv", "--format=kaggle"]) == 0
    captured = capsys.readouterr()
    assert "30 predictions" in captured.out
    assert "note:" not in captured.err
    (table,) = (tmp_path / "runs").rglob("predictions.csv")
    columns, *rows = table.read_text().splitlines()
    assert columns == "ImageId,Label"
    assert [row.partition(",")[0] for row in rows] == [str(number) for number in range(1, 31)]
