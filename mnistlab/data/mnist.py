"""MNIST and the sets made in its image."""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase, ascii_uppercase, digits
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor

from mnistlab.data.idx_data import IdxData, Part
from mnistlab.data.labels import DigitTable, LabelScheme

if TYPE_CHECKING:
    from PIL.Image import Image

    from mnistlab.data.download import Archive
    from mnistlab.data.pictures import Prepared

MNIST_TEST_SIZE = 10_000
"""Of QMNIST's test images, the first ones are MNIST's own."""

Arrangement = Literal["byclass", "bymerge", "balanced", "letters", "digits", "mnist"]
"""The splits of EMNIST."""

_ARTICLES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
_KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_APART = "abdefghnqrt"  # small letters that do not look like capital ones

_BLOCK = 4096  # images turned at once: 3 MB


class MNIST(IdxData):
    """Handwritten digits: 60,000 training and 10,000 test images of 28 x 28, 10 classes.

    Source: LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition,
    Proceedings of the IEEE 86(11).
    """

    folder = "MNIST"
    handwriting = True

    @property
    def own_heads(self) -> dict[str, int]:
        """The digit."""
        return {"digit": 10}

    def pictured(self, picture: "Image") -> "list[Prepared]":
        """Each digit, as MNIST was made: in a box of 20 x 20, by its centre of mass."""
        from mnistlab.data.pictures import handwriting  # noqa: PLC0415 - few runs look at pictures

        return handwriting(picture)


class MultiheadMNIST(MNIST):
    """MNIST with three labels: digit, thickness and smoothness; 10, 5 and 3 classes.

    Args:
        labels: What gives each image its further labels; `DigitTable` looks them up by the digit, `MeasuredLabels`
            measures others from the pixels.
    """

    def __init__(self, labels: LabelScheme | None = DigitTable(), **kwargs: Any) -> None:
        super().__init__(labels=labels, **kwargs)


class FashionMNIST(IdxData):
    """Pictures of clothes, a harder MNIST: 60,000 training and 10,000 test images of 28 x 28, 10 classes.

    Source: Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747.
    """

    folder = "FashionMNIST"

    @property
    def own_heads(self) -> dict[str, int]:
        """The article."""
        return {"article": len(_ARTICLES)}

    @property
    def class_names(self) -> dict[str, list[str]]:
        """T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot."""
        return {"article": list(_ARTICLES)}

    def pictured(self, picture: "Image") -> "list[Prepared]":
        """The thing that the picture shows, light on dark."""
        from mnistlab.data.pictures import trimmed  # noqa: PLC0415 - few runs look at pictures

        return [trimmed(picture)]


class KMNIST(IdxData):
    """Old Japanese cursive characters (kuzushiji): 60,000 training and 10,000 test images of 28 x 28, 10 classes.

    Source: Clanuwat et al. (2018), arXiv:1812.01718.
    """

    folder = "KMNIST"
    handwriting = True

    @property
    def own_heads(self) -> dict[str, int]:
        """The character."""
        return {"character": len(_KUZUSHIJI)}

    @property
    def class_names(self) -> dict[str, list[str]]:
        """Each character as it is read: o, ki, su, tsu, na, ha, ma, ya, re, wo."""
        return {"character": list(_KUZUSHIJI)}

    def pictured(self, picture: "Image") -> "list[Prepared]":
        """The one character of the picture, light on dark, as large as the image."""
        from mnistlab.data.pictures import character  # noqa: PLC0415 - few runs look at pictures

        return character(picture)


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
    handwriting = True

    def __init__(self, test_part: Literal["test", "test10k", "test50k"] = "test", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if test_part not in ("test", "test10k", "test50k"):
            raise ValueError(f"`test_part` must be test, test10k or test50k, got {test_part}.")
        self.test_part = test_part

    @property
    def own_heads(self) -> dict[str, int]:
        """The digit."""
        return {"digit": 10}

    def pictured(self, picture: "Image") -> "list[Prepared]":
        """Each digit, as MNIST was made: in a box of 20 x 20, by its centre of mass."""
        from mnistlab.data.pictures import handwriting  # noqa: PLC0415 - few runs look at pictures

        return handwriting(picture)

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
    handwriting = True

    sizes: ClassVar[Mapping[Arrangement, tuple[int, int, int]]] = {
        "byclass": (62, 697_932, 116_323),
        "bymerge": (47, 697_932, 116_323),
        "balanced": (47, 112_800, 18_800),
        "letters": (26, 124_800, 20_800),
        "digits": (10, 240_000, 40_000),
        "mnist": (10, 60_000, 10_000),
    }
    """Classes, training images and test images of each split."""

    def __init__(self, split: Arrangement = "balanced", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if split not in self.sizes:
            raise ValueError(f"`split` must be one of {', '.join(self.sizes)}, got {split}.")
        self.split = split

    @classmethod
    def arrangements(cls) -> Sequence[IdxData]:
        """One for each split."""
        return [cls(split=split) for split in cls.sizes]

    @property
    def own_heads(self) -> dict[str, int]:
        """The character."""
        return {"character": self.sizes[self.split][0]}

    @property
    def class_names(self) -> dict[str, list[str]]:
        """Each character, in the order of `torchvision.datasets.EMNIST.classes_split_dict`."""
        letters = {"letters": ascii_lowercase, "byclass": digits + ascii_uppercase + ascii_lowercase}
        merged = digits + ascii_uppercase + _APART
        alone = {"digits": digits, "mnist": digits}
        return {"character": list({**letters, **alone}.get(self.split, merged))}

    def pictured(self, picture: "Image") -> "list[Prepared]":
        """Each character in the middle of the image, two pixels from its edge: section II.B of the source."""
        from mnistlab.data.pictures import handwriting  # noqa: PLC0415 - few runs look at pictures

        return handwriting(picture, box=24, by_mass=False)

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
