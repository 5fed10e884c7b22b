"""`mnistlab runs`: all runs as a table, as CSV, or as JSON."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mnistlab.errors import LabError, say, visible
from mnistlab.options.arguments import Arguments
from mnistlab.runs.listing import short_ids
from mnistlab.runs.looks import many
from mnistlab.runs.metrics import KNOWN, measured, measures_of
from mnistlab.runs.reading import tell_broken
from mnistlab.runs.run import Run, Runs, read_runs
from mnistlab.runs.selection import FILTERS, ordered, selected
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import as_csv, paragraph, screen_height, screen_width, table
from mnistlab.text.values import counted, in_percent, in_seconds, moment

_DEFAULT_ORDER = "-started"
_FEWEST = 5  # rows that are shown on however small a screen
_ASKED_FOR = 9  # how late a column gives way that the rows are sorted by
_LAST = 16  # characters that the last column needs at least: it is wrapped


def show_runs(asked: Arguments) -> int:
    """Show the runs that are asked for; the exit code.

    Raises:
        LabError: If a filter, the order or the limit is none.
    """
    if {"csv", "json"} <= asked.switches:
        raise LabError("--csv and --json exclude each other.")
    grouped = {"format", "by"} & set(asked.values)
    if grouped and {"csv", "json"} & asked.switches:
        raise LabError("--csv and --json have a row for each run; groups are written with --format=csv and =json.")
    root, limit = asked.root, _limit(asked)
    found = runs_below(root, asked)
    chosen = chosen_of(found, asked)
    if grouped:
        print(_grouped(chosen, asked, limit))
        return 0
    if "json" in asked.switches:
        print(as_json([run.flat() for run in chosen[:limit]]))
    elif "csv" in asked.switches:
        print(_csv([run.flat() for run in chosen[:limit]], Run(Path()).flat()), end="")
    else:
        fits = limit is None and "limit" not in asked.values and sys.stdout.isatty()
        lines = partial(_lines, found, chosen, root=root, asked=asked)
        say(_fitting_screen(lines, chosen) if fits else lines(chosen[:limit]))
    return 0


def _grouped(chosen: Sequence[Run], asked: Arguments, limit: int | None) -> str:
    """The runs in groups."""
    from mnistlab.reports.screen.groups import as_written, groups_of  # noqa: PLC0415 - not for the overview

    groups = groups_of(chosen, asked, asked.values.get("sort", _DEFAULT_ORDER))
    groups = (groups[::-1] if "reverse" in asked.switches else groups)[:limit]
    form = asked.values.get("format", "")
    if form in ("csv", "json"):
        rows = [group.plain() for group in groups]
        return as_json(rows) if form == "json" else _csv(rows, ()).rstrip("\n")
    return as_written(groups, form)


def runs_below(root: Path, asked: Arguments) -> Runs:
    """Read all runs, and tell which records cannot be read.

    Raises:
        LabError: If the folder was named and is none.
    """
    if "run.dir" in asked.values and not root.is_dir():
        raise LabError(f"--run.dir={root}: there is no such folder.")
    found = read_runs(root)
    tell_broken(found.broken)
    return found


def chosen_of(found: Runs, asked: Arguments) -> list[Run]:
    """The runs that the filters leave, in the order that is asked for.

    Raises:
        LabError: If a filter or the order is none.
    """
    wanted = {name: value for name, value in asked.values.items() if name in FILTERS}
    chosen = ordered(selected(found.all, wanted), asked.values.get("sort", _DEFAULT_ORDER))
    return chosen[::-1] if "reverse" in asked.switches else chosen


def _limit(asked: Arguments) -> int | None:
    text = asked.values.get("limit", "all")
    if text == "all":
        return None
    if not text.isdecimal() or not int(text):
        raise LabError(f"--limit={text}: a number from 1 on is wanted, or all.")
    return int(text)


def _fitting_screen(lines: Callable[[Sequence[Run]], list[str]], chosen: Sequence[Run]) -> list[str]:
    """The lines about as many runs as a terminal shows at once with all that stands around them."""
    limit = min(len(chosen), screen_height())
    while True:
        shown = lines(chosen[:limit])
        excess = len(shown) - screen_height()
        if excess <= 0 or limit <= _FEWEST:
            return shown
        limit = max(limit - (excess + 1) // 2, _FEWEST)  # a row may have several lines


def _csv(rows: Sequence[Mapping[str, object]], without_rows: Iterable[str]) -> str:
    return as_csv([{visible(name): _csv_cell(value) for name, value in row.items()} for row in rows], without_rows)


def _csv_cell(value: object) -> object:
    return (
        json.dumps(value)
        if isinstance(value, list | dict | bool)
        else visible(value)
        if isinstance(value, str)
        else value
    )


@dataclass(frozen=True)
class _Column:
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


def _columns(found: Runs, shown: Sequence[Run], key: str) -> list[_Column]:
    """The columns in which there is something; the one of the key that was asked for gives way last."""
    ids = short_ids([run.folder for run in found.all], {run.name for run in found.all})
    one_year = len({run.started[:4] for run in shown}) == 1
    times = [moment(run.started, "minutes")[5:] if one_year else run.started[:10] for run in shown]
    epochs = ["" if run.epochs is None else str(run.epochs) for run in shown]
    columns = [
        _Column("id", [ids[run.folder] for run in shown]),
        _Column("command", [run.command for run in shown], common=True, gives_way=5, key="command"),
        _Column("model", [run.model for run in shown]),
        _Column("data", [run.data for run in shown], common=True, gives_way=6, key="data"),
        _Column("ep", epochs, right=True, gives_way=4, key="epochs"),
        _Column("val %", [in_percent(run.val_acc) for run in shown], right=True),
        _Column("test %", [in_percent(run.test_acc) for run in shown], right=True),
        _Column("looks", [many(run.looks) for run in shown], right=True, gives_way=1),
        *_further(shown),
        _Column("s", [in_seconds(run.seconds) for run in shown], right=True, gives_way=3, key="seconds"),
        _Column("started UTC" if one_year else "started", times, gives_way=2, key="started"),
        _Column("status", [run.status for run in shown], common=True),
        _Column("name, tags", [_name(run) for run in shown]),
    ]
    kept = [column for column in columns if any(column.cells)]
    return [replace(column, gives_way=_ASKED_FOR) if key and key == column.key else column for column in kept]


def _further(shown: Sequence[Run]) -> Iterator[_Column]:
    """What else was measured; the first to give way."""
    for measure in measures_of(*(run.record for run in shown)):
        for split in ("val", "test") if measure not in KNOWN else ():
            values = [measured(run.record, f"{split}/{measure.name}") for run in shown]
            cells = ["" if value is None else measure.bare(value) for value in values]
            yield _Column(f"{split} {measure.head}", cells, right=True, gives_way=1, key=f"{split}/{measure.name}")


def _name(run: Run) -> str:
    tags = f"({', '.join(run.tags)})" if run.tags else ""
    return f"{run.name} {tags}".strip()


def _lines(found: Runs, chosen: Sequence[Run], shown: Sequence[Run], *, root: Path, asked: Arguments) -> list[str]:
    if not found.all:
        return [f"There are no runs in {root} (--run.dir). Train a model: mnistlab fit --help"]
    if not chosen:
        wanted = " ".join(f"--{name}={value}" for name, value in asked.values.items() if name in FILTERS)
        return [f"None of the {len(found.all):,} runs in {root} has {wanted}."]
    columns = _columns(found, shown, asked.values.get("sort", "").removeprefix("-"))
    said = [column.cells[0] for column in columns if column.same]
    kept, left_out = _fitting([column for column in columns if not column.same])
    return [
        *paragraph(_heading(len(found.all), len(chosen), len(shown), root, said), screen_width(), 2, ""),
        "",
        *_table(kept),
        "",
        *_tail(left_out, len(chosen) - len(shown)),
    ]


def _heading(total: int, chosen: int, shown: int, root: Path, said: Sequence[str]) -> str:
    some = f"{shown:,} of " if shown < chosen else ""
    which = f"{chosen:,} of {total:,} runs" if chosen < total else counted(total, "run")
    if shown < chosen < total:
        which = f"the {chosen:,} that match, of {total:,} runs"
    of_which = "; those shown: " if some else ": "
    return f"{some}{which} in {root}{of_which if said else ''}{', '.join(said)}"


def _fitting(columns: Sequence[_Column]) -> tuple[list[_Column], list[str]]:
    """The columns that there is room for, and the headings of the others."""
    kept = list(columns)
    for column in sorted((each for each in reversed(columns) if each.gives_way), key=lambda each: each.gives_way):
        if _width(kept) <= screen_width():
            break
        kept.remove(column)
    return kept, [column.heading for column in columns if column not in kept]


def _width(columns: Sequence[_Column]) -> int:
    """That of a table whose last column is wrapped."""
    *others, last = (column.width for column in columns)
    return sum(others) + 2 * len(columns) + min(last, _LAST)


def _table(columns: Sequence[_Column]) -> list[str]:
    right = [at for at, column in enumerate(columns) if column.right]
    rows = list(zip(*(column.cells for column in columns), strict=True))
    return table([column.heading for column in columns], rows, screen_width(), right)


def _tail(left_out: Sequence[str], hidden: int) -> list[str]:
    texts = [f"{hidden:,} more: --limit=all, or fewer by --model=, --tag=, --status=, ..."] if hidden else []
    if left_out:
        texts.append(f"No room for {', '.join(left_out)}: a wider terminal, --csv or --json has them.")
    texts.append("One in full: mnistlab runs show ID. Two side by side: mnistlab runs diff ID ID")
    return [line for text in texts for line in paragraph(text, screen_width())]
