"""Loops over arrays of numbers, which any language can run."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class View:
    """A tensor as it lies in an array: element (i, j) stands at offset + i * strides[0] + j * strides[1].

    Attributes:
        array: The array, by name.
        shape: Its size.
        strides: How far apart neighbours stand.
        offset: Where the first one stands.
    """

    array: str
    shape: Sizes
    strides: Sizes
    offset: int = 0

    def permuted(self, order: Sequence[int]) -> "View":
        """With its dimensions in another order."""
        order = [each % len(self.shape) for each in order]
        return replace(
            self, shape=tuple(self.shape[each] for each in order), strides=tuple(self.strides[each] for each in order)
        )

    def expanded(self, shape: Sequence[int]) -> "View":
        """Repeated along dimensions of size 1, and along new ones before the others; -1 leaves a size as it is."""
        new = len(shape) - len(self.shape)
        known, strides = (1,) * new + self.shape, (0,) * new + self.strides
        sizes = tuple(mine if size == -1 else size for mine, size in zip(known, shape, strict=True))
        steps = tuple(0 if mine == 1 != size else step for mine, size, step in zip(known, sizes, strides, strict=True))
        return replace(self, shape=sizes, strides=steps)

    def cut(self, dim: int, start: int, size: int, step: int = 1) -> "View":
        """A part along one dimension."""
        dim %= len(self.shape)
        shape, strides = list(self.shape), list(self.strides)
        offset = self.offset + start * strides[dim]
        shape[dim], strides[dim] = size, strides[dim] * step
        return replace(self, shape=tuple(shape), strides=tuple(strides), offset=offset)

    def without(self, dim: int) -> "View":
        """Without a dimension, at its first place."""
        dim %= len(self.shape)
        return replace(
            self, shape=self.shape[:dim] + self.shape[dim + 1 :], strides=self.strides[:dim] + self.strides[dim + 1 :]
        )

    def with_one(self, dim: int) -> "View":
        """With a further dimension of size 1."""
        dim %= len(self.shape) + 1
        return replace(
            self, shape=(*self.shape[:dim], 1, *self.shape[dim:]), strides=(*self.strides[:dim], 0, *self.strides[dim:])
        )

    def reshaped(self, shape: Sizes) -> "View | None":
        """In another shape; None where its elements do not stand so that this needs no copy."""
        strides: list[int] = []
        groups = _grouped(self.shape, self.strides)
        at = 0
        left = 1
        for size in reversed(shape):
            if size == 1:
                strides.append(0)
                continue
            while at < len(groups) and left == groups[at][0]:
                at, left = at + 1, 1
            if at == len(groups) or groups[at][0] % (left * size):
                return None
            strides.append(groups[at][1] * left)
            left *= size
        return replace(self, shape=shape, strides=tuple(reversed(strides)))


@dataclass(frozen=True)
class Loop:
    """Fills a view: each element is worked out from the inputs at its place, and over further dimensions where told.

    Attributes:
        target: What is filled.
        value: A formula in the inputs `{0}`, `{1}`, ..., in `s`, what was gathered, and in functions as `@exp(...)`.
        inputs: What it reads, in the shape of the target; those that `gather` reads in that shape and `over`.
        over: The size of the further dimensions.
        start: What `s` begins with.
        gather: The formula of what `s` becomes at each place of `over`.
    """

    target: View
    value: str
    inputs: tuple[View, ...] = ()
    over: Sizes = ()
    start: str = ""
    gather: str = ""


@dataclass
class Program:
    """A net as loops.

    Attributes:
        arrays: How many numbers each array holds that is filled at run time.
        weights: The arrays that are known, flat, in float32 or int8.
        loops: In their order.
        inputs: The arrays that whoever runs it fills.
        outputs: Where the results stand, in the net's order.
    """

    arrays: dict[str, int] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    inputs: list[View] = field(default_factory=list)
    outputs: list[View] = field(default_factory=list)


def strides_of(shape: Sizes) -> Sizes:
    """Those of an array that is filled row by row."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def _grouped(shape: Sizes, strides: Sizes) -> list[tuple[int, int]]:
    """Sizes and strides with neighbours joined where one goes on where the other ends, the innermost first."""
    groups: list[tuple[int, int]] = []
    for size, step in zip(reversed(shape), reversed(strides), strict=True):
        if size == 1:
            continue
        if groups and step == groups[-1][0] * groups[-1][1]:
            groups[-1] = (groups[-1][0] * size, groups[-1][1])
        else:
            groups.append((size, step))
    return groups
