"""What operations come to that look at an image window by window."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mnistlab.export.loops import Loop, View
from mnistlab.export.lowering import Lowering, UnknownOperationError, rule
from mnistlab.export.shapes import cat, reshape
from mnistlab.export.sums import amax, matmul, mean


@rule("convolution")
def _convolution(
    lowering: Lowering,
    image: View,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    more: Sequence[int],
    groups: int,
) -> View:
    if len(stride) == 1:  # of an image of one row
        flat = _convolution(
            lowering, image.with_one(2), weight.unsqueeze(2), bias, [1, *stride], [0, *padding], [1, *dilation],
            transposed, [0, *more], groups,
        )  # fmt: skip
        return flat.without(2)
    if len(stride) > 2:  # noqa: PLR2004
        raise UnknownOperationError("a convolution of more than two dimensions")
    if transposed:
        return _transposed(lowering, image, weight, bias, stride, padding, dilation, more, groups)
    whole = lowering.padded(image, padding, "0").without(0)
    kernel = lowering.view(weight)
    outs, ins, *sides = kernel.shape
    rows, columns = ((whole.shape[1 + at] - dilation[at] * (sides[at] - 1) - 1) // stride[at] + 1 for at in range(2))
    channel, row, column = whole.strides
    own = outs // groups
    each, into, down, across = kernel.strides
    shape, over = (groups, own, rows, columns), (ins, *sides)
    looked_at = View(
        whole.array,
        shape + over,
        (ins * channel, 0, stride[0] * row, stride[1] * column, channel, dilation[0] * row, dilation[1] * column),
        whole.offset,
    )
    weights = View(kernel.array, shape + over, (own * each, each, 0, 0, into, down, across), kernel.offset)
    inputs = [looked_at, weights]
    if bias is not None:
        known = lowering.view(bias)
        inputs.append(View(known.array, shape, (own, 1, 0, 0), known.offset))
    value = "s" if bias is None else "s + {2}"
    result = lowering.fill(shape, value, *inputs, over=over, start="0", gather="s + {0} * {1}")
    return reshape(lowering, result, (1, outs, rows, columns))


def _transposed(
    lowering: Lowering, image: View, weight: Tensor, bias: Tensor | None, stride: Sequence[int],
    padding: Sequence[int], dilation: Sequence[int], more: Sequence[int], groups: int,
) -> View:  # fmt: skip
    """A convolution, turned round, of the image with zeros between its pixels; its padding is cut off."""
    reach = [dilation[at] * (weight.shape[2 + at] - 1) for at in range(2)]
    sizes = [(image.shape[2 + at] - 1) * stride[at] + 1 for at in range(2)]
    whole = lowering.fill((*image.shape[:2], *(sizes[at] + 2 * reach[at] + more[at] for at in range(2))), "0")
    inner = whole
    for at in range(2):
        inner = inner.cut(2 + at, reach[at], image.shape[2 + at], stride[at])
    lowering.program.loops.append(Loop(inner, "{0}", (image,)))
    ins, own = weight.shape[:2]
    turned = weight.view(groups, ins // groups, own, *weight.shape[2:]).transpose(1, 2).flatten(0, 1).flip(2, 3)
    result = _convolution(lowering, whole, turned, bias, [1, 1], [0, 0], dilation, False, [0, 0], groups)
    for at in range(2):
        result = result.cut(2 + at, padding[at], result.shape[2 + at] - 2 * padding[at])
    return result


@rule("convolution_backward")
def _to_image(
    lowering: Lowering,
    gradient: View,
    image: View,
    weight: Tensor,
    _: object,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    __: object,
    groups: int,
    wanted: Sequence[bool],
) -> tuple[View]:
    """The gradient of the image: the transposed convolution of that of the result."""
    if transposed or any(wanted[1:]) or len(stride) != 2:  # noqa: PLR2004
        raise UnknownOperationError("the gradient of such a convolution")
    more = [
        image.shape[at + 2] - (gradient.shape[at + 2] - 1) * stride[at] + 2 * padding[at]
        - dilation[at] * (weight.shape[at + 2] - 1) - 1
        for at in range(2)
    ]  # fmt: skip
    return (_transposed(lowering, gradient, weight, None, stride, padding, dilation, more, groups),)


@rule("max_pool2d_with_indices")
def _max_pool(
    lowering: Lowering,
    image: View,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    up: bool = False,
) -> tuple[View]:
    sides, steps, apart = _pair(kernel), _pair(stride or kernel), _pair(dilation)
    more = _beyond(image, sides, steps, _pair(padding), apart) if up else (0, 0)
    windows = _windows(lowering.padded(image, _pair(padding), "-@INFINITY", more), sides, steps, apart)
    return (lowering.gather(windows, [-2, -1], "-@INFINITY", "{0} > s ? {0} : s"),)


@rule("avg_pool2d")
def _avg_pool(
    lowering: Lowering,
    image: View,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0, 0),
    up: bool = False,
    counts_padding: bool = True,
    divisor: int | None = None,
) -> View:
    sides, steps = _pair(kernel), _pair(stride or kernel)
    counts_padding = counts_padding and any(_pair(padding))
    if up and counts_padding and not divisor:  # a window over the edge counts the padding, not what is behind it

        def along(at: int) -> Tensor:
            return F.avg_pool1d(torch.eye(image.shape[at - 2])[None], sides[at], steps[at], _pair(padding)[at], up)[0]

        return _by_matrices(lowering, image, along(0), along(1))
    more = _beyond(image, sides, steps, _pair(padding), (1, 1)) if up else (0, 0)
    windows = _windows(lowering.padded(image, _pair(padding), "0", more), sides, steps, (1, 1))
    total = lowering.gather(windows, [-2, -1], "0", "s + {0}")
    if divisor or counts_padding:
        return lowering.each("{0} / {1}", total, float(divisor or math.prod(sides)))
    ones = torch.ones(1, 1, *image.shape[-2:])
    counts = F.avg_pool2d(ones, tuple(sides), tuple(steps), tuple(_pair(padding)), up, divisor_override=1)
    return lowering.each("{0} / {1}", total, counts[0, 0])


@rule("avg_pool3d")
def _avg_pool_of_channels(lowering: Lowering, value: View, kernel: Sequence[int], stride: Sequence[int]) -> View:
    windows = _windows(value, kernel, stride, [1] * len(kernel))
    return mean(lowering, windows, range(-len(kernel), 0))


@rule("adaptive_max_pool2d")
def _adaptive_max_pool(lowering: Lowering, image: View, size: Sequence[int]) -> tuple[View]:
    for dim, wanted in zip((-2, -1), size, strict=True):
        side = image.shape[dim]
        ends = [(number * side // wanted, -(-(number + 1) * side // wanted)) for number in range(wanted)]
        parts = [amax(lowering, image.cut(dim, begin, end - begin), [dim], True) for begin, end in ends]
        image = cat(lowering, parts, dim)
    return (image,)


@rule("_adaptive_avg_pool2d")
def _adaptive_pool(lowering: Lowering, image: View, size: Sequence[int]) -> View:
    return _resized(lowering, image, size)


@rule("upsample_bilinear2d")
def _bilinear(lowering: Lowering, image: View, size: Sequence[int] | None, corners: bool, *scales: Any) -> View:
    return _scaled(lowering, image, size, scales, mode="bilinear", align_corners=corners)


@rule("upsample_nearest2d")
def _nearest(lowering: Lowering, image: View, size: Sequence[int] | None, *scales: Any) -> View:
    return _scaled(lowering, image, size, scales, mode="nearest")


def _scaled(lowering: Lowering, image: View, size: Sequence[int] | None, scales: Sequence[Any], **how: Any) -> View:
    """As `F.interpolate` does it; what it does along one side is found out by asking it."""
    if size is None:
        size = [int(image.shape[at - 2] * scales[0][at]) for at in range(2)]

    def along(sides: int, wanted: int) -> Tensor:
        return F.interpolate(torch.eye(sides)[None, :, :, None], (wanted, 1), **how)[0, :, :, 0]

    return _by_matrices(lowering, image, along(image.shape[-2], size[0]), along(image.shape[-1], size[1]))


def _by_matrices(lowering: Lowering, image: View, rows: Tensor, columns: Tensor) -> View:
    """Each row of the result is a sum of rows of an image, each column one of its columns: (old, new) each."""
    first = matmul(lowering, image.permuted([0, 1, 3, 2]), rows)
    return matmul(lowering, first.permuted([0, 1, 3, 2]), columns)


def _resized(lowering: Lowering, image: View, size: Sequence[int]) -> View:
    def along(sides: int, wanted: int) -> Tensor:
        return F.adaptive_avg_pool1d(torch.eye(sides)[None], wanted)[0]

    return _by_matrices(lowering, image, along(image.shape[-2], size[0]), along(image.shape[-1], size[1]))


def _pair(value: int | Sequence[int]) -> Sequence[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * 2 if len(values) == 1 else values


def _beyond(
    image: View, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> tuple[int, ...]:
    """How many rows and columns a last window that begins within the image and its padding has behind them."""
    more = []
    for at in range(2):
        size, reach = image.shape[at - 2], dilation[at] * (kernel[at] - 1) + 1
        whole = size + 2 * padding[at]
        last = -(-(whole - reach) // stride[at]) * stride[at]
        last -= stride[at] if last >= size + padding[at] else 0
        more.append(max(0, last + reach - whole))
    return tuple(more)


def _windows(whole: View, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> View:
    """(..., height, width) as (..., rows, columns, *kernel), of as many dimensions as the kernel has."""
    dims = len(kernel)
    outer, sides, steps = whole.shape[:-dims], whole.shape[-dims:], whole.strides[-dims:]
    sizes = [(sides[at] - dilation[at] * (kernel[at] - 1) - 1) // stride[at] + 1 for at in range(dims)]
    far = [stride[at] * steps[at] for at in range(dims)]
    near = [dilation[at] * steps[at] for at in range(dims)]
    return View(whole.array, (*outer, *sizes, *kernel), (*whole.strides[:-dims], *far, *near), whole.offset)
