"""Turns the graph of a net into loops; what each operation comes to is in `shapes`, `sums` and `windows`."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.fx import Node

from mnistlab.export.loops import Loop, Program, Sizes, View, strides_of

Rule = Callable[..., Any]
"""What an operation comes to: takes the lowering and the operation's arguments."""

Value = View | Tensor | float
"""What an operation works on: what is known at run time only, and what is known already."""

_KEPT = ("approximate", "alpha", "correction", "keepdim")


RULES: dict[str, Rule] = {}
"""By the names of operations in aten."""

_Function = TypeVar("_Function", bound=Rule)


def rule(*names: str) -> Callable[[_Function], _Function]:
    """A decorator of what operations come to.

    Args:
        names: Their names in aten.
    """

    def keep(function: _Function) -> _Function:
        RULES.update(dict.fromkeys(names, function))
        return function

    return keep


class UnknownOperationError(Exception):
    """An operation that has no loops."""


class Lowering:
    """Builds the loops of a graph.

    Attributes:
        program: What has been built.
    """

    def __init__(self) -> None:
        self.program = Program()
        self._values: dict[Node, Any] = {}

    def run(self, exported: ExportedProgram) -> None:
        """Go through a graph.

        Raises:
            UnknownOperationError: If there is an operation without loops.
        """
        signature = exported.graph_signature
        constants: Mapping[str, Any] = {**exported.state_dict, **exported.constants}
        held = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        for node in exported.graph.nodes:
            if node.op == "placeholder" and node.name in held:
                self._values[node] = constants[held[node.name]].detach()
            elif node.op == "placeholder":
                view = self.array(tuple(node.meta["val"].shape))
                self.program.inputs.append(view)
                self._values[node] = view
            elif node.op == "call_function":
                self._values[node] = self._call(node)
            elif node.op == "output":
                results = [self._values[each] for each in node.args[0]]
                self.program.outputs = [self._stored(each) for each in results]

    def _call(self, node: Node) -> Any:
        args = torch.fx.map_arg(node.args, lambda each: self._values[each])
        options = torch.fx.map_arg(node.kwargs, lambda each: self._values[each])
        if not _holds_views((args, options)):
            return node.target(*args, **options)  # type: ignore[operator]  # a function
        name = getattr(node.target, "overloadpacket", node.target)
        found = RULES.get(str(name).removeprefix("aten."))
        if found is None:
            raise UnknownOperationError(str(node.target))
        return found(self, *args, **{key: value for key, value in options.items() if key in _KEPT})

    def array(self, shape: Sizes) -> View:
        """A new array."""
        name = f"a{len(self.program.arrays)}"
        self.program.arrays[name] = math.prod(shape)
        return View(name, shape, strides_of(shape))

    def view(self, value: Value) -> View:
        """Of a tensor that is known the view of its numbers."""
        if isinstance(value, View):
            return value
        tensor = torch.as_tensor(value, dtype=torch.float32)
        tensor = tensor if _is_dense(tensor) else tensor.contiguous()
        name = next((each for each, known in self.program.weights.items() if _are_same(known, tensor)), None)
        if name is None:
            name = f"w{len(self.program.weights)}"
            self.program.weights[name] = tensor.as_strided((tensor.numel(),), (1,))
        return View(name, tuple(tensor.shape), tensor.stride())

    def fill(self, shape: Sizes, value: str, *inputs: Value, **gathering: Any) -> View:
        """A new array, filled by a formula of inputs of its shape."""
        target = self.array(shape)
        self.program.loops.append(Loop(target, value, tuple(map(self.view, inputs)), **gathering))
        return target

    def each(self, value: str, *inputs: Value) -> View:
        """Element by element, of inputs that are broadcast."""
        known = [_literal(each) for each in inputs]
        views = [self.view(each) for each, literal in zip(inputs, known, strict=True) if literal is None]
        places = iter(range(len(views)))
        parts = [f"{{{next(places)}}}" if literal is None else literal for literal in known]
        shape = tuple(torch.broadcast_shapes(*(each.shape for each in inputs if isinstance(each, View | Tensor))))
        return self.fill(shape, value.format(*parts), *(each.expanded(shape) for each in views))

    def gather(
        self, whole: View, dims: Sequence[int], start: str, gather: str, value: str = "s", *, keep: bool = False
    ) -> View:
        """What dimensions come to; `{0}` is an element of the whole."""
        dims = sorted(each % len(whole.shape) for each in dims) if dims else list(range(len(whole.shape)))
        kept = [each for each in range(len(whole.shape)) if each not in dims]
        turned = whole.permuted([*kept, *dims])
        result = self.fill(
            turned.shape[: len(kept)], value, turned, over=turned.shape[len(kept) :], start=start, gather=gather
        )
        for dim in dims if keep else ():
            result = result.with_one(dim)
        return result

    def padded(self, image: View, padding: Sequence[int], value: str, more: Sequence[int] = (0, 0)) -> View:
        """(..., height, width) with as many rows above and below, and columns on both sides; then some more."""
        if not any((*padding, *more)):
            return image
        height, width = (image.shape[at - 2] + 2 * padding[at] + more[at] for at in range(2))
        whole = self.fill((*image.shape[:-2], height, width), value)
        inner = whole.cut(-2, padding[0], image.shape[-2]).cut(-1, padding[1], image.shape[-1])
        self.program.loops.append(Loop(inner, "{0}", (image,)))
        return whole

    def _stored(self, value: View | Tensor) -> View:
        view = self.view(value)
        whole = view.strides == strides_of(view.shape) and view.offset == 0 and view.array in self.program.arrays
        return view if whole else self.fill(view.shape, "{0}", view)


def _literal(value: Value) -> str | None:
    """A number as it is written in a formula; None for what may have several."""
    if isinstance(value, View) or (isinstance(value, Tensor) and any(value.stride())):
        return None
    number = float(value.flatten()[0] if isinstance(value, Tensor) else value)
    if math.isinf(number):
        return "-@INFINITY" if number < 0 else "@INFINITY"
    return repr(number) if number >= 0 else f"({number!r})"


def _holds_views(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_views, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_views, value))
    return isinstance(value, View)


def _is_dense(tensor: Tensor) -> bool:
    """Whether its numbers lie together, in whatever order."""
    step = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1 and stride != step:
            return False
        step *= size
    return True


def _are_same(known: Tensor, tensor: Tensor) -> bool:
    return known.data_ptr() == tensor.data_ptr() and known.numel() == tensor.numel()
