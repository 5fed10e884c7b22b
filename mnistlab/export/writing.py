"""Writes loops in C and in JavaScript, which differ in a few words."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mnistlab.export.loops import Loop, Program, View

_LETTERS = "ijklmnopqrtuvxyz"  # all but s, which is what was gathered, and w
_UNROLLED = 4  # turns of an innermost loop at most that are written out


@dataclass(frozen=True)
class Language:
    """How a language says it.

    Attributes:
        counter: The type of a counter.
        number: The type of a number of 64 bits.
        load: An element of an array as such a number; `{0}` stands for it.
        functions: What functions and constants are called.
        together: How many sums are taken at once, each in its order, for a compiler that does not see to that.
    """

    counter: str
    number: str
    load: str
    functions: Mapping[str, str]
    together: int = 1


_MATH = ("exp", "log", "sqrt", "tanh", "pow", "sin", "cos", "atan", "floor", "ceil")
C = Language(
    "int", "double", "(double){0}",
    {**{name: name for name in (*_MATH, "erf", "fabs", "fmin", "fmax")}, "INFINITY": "(double)INFINITY"}, together=4,
)  # fmt: skip
JAVASCRIPT = Language(
    "let", "let", "{0}",
    {
        **{name: f"Math.{name}" for name in _MATH},
        "erf": "erf", "fabs": "Math.abs", "fmin": "Math.min", "fmax": "Math.max", "INFINITY": "Infinity",
    },
    together=4,
)  # fmt: skip


def write_loops(program: Program, language: Language, loads: Mapping[str, str] | None = None) -> Iterator[str]:
    """A line for each loop of a program.

    Args:
        program: The program.
        language: The language.
        loads: An element of an array as a number, where that is not as of others.
    """
    return (_written(loop, language, loads or {}) for loop in program.loops)


def _written(loop: Loop, language: Language, special: Mapping[str, str]) -> str:
    outer, over = len(loop.target.shape), len(loop.over)
    whole = loop.target.shape + loop.over
    strides = [_padded(each, outer + over) for each in (loop.target, *loop.inputs)]
    first = _joined(list(range(outer)), whole, strides)
    second = _joined(list(range(outer, outer + over)), whole, strides)
    letters = iter(_LETTERS)
    names = {dims: next(letters) for dims in (*first, *second)}
    lanes, block = _lanes(first, whole, strides[1:], language.together) if over else (None, 1)
    inner = second.pop() if block > 1 and second and _size(second[-1], whole) <= _UNROLLED else None

    def place(view: View, steps: Sequence[int], lane: int = 0, number: int = 0) -> str:
        parts = [_times(names[dims], steps[dims[-1]]) for dims in (*first, *second) if steps[dims[-1]]]
        offset = view.offset + (lane * steps[lanes[-1]] if lanes else 0) + (number * steps[inner[-1]] if inner else 0)
        if offset or not parts:
            parts.append(str(offset))
        return f"{view.array}[{' + '.join(parts)}]"

    def load(view: View, steps: Sequence[int], lane: int = 0, number: int = 0) -> str:
        return special.get(view.array, language.load).format(place(view, steps, lane, number))

    def loads(lane: int = 0, number: int = 0) -> list[str]:
        return [load(view, steps, lane, number) for view, steps in zip(loop.inputs, strides[1:], strict=True)]

    def store(lane: int) -> str:
        value = _said(loop.value, loads(lane), language, _sum(lane, block))
        return f"{place(loop.target, strides[0], lane)} = {value};"

    if not over:
        return _nested(first, whole, names, store(0), language)
    sums = [_sum(lane, block) for lane in range(block)]
    gathered = " ".join(
        f"{sums[lane]} = {_said(loop.gather, loads(lane, number), language, sums[lane])};"
        for number in range(_size(inner, whole) if inner else 1)
        for lane in range(block)
    )
    start = _said(loop.start, (), language)
    declared = f"{language.number} {', '.join(f'{each} = {start}' for each in sums)};"
    inside = _nested(second, whole, names, f"{{ {gathered} }}" if inner or block > 1 else gathered, language)
    stores = " ".join(map(store, range(block)))
    body = f"{{ {declared} {inside} {stores} }}"
    return _nested(first, whole, names, body, language, {lanes: block} if lanes else {})


def _lanes(
    groups: Sequence[tuple[int, ...]], whole: Sequence[int], strides: Sequence[Sequence[int]], most: int
) -> tuple[tuple[int, ...] | None, int]:
    """A dimension along which an input stays where it is, and how many of its sums are taken at once."""
    for dims in groups:
        block = next((each for each in range(most, 1, -1) if _size(dims, whole) % each == 0), 1)
        if block > 1 and any(not steps[dims[-1]] for steps in strides):
            return dims, block
    return None, 1


def _sum(lane: int, block: int) -> str:
    return "s" if block == 1 else f"s{lane}"


def _size(dims: Sequence[int], whole: Sequence[int]) -> int:
    return math.prod(whole[each] for each in dims)


def _nested(
    groups: Sequence[tuple[int, ...]], whole: Sequence[int], names: Mapping[tuple[int, ...], str], body: str,
    language: Language, blocks: Mapping[tuple[int, ...], int] | None = None,
) -> str:  # fmt: skip
    for dims in reversed(groups):
        name, block = names[dims], (blocks or {}).get(dims, 1)
        step = f"{name}++" if block == 1 else f"{name} += {block}"
        body = f"for ({language.counter} {name} = 0; {name} < {_size(dims, whole)}; {step}) {body}"
    return body


def _padded(view: View, dims: int) -> tuple[int, ...]:
    return view.strides + (0,) * (dims - len(view.strides))


def _joined(dims: Sequence[int], whole: Sequence[int], strides: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Neighbouring dimensions that every view goes through as if they were one; those of size 1 are left out."""
    groups: list[tuple[int, ...]] = []
    for dim in (each for each in dims if whole[each] != 1):
        if groups and all(steps[groups[-1][-1]] == steps[dim] * whole[dim] for steps in strides):
            groups[-1] = (*groups[-1], dim)
        else:
            groups.append((dim,))
    return groups


def _times(name: str, step: int) -> str:
    return name if step == 1 else f"{name} * {step}"


def _said(formula: str, loads: Sequence[str], language: Language, gathered: str = "s") -> str:
    named = re.sub(r"@(\w+)", lambda match: language.functions[match[1]], re.sub(r"\bs\b", gathered, formula))
    return re.sub(r"\{(\d)\}", lambda match: loads[int(match[1])], named)
