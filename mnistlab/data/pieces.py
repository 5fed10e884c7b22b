"""Pieces of ink that touch, put together to signs in the order in which they are read."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SMALL = 6  # pixels that the longer side of a sign has at least
_DUST = 0.2  # of the usual height; smaller pieces that lie alone are no sign
_MAIN = 0.5  # of the usual height; a piece of that size is a sign of its own
_NEAR = 0.3  # of the usual height; smaller pieces within that belong to a sign
_BROKEN = 0.15  # of the usual height; a gap between two pieces above each other that are one sign
_MEETING, _LAP = 0.2, 0.5  # of the lesser width and height; how far these lie above and beside each other
_ALONG = 0.6  # of its side; a piece that follows the edge of the picture that far is the edge of a sheet
_SAME_LINE = 0.4  # of the lower one's height, by which signs of one line overlap


class Box(NamedTuple):
    """A box; right and bottom lie past its end."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """In pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """In pixels."""
        return self.bottom - self.top

    @property
    def size(self) -> float:
        """How large a sign is as its reader sees it: its height, of a flat one half its width."""
        return max(self.height, self.width / 2)

    def with_box(self, other: "Box") -> "Box":
        """Both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


class Group(NamedTuple):
    """The pieces of one sign."""

    box: Box
    pieces: frozenset[int]  # their numbers

    def joined(self, other: "Group") -> "Group":
        """Both."""
        return Group(self.box.with_box(other.box), self.pieces | other.pieces)


def numbered(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Number the pieces of a mask from 1 on, 0 being outside, and count them; pixels that touch at a corner are one.

    Row by row: a run of pixels takes the number of those above that it touches, and these become the same.
    """
    numbers = np.zeros(mask.shape, dtype=np.int64)
    same = [0]
    above: list[tuple[int, int, int]] = []  # begin, end and number of each run in the row before

    def root(number: int) -> int:
        while same[number] != number:
            number = same[number]
        return number

    for row, line in enumerate(mask):
        steps = np.flatnonzero(np.diff(line.astype(np.int8), prepend=0, append=0))
        runs: list[tuple[int, int, int]] = []
        first = 0
        for begin, end in steps.reshape(-1, 2).tolist():
            while first < len(above) and above[first][1] < begin:
                first += 1
            number, at = 0, first
            while at < len(above) and above[at][0] <= end:
                other = root(above[at][2])
                if number:
                    same[max(number, other)] = min(number, other)
                    number = min(number, other)
                else:
                    number = other
                at += 1
            if not number:
                number = len(same)
                same.append(number)
            numbers[row, begin:end] = number
            runs.append((begin, end, number))
        above = runs
    roots = np.array([root(number) for number in range(len(same))])
    kept, order = np.unique(roots, return_inverse=True)
    return order[numbers], len(kept) - 1


def boxes(numbers: NDArray[np.int64], count: int) -> list[Box]:
    """The box of each number from 1 on."""
    rows, columns = np.nonzero(numbers)
    number = numbers[rows, columns]
    far = max(numbers.shape)
    low = [np.full(count + 1, far) for _ in range(2)]
    high = [np.zeros(count + 1, dtype=np.int64) for _ in range(2)]
    for axis, places in enumerate((columns, rows)):
        np.minimum.at(low[axis], number, places)
        np.maximum.at(high[axis], number, places + 1)
    return [Box(*(int(side[each]) for side in (*low, *high))) for each in range(1, count + 1)]


def signs(numbers: NDArray[np.int64], count: int) -> list[Group]:
    """The signs that the numbered pieces make, in reading order."""
    alone = [Group(box, frozenset({number})) for number, box in enumerate(boxes(numbers, count), start=1)]
    inside = [group for group in alone if not _follows_edge(numbers, group)]
    pieces = inside if any(group.box.size >= _SMALL for group in inside) else alone
    if not pieces:
        return []
    largest = max(group.box.size for group in pieces)
    usual = float(np.median([group.box.size for group in pieces if group.box.size >= _MAIN * largest]))
    main = _mended([group for group in pieces if group.box.size >= _MAIN * usual], usual)
    small: list[Group] = []
    for group in sorted((each for each in pieces if each.box.size < _MAIN * usual), key=lambda each: -each.box.size):
        near = min(range(len(main)), key=lambda at: _gap(main[at].box, group.box))
        if _gap(main[near].box, group.box) <= _NEAR * usual:
            main[near] = main[near].joined(group)
        elif group.box.size >= _DUST * usual:
            small.append(group)
    found = [group for group in (*main, *small) if max(group.box.width, group.box.height) >= _SMALL]
    return [group for line in _lines(found) for group in line]


def _follows_edge(numbers: NDArray[np.int64], group: Group) -> bool:
    """Whether a piece lies along an edge of the picture, as what is beside a sheet does."""
    (number,) = group.pieces
    width, height = group.box.width, group.box.height
    sides = zip((numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]), (width, width, height, height), strict=True)
    return any(int((edge == number).sum()) >= _ALONG * length for edge, length in sides)


def _gap(one: Box, other: Box) -> int:
    """How far two boxes are apart, along the axis along which it is more; 0 where they overlap."""
    across = max(one.left, other.left) - min(one.right, other.right)
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    return max(across, down, 0)


def _mended(groups: list[Group], usual: float) -> list[Group]:
    """Signs that are broken into large pieces as one: they lie above each other without much of a gap."""
    mended: list[Group] = []
    for group in sorted(groups, key=lambda each: each.box.top):
        at = next((at for at, other in enumerate(mended) if _is_below(group.box, other.box, usual)), None)
        if at is None:
            mended.append(group)
        else:
            mended[at] = mended[at].joined(group)
    return mended


def _is_below(lower: Box, upper: Box, usual: float) -> bool:
    """Whether the lower one goes on with the upper one, as the bow of a 5 with its bar, or lies within it."""
    shared = (min(lower.right, upper.right) - max(lower.left, upper.left)) / min(lower.width, upper.width)
    gap = lower.top - upper.bottom
    if lower.bottom <= upper.bottom + _BROKEN * usual:
        return shared >= _ALONG
    return shared >= _MEETING and -_LAP * min(lower.height, upper.height) <= gap <= _BROKEN * usual


def _lines(groups: Sequence[Group]) -> list[list[Group]]:
    """The signs line by line: each follows the one to its left that it stands beside."""
    lines: list[list[Group]] = []
    for group in sorted(groups, key=lambda each: each.box.left):
        shared = [_beside(line[-1].box, group.box) for line in lines]
        if shared and max(shared) >= _SAME_LINE:
            lines[shared.index(max(shared))].append(group)
        else:
            lines.append([group])
    return sorted(lines, key=lambda line: float(np.mean([each.box.top + each.box.bottom for each in line])))


def _beside(one: Box, other: Box) -> float:
    """The part of the lower one's height by which two signs stand beside each other."""
    return (min(one.bottom, other.bottom) - max(one.top, other.top)) / min(one.height, other.height)
