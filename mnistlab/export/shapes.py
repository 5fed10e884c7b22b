"""What operations come to that only move numbers."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mnistlab.export.loops import Loop, View
from mnistlab.export.lowering import Lowering, UnknownOperationError, rule

_PARTS = 256  # that an index may consist of


@rule("constant_pad_nd")
def _pad(lowering: Lowering, value: View, padding: Sequence[int], number: float = 0) -> View:
    sides = {len(value.shape) - 1 - at: padding[2 * at : 2 * at + 2] for at in range(len(padding) // 2)}
    for dim, ends in sides.items():
        less = [max(0, -each) for each in ends]  # padding below 0 takes away
        value = value.cut(dim, less[0], value.shape[dim] - sum(less))
    shape = list(value.shape)
    for dim, ends in sides.items():
        shape[dim] += sum(max(0, each) for each in ends)
    whole = inner = lowering.fill(tuple(shape), repr(float(number)))
    for dim, (before, _) in sides.items():
        inner = inner.cut(dim, max(0, before), value.shape[dim])
    lowering.program.loops.append(Loop(inner, "{0}", (value,)))
    return whole


@rule("alias", "clone", "detach", "_to_copy", "contiguous", "lift_fresh_copy", "dropout")
def _same(_: Lowering, value: View, *__: Any) -> View:
    return value


@rule("as_strided")
def _as_strided(_: Lowering, value: View, shape: Sequence[int], *__: Any) -> View:
    if tuple(shape) != value.shape:  # the same image with the channel last in memory, which is no matter here
        raise UnknownOperationError("as_strided")
    return value


@rule("permute")
def _permute(_: Lowering, value: View, order: Sequence[int]) -> View:
    return value.permuted(order)


@rule("expand")
def _expand(_: Lowering, value: View, shape: Sequence[int]) -> View:
    return value.expanded(shape)


@rule("unsqueeze")
def _unsqueeze(_: Lowering, value: View, dim: int) -> View:
    return value.with_one(dim)


@rule("squeeze")
def _squeeze(_: Lowering, value: View, dims: int | Sequence[int]) -> View:
    dims = [dims] if isinstance(dims, int) else dims
    for dim in sorted((each % len(value.shape) for each in dims), reverse=True):
        value = value.without(dim) if value.shape[dim] == 1 else value
    return value


@rule("select")
def _select(_: Lowering, value: View, dim: int, number: int) -> View:
    return value.cut(dim, number % value.shape[dim], 1).without(dim)


@rule("slice")
def _slice(
    _: Lowering, value: View, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> View:
    begin, stop, step = slice(start, end, step).indices(value.shape[dim])
    return value.cut(dim, begin, max(0, -(-(stop - begin) // step)), step)


@rule("flip")
def _flip(_: Lowering, value: View, dims: Sequence[int]) -> View:
    for dim in dims:
        value = value.cut(dim, value.shape[dim] - 1, value.shape[dim], -1)
    return value


@rule("split_with_sizes")
def _split(_: Lowering, value: View, sizes: Sequence[int], dim: int = 0) -> list[View]:
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    return [value.cut(dim, start, size) for start, size in zip(starts, sizes, strict=True)]


@rule("view", "_unsafe_view", "reshape")
def reshape(lowering: Lowering, value: View, shape: Sequence[int]) -> View:
    """In another shape, with -1 for a size that follows from the others; copied where that is needed."""
    known = math.prod(each for each in shape if each != -1)
    sizes = tuple(math.prod(value.shape) // known if each == -1 else each for each in shape)
    found = value.reshaped(sizes)
    if found is None:
        found = lowering.fill(value.shape, "{0}", value).reshaped(sizes)
    assert found is not None
    return found


@rule("cat")
def cat(lowering: Lowering, values: Sequence[Any], dim: int = 0) -> View:
    """One behind the other, along a dimension."""
    views = [lowering.view(each) for each in values]
    dim %= len(views[0].shape)
    shape = list(views[0].shape)
    shape[dim] = sum(each.shape[dim] for each in views)
    whole = lowering.array(tuple(shape))
    start = 0
    for each in views:
        lowering.program.loops.append(Loop(whole.cut(dim, start, each.shape[dim]), "{0}", (each,)))
        start += each.shape[dim]
    return whole


@rule("repeat")
def _repeat(lowering: Lowering, value: View, times: Sequence[int]) -> View:
    value = value.expanded((1,) * (len(times) - len(value.shape)) + value.shape)
    for dim, count in enumerate(times):
        value = value if count == 1 else cat(lowering, [value] * count, dim)
    return value


@rule("index_select")
def _index_select(lowering: Lowering, value: View, dim: int, numbers: Tensor) -> View:
    """Part by part, each as far as the steps between numbers are the same: 2 1 0 1 2 3 is 2 1 0 and 1 2 3."""
    wanted = [number % value.shape[dim] for number in numbers.tolist()]
    parts = []
    while wanted:
        step = wanted[1] - wanted[0] if len(wanted) > 1 else 1
        size = next((at for at in range(1, len(wanted)) if wanted[at] - wanted[at - 1] != step), len(wanted))
        parts.append(value.cut(dim, wanted[0], size, step))
        wanted = wanted[size:]
    if len(parts) > _PARTS:
        raise UnknownOperationError("an index that jumps")
    return cat(lowering, parts, dim)


@rule("index")
def _index(lowering: Lowering, value: View, numbers: Sequence[Any]) -> View:
    dims = [dim for dim, each in enumerate(numbers) if each is not None]
    known = [numbers[dim] for dim in dims if isinstance(numbers[dim], Tensor) and numbers[dim].dtype != torch.bool]
    begin, end = dims[0], dims[-1] + 1
    if len(known) != end - begin:
        raise UnknownOperationError("an index that depends on the image, or of dimensions apart")
    places = torch.zeros((), dtype=torch.int64)  # within the dimensions taken as one
    for size, each in zip(value.shape[begin:end], known, strict=True):
        places = places * size + each % size
    before, behind = value.shape[:begin], value.shape[end:]
    as_one = reshape(lowering, value, (*before, math.prod(value.shape[begin:end]), *behind))
    found = _index_select(lowering, as_one, begin, places.flatten())
    return reshape(lowering, found, (*before, *places.shape, *behind))


@rule("full_like")
def _full_like(_: Lowering, value: View, number: float) -> Tensor:
    return torch.tensor(float(number)).expand(value.shape)
