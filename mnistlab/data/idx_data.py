"""Data sets of idx files, in torchvision's folders and from torchvision's sources."""

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
from mnistlab.options.kit import data_dir

if TYPE_CHECKING:
    from mnistlab.data.download import Archive

SIDE = 28
"""Height and width of every image, in pixels."""


@dataclass(frozen=True)
class Part:
    """The two files of a split."""

    images: str  # name of the file of images, (n, 28, 28) uint8
    labels: str  # name of the file of labels
    size: int  # images in the original. A file with fewer or more is as good if it agrees with itself
    columns: int = 0  # 0 for labels (n,) uint8, otherwise the second dimension of labels (n, columns) int32

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
            those that are missing are fetched. If not given, the environment variable MNISTLAB_DATA_DIR, else what a
            kit says, else data.
    """

    folder: ClassVar[str]
    """The name of the data set's folder, which is torchvision's name of its class."""

    def __init__(self, data_dir: str | Path | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_dir = data_dir

    @property
    @abstractmethod
    def own_heads(self) -> dict[str, int]:
        """The name of the label and the number of its classes."""

    @property
    def parts(self) -> Mapping[str, Part]:
        """The files of "train" and of "test"."""
        return {
            "train": Part("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 60_000),
            "test": Part("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 10_000),
        }

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Grey, 28 by 28."""
        return 1, SIDE, SIDE

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
        root = self.data_dir or data_dir()
        return Path(root).expanduser() / self.folder / "raw"

    @classmethod
    def not_here(cls, written: Mapping[str, object]) -> list[str]:
        """The folder of the data sets, where there is none among these options that has one in it."""
        place = written.get("data_dir")
        try:
            here = not isinstance(place, str) or any(Path(place).expanduser().glob("*/raw"))
        except (OSError, ValueError, RuntimeError):  # may not be read, cannot be a path, of no such user
            here = False
        return [] if here else ["data_dir"]

    def located(self) -> dict[str, str]:
        """The folder of the data sets, valid from any folder."""
        return {"data_dir": str(self.raw.parent.parent.absolute())}

    def prepare_data(self) -> None:
        """Make sure that the files are there and agree with each other; fetch those that are missing.

        Raises:
            DataUnavailableError: If a file is missing and cannot be fetched.
            LabError: If a file is broken.
        """
        if self.missing():
            from mnistlab.data.download import fetch  # noqa: PLC0415 - few runs fetch anything

            fetch(self.archives(), self.raw)
        self.check()

    def missing(self) -> list[str]:
        """The names of the files that are not there."""
        # Not Path.exists, which raises where a folder on the way may not be searched: then the fetch says so.
        return [name for name in self.original_bytes() if not os.access(self.raw / name, os.F_OK)]

    def check(self) -> dict[str, int]:
        """Check that the files agree with each other; how many images each split has.

        Raises:
            LabError: If a file is missing or broken.
        """
        return {split: len(self._checked_classes(split)) for split in self.parts}

    @classmethod
    def arrangements(cls) -> "Sequence[IdxData]":
        """The data sets that differ in their files, each with the default folder."""
        return [cls()]

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
