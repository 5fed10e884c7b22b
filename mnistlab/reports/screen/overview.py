"""`mnistlab runs`: all runs as a table, as CSV, or as JSON."""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from mnistlab.errors import LabError, say, visible
from mnistlab.options.arguments import Arguments
from mnistlab.reports.screen.columns import columns_of, fitting, named, table_of
from mnistlab.runs.fields import field_of
from mnistlab.runs.reading import tell_broken
from mnistlab.runs.run import Run, Runs, read_runs
from mnistlab.runs.selection import ASKED, ordered, selected
from mnistlab.system.files import stands
from mnistlab.system.handing import hand_over
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import as_csv, paragraph, screen_height, screen_width
from mnistlab.text.values import counted, from_here

_DEFAULT_ORDER = "-started"
_FEWEST = 5  # rows that are shown on however small a screen


def show_runs(asked: Arguments) -> int:
    """Show the runs that are asked for; the exit code.

    Raises:
        LabError: If a filter, the order or the limit is none.
    """
    if {"csv", "json"} <= asked.switches:
        raise LabError("--csv and --json exclude each other.")
    typed = asked.values.keys() - asked.usual
    grouped = {"format", "by"} & asked.values.keys()
    if {"csv", "json"} & asked.switches or "columns" in typed:
        grouped &= typed
    if grouped and {"csv", "json"} & asked.switches:
        raise LabError("--csv and --json have a row for each run; groups are written with --format=csv and =json.")
    if grouped and "columns" in typed:
        raise LabError("--columns is for a row of each run; the options of groups are named with --by.")
    root, limit = asked.root, _limit(asked)
    found = runs_below(root, asked)
    chosen = chosen_of(found, asked)
    names = named(asked, found.all)
    if grouped:
        print(_grouped(chosen, asked, limit))
        return 0
    if "json" in asked.switches:
        print(as_json([_plain(run, names) for run in chosen[:limit]]))
    elif "csv" in asked.switches:
        print(_csv([_plain(run, names) for run in chosen[:limit]], _plain(Run(Path()), names)), end="")
    else:
        hand_over(*chosen[:limit])
        fits = limit is None and "limit" not in asked.values and sys.stdout.isatty()
        lines = partial(_lines, found, chosen, names=names, asked=asked)
        say(_fitting_screen(lines, chosen) if fits else lines(chosen[:limit]))
    return 0


def _plain(run: Run, names: Sequence[str]) -> dict[str, object]:
    """Everything that is known of a run, or what is asked for, with the types that it has."""
    if names:
        return {"id": run.folder.name, **{name: field_of(name)(run) for name in names}}
    return {**run.flat(), **{f"options.{name}": value for name, value in run.options.items()}}


def _grouped(chosen: Sequence[Run], asked: Arguments, limit: int | None) -> str:
    """The runs in groups."""
    from mnistlab.reports.screen.group_table import as_written  # noqa: PLC0415 - not for the overview
    from mnistlab.reports.screen.groups import groups_of  # noqa: PLC0415 - as above

    groups = groups_of(chosen, asked, asked.values.get("sort", _DEFAULT_ORDER))
    groups = (groups[::-1] if "reverse" in asked.switches else groups)[:limit]
    form = asked.values.get("format", "")
    if form in ("csv", "json"):
        rows = [group.plain() for group in groups]
        return as_json(rows) if form == "json" else _csv(rows, ()).rstrip("\n")
    return as_written(groups, form)


def runs_below(root: Path, asked: Arguments, told: Collection[Path] = ()) -> Runs:
    """Read all runs, and tell which records cannot be read.

    Args:
        root: The folder of all runs.
        asked: The command.
        told: Records of which that has been told.

    Raises:
        LabError: If the folder was named and is none, or is a file.
    """
    if "run.dir" in asked.values and not stands(root):
        raise LabError(f"--run.dir={root}: there is no such folder.")
    found = read_runs(root)
    tell_broken([path for path in found.broken if path not in told])
    return found


def chosen_of(found: Runs, asked: Arguments) -> list[Run]:
    """The runs that the filters leave, in the order that is asked for.

    Raises:
        LabError: If a filter or the order is none.
    """
    chosen = ordered(selected(found.all, _filters(asked)), asked.values.get("sort", _DEFAULT_ORDER))
    return chosen[::-1] if "reverse" in asked.switches else chosen


def none_of(found: Runs, asked: Arguments) -> str:
    """That the filters leave none of all runs."""
    return f"None of the {len(found.all):,} runs in {asked.root} has {written_filters(asked)}."


def written_filters(asked: Arguments) -> str:
    """The filters as they are typed; nothing where there are none."""
    return " ".join(f"--{name}={value}" for name, value in _filters(asked).items())


def _filters(asked: Arguments) -> dict[str, str]:
    return {name: value for name, value in asked.values.items() if name in ASKED}


def _limit(asked: Arguments) -> int | None:
    text = asked.values.get("limit", "all")
    return None if text == "all" else int(text)


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
        else "\n".join(map(visible, value.split("\n")))  # a cell may have several lines, as RFC 4180 has it
        if isinstance(value, str)
        else value
    )


def _lines(
    found: Runs, chosen: Sequence[Run], shown: Sequence[Run], *, names: Sequence[str], asked: Arguments
) -> list[str]:
    root = asked.root
    if not found.all:
        return [f"There are no runs in {root} (--run.dir). Train a model: mnistlab fit --help"]
    if not chosen:
        return [none_of(found, asked)]
    columns = columns_of(found, shown, names, asked)
    said = [column.cells[0] for column in columns if column.same]
    kept, left_out = fitting([column for column in columns if not column.same])
    return [
        *paragraph(_heading(len(found.all), len(chosen), len(shown), root, said), screen_width(), 2, ""),
        "",
        *table_of(kept, asked),
        "",
        *_tail(left_out, len(chosen) - len(shown)),
    ]


def _heading(total: int, chosen: int, shown: int, root: Path, said: Sequence[str]) -> str:
    some = f"{shown:,} of " if shown < chosen else ""
    which = f"{chosen:,} of {total:,} runs" if chosen < total else counted(total, "run")
    if shown < chosen < total:
        which = f"the {chosen:,} that match, of {total:,} runs"
    of_which = "; those shown: " if some else ": "
    return f"{some}{which} in {from_here(root)}{of_which if said else ''}{', '.join(said)}"


def _tail(left_out: Sequence[str], hidden: int) -> list[str]:
    texts = [f"{hidden:,} more: --limit=all, or fewer by --model=, --tag=, --status=, ..."] if hidden else []
    if left_out:
        texts.append(f"No room for {', '.join(left_out)}: a wider terminal, --all, --csv or --json has them.")
    texts.append("One in full: mnistlab runs show ID. Two side by side: mnistlab runs diff ID ID")
    return [line for text in texts for line in paragraph(text, screen_width())]
