"""The columns of `mnistlab runs`: what is said of each run, and what gives way where there is no room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mnistlab.errors import LabError, visible
from mnistlab.options.arguments import Arguments
from mnistlab.runs.fields import FIELDS, HEADINGS, Field, Fields, differing, field_of
from mnistlab.runs.listing import short_ids
from mnistlab.runs.looks import many
from mnistlab.runs.metrics import KNOWN, measure_of, measured, measures_of
from mnistlab.runs.run import Run, Runs
from mnistlab.system.shapes import is_number
from mnistlab.text.layout import screen_width, table
from mnistlab.text.values import class_name, cut, four_digits, in_percent, in_seconds, last_parts, moment

ALL = "all"
"""The switch that asks for every column."""

_ASKED_FOR = 9  # how late a column gives way that the rows are sorted by
_LAST = 16  # characters that the last column needs at least: it is wrapped
_FIRST = 3  # options that give way late: those that have most values
_LONGEST = 24  # characters of a value
_ANY_WIDTH = 10_000


@dataclass(frozen=True)
class Column:
    """A column, and how it gives way."""

    heading: str  # above it
    cells: Sequence[str]  # what it says of each run
    right: bool = False  # whether it is aligned to the right
    common: bool = False  # whether it is said once, above the table, where all rows say the same
    gives_way: int = 0  # how early it is left out for want of room; 0 is never
    key: str = ""  # what sorts by it

    @property
    def same(self) -> bool:
        """Whether it says the same of all runs, and need not do so in each row."""
        return self.common and len(set(self.cells)) == 1

    @property
    def width(self) -> int:
        """The characters that it takes."""
        return max(map(len, (self.heading, *self.cells)))


def named(asked: Arguments, found: Sequence[Run]) -> list[str]:
    """The whole names of the columns that are asked for; none where nobody has asked.

    Raises:
        LabError: If one of them means nothing.
    """
    if "columns" not in asked.values:
        return []
    fields = Fields(found)
    try:
        return [fields.whole(name.strip()) for name in asked.values["columns"].split(",") if name.strip()]
    except LabError as error:
        raise LabError(f"--columns={asked.values['columns']}: {error}") from error


def columns_of(found: Runs, shown: Sequence[Run], names: Sequence[str], asked: Arguments) -> list[Column]:
    """The columns in which there is something; the one that was sorted by gives way last.

    Args:
        found: All runs.
        shown: Those that have a row.
        names: The columns that are wanted; those that say most if it is empty.
        asked: The command.
    """
    ids = short_ids([run.folder for run in found.all], {run.name for run in found.all}, [run.folder for run in shown])
    first = Column("id", [ids[run.folder] for run in shown])
    key, everything = asked.values.get("sort", "").removeprefix("-"), ALL in asked.switches
    chosen = [first, *_wanted(shown, names)] if names else [first, *_usual(shown, everything=everything)]
    kept = chosen if names else [column for column in chosen if any(column.cells)]
    if names or everything:
        return [replace(column, gives_way=0) for column in kept]
    return [replace(column, gives_way=_ASKED_FOR) if key and key == column.key else column for column in kept]


def _usual(shown: Sequence[Run], *, everything: bool) -> Iterator[Column]:
    one_year = len({run.started[:4] for run in shown}) == 1
    times = [moment(run.started, "minutes")[5:] if one_year else run.started[:10] for run in shown]
    epochs = ["" if run.epochs is None else str(run.epochs) for run in shown]
    yield Column("command", [run.command for run in shown], common=True, gives_way=5, key="command")
    yield Column("model", [run.architecture for run in shown])
    yield Column("data", [run.data for run in shown], common=True, gives_way=6, key="data")
    yield from _options(shown)
    yield Column(HEADINGS["epochs"], epochs, right=True, gives_way=4, key="epochs")
    yield Column(HEADINGS["val_acc"], [in_percent(run.val_acc) for run in shown], right=True)
    yield Column(HEADINGS["test_acc"], [in_percent(run.test_acc) for run in shown], right=True)
    yield Column("looks", [many(run.looks) for run in shown], right=True, gives_way=1)
    yield from _further(shown)
    yield Column(
        HEADINGS["seconds"], [in_seconds(run.seconds) for run in shown], right=True, gives_way=3, key="seconds"
    )
    yield Column("started UTC" if one_year else "started", times, gives_way=2, key="started")
    yield Column("status", [run.status for run in shown], common=True)
    if everything or len({run.user for run in shown}) > 1:
        yield Column("user", [cut(run.user, _LONGEST) for run in shown], gives_way=8, key="user")
    if everything:
        yield Column("note", [run.note for run in shown])
    yield Column("name, tags", [_name(run) for run in shown])


def _options(shown: Sequence[Run]) -> Iterator[Column]:
    """The options in which they differ; those of which there are many give way first, the most varied ones last."""
    names = differing(shown)
    several = {name: len({repr(run.options.get(name)) for run in shown}) for name in names}
    late = sorted(names, key=lambda name: -several[name])[:_FIRST]
    for name, short in last_parts(names).items():
        field = field_of(name)
        cells, right = _cells(shown, field)
        yield Column(short, cells, right=right, gives_way=7 if name in late else 1, key=name)


def _wanted(shown: Sequence[Run], names: Sequence[str]) -> Iterator[Column]:
    """The columns that somebody has named."""
    short = last_parts([name for name in names if name not in FIELDS])
    for name in dict.fromkeys(name for name in names if name != "id"):  # which each row has as its first
        measure = measure_of(name, measures_of(*(run.record for run in shown))) if "/" in name else None
        if measure is not None:
            values = [measured(run.record, name) for run in shown]
            cells, right = ["" if value is None else measure.bare(value) for value in values], True
        else:
            cells, right = _cells(shown, field_of(name))
        yield Column(short.get(name, name), cells, right=right, key=name)


def _cells(shown: Sequence[Run], field: Field) -> tuple[list[str], bool]:
    """What a column says, and whether it is one of numbers."""
    values = [field(run) for run in shown]
    numbers = all(value is None or is_number(value) for value in values)
    return [_cell(value) for value in values], numbers


def _cell(value: object) -> str:
    if value is None or value in ((), ""):
        return ""
    if isinstance(value, list | tuple):
        return cut(",".join(map(_cell, value)), _LONGEST)
    return class_name(value) if isinstance(value, str) else four_digits(value)


def _further(shown: Sequence[Run]) -> Iterator[Column]:
    """What else was measured; the first to give way."""
    for measure in measures_of(*(run.record for run in shown)):
        for split in ("val", "test") if measure not in KNOWN else ():
            values = [measured(run.record, f"{split}/{measure.name}") for run in shown]
            cells = ["" if value is None else measure.bare(value) for value in values]
            yield Column(f"{split} {measure.head}", cells, right=True, gives_way=1, key=f"{split}/{measure.name}")


def _name(run: Run) -> str:
    tags = f"({', '.join(run.tags)})" if run.tags else ""
    return f"{run.name} {tags}".strip()


def fitting(columns: Sequence[Column]) -> tuple[list[Column], list[str]]:
    """The columns that there is room for, and the headings of the others."""
    kept = list(columns)
    gone: list[Column] = []
    for column in sorted((each for each in reversed(columns) if each.gives_way), key=lambda each: each.gives_way):
        if _width(kept) <= screen_width():
            break
        kept.remove(column)
        gone.append(column)
    for column in reversed(gone):  # a wide one that went late may have made room for narrow ones
        more = [each for each in columns if each in kept or each is column]
        kept = more if _width(more) <= screen_width() else kept
    return kept, [column.heading for column in columns if column not in kept]


def _width(columns: Sequence[Column]) -> int:
    """That of a table whose last column is wrapped."""
    *others, last = (column.width for column in columns)
    return sum(others) + 2 * len(columns) + min(last, _LAST)


def table_of(columns: Sequence[Column], asked: Arguments) -> list[str]:
    """The columns beside each other; where they are asked for, as wide as they are."""
    right = [at for at, column in enumerate(columns) if column.right]
    rows = list(zip(*(map(visible, column.cells) for column in columns), strict=True))
    width = _ANY_WIDTH if ALL in asked.switches or "columns" in asked.values else screen_width()
    return table([column.heading for column in columns], rows, width, right)
