"""MNIST and the sets made in its image, in torchvision's folders and from torchvision's sources."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor

from mnistlab.data.idx import Header, broken, read_header, read_values
from mnistlab.data.images import ImageData
from mnistlab.data.imageset import ImageSet

if TYPE_CHECKING:
    from mnistlab.data.download import Archive

SIDE = 28
"""Height and width of every image, in pixels."""

MNIST_TEST_SIZE = 10_000
"""Of QMNIST's test images, the first ones are MNIST's own."""

_BLOCK = 4096  # images turned at once: 3 MB


@dataclass(frozen=True)
class Part:
    """The two files of a split.

    Attributes:
        images: Name of the file of images, (n, 28, 28) uint8.
        labels: Name of the file of labels.
        size: Images in the original. A file with fewer or more is as good if it agrees with itself.
        columns: 0 for labels (n,) uint8, otherwise the second dimension of labels (n, columns) int32.
    """

    images: str
    labels: str
    size: int
    columns: int = 0

    @property
    def headers(self) -> dict[str, Header]:
        """What the header of each file says in the original."""
        labels = Header(4, (self.size, self.columns)) if self.columns else Header(1, (self.size,))
        return {self.images: Header(1, (self.size, SIDE, SIDE)), self.labels: labels}


class IdxData(ImageData, ABC):
    """A data set of two idx files for each split.

    To add one, name its folder and its label, and where they differ from MNIST's its files and their sources.

    Args:
        data_dir: Folder of the data sets as torchvision lays them out: the files are in <data_dir>/<data set>/raw, and
            those that are missing are fetched. If not given, the environment variable MNISTLAB_DATA_DIR, else data.
    """

    folder: ClassVar[str]
    """The name of the data set's folder, which is torchvision's name of its class."""

    def __init__(self, data_dir: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_dir = data_dir

    @property
    @abstractmethod
    def heads(self) -> dict[str, int]:
        """The name of the label and the number of its classes."""

    @property
    def parts(self) -> Mapping[str, Part]:
        """The files of "train" and of "test"."""
        return {
            "train": Part("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 60_000),
            "test": Part("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 10_000),
        }

    @property
    def num_images(self) -> dict[str, int]:
        """The number of images in the originals."""
        splits: tuple[Literal["train", "test"], ...] = ("train", "test")
        rows = {split: self.rows(split) for split in splits}
        return {split: (stop or self.parts[split].size) - start for split, (start, stop) in rows.items()}

    @property
    def first_label(self) -> int:
        """The label in the file that is class 0."""
        return 0

    @property
    def raw(self) -> Path:
        """The folder of the files."""
        root = self.data_dir or os.environ.get("MNISTLAB_DATA_DIR") or "data"
        return Path(root).expanduser() / self.folder / "raw"

    def located(self) -> dict[str, str]:
        """The folder of the data sets, valid from any folder."""
        return {"data_dir": str(self.raw.parent.parent.absolute())}

    def prepare_data(self) -> None:
        """Make sure that the files are there and agree with each other; fetch those that are missing.

        Raises:
            DataUnavailableError: If a file is missing and cannot be fetched.
            LabError: If a file is broken.
        """
        names = self.original_bytes()
        # Not Path.exists, which raises where a folder on the way may not be searched: then the fetch says so.
        if not all(os.access(self.raw / name, os.F_OK) for name in names):
            from mnistlab.data.download import fetch  # noqa: PLC0415 - few runs fetch anything

            fetch(self.archives(), self.raw)
        for split in self.parts:
            self._checked_classes(split)

    def read(self, split: Literal["train", "test"]) -> ImageSet:
        """Read the official images of `split`.

        Shape: images (n, 1, 28, 28) uint8, the label (n,) int64.

        Raises:
            LabError: If a file is missing or broken.
        """
        classes = self._checked_classes(split)
        start, stop = self.rows(split)
        images = self.upright(read_values(self.raw / self.parts[split].images, start, stop))
        return ImageSet(images.unsqueeze(1), {next(iter(self.heads)): classes[start:stop]})

    def rows(self, split: Literal["train", "test"]) -> tuple[int, int | None]:
        """Which images of the file belong to `split`: the first one, and the one after the last."""
        del split
        return 0, None

    def upright(self, images: Tensor) -> Tensor:
        """Turn images (n, 28, 28) from how they lie in the file to how they are looked at, in place."""
        return images

    def original_bytes(self) -> dict[str, int]:
        """The name of each file, and its size in the original."""
        parts = self.parts.values()
        return {name: header.file_bytes for part in parts for name, header in part.headers.items()}

    def archives(self) -> Sequence["Archive"]:
        """Where the files can be had, with the checksums that torchvision knows."""
        source = self.torchvision_class()
        archives = [([mirror + name for mirror in source.mirrors], md5) for name, md5 in source.resources]
        return self.packed_singly(archives)

    def torchvision_class(self) -> Any:
        """The class of this data set in torchvision."""
        from torchvision import datasets  # noqa: PLC0415 - needed only to fetch, and slow to import

        return getattr(datasets, self.folder)

    def packed_singly(self, sources: Sequence[tuple[Sequence[str], str]]) -> Sequence["Archive"]:
        """Archives of one file each, from the addresses and the checksum of each."""
        from mnistlab.data.download import Archive  # noqa: PLC0415 - few runs fetch anything

        sizes = self.original_bytes()
        names = [urls[0].rpartition("/")[2].removesuffix(".gz") for urls, _ in sources]
        return [Archive(urls, md5, {name: sizes[name]}) for name, (urls, md5) in zip(names, sources, strict=True)]

    def _checked_classes(self, split: str) -> Tensor:
        """The class of each image in the files of `split`, (n,) int64, after the files were found to agree."""
        part = self.parts[split]
        images, labels = read_header(self.raw / part.images), read_header(self.raw / part.labels)
        for name, header in ((part.images, images), (part.labels, labels)):
            original = part.headers[name]
            if (header.value_bytes, header.shape[1:]) != (original.value_bytes, original.shape[1:]):
                raise broken(self.raw / name, f"holds {header}, but {self.folder} has {original}")
        path = self.raw / part.labels
        if labels.shape[0] != images.shape[0]:
            counts = f"{labels.shape[0]:,} labels, but {part.images} holds {images.shape[0]:,} images"
            raise broken(path, f"holds {counts}: one of the two is from elsewhere")
        return self._classes(path)

    def _classes(self, path: Path) -> Tensor:
        values = read_values(path)
        if values.dim() > 1:  # the class is the first of several integers, highest byte first
            values = (values[:, 0].long() * torch.tensor([1 << 24, 1 << 16, 1 << 8, 1])).sum(dim=1)
        classes = values.long() - self.first_label
        num_classes = next(iter(self.heads.values()))
        outside = ((classes < 0) | (classes >= num_classes)).nonzero()
        if len(outside):
            row = int(outside[0])
            allowed = f"{self.first_label} to {self.first_label + num_classes - 1}"
            raise broken(path, f"has the label {int(values[row])} for image {row:,}, but labels are {allowed}")
        return classes


class MNIST(IdxData):
    """Handwritten digits: 60,000 training and 10,000 test images of 28 x 28, 10 classes.

    Source: LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition,
    Proceedings of the IEEE 86(11).
    """

    folder = "MNIST"

    @property
    def heads(self) -> dict[str, int]:
        """The digit."""
        return {"digit": 10}


class FashionMNIST(IdxData):
    """Pictures of clothes, a harder MNIST: 60,000 training and 10,000 test images of 28 x 28, 10 classes.

    Source: Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747.
    """

    folder = "FashionMNIST"

    @property
    def heads(self) -> dict[str, int]:
        """The article: T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot."""
        return {"article": 10}


class KMNIST(IdxData):
    """Old Japanese cursive characters (kuzushiji): 60,000 training and 10,000 test images of 28 x 28, 10 classes.

    Source: Clanuwat et al. (2018), arXiv:1812.01718.
    """

    folder = "KMNIST"

    @property
    def heads(self) -> dict[str, int]:
        """The character: o, ki, su, tsu, na, ha, ma, ya, re, wo."""
        return {"character": 10}


class QMNIST(IdxData):
    """MNIST's digits made again from their sources, with the 50,000 test images that MNIST lost; 10 classes.

    Source: Yadav and Bottou (2019), arXiv:1905.10498.

    Args:
        test_part: `test` is all 60,000 test images, `test10k` the first 10,000, which are MNIST's, and `test50k` the
            others, which MNIST left out.

    Raises:
        ValueError: If `test_part` is none of these.
    """

    folder = "QMNIST"

    def __init__(self, test_part: Literal["test", "test10k", "test50k"] = "test", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if test_part not in ("test", "test10k", "test50k"):
            raise ValueError(f"`test_part` must be test, test10k or test50k, got {test_part}.")
        self.test_part = test_part

    @property
    def heads(self) -> dict[str, int]:
        """The digit."""
        return {"digit": 10}

    @property
    def parts(self) -> Mapping[str, Part]:
        """Labels have 8 columns: the digit, and who wrote it where."""
        return {
            split: Part(f"qmnist-{split}-images-idx3-ubyte", f"qmnist-{split}-labels-idx2-int", 60_000, columns=8)
            for split in ("train", "test")
        }

    def rows(self, split: Literal["train", "test"]) -> tuple[int, int | None]:
        """The part of the test images that was asked for."""
        if split == "train" or self.test_part == "test":
            return 0, None
        return (0, MNIST_TEST_SIZE) if self.test_part == "test10k" else (MNIST_TEST_SIZE, None)

    def archives(self) -> Sequence["Archive"]:
        """One address for each file."""
        resources = self.torchvision_class().resources
        return self.packed_singly([([url], md5) for split in self.parts for url, md5 in resources[split]])


class EMNIST(IdxData):
    """Handwritten letters and digits, up to 814,255 images of 28 x 28 in six arrangements.

    One archive of over half a gigabyte has all six; it stays next to the files, so that another split needs no network.

    Source: Cohen, Afshar, Tapson and van Schaik (2017), arXiv:1702.05373.

    Args:
        split: Images and classes: `byclass` 814,255 in 62 (digits, capital and small letters), `bymerge` the same in 47
            (letters that look alike in both cases merged), `balanced` 131,600 of these, equally many of each class,
            `letters` 145,600 in 26, `digits` 280,000 in 10, `mnist` 70,000 in 10.

    Raises:
        ValueError: If `split` is none of these.
    """

    folder = "EMNIST"

    sizes: ClassVar[Mapping[str, tuple[int, int, int]]] = {
        "byclass": (62, 697_932, 116_323),
        "bymerge": (47, 697_932, 116_323),
        "balanced": (47, 112_800, 18_800),
        "letters": (26, 124_800, 20_800),
        "digits": (10, 240_000, 40_000),
        "mnist": (10, 60_000, 10_000),
    }
    """Classes, training images and test images of each split."""

    def __init__(
        self,
        split: Literal["byclass", "bymerge", "balanced", "letters", "digits", "mnist"] = "balanced",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if split not in self.sizes:
            raise ValueError(f"`split` must be one of {', '.join(self.sizes)}, got {split}.")
        self.split = split

    @property
    def heads(self) -> dict[str, int]:
        """The character, in the order of `torchvision.datasets.EMNIST.classes_split_dict`."""
        return {"character": self.sizes[self.split][0]}

    @property
    def parts(self) -> Mapping[str, Part]:
        """The files of the chosen arrangement."""
        _, *sizes = self.sizes[self.split]
        stems = {part: f"emnist-{self.split}-{part}" for part in ("train", "test")}
        return {
            part: Part(f"{stem}-images-idx3-ubyte", f"{stem}-labels-idx1-ubyte", size)
            for (part, stem), size in zip(stems.items(), sizes, strict=True)
        }

    @property
    def first_label(self) -> int:
        """Letters are numbered from 1."""
        return 1 if self.split == "letters" else 0

    def upright(self, images: Tensor) -> Tensor:
        """Exchange rows and columns, which EMNIST stores the other way round."""
        for block in torch.split(images, _BLOCK):
            block.copy_(block.mT.clone())
        return images

    def archives(self) -> Sequence["Archive"]:
        """One archive for all splits."""
        from mnistlab.data.download import Archive  # noqa: PLC0415 - few runs fetch anything

        source = self.torchvision_class()
        return [Archive([source.url], source.md5, self.original_bytes(), keep=True)]
