"""A net as JavaScript: a function of its weights that gives the arrays it works in, and what fills them."""

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mnistlab.export.graph import Subject
from mnistlab.export.loops import Loop, Program
from mnistlab.export.lowering import UnknownOperationError
from mnistlab.export.memory import PRODUCTS
from mnistlab.export.operations import lower
from mnistlab.export.showing import Heat, Stage, heat_of, stages_of, traced
from mnistlab.export.writing import JAVASCRIPT, write_loops

_LANES = 4  # channels that are worked out at once


@dataclass(frozen=True)
class Engine:
    """A net as JavaScript.

    Attributes:
        source: A function of one Float32Array.
        weights: What that holds.
        stages: The stages that can be looked at, by name.
        heat: Where the net looks; None where that cannot be worked out there.
    """

    source: str
    weights: Tensor
    stages: list[Stage]
    heat: Heat | None


def write_engine(subject: Subject) -> Engine:
    """The loops of a net, and of where it looks.

    Raises:
        UnknownOperationError: If the net has an operation without loops.
    """
    stages = stages_of(subject)
    program = lower(traced(subject, stages))
    image, *masks = program.inputs
    heads, outputs = program.outputs[: len(subject.heads)], program.outputs[len(subject.heads) :]
    kept: dict[str, Tensor] = {}
    text, room = _function("answer", program)
    text = [*_declared(program, kept), *text]
    names = [each.name for each in stages]
    heat = heat_of(subject)
    looking = _heat(heat, kept) if heat else None
    arrays = {
        "image": image.array,
        "heads": _listed(subject.heads, [each.array for each in heads]),
        "masks": _listed(names, [each.array for each in masks]),
        "stages": _listed(names, [each.array for each in outputs]),
        "answer": "answer",
        "heat": "null",
    }
    if looking:
        lines, more, arrays["heat"] = looking
        text += lines
        room += more
    taken = [f"const {name} = take({len(values)});" for name, values in kept.items()]
    body = "\n".join(
        [
            "(weights) => {", f"const {{ array, products }} = workshop({room});",
            "let at = 0;", "const take = (size) => weights.subarray(at, (at += size));",
            *taken, *text,
            "return { " + ", ".join(f"{name}: {value}" for name, value in arrays.items()) + " };", "}",
        ]
    )  # fmt: skip
    return Engine(body, torch.cat(list(kept.values())), stages, heat if looking else None)


def _declared(program: Program, kept: dict[str, Tensor], prefix: str = "") -> Iterator[str]:
    """Arrays that are filled; those that are known are kept, each of them once."""
    kept.update({f"{prefix}{name}": values for name, values in program.weights.items()})
    return (f"const {prefix}{name} = array({size});" for name, size in program.arrays.items())


def _function(name: str, program: Program, prefix: str = "") -> tuple[list[str], int]:
    """A function for each loop, as an engine compiles small ones best, and one that calls them; what room they need."""
    lines, room = [], sum(program.arrays.values())
    for number, (loop, line) in enumerate(zip(program.loops, write_loops(program, JAVASCRIPT), strict=True)):
        product = _product(loop, program)
        if product:
            lines.append(f"const {name}{number} = products({product[0]});")
            room += product[1]
        else:
            lines.append(f"function {name}{number}() {{ {line} }}")
    lines.append(f"function {name}() {{ {' '.join(f'{name}{number}();' for number in range(len(lines)))} }}")
    return [re.sub(r"\b([aw]\d+)\b", rf"{prefix}\1", line) for line in lines], room


def _product(loop: Loop, program: Program) -> tuple[str, int] | None:
    """A sum of products of places and channels, as `products` of the engine takes it, and the numbers that it holds."""
    if loop.gather != PRODUCTS or loop.value not in {"s", "s + {2}"}:
        return None
    sizes, outer = loop.target.shape + loop.over, len(loop.target.shape)
    one, other, *bias = loop.inputs
    data, weights = (other, one) if one.array in program.weights else (one, other)
    roles = "".join(_role(data.strides[dim], weights.strides[dim]) for dim in range(outer)) + "t" * len(loop.over)
    counts = {role: math.prod(size for size, each in zip(sizes, roles, strict=True) if each == role) for role in "gpct"}
    if counts["c"] < _LANES or any(each.strides[dim] for each in bias for dim in range(outer) if roles[dim] == "p"):
        return None
    views = {"input": data, "weights": weights, "target": loop.target, **dict(zip(["bias"], bias, strict=False))}
    told = [
        f"{name}: {{ array: {each.array}, offset: {each.offset}, steps: {list(each.strides)} }}"
        for name, each in views.items()
    ]
    is_known = json.dumps({each.array for each in (weights, *bias)} <= program.weights.keys())
    channels, places = (-(-counts[role] // _LANES) * _LANES for role in "cp")
    room = 2 * places + channels + counts["t"] + counts["g"] * channels * (counts["t"] + 1)
    return f'{{ sizes: {list(sizes)}, roles: "{roles}", {", ".join(told)}, isKnown: {is_known} }}', room


def _role(data: int, weights: int) -> str:
    """Of a dimension of the result, by the steps along it."""
    if data and weights:
        return "g"
    return "c" if weights else "p"


def _heat(heat: Heat, kept: dict[str, Tensor]) -> tuple[list[str], int, str] | None:
    """What works out where the net looks, what room it needs, and its arrays; None where an operation has no loops."""
    try:
        program = lower(heat.graph)
    except UnknownOperationError:
        return None
    own: dict[str, Tensor] = {}
    lines, room = _function("look", program, "h")
    lines = [*_declared(program, own, "h"), *lines]
    for name, values in own.items():
        known = next((each for each, other in kept.items() if torch.equal(other, values)), None)
        if known:
            lines = [re.sub(rf"\b{name}\b", known, line) for line in lines]
        else:
            kept[name] = values
    start, wanted = (f"h{each.array}" for each in program.inputs)
    return lines, room, f"{{ start: {start}, wanted: {wanted}, found: h{program.outputs[0].array}, look }}"


def _listed(names: Iterable[str], arrays: list[str]) -> str:
    return "{ " + ", ".join(f"{json.dumps(name)}: {each}" for name, each in zip(names, arrays, strict=True)) + " }"
