"""MNIST and its family, read from small files in each set's own format."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support import idx
from torch import Tensor
from torchvision import datasets

from mnistlab.data import download, mnist
from mnistlab.data.idx_data import IdxData
from mnistlab.data.mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from mnistlab.errors import LabError

Make = Callable[..., IdxData]
FAMILY: dict[str, Make] = {
    "MNIST": MNIST,
    "FashionMNIST": FashionMNIST,
    "KMNIST": KMNIST,
    "QMNIST": QMNIST,
    **{f"EMNIST {split}": lambda split=split, **kwargs: EMNIST(split=split, **kwargs) for split in EMNIST.sizes},
}
each_set = pytest.mark.parametrize("make", FAMILY.values(), ids=FAMILY)


def write(data: IdxData, split: str, images: Tensor, labels: Tensor) -> None:
    """Write a split's two files: images (n, 28, 28) uint8 as they lie in the file, labels (n,) as in the file."""
    part = data.parts[split]
    data.raw.mkdir(parents=True, exist_ok=True)
    (data.raw / part.images).write_bytes(idx(images))
    if part.columns:
        labels = torch.stack([labels.int()] + [torch.full((len(labels),), 70_000)] * (part.columns - 1), dim=1).int()
    (data.raw / part.labels).write_bytes(idx(labels))


def write_both(data: IdxData) -> dict[str, tuple[Tensor, Tensor]]:
    """Write 12 training images and 7 test images at random, the labels from the highest downwards."""
    written = {}
    for split, size in (("train", 12), ("test", 7)):
        images = torch.randint(256, (size, 28, 28), dtype=torch.uint8)
        highest = data.first_label + next(iter(data.heads.values())) - 1
        labels = (highest - torch.arange(size) % 10).to(torch.uint8)
        write(data, split, images, labels)
        written[split] = images, labels
    return written


@each_set
def test_images_and_labels_come_back_as_they_were_written(make: Make, tmp_path: Path) -> None:
    """Pixels and labels of both splits survive, in the shapes and types of an ImageSet."""
    data = make(data_dir=str(tmp_path))
    written = write_both(data)

    data.prepare_data()

    for split in ("train", "test"):
        images, labels = written[split]
        found = data.read("train" if split == "train" else "test")
        (head, target), *others = found.targets.items()
        assert not others
        assert {head} == set(data.heads)
        assert torch.equal(found.images, (images.mT if isinstance(data, EMNIST) else images).unsqueeze(1))
        assert torch.equal(target, labels.long() - data.first_label)
        assert 0 <= int(target.min()) <= int(target.max()) < data.heads[head]


@each_set
def test_torchvision_reads_the_same_files(make: Make, tmp_path: Path) -> None:
    """Folders and file names are torchvision's, and so are pixels and labels."""
    data = make(data_dir=str(tmp_path))
    write_both(data)
    options = {"split": data.split} if isinstance(data, EMNIST) else {}

    for split in ("train", "test"):
        theirs = getattr(datasets, data.folder)(tmp_path, train=split == "train", **options)
        ours = data.read("train" if split == "train" else "test")
        pixels = theirs.data.mT if isinstance(data, EMNIST) else theirs.data
        labels = theirs.targets[:, 0] if isinstance(data, QMNIST) else theirs.targets
        assert torch.equal(ours.images[:, 0], pixels)
        assert torch.equal(next(iter(ours.targets.values())), labels - data.first_label)


@each_set
def test_present_files_need_no_network_and_no_word(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is fetched and nothing printed when the files are there."""
    data = make(data_dir=str(tmp_path))
    write_both(data)
    monkeypatch.setattr(download, "fetch", lambda *_: pytest.fail("fetched"))

    data.prepare_data()
    data.read("train")

    assert capfd.readouterr() == ("", "")


@each_set
def test_a_set_knows_what_is_missing_and_how_much_is_there(make: Make, tmp_path: Path) -> None:
    """It tells the missing files by name, and the size of each split; nothing is fetched."""
    data = make(data_dir=str(tmp_path))
    assert data.missing() == list(data.original_bytes())

    write_both(data)
    assert (data.missing(), data.check()) == ([], {"train": 12, "test": 7})

    name = data.parts["test"].labels
    (data.raw / name).unlink()
    assert data.missing() == [name]
    with pytest.raises(LabError, match=name):
        data.check()


def test_every_arrangement_has_files_of_its_own() -> None:
    """EMNIST has one for each split, the others have one."""
    assert [len(cls.arrangements()) for cls in (MNIST, FashionMNIST, KMNIST, QMNIST, EMNIST)] == [1, 1, 1, 1, 6]
    names = [name for data in EMNIST.arrangements() for name in data.original_bytes()]
    assert len(set(names)) == len(names) == 24


@each_set
def test_every_file_has_a_source(make: Make) -> None:
    """Torchvision's archives hold exactly the files that are read, each with a checksum and an address."""
    data = make()
    archives = data.archives()

    assert sorted(name for archive in archives for name in archive.files) == sorted(data.original_bytes())
    assert all(len(archive.md5) == 32 and archive.urls[0].startswith("http") for archive in archives)


@pytest.mark.parametrize("split", EMNIST.sizes)
def test_emnist_has_the_classes_that_torchvision_names(split: str) -> None:
    """Each split has as many classes as torchvision has names, but for the label 0 that letters lack."""
    names = [name for name in datasets.EMNIST.classes_split_dict[split] if name != "N/A"]

    assert FAMILY[f"EMNIST {split}"]().heads == {"character": len(names)}


def test_emnist_stands_upright(tmp_path: Path) -> None:
    """A bar along the top, stored along the left side, is along the top again."""
    data = EMNIST(data_dir=str(tmp_path))
    upright = torch.zeros(5_000, 28, 28, dtype=torch.uint8)  # more than are turned at once
    upright[:, 2, 4:24] = 255
    write(data, "train", upright.mT.contiguous(), torch.zeros(5_000, dtype=torch.uint8))

    assert torch.equal(data.read("train").images[:, 0], upright)


def test_letters_begin_at_class_zero(tmp_path: Path) -> None:
    """The labels 1 to 26 of the file are the classes 0 to 25."""
    data = EMNIST(split="letters", data_dir=str(tmp_path))
    write(data, "train", torch.zeros(26, 28, 28, dtype=torch.uint8), torch.arange(1, 27, dtype=torch.uint8))

    assert data.read("train").targets["character"].tolist() == list(range(26))


def test_qmnist_test_set_has_two_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first images are `test10k`, the rest `test50k`, and together they are `test`; training images stay whole."""
    monkeypatch.setattr(mnist, "MNIST_TEST_SIZE", 3)
    images, labels = write_both(QMNIST(data_dir=str(tmp_path)))["test"]

    first = QMNIST("test10k", data_dir=str(tmp_path))
    rest = QMNIST("test50k", data_dir=str(tmp_path))

    assert torch.equal(first.read("test").images[:, 0], images[:3])
    assert torch.equal(first.read("test").targets["digit"], labels[:3].long())
    assert torch.equal(rest.read("test").images[:, 0], images[3:])
    assert torch.equal(rest.read("test").targets["digit"], labels[3:].long())
    assert len(first.read("train")) == len(rest.read("train")) == 12


def test_images_are_in_memory_once(tmp_path: Path) -> None:
    """The memory behind the images is as large as the pixels, also where only some of the file is wanted."""
    data = QMNIST("test50k", data_dir=str(tmp_path))
    write_both(data)

    images = data.read("train").images

    assert images.untyped_storage().nbytes() == images.numel() == 12 * 28 * 28


def longer(content: bytes) -> bytes:
    """Something was appended."""
    return content + b"more"


def shorter(content: bytes) -> bytes:
    """The end is missing."""
    return content[:-100]


def page(content: bytes) -> bytes:
    """A web page came instead."""
    return b"<html>" + content


def other_label(value: int) -> Callable[[bytes], bytes]:
    """The third label has another value; labels of one byte."""
    return lambda content: content[:10] + bytes([value]) + content[11:]


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
BROKEN: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "truncated": (IMAGES, shorter, "is 9,324 bytes, its header says 9,424"),
    "too long": (IMAGES, longer, "is 9,428 bytes, its header says 9,424"),
    "within its header": (IMAGES, lambda content: content[:9], "is 9 bytes and ends within its header"),
    "a web page": (IMAGES, page, "is no idx file of the MNIST family: it begins with 3c 68 74 6d"),
    "empty": (LABELS, lambda _: b"", "is no idx file of the MNIST family: it begins with nothing"),
    "no images": (IMAGES, lambda _: idx(torch.zeros(0, 28, 28, dtype=torch.uint8)), "holds nothing"),
    "of another size": (
        IMAGES,
        lambda _: idx(torch.zeros(12, 32, 32, dtype=torch.uint8)),
        "holds 12 x 32 x 32 uint8, but MNIST has 60,000 x 28 x 28 uint8",
    ),
    "images for labels": (
        LABELS,
        lambda _: idx(torch.zeros(12, 28, 28, dtype=torch.uint8)),
        "holds 12 x 28 x 28 uint8, but MNIST has 60,000 uint8",
    ),
    "QMNIST's labels": (
        LABELS,
        lambda _: idx(torch.zeros(12, 8, dtype=torch.int32)),
        "holds 12 x 8 int32, but MNIST has 60,000 uint8",
    ),
    "labels disagree": (
        LABELS,
        lambda _: idx(torch.zeros(11, dtype=torch.uint8)),
        "holds 11 labels, but train-images-idx3-ubyte holds 12 images",
    ),
    "label out of range": (LABELS, other_label(10), "has the label 10 for image 2, but labels are 0 to 9"),
}


@pytest.mark.parametrize(("name", "spoil", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_with_what_is_wrong_and_what_to_do(
    name: str, spoil: Callable[[bytes], bytes], problem: str, tmp_path: Path
) -> None:
    """Both the preparation and the reading refuse it, and it is left as it is."""
    data = MNIST(data_dir=str(tmp_path))
    write_both(data)
    path = data.raw / name
    path.write_bytes(spoil(path.read_bytes()))
    spoilt = path.read_bytes()

    for refused in (data.prepare_data, lambda: data.read("train")):
        with pytest.raises(LabError) as error:
            refused()
        assert str(error.value).startswith(f"{path} {problem}")
        assert str(error.value).endswith("Delete it and run again: it will be fetched anew.")
    assert path.read_bytes() == spoilt


def test_letters_have_no_label_zero(tmp_path: Path) -> None:
    """A label below the first one is out of range."""
    data = EMNIST(split="letters", data_dir=str(tmp_path))
    write(data, "train", torch.zeros(3, 28, 28, dtype=torch.uint8), torch.tensor([1, 2, 0], dtype=torch.uint8))

    with pytest.raises(LabError, match="has the label 0 for image 2, but labels are 1 to 26"):
        data.read("train")


@pytest.mark.parametrize("label", [-1, 10, 1 << 16])
def test_qmnist_labels_out_of_range_are_found(label: int, tmp_path: Path) -> None:
    """All four bytes of a label count."""
    data = QMNIST(data_dir=str(tmp_path))
    write(data, "train", torch.zeros(2, 28, 28, dtype=torch.uint8), torch.tensor([3, label]))

    with pytest.raises(LabError, match="for image 1, but labels are 0 to 9"):
        data.read("train")


def test_a_folder_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    """What cannot be read is named."""
    data = MNIST(data_dir=str(tmp_path))
    write_both(data)
    (data.raw / IMAGES).unlink()
    (data.raw / IMAGES).mkdir()

    with pytest.raises(LabError, match=f"{IMAGES} cannot be read: Is a directory"):
        data.prepare_data()


def test_data_dir_is_resolved_when_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given counts, then the environment, then `data`; the option itself stays as it was given."""
    monkeypatch.chdir(tmp_path)
    data = MNIST()

    monkeypatch.delenv("MNISTLAB_DATA_DIR", raising=False)
    assert data.raw == Path("data/MNIST/raw")
    assert data.located() == {"data_dir": str(tmp_path / "data")}

    monkeypatch.setenv("MNISTLAB_DATA_DIR", "/elsewhere")
    assert data.raw == Path("/elsewhere/MNIST/raw")
    assert data.data_dir is None
    assert MNIST(data_dir="~/sets").raw == Path.home() / "sets/MNIST/raw"


def test_unknown_options_are_refused() -> None:
    """From Python too, before any work."""
    with pytest.raises(ValueError, match="`test_part` must be test, test10k or test50k, got nist"):
        QMNIST("nist")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`split` must be one of byclass, .*, got capitals"):
        EMNIST("capitals")  # type: ignore[arg-type]


def test_the_real_mnist_is_what_torchvision_reads() -> None:
    """The original has the sizes of the table, and the pixels and labels that torchvision finds."""
    data = MNIST()
    if "MNISTLAB_DATA_DIR" not in os.environ or not data.raw.is_dir():
        pytest.skip("MNISTLAB_DATA_DIR names no folder with MNIST/raw")
    data.prepare_data()

    for name, size_bytes in data.original_bytes().items():
        assert (data.raw / name).stat().st_size == size_bytes
    for split in ("train", "test"):
        theirs = datasets.MNIST(data.raw.parent.parent, train=split == "train")
        ours = data.read("train" if split == "train" else "test")
        assert torch.equal(ours.images[:, 0], theirs.data)
        assert torch.equal(ours.targets["digit"], theirs.targets)
