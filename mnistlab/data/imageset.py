"""A split of a data set, whole in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

_CHUNK = 1 << 20  # pixels that are looked at at once


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

    def joined(self, other: Self) -> Self:
        """The images of both, without factors."""
        targets = {name: torch.cat([self.targets[name], other.targets[name]]) for name in self.targets}
        return type(self)(torch.cat([self.images, other.images]), targets)

    def to(self, device: torch.device) -> Self:
        """The same on a device, without factors."""
        return type(self)(self.images.to(device), {name: target.to(device) for name, target in self.targets.items()})

    def statistics(self, rows: Tensor) -> tuple[float, float]:
        """Mean and standard deviation of the pixels of some images, from 0 to 1."""
        per_image = self.images[0].numel()
        total, squares = 0.0, 0.0
        for some in rows.split(max(1, _CHUNK // per_image)):
            pixels = self.images[some.to(self.images.device)].to(torch.float32) / 255
            total += float(pixels.sum(dtype=torch.float64))
            squares += float(pixels.square().sum(dtype=torch.float64))
        mean = total / (len(rows) * per_image)
        std = (squares / (len(rows) * per_image) - mean**2) ** 0.5
        return round(mean, 6), round(max(std, 1e-6), 6)


def stratified(rows: Tensor, labels: Tensor, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Split off `size` of the rows at random, every class in proportion.

    Args:
        rows: (n,) the rows to divide.
        labels: The class of every row, indexed by row.
        size: How many to split off; a class's share is rounded so that the sum is exact.
        seed: Which ones.

    Returns:
        The rows that stay and the rows split off, each in ascending order.
    """
    shuffled = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))]
    by_class = [shuffled[labels[shuffled] == label] for label in labels[rows].unique()]
    exact = [len(members) * size / len(rows) for members in by_class]
    quota = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: quota[index] - exact[index])
    for index in by_remainder[: size - sum(quota)]:
        quota[index] += 1
    kept = torch.cat([members[count:] for members, count in zip(by_class, quota, strict=True)])
    taken = torch.cat([members[:count] for members, count in zip(by_class, quota, strict=True)])
    return kept.sort().values, taken.sort().values
