"""A split of a data set, whole in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from zlib import crc32

import torch
from torch import Tensor

from mnistlab.errors import LabError

_CHUNK = 1 << 20  # pixels that are looked at at once


@dataclass(frozen=True)
class ImageSet:
    """Images with named labels.

    Attributes:
        images: (n, channels, height, width) uint8.
        targets: One (n,) int64 tensor of class indices for each name; the first name is the primary one.
        factors: What the images were made with, where it is known: one (n,) float32 tensor for each name.
        groups: (n,) int64; images of one group stay on one side of a split. None where each stands for itself.
    """

    images: Tensor
    targets: Mapping[str, Tensor]
    factors: Mapping[str, Tensor] | None = None
    groups: Tensor | None = None

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
        groups = None
        if self.groups is not None and other.groups is not None:
            groups = torch.cat([self.groups, other.groups])
        return type(self)(torch.cat([self.images, other.images]), targets, groups=groups)

    def to(self, device: torch.device) -> Self:
        """The same on a device, without factors."""
        targets = {name: target.to(device) for name, target in self.targets.items()}
        return type(self)(self.images.to(device), targets, groups=self.groups)

    def split_off(self, rows: Tensor, size: int, seed: int) -> tuple[Tensor, Tensor]:
        """Divide some rows into those that stay and `size` that do not, every class in proportion.

        Groups stay together, so that there may be a few more or less.

        Raises:
            LabError: If all that is wanted belongs together.
        """
        if self.groups is None:
            return stratified(rows, self.primary, size, seed)
        return _grouped(rows, self.primary, self.groups, size, seed)

    def folds(self, rows: Tensor, number: int, seed: int) -> Tensor:
        """Divide some rows into parts with every class in proportion; groups stay together.

        Args:
            rows: (n,) the rows to divide.
            number: How many parts there are.
            seed: Which rows are in which of them.

        Returns:
            (n,) the part of each row, from 0 on.

        Raises:
            LabError: If there are fewer images, or groups, than parts.
        """
        if self.groups is None:
            return _dealt(self.primary[rows], number, seed)
        return _dealt_groups(self.primary[rows], self.groups[rows], number, seed)

    def mislabelled(self, rows: Tensor, share: float, num_classes: int, seed: int) -> Self:
        """The same with another primary label for a share of some rows of each class, every other class as likely.

        Less noise of the same seed is a part of more.

        Args:
            rows: The rows, as many of which are changed as are nearest to the share.
            share: From 0 to 1.
            num_classes: The classes of the primary label.
            seed: Which ones, and to what.

        Raises:
            LabError: If there is no other class.
        """
        if num_classes < 2:  # noqa: PLR2004 - one has no other
            raise LabError("--data.label_noise needs two classes. Leave it out.")
        name, labels = next(iter(self.targets.items()))
        seed = crc32(f"label noise {seed}".encode())  # or all of them would be held out where these rows are divided
        _, changed = stratified(rows, labels, round(share * len(rows)), seed)
        steps = torch.randint(1, num_classes, labels.shape, generator=torch.Generator().manual_seed(seed))
        noisy = labels.index_copy(0, changed, (labels[changed] + steps[changed]) % num_classes)
        return replace(self, targets={**self.targets, name: noisy})

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


def _dealt(labels: Tensor, number: int, seed: int) -> Tensor:
    """Deal the images out class by class, as cards are: parts differ by one at most in each class, and in all."""
    if len(labels) < number:
        raise LabError(f"{len(labels)} training images cannot be divided into {number} folds.")
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    by_class = shuffled[labels[shuffled].argsort(stable=True)]
    parts = torch.empty_like(by_class)
    parts[by_class] = torch.arange(len(labels)) % number
    return parts


def _dealt_groups(labels: Tensor, groups: Tensor, number: int, seed: int) -> Tensor:
    """Give whole groups, the largest first, each to the part that has least of its classes."""
    group, counts = _counted(labels, groups)
    if len(counts) < number:
        raise LabError(f"the {len(counts)} groups of --data.group cannot be divided into {number} folds.")
    sizes = counts.sum(dim=1, keepdim=True)
    shares = torch.cat([counts / counts.sum(dim=0), sizes / sizes.sum()], dim=1)  # the sizes are to be even too
    shuffled = torch.randperm(len(counts), generator=torch.Generator().manual_seed(seed))
    filled = torch.zeros(number, shares.shape[1], dtype=torch.float64)
    part_of = torch.empty(len(counts), dtype=torch.int64)
    for each in shuffled[sizes[shuffled, 0].argsort(descending=True, stable=True)].tolist():
        part = int((filled @ shares[each]).argmin())  # where the sum of squares grows least
        filled[part] += shares[each]
        part_of[each] = part
    return part_of[group]


def _counted(labels: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """The number of each image's group, and how many images of each class a group has."""
    _, group = groups.unique(return_inverse=True)
    _, label = labels.unique(return_inverse=True)
    counts = torch.zeros(int(group.max()) + 1, int(label.max()) + 1, dtype=torch.float64)
    counts.index_put_((group, label), torch.ones(len(labels), dtype=torch.float64), accumulate=True)
    return group, counts


def _grouped(rows: Tensor, labels: Tensor, groups: Tensor, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Split off whole groups: each in a random order that brings the classes nearer to their share of `size`."""
    group, counts = _counted(labels[rows], groups[rows])
    missing = counts.sum(dim=0) * (size / len(rows))
    taken = torch.zeros(len(counts), dtype=torch.bool)
    for number in torch.randperm(len(counts), generator=torch.Generator().manual_seed(seed)).tolist():
        left = missing - counts[number]
        if left.square().sum() < missing.square().sum():
            taken[number], missing = True, left
    if size and not 0 < int(taken.sum()) < len(counts):
        raise LabError(
            f"the {len(counts)} groups of --data.group cannot be divided: leave it out, or name smaller ones."
        )
    return rows[~taken[group]], rows[taken[group]]
