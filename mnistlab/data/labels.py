"""Further labels of an image: known from its class, or measured from its pixels."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from mnistlab.errors import LabError

_CHUNK = 500  # images measured at once: what they need stays in the processor's cache
_NUM_DIGITS = 10
_EDGE = 0.5  # of the strongest ink
_LOOPS = (0.5, 1.5)
_FLAT = 1e-3  # variance in square pixels below which ink lies in one row and its slant would be rounding errors


@dataclass(frozen=True)
class LabelScheme(ABC):
    """Base class of what gives each image further labels.

    One of your own says what `heads` it has and writes `label`.
    """

    @property
    @abstractmethod
    def heads(self) -> dict[str, int]:
        """The number of classes of each further label."""

    def check(self, data: str, own: Mapping[str, int]) -> None:
        """Refuse data that these labels do not suit.

        Args:
            data: How messages call the data.
            own: The number of classes of each label that the data have by themselves, the primary one first.

        Raises:
            LabError: If a label of the data has the same name.
        """
        taken = own.keys() & self.heads.keys()
        if taken:
            name = type(self).__name__
            raise LabError(f"{data} has labels called {', '.join(sorted(taken))} already, so {name} cannot add them.")

    @abstractmethod
    def label(self, images: Tensor, primary: Tensor) -> dict[str, Tensor]:
        """The further labels of some images.

        Shape: (n, channels, height, width) uint8, (n,) int64 -> (n,) int64 for each name.
        """

    def checked(self, images: Tensor, primary: Tensor) -> dict[str, Tensor]:
        """The same; what is not as `heads` says is refused before a net is given it."""
        labels, name, sizes, many = self.label(images, primary), type(self).__name__, self.heads, len(images)
        if labels.keys() != sizes.keys():
            raise LabError(
                f"{name} says that it has {', '.join(sizes)}, but it gives {', '.join(labels) or 'nothing'}."
            )
        for head, given in labels.items():
            what = f"{head} of {name}"
            if given.dtype != torch.int64 or given.shape != (many,):
                shape = "x".join(map(str, given.shape)) or "one number"
                raise LabError(f"{what} must be {many} numbers of type int64, got {shape} of type {given.dtype}.")
            low, high = given.aminmax()
            if low < 0 or high >= sizes[head]:
                wrong = int(low if low < 0 else high)
                raise LabError(f"{what} must be classes from 0 to {sizes[head] - 1}, got {wrong}.")
        return labels


@dataclass(frozen=True)
class DigitTable(LabelScheme):
    """Thickness and smoothness as a function of the digit, from a table.

    They say nothing about the single image: heads for them learn nothing that a head for the digit does not. For trying
    out nets with several heads. Always guessing the largest class gives 39.1 % and 49.6 % on MNIST's training images.

        digit       0  1  2  3  4  5  6  7  8  9
        thickness   0  2  1  3  2  4  3  4  4  4   very thin 0 to very thick 4
        smoothness  2  0  1  2  0  1  2  0  2  2   angular 0 to smooth 2
    """

    table: ClassVar[Mapping[str, Sequence[int]]] = {
        "thickness": (0, 2, 1, 3, 2, 4, 3, 4, 4, 4),
        "smoothness": (2, 0, 1, 2, 0, 1, 2, 0, 2, 2),
    }

    @property
    def heads(self) -> dict[str, int]:
        """Five classes of thickness and three of smoothness."""
        return {name: max(column) + 1 for name, column in self.table.items()}

    def check(self, data: str, own: Mapping[str, int]) -> None:
        """Refuse data that are not the ten digits.

        Raises:
            LabError: If they are not.
        """
        super().check(data, own)
        primary, size = next(iter(own.items()))
        if primary != "digit" or size != _NUM_DIGITS:
            raise LabError(
                f"DigitTable needs the ten digits, but {data} has {size} classes of {primary}. "
                "MeasuredLabels serves any images."
            )

    def label(self, images: Tensor, primary: Tensor) -> dict[str, Tensor]:
        """Look the digits up."""
        return {name: torch.tensor(column, device=images.device)[primary] for name, column in self.table.items()}


@dataclass(frozen=True)
class MeasuredLabels(LabelScheme):
    """Thickness, slant and loops of what is drawn, measured from the pixels and cut into classes at fixed bounds.

    They differ between images of one digit, so heads for them learn something of their own. Ink is a pixel's value over
    255. The default bounds divide MNIST's training images into fifths.

    - thickness, in pixels: the width of the rectangle with the same ink A and the same perimeter P,
      P/4 - sqrt(P^2/16 - A). The perimeter is the total variation of the ink (the coarea formula).
    - slant, in degrees, positive to the right: atan(-Sxy / Syy) of the ink's second moments, the shear that deskewing
      takes out; 0 where all ink is in one row.
    - loops: holes of at least 2 pixels in what has more than half the strongest ink, as 0, 1, and 2 or more.

    Args:
        thickness_bounds: Pixels at which a class of thickness ends and the next one begins, in ascending order.
        slant_bounds: Degrees at which a class of slant ends and the next one begins, in ascending order.

    Raises:
        ValueError: If bounds are not finite numbers in ascending order.
    """

    thickness_bounds: Sequence[float] = (2.0, 2.3, 2.6, 3.1)
    slant_bounds: Sequence[float] = (-7.0, 2.0, 10.0, 19.0)

    def __post_init__(self) -> None:
        for option, bounds in (("thickness_bounds", self.thickness_bounds), ("slant_bounds", self.slant_bounds)):
            if not bounds or not all(map(isfinite, bounds)) or any(low >= high for low, high in pairwise(bounds)):
                raise ValueError(f"`{option}` must be finite numbers in ascending order, got {list(bounds)}.")

    @property
    def bounds(self) -> dict[str, Sequence[float]]:
        """Where the classes of each measure end."""
        return {"thickness": self.thickness_bounds, "slant": self.slant_bounds, "loops": _LOOPS}

    @property
    def heads(self) -> dict[str, int]:
        """One class more than there are bounds."""
        return {name: len(bounds) + 1 for name, bounds in self.bounds.items()}

    def label(self, images: Tensor, primary: Tensor) -> dict[str, Tensor]:
        """Measure images and cut the measures into classes."""
        chunks = [measure(chunk) for chunk in images.split(_CHUNK)]
        measured = {name: torch.cat([chunk[name] for chunk in chunks]) for name in self.bounds}
        return {
            name: torch.bucketize(measured[name], torch.tensor(bounds, device=images.device), right=True)
            for name, bounds in self.bounds.items()
        }


def measure(images: Tensor) -> dict[str, Tensor]:
    """Thickness in pixels, slant in degrees, and the number of loops, as `MeasuredLabels` defines them.

    Shape: (n, channels, height, width) uint8 -> (n,) float32 each; 0 where there is no ink.
    """
    ink = F.pad(images.to(torch.float32).mean(dim=1) / 255, (1, 1, 1, 1))
    return {"thickness": _thickness(ink), "slant": _slant(ink), "loops": _holes(ink).to(torch.float32)}


def _thickness(ink: Tensor) -> Tensor:
    down, right = ink.diff(dim=1).square(), ink.diff(dim=2).square()[:, :-1]
    # Differences to the right and to the left, so that an image and its mirror image are as thick.
    change = (down[:, :, :-1] + right).sqrt() + (down[:, :, 1:] + right).sqrt()
    perimeter = change.sum(dim=(1, 2)) / 2
    area = ink.sum(dim=(1, 2))
    return perimeter / 4 - (perimeter.square() / 16 - area).clamp(min=0).sqrt()


def _slant(ink: Tensor) -> Tensor:
    weight = ink / ink.sum(dim=(1, 2), keepdim=True).clamp(min=1e-6)
    rows = torch.arange(ink.shape[1], dtype=ink.dtype, device=ink.device)[:, None]
    columns = torch.arange(ink.shape[2], dtype=ink.dtype, device=ink.device)
    y = rows - (weight * rows).sum(dim=(1, 2), keepdim=True)
    x = columns - (weight * columns).sum(dim=(1, 2), keepdim=True)
    covariance, variance = (weight * x * y).sum(dim=(1, 2)), (weight * y * y).sum(dim=(1, 2))
    return torch.where(variance > _FLAT, torch.atan2(-covariance, variance), 0.0).rad2deg()


def _holes(ink: Tensor) -> Tensor:
    """Count the holes of two pixels and more: parts of what is not ink, diagonals apart, that touch no border."""
    paper = (ink <= _EDGE * ink.amax(dim=(1, 2), keepdim=True)).permute(1, 2, 0).contiguous()
    part, place = _parts(paper)
    same = F.pad(part[1:] == part[:-1], (0, 0, 0, 0, 1, 1)), F.pad(part[:, 1:] == part[:, :-1], (0, 0, 1, 1))
    beside = same[0][1:] | same[0][:-1] | same[1][:, 1:] | same[1][:, :-1]
    return (paper & (part == place) & beside)[:-1].sum((0, 1))  # the last row is outside


def _parts(paper: Tensor) -> tuple[Tensor, Tensor]:
    """The place of each pixel, (height, width, 1), and the last place in its part of the paper, 0 for ink.

    Each pixel takes up the highest place of its neighbours, swept on in four directions until nothing changes.
    """
    height, width, _ = paper.shape
    place = torch.arange(1, height * width + 1, dtype=torch.int32, device=paper.device).view(height, width, 1)
    part, inside = place * paper, -paper.int()
    before = torch.zeros_like(part)
    while not torch.equal(before, part):
        before = part.clone()
        for lines, allowed in ((part, inside), (part.transpose(0, 1), inside.transpose(0, 1))):
            last = len(lines) - 1
            for line in range(1, last + 1):
                lines[line] = torch.maximum(lines[line], lines[line - 1] & allowed[line])
            for line in range(last - 1, -1, -1):
                lines[line] = torch.maximum(lines[line], lines[line + 1] & allowed[line])
    return part, place
