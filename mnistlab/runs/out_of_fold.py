"""What nets say of training images that they have not been trained on, kept beside the folds; without torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mnistlab.errors import LabError
from mnistlab.system.files import UnreadableError, check_file, write_bytes

OUT_OF_FOLD = "oof.safetensors"
"""The file in the folder of the folds."""

_MOST_BYTES = 1 << 32


@dataclass(frozen=True)
class OutOfFold:
    """Each training image, answered by the net of the fold that has held it out.

    Attributes:
        rows: (images,) their numbers among the official training images, ascending; of a pooled partition among all
            images, those of the test after those for training.
        fold: (images,) the fold that each is in.
        probs: (images, classes) the probability of each class, by head, the primary one first.
        target: (images,) the classes that the data say, by head.
        images: The fingerprint of the official training images.
    """

    rows: NDArray[np.int64]
    fold: NDArray[np.int64]
    probs: Mapping[str, NDArray[np.float32]]
    target: Mapping[str, NDArray[np.int64]]
    images: str

    @property
    def right(self) -> NDArray[np.bool_]:
        """(images,): where the most probable class of the primary head is the one that the data say."""
        head = next(iter(self.probs))
        right: NDArray[np.bool_] = self.probs[head].argmax(axis=1) == self.target[head]
        return right


def save_out_of_fold(path: Path, found: OutOfFold) -> None:
    """Write a safetensors file, whole or not at all."""
    tensors: dict[str, NDArray[Any]] = {"rows": found.rows.astype(np.int32), "fold": found.fold.astype(np.int16)}
    for head, probs in found.probs.items():
        tensors |= {f"{head}.probs": probs, f"{head}.target": found.target[head].astype(np.int16)}
    content = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    write_bytes(path, save(content, {"format": "1", "images": found.images, "heads": json.dumps([*found.probs])}))


def load_out_of_fold(path: Path) -> OutOfFold:
    """Read what `save_out_of_fold` has written.

    Raises:
        LabError: If it is not there, or something else.
    """
    try:
        check_file(path, _MOST_BYTES)
        with safe_open(path, framework="np") as file:
            said = file.metadata() or {}
            heads = json.loads(said["heads"])
            rows, fold = (np.asarray(file.get_tensor(name), np.int64) for name in ("rows", "fold"))
            probs = {head: np.asarray(file.get_tensor(f"{head}.probs"), np.float32) for head in heads}
            target = {head: np.asarray(file.get_tensor(f"{head}.target"), np.int64) for head in heads}
            found = OutOfFold(rows, fold, probs, target, said["images"])
    except FileNotFoundError as error:
        raise LabError(f"There is no file {path}. `mnistlab fit --folds=5` writes one.") from error
    except UnreadableError:
        raise
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        raise LabError(f"{path} does not hold the predictions of folds: {error}.") from error
    every: list[NDArray[Any]] = [rows, fold, *probs.values(), *target.values()]
    if not heads or len({len(each) for each in every}) != 1 or any(each.ndim != 2 for each in probs.values()):  # noqa: PLR2004 - images, classes
        raise LabError(f"{path} does not hold the predictions of folds: they are not about the same images.")
    return found
