"""A split of a data set, whole in memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ImageSet:
    """Images with named labels.

    Attributes:
        images: (n, channels, height, width) uint8.
        targets: One (n,) int64 tensor of class indices for each name; the first name is the primary one.
        factors: What the images were made with, where it is known: one (n,) float32 tensor for each name.
    """

    images: Tensor
    targets: Mapping[str, Tensor]
    factors: Mapping[str, Tensor] | None = None

    def __post_init__(self) -> None:
        assert all(len(target) == len(self.images) for target in self.targets.values())

    @property
    def primary(self) -> Tensor:
        """The classes of the primary label."""
        return next(iter(self.targets.values()))

    def __len__(self) -> int:
        return len(self.images)
