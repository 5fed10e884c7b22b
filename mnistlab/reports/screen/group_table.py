"""Groups of runs as rows: for the screen, or as a table of LaTeX or Markdown."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from mnistlab.errors import visible
from mnistlab.reports.screen.groups import Group
from mnistlab.text.layout import as_latex, as_markdown, paragraph, screen_width, table
from mnistlab.text.values import UNKNOWN, class_name, count, four_digits, in_letters, in_percent, in_seconds, last_parts

_LEGEND = "Mean and standard deviation over the n runs of fit in a row; the 95 % interval of the mean by Student's t."

Column = tuple[str, Callable[[Group], str]]
"""What stands above a column, and what it says of a group."""


def as_written(found: Sequence[Group], form: str) -> str:
    """Groups as a table of LaTeX or Markdown, or for the screen."""
    if not found and not form:
        return "None of these runs is one of fit that has finished."
    names = list(dict.fromkeys(name for group in found for name in group.options))
    columns = [*_options(names), *_figures(found)]
    head = [visible(heading) for heading, _ in columns]
    rows = [[visible(said(group)) for _, said in columns] for group in found]
    right = range(len(names), len(columns))
    if form == "latex":
        return "\n".join(as_latex(head, rows, right))
    if form == "markdown":
        return "\n".join(as_markdown(head, rows, right))
    return "\n".join([*table(head, rows, screen_width(), right), "", *paragraph(_LEGEND, screen_width())])


def _options(names: Sequence[str]) -> Iterator[Column]:
    for name, short in last_parts(names).items():
        yield short, partial(_option, name)


def _figures(found: Sequence[Group]) -> Iterator[Column]:
    """What was measured: in the test if there was one, else in validation."""
    yield "n", lambda group: str(len(group.runs))
    tested = [group.accuracy("test") is not None for group in found]
    for split in (*(("test",) if any(tested) else ()), *(() if all(tested) else ("val",))):
        yield f"{split} acc, %", partial(_mean, split)
        yield "95 % (Student)", partial(_interval, split)
    yield "parameters", lambda group: count(group.parameters)
    if any(group.multiply_adds is not None for group in found):
        yield "MACs", lambda group: UNKNOWN if group.multiply_adds is None else in_letters(group.multiply_adds)
    yield "seconds", lambda group: in_seconds(group.seconds)
    if any(group.looks is not None for group in found):
        yield "looks", lambda group: count(group.looks)


def _option(name: str, group: Group) -> str:
    return _shown(group.options[name]) if name in group.options else UNKNOWN


def _mean(split: str, group: Group) -> str:
    found = group.accuracy(split)
    deviation = "" if found is None or found.deviation is None else f" ± {in_percent(found.deviation)}"
    return UNKNOWN if found is None else f"{in_percent(found.mean)}{deviation}"


def _interval(split: str, group: Group) -> str:
    """Within what an accuracy can be."""
    found = group.accuracy(split)
    bounds = (found and found.interval) or ()
    return " to ".join(in_percent(min(max(bound, 0.0), 1.0)) for bound in bounds) or UNKNOWN


def _shown(value: object) -> str:
    return class_name(value) if isinstance(value, str) else four_digits(value)
