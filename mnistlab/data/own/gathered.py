"""What a reader finds at a path: pictures with their labels, as they lie there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import LabError

Array = NDArray[Any]

LABEL_NAMES = ("label", "labels", "class", "target", "targets", "category", "digit", "character", "y")
"""How a column of classes is called."""

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "t10k": "test",
    "t": "test",  # usps.t.bz2, as libsvm's own page has it
}


class Stored(NamedTuple):
    """A picture in a file of its own, or in a part of a larger one."""

    path: str
    start: int = 0
    size: int = -1  # in bytes; all to the end


@dataclass(frozen=True)
class Part:
    """Pictures that belong together.

    Attributes:
        images: Pixels (n, height, width) or (n, channels, height, width) uint8, or encoded pictures.
        labels: The class of each, by its name; None where nobody knows.
        groups: What of one group must stay on one side of a split.
    """

    images: Array | Sequence[Stored]
    labels: Sequence[str] | None = None
    groups: Sequence[str] | None = None


@dataclass(frozen=True)
class Gathered:
    """All that lies at a path.

    Attributes:
        parts: Under "train", "val" and "test" what is divided already, under "all" what is not.
        classes: The names of the classes in their order, where a file says it.
        notes: What was left out, and what was taken for granted.
    """

    parts: Mapping[str, Part]
    classes: Sequence[str] | None = None
    notes: Sequence[str] = ()


def split_named(name: str) -> str | None:
    """The split that a file, a folder or an array is of by its name: `x_train`, `usps.t.bz2`, `valid`."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return next((_SPLITS[word] for word in words if word in _SPLITS), None)


def is_label_name(name: str) -> bool:
    """Whether a column or an array holds classes, by its name: `y_train`, `train_labels`, `class`."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return any(word in LABEL_NAMES for word in words) or "label" in name.lower()


def as_names(labels: Array, where: object) -> list[str]:
    """Labels as names of classes: `3.0` is 3.

    Raises:
        LabError: If an image has several, or one is no whole number and no text.
    """
    values = labels.reshape(len(labels), -1)
    if values.shape[1] != 1:
        raise LabError(f"{where} has {values.shape[1]} labels an image, and one is wanted.")
    flat = values[:, 0]
    if flat.dtype.kind == "f":
        odd = (~np.isfinite(flat) | (flat != np.round(flat))).nonzero()[0]
        if len(odd):
            raise LabError(f"{where} has the label {flat[odd[0]]} for image {odd[0]:,}, which is no class.")
        flat = flat.astype(np.int64)
    if flat.dtype.kind not in "iubSU":
        raise LabError(f"{where} has labels of type {flat.dtype}; classes are whole numbers or names.")
    if flat.dtype.kind == "b":
        flat = flat.astype(np.int64)
    return [each.decode(errors="replace") if isinstance(each, bytes) else str(each) for each in flat.tolist()]


def damaged(path: Path | str, why: object) -> LabError:
    """The error for a file that is there and cannot be read."""
    return LabError(f"{path} cannot be read: {str(why).splitlines()[0] if str(why) else type(why).__name__}.")
