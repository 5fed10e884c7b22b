"""What was measured, how it is judged, and the table of it, line by line."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mnistlab.text.layout import paragraph, table
from mnistlab.text.values import three_digits


@dataclass(frozen=True)
class Figure:
    """Some measurements of one thing."""

    values: Sequence[float]  # each of them, in `unit`
    unit: str = "s"

    @property
    def median(self) -> float:
        """The one in the middle."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        """The median, and the smallest and the largest where there are several."""
        return f"{three_digits(self.median)} {self.unit} {self.spread}".rstrip()

    @property
    def spread(self) -> str:
        """The smallest and the largest, where there are several."""
        return f"[{three_digits(min(self.values))} to {three_digits(max(self.values))}]" if len(self.values) > 1 else ""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"median": self.median, "unit": self.unit, "values": list(self.values)}


@dataclass(frozen=True)
class Mark:
    """What is to be reached."""

    bound: float  # at most this
    then: float | None = None  # and once that is reached, this
    at_least: bool = False  # whether the figure is to be as large as that, or larger

    def reached(self, value: float, bound: float) -> bool:
        """Whether a figure is good enough for a bound."""
        return value >= bound if self.at_least else value <= bound


@dataclass(frozen=True)
class Result:
    """A line of the table."""

    name: str
    value: float  # the figure by which it is judged: a ratio wherever there is one
    unit: str  # what it is counted in; `x` is a ratio
    how: str  # what the figure is made of, in words
    mark: Mark | None = None  # what is to be reached, if anything is
    parts: dict[str, Figure] = field(default_factory=dict)
    judged: bool = True  # whether what the mark asks for besides holds, such as an accuracy

    def verdicts(self) -> list[tuple[float, bool]]:
        """Each bound of the mark, and whether it is reached."""
        bounds = [] if self.mark is None else [self.mark.bound, self.mark.then]
        return [
            (bound, self.judged and self.mark.reached(self.value, bound))
            for bound in bounds
            if bound is not None and self.mark is not None
        ]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "how": self.how,
            "marks": [{"bound": bound, "reached": reached} for bound, reached in self.verdicts()],
            "parts": {name: figure.as_dict() for name, figure in self.parts.items()},
        }


@dataclass(frozen=True)
class Series:
    """A small table: how something grows."""

    name: str  # what grows
    head: Sequence[str]
    rows: Sequence[Sequence[float]]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"name": self.name, "head": list(self.head), "rows": [list(row) for row in self.rows]}


@dataclass(frozen=True)
class LeftOut:
    """What could not be measured."""

    name: str
    why: str

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"name": self.name, "left_out": self.why}


Found = Result | Series | LeftOut


def ratio(
    name: str,
    over: tuple[str, Figure],
    under: tuple[str, Figure],
    mark: Mark | None = None,
    *,
    paired: bool = False,
) -> Result:
    """One figure over another, each with its name; `paired` is the median of ratios of values measured side by side."""
    what = f"{name}, {over[0]} / {under[0]}"
    value, how = over[1].median / under[1].median, f"{over[1]} / {under[1]}"
    if paired:
        pairs = [a / b for a, b in zip(over[1].values, under[1].values, strict=True)]
        among = [Figure(pairs).spread, f"n = {len(pairs)}"]
        value, how = statistics.median(pairs), f"{' '.join(filter(None, among))}; {how}"
    return Result(what, value, "x", how, mark, dict([over, under]))


_FIGURE, _MARK = 8, 7
_INDENT = _FIGURE + 2 * (_MARK + 2) + 2
REACHED, MISSED = "+", "-"


def head() -> str:
    """The names of the columns."""
    return f"{'figure':>{_FIGURE}}  {'mark':<{_MARK}}  {'then':<{_MARK}}  what was measured"


def lines(found: Found, width: int) -> Iterator[str]:
    """What was found, as lines of text that are no wider than that."""
    if isinstance(found, LeftOut):
        yield from paragraph(f"{found.name} is left out: {found.why}", width, _INDENT)
        return
    if isinstance(found, Series):
        yield f"{'':{_INDENT}}{found.name}:"
        rows = [[*(three_digits(cell) for cell in row), ""] for row in found.rows]
        for line in table([*found.head, ""], rows, width, right=range(len(found.head))):
            yield " " * (_INDENT - 2) + line
        return
    unit = "x" if found.unit == "x" else ""
    marks = [f"{bound:g}{unit} {REACHED if reached else MISSED}" for bound, reached in found.verdicts()]
    first, then = [*marks, "", ""][:2]
    opening = f"{_with_unit(found.value, found):>{_FIGURE}}  {first:<{_MARK}}  {then:<{_MARK}}  "
    yield from paragraph(f"{found.name}: {found.how}", width, _INDENT, opening)


def _with_unit(value: float, found: Result) -> str:
    if found.unit == "x":
        return f"{value:.2f}x" if value < _TEN else f"{three_digits(value)}x"
    return f"{three_digits(value)}{'/s' if found.unit == 'images/s' else f' {found.unit}'}"


_TEN = 10  # from here on, ratios need no decimals of their own
