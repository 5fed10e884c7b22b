"""Images that stand twice: among those for training, and in training and test."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from mnistlab.data.images import ImageData
from mnistlab.data.likeness import originals


@dataclass(frozen=True)
class Twins:
    """Images that are the same to the bit.

    Attributes:
        groups: The rows of images that are not for the test, each with all that are the same.
        tested: For each test image that stands among them too, its row and the first of theirs.
    """

    groups: list[list[int]]
    tested: list[tuple[int, int]]

    @classmethod
    def among(cls, data: ImageData, rows: Tensor) -> Self:
        """Those of some images, and of the test images if there are any."""
        train = data.rows_of("train")[0]
        test, tested = (train, rows[:0]) if data.lacks("test") else data.rows_of("test")
        pooled = test is train
        parts = [train.images.cpu()] if pooled else [train.images.cpu(), test.images.cpu()]
        first = originals(parts)
        kinds = first[rows]
        _, of, sizes = kinds.unique(return_inverse=True, return_counts=True)
        groups: dict[int, list[int]] = {}
        for at in (sizes[of] > 1).nonzero().flatten().tolist():
            groups.setdefault(int(kinds[at]), []).append(int(rows[at]))
        alike = first[tested if pooled else tested + len(train)]
        both = torch.isin(alike, kinds).nonzero().flatten()
        earliest = dict(zip(kinds.flip(0).tolist(), rows.flip(0).tolist(), strict=True)) if len(both) else {}
        return cls([*groups.values()], [(int(tested[at]), earliest[int(alike[at])]) for at in both.tolist()])
