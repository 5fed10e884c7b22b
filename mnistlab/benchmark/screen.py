"""The table of a benchmark, line by line as it is measured."""

from collections.abc import Iterator

from mnistlab.benchmark.figures import Found, Result, Series
from mnistlab.text.layout import paragraph, table
from mnistlab.text.values import three_digits

_FIGURE, _MARK = 8, 7
_INDENT = _FIGURE + 2 * (_MARK + 2) + 2
REACHED, MISSED = "+", "-"


def head() -> str:
    """The names of the columns."""
    return f"{'figure':>{_FIGURE}}  {'mark':<{_MARK}}  {'then':<{_MARK}}  what was measured"


def lines(found: Found, width: int) -> Iterator[str]:
    """What was found, as lines of text that are no wider than that."""
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


_TEN = 10
"""From here on, ratios need no decimals of their own."""
