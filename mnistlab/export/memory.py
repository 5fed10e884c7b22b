"""Lets loops need less: one memory whose places are used again, and weights of 8 bits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from mnistlab.export.loops import Loop, Program, Sizes, View, strides_of

PRODUCTS = "s + {0} * {1}"
"""The formula of a sum of products, in which weights may have 8 bits."""

_FEW = 256  # weights of an array that stays as it is


@dataclass
class _Life:
    """From which loop to which an array is needed, with those that are worked out in its place."""

    begin: int
    end: int
    names: list[str]
    size: int


def placed(program: Program) -> tuple[Mapping[str, int], int]:
    """Where each array that is filled stands in one memory, and how many numbers that holds.

    Arrays that are never needed at once share a place, and one that follows element by element from another that is
    not needed any more takes its place.
    """
    places: dict[str, int] = {}
    put: list[tuple[_Life, int]] = []
    for life in sorted(_lives(program), key=lambda each: -each.size):
        taken = sorted((at, at + other.size) for other, at in put if _meet(life, other))
        place = 0
        for begin, end in taken:
            if begin - place >= life.size:
                break
            place = max(place, end)
        put.append((life, place))
        places.update(dict.fromkeys(life.names, place))
    return places, max((at + life.size for life, at in put), default=0)


def _meet(one: _Life, other: _Life) -> bool:
    return one.begin <= other.end and other.begin <= one.end


def _lives(program: Program) -> list[_Life]:
    given = {*program.weights, *(view.array for view in program.inputs)}
    last = {view.array: at for at, loop in enumerate(program.loops) for view in loop.inputs}
    last.update({view.array: len(program.loops) for view in program.outputs})
    lives: dict[str, _Life] = {}
    for at, loop in enumerate(program.loops):
        name = loop.target.array
        if name in lives:
            continue
        end = max(at, last.get(name, at))
        before = next((view.array for view in loop.inputs if view.array not in given and _gives_way(loop, view)), None)
        if before is not None and lives[before].end == at and program.arrays[before] == program.arrays[name]:
            life = lives[before]
            life.end, life.names = end, [*life.names, name]
        else:
            life = _Life(at, end, [name], program.arrays[name])
        lives[name] = life
    return list({id(life): life for life in lives.values()}.values())


def _gives_way(loop: Loop, view: View) -> bool:
    """Whether each element of an input is read for the last time where its successor is put."""
    own = [each for each in loop.inputs if each.array == view.array]
    whole = loop.target.strides == strides_of(loop.target.shape) and loop.target.offset == 0
    return not loop.over and whole and all(_as_it_lies(each, loop.target) for each in own)


def _as_it_lies(view: View, target: View) -> bool:
    steps = [
        (one, other) for size, one, other in zip(target.shape, view.strides, target.strides, strict=True) if size > 1
    ]
    return view.offset == target.offset and all(one == other for one, other in steps)


def quantized(program: Program) -> Program:
    """With weights of 8 bits in sums of products, and a factor for each of these sums."""
    program = replace(program, weights=dict(program.weights), loops=list(program.loops))
    users: dict[str, list[tuple[int, int]]] = {}
    for number, loop in enumerate(program.loops):
        for at, view in enumerate(loop.inputs):
            users.setdefault(view.array, []).append((number, at))
    for name, weights in list(program.weights.items()):
        ((number, at), *others) = users[name]
        loop = program.loops[number]
        if len(weights) < _FEW or others or loop.gather != PRODUCTS or at >= 2:  # noqa: PLR2004
            continue
        factor = f"{name}f"
        view = loop.inputs[at]
        outer = len(loop.target.shape)
        rows = tuple(size if step else 1 for size, step in zip(view.shape[:outer], view.strides[:outer], strict=True))
        shape = rows + view.shape[outer:]
        if torch.Size(shape).numel() != len(weights):  # some are in several sums, or in none
            continue
        numbers = weights.clone().as_strided(shape, view.strides, view.offset).double()
        largest = numbers.abs().amax(dim=tuple(range(outer, len(shape))), keepdim=True)
        factors = torch.where(largest > 0, largest / 127, 1)
        levels = torch.empty(len(weights), dtype=torch.int8)
        levels.as_strided(shape, view.strides, view.offset).copy_((numbers / factors).round())
        program.weights[name], program.weights[factor] = levels, factors.float().flatten()
        program.loops[number] = _with_factor(loop, View(factor, loop.target.shape, _steps(rows)))
    return program


def _steps(rows: Sizes) -> Sizes:
    return tuple(step if size > 1 else 0 for size, step in zip(rows, strides_of(rows), strict=True))


def _with_factor(loop: Loop, factor: View) -> Loop:
    product = f"s * {{{len(loop.inputs)}}}"
    return replace(loop, value=re.sub(r"\bs\b", product, loop.value), inputs=(*loop.inputs, factor))
