"""What operations come to that work number by number, or on rows of them."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mnistlab.export.loops import View
from mnistlab.export.lowering import RULES, Lowering, Rule, UnknownOperationError, Value, rule
from mnistlab.export.shapes import reshape

_FORMULAS = {
    "relu": "{0} > 0 ? {0} : 0",
    "sigmoid": "1 / (1 + @exp(-({0})))",
    "silu": "{0} / (1 + @exp(-({0})))",
    "silu_backward": "{0} * (1 + {1} * (1 - 1 / (1 + @exp(-({1}))))) / (1 + @exp(-({1})))",
    "tanh": "@tanh({0})",
    "exp": "@exp({0})",
    "log": "@log({0})",
    "sqrt": "@sqrt({0})",
    "rsqrt": "1 / @sqrt({0})",
    "reciprocal": "1 / {0}",
    "erf": "@erf({0})",
    "sin": "@sin({0})",
    "cos": "@cos({0})",
    "atan": "@atan({0})",
    "floor": "@floor({0})",
    "ceil": "@ceil({0})",
    "sign": "{0} > 0 ? 1 : {0} < 0 ? -1 : 0",
    "expm1": "@exp({0}) - 1",
    "log1p": "@log(1 + {0})",
    "neg": "-({0})",
    "abs": "@fabs({0})",
    "logical_not": "{0} == 0 ? 1 : 0",
    "bitwise_and": "{0} != 0 && {1} != 0 ? 1 : 0",
    "bitwise_or": "{0} != 0 || {1} != 0 ? 1 : 0",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "maximum": "{0} > {1} ? {0} : {1}",
    "minimum": "{0} < {1} ? {0} : {1}",
    "eq": "{0} == {1} ? 1 : 0",
    "ne": "{0} != {1} ? 1 : 0",
    "gt": "{0} > {1} ? 1 : 0",
    "ge": "{0} >= {1} ? 1 : 0",
    "lt": "{0} < {1} ? 1 : 0",
    "le": "{0} <= {1} ? 1 : 0",
    "where": "{0} != 0 ? {1} : {2}",
    "hardsigmoid": "@fmin(@fmax({0} + 3, 0), 6) / 6",
    "hardswish": "{0} * @fmin(@fmax({0} + 3, 0), 6) / 6",
    "pow": "@pow({0}, {1})",
}


def _elementwise(formula: str) -> Rule:
    count = sum(f"{{{number}}}" in formula for number in range(4))
    return lambda lowering, *args: lowering.each(formula, *args[:count])


RULES.update({name: _elementwise(formula) for name, formula in _FORMULAS.items()})


@rule("add")
def _add(lowering: Lowering, one: Value, other: Value, alpha: float = 1) -> View:
    return lowering.each("{0} + {1}" if alpha == 1 else f"{{0}} + {alpha} * {{1}}", one, other)


@rule("sub")
def _sub(lowering: Lowering, one: Value, other: Value, alpha: float = 1) -> View:
    return lowering.each(f"{{0}} - {alpha} * {{1}}", one, other)


@rule("clamp")
def _clamp(lowering: Lowering, value: View, low: float | None = None, high: float | None = None) -> View:
    formula = "{0}" if low is None else f"@fmax({{0}}, {low})"
    return lowering.each(formula if high is None else f"@fmin({formula}, {high})", value)


@rule("hardtanh")
def _hardtanh(lowering: Lowering, value: View, low: float = -1, high: float = 1) -> View:
    return _clamp(lowering, value, low, high)


@rule("leaky_relu")
def _leaky_relu(lowering: Lowering, value: View, slope: float = 0.01) -> View:
    return lowering.each(f"{{0}} > 0 ? {{0}} : {{0}} * {slope}", value)


@rule("elu")
def _elu(lowering: Lowering, value: View, alpha: float = 1, scale: float = 1, within: float = 1) -> View:
    below = f"{scale * alpha} * (@exp({within} * {{0}}) - 1)"
    return lowering.each(f"{{0}} > 0 ? {scale} * {{0}} : {below}", value)


@rule("gelu")
def _gelu(lowering: Lowering, value: View, approximate: str = "none") -> View:
    if approximate == "tanh":
        return lowering.each("0.5 * {0} * (1 + @tanh(0.7978845608028654 * ({0} + 0.044715 * {0} * {0} * {0})))", value)
    return lowering.each("0.5 * {0} * (1 + @erf({0} * 0.7071067811865476))", value)


@rule("_assert_tensor_metadata", "sym_constrain_range_for_size")
def _nothing(*_: Any) -> None:
    return None


@rule("<built-in function getitem>")
def _item(_: Lowering, values: Sequence[Any], number: int) -> Any:
    if number >= len(values):  # such as the places of the largest values
        raise UnknownOperationError("a further result of an operation")
    return values[number]


@rule("sum")
def _sum(lowering: Lowering, value: View, dims: Sequence[int] = (), keep: bool = False) -> View:
    return lowering.gather(value, dims, "0", "s + {0}", keep=keep)


@rule("prod")
def _prod(lowering: Lowering, value: View, dim: int, keep: bool = False) -> View:
    return lowering.gather(value, [dim], "1", "s * {0}", keep=keep)


@rule("mean")
def mean(lowering: Lowering, value: View, dims: Sequence[int] = (), keep: bool = False) -> View:
    """Along some dimensions, or all."""
    count = math.prod(value.shape[each] for each in dims) if dims else math.prod(value.shape)
    return lowering.gather(value, dims, "0", "s + {0}", f"s / {count}", keep=keep)


@rule("amax")
def amax(lowering: Lowering, value: View, dims: Sequence[int] = (), keep: bool = False) -> View:
    """The largest along some dimensions, or all."""
    return lowering.gather(value, dims, "-@INFINITY", "{0} > s ? {0} : s", keep=keep)


@rule("amin")
def _amin(lowering: Lowering, value: View, dims: Sequence[int] = (), keep: bool = False) -> View:
    return lowering.gather(value, dims, "@INFINITY", "{0} < s ? {0} : s", keep=keep)


@rule("max")
def _max(lowering: Lowering, value: View, dim: int | None = None, keep: bool = False) -> View | tuple[View]:
    return amax(lowering, value) if dim is None else (amax(lowering, value, [dim], keep),)


@rule("min")
def _min(lowering: Lowering, value: View, dim: int | None = None, keep: bool = False) -> View | tuple[View]:
    return _amin(lowering, value) if dim is None else (_amin(lowering, value, [dim], keep),)


@rule("var")
def _var(
    lowering: Lowering, value: View, dims: Sequence[int] | None = None, *, correction: float | None = None,
    keepdim: bool = False,
) -> View:  # fmt: skip
    dims = dims or range(len(value.shape))
    count = math.prod(value.shape[each] for each in dims) - (1 if correction is None else correction)
    apart = lowering.each("{0} - {1}", value, mean(lowering, value, dims, True))
    return lowering.gather(apart, dims, "0", "s + {0} * {0}", f"s / {count}", keep=keepdim)


@rule("any")
def _any(lowering: Lowering, value: View, dim: int, keep: bool = False) -> View:
    return lowering.gather(value, [dim], "0", "{0} != 0 ? 1 : s", keep=keep)


@rule("_softmax")
def _softmax(lowering: Lowering, value: View, dim: int, _: object = None) -> View:
    largest = lowering.gather(value, [dim], "-@INFINITY", "{0} > s ? {0} : s", keep=True)
    raised = lowering.each("@exp({0} - {1})", value, largest)
    return lowering.each("{0} / {1}", raised, lowering.gather(raised, [dim], "0", "s + {0}", keep=True))


@rule("_log_softmax")
def _log_softmax(lowering: Lowering, value: View, dim: int, _: object = None) -> View:
    largest = lowering.gather(value, [dim], "-@INFINITY", "{0} > s ? {0} : s", keep=True)
    below = lowering.each("{0} - {1}", value, largest)
    return lowering.each("{0} - {1}", below, lowering.gather(below, [dim], "0", "s + @exp({0})", "@log(s)", keep=True))


@rule("native_layer_norm")
def _layer_norm(
    lowering: Lowering, value: View, shape: Sequence[int], weight: Any, bias: Any, eps: float
) -> tuple[View, ...]:
    dims = list(range(len(value.shape) - len(shape), len(value.shape)))
    middle = mean(lowering, value, dims, True)
    apart = lowering.each("{0} - {1}", value, middle)
    variance = lowering.gather(apart, dims, "0", "s + {0} * {0}", f"s / {math.prod(shape)}", keep=True)
    factor = lowering.each(f"1 / @sqrt({{0}} + {eps})", variance)
    result = lowering.each("{0} * {1}", apart, factor)
    if weight is not None:
        result = lowering.each("{0} * {1}", result, weight)
    return (result if bias is None else lowering.each("{0} + {1}", result, bias)), middle, factor


@rule("native_group_norm")
def _group_norm(
    lowering: Lowering, value: View, weight: Any, bias: Any, _: int, channels: int, __: int, groups: int, eps: float
) -> tuple[View, ...]:
    size = math.prod(value.shape) // groups
    parts = reshape(lowering, value, (groups, size))
    result = _layer_norm(lowering, parts, (size,), None, None, eps)[0]
    result = reshape(lowering, result, value.shape)
    along = (channels, *[1] * (len(value.shape) - 2))
    if weight is not None:
        result = lowering.each("{0} * {1}", result, weight.view(along))
    return (result if bias is None else lowering.each("{0} + {1}", result, bias.view(along)),)


@rule("_native_batch_norm_legit")
def _instance_norm(
    lowering: Lowering, value: View, weight: Any, bias: Any, _: bool, __: float, eps: float
) -> tuple[View, ...]:
    channels = value.shape[1]  # of one image
    return _group_norm(lowering, value, weight, bias, 1, channels, 1, channels, eps)


@rule("_native_batch_norm_legit_no_training")
def _batch_norm(
    lowering: Lowering, value: View, weight: Any, bias: Any, mean: Tensor, var: Tensor, _: float, eps: float
) -> tuple[View, ...]:
    factor = (var.double() + eps).rsqrt() * (1 if weight is None else weight.double())
    shift = (0 if bias is None else bias.double()) - mean.double() * factor
    along = (-1, *[1] * (len(value.shape) - 2))
    return (lowering.each("{0} * {1} + {2}", value, factor.float().view(along), shift.float().view(along)),)


@rule("mm", "bmm", "matmul")
def matmul(lowering: Lowering, one: Any, other: Any, bias: Any = None) -> View:
    """A product of matrices, or of several at once, plus what is broadcast to it."""
    left, right = lowering.view(one), lowering.view(other)
    common = left.shape[-1]
    outer = tuple(torch.broadcast_shapes(left.shape[:-2], right.shape[:-2]))
    left, right = left.expanded((*outer, *left.shape[-2:])), right.expanded((*outer, *right.shape[-2:]))
    shape = (*outer, left.shape[-2], right.shape[-1])
    n = len(outer)
    rows = View(left.array, (*shape, common), (*left.strides[:-1], 0, left.strides[-1]), left.offset)
    steps = (*right.strides[:n], 0, right.strides[-1], right.strides[-2])
    columns = View(right.array, (*shape, common), steps, right.offset)
    more = [] if bias is None else [lowering.view(bias).expanded(shape)]
    value = "s" if bias is None else "s + {2}"
    return lowering.fill(shape, value, rows, columns, *more, over=(common,), start="0", gather="s + {0} * {1}")


@rule("addmm")
def _addmm(lowering: Lowering, bias: Any, one: Any, other: Any) -> View:
    return matmul(lowering, one, other, bias)
