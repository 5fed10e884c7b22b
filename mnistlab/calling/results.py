"""What a call gives that is no run: figures, tables, verdicts and pictures, each of which shows itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, overload

from mnistlab.reports.markup import Markup, element, joined, preformatted
from mnistlab.reports.markup import table as markup_table
from mnistlab.reports.shown import Shown
from mnistlab.runs.metrics import KNOWN, measure_of
from mnistlab.runs.run import Run
from mnistlab.text.values import UNKNOWN, counted, four_digits, percent

T = TypeVar("T", bound=object)

_SHOWN = 20  # rows in a notebook
_LARGE = 1000  # numbers from here on have no fraction


class Printed(Shown):
    """What is seen of it in a terminal is what the command prints."""

    text: str

    def lines(self) -> str:
        """As the command prints it."""
        return self.text

    def html(self) -> Markup:
        """The same, its lines as they are."""
        return preformatted(self.text)


@dataclass(frozen=True, repr=False, eq=False)
class Figures(Printed, Mapping[str, float]):
    """What was measured: `lab.test(run)["test/acc"]`.

    Attributes:
        figures: By their names.
        text: As the command prints them.
        folder: The run in which they are kept.
    """

    figures: Mapping[str, float]
    text: str
    folder: Path

    def __getitem__(self, name: str) -> float:
        """A figure by its name."""
        return self.figures[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self.figures)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.figures)

    def html(self) -> Markup:
        """A table below what was measured."""
        measures = {name: measure_of(name, KNOWN) for name in self}
        rows = [(name, each.figure(self[name]) if each else four_digits(self[name])) for name, each in measures.items()]
        what = self.text.partition("\n")[0]
        return joined([element("p", what), markup_table(("metric", "value"), rows, caption=what, numeric=["value"])])


class Table(Printed, Sequence[T]):
    """Rows, as data and as the command prints them.

    Args:
        rows: The rows.
        text: As the command prints them.
        folder: Where they are kept, if they are.
    """

    def __init__(self, rows: Sequence[T], text: str, folder: Path | None = None) -> None:
        self._rows = tuple(rows)
        self.text = text
        self.folder = folder

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        """A row, or some."""
        return self._rows[index]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def html(self) -> Markup:
        """A table of the first of them; what is no row of figures, as the command prints it."""
        rows = [in_row(row) if isinstance(row, Run) else row for row in self._rows[:_SHOWN]]
        if not rows or not all(isinstance(row, Mapping) for row in rows):
            return super().html()
        return table_of([row for row in rows if isinstance(row, Mapping)], len(self) - len(rows))


def in_row(run: Run) -> dict[str, object]:
    """What a table says of a run."""
    accuracies = {"val acc": run.val_acc, "test acc": run.test_acc}
    return {
        "run": run.name or run.folder.name,
        "model": run.title,
        "data": run.data,
        "status": f"{run.command} {run.status}",
        **{name: None if value is None else percent(value) for name, value in accuracies.items()},
    }


def table_of(rows: Sequence[Mapping[str, object]], more: int = 0) -> Markup:
    """Rows as a table, with how many more there are; what is known of none of them is left out."""
    plain = [
        {name: value for name, value in row.items() if value is not None and not isinstance(value, Mapping | list)}
        for row in rows
    ]
    known = {name for row in plain for name in row if not name.endswith("_method")}
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name in known]
    numeric = [name for name in names if all(isinstance(row.get(name, 0), int | float) for row in plain)]
    numeric += [name for name in names if name.endswith(" acc")]
    cells = [[_cell(row.get(name)) for name in names] for row in plain]
    rest = [element("p", f"and {counted(more, 'more row')}", class_="small")] if more > 0 else []
    return joined([markup_table(names, cells, caption="What the command says", numeric=numeric), *rest])


def _cell(value: object) -> str:
    large = type(value) is int or (isinstance(value, float) and abs(value) >= _LARGE)
    return UNKNOWN if value is None else f"{value:,.0f}" if large else four_digits(value)


@dataclass(frozen=True, repr=False)
class Verdict(Printed):
    """What a judgement has come to.

    Attributes:
        text: In words.
        data: All that is known, as `mnistlab judge --json` has it.
        folder: Where it is kept; `lab.report(verdict.folder)` writes a page about it.
    """

    text: str
    data: Mapping[str, object]
    folder: Path

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `no difference` or `undecided`."""
        return str(self.data["verdict"])

    @property
    def better(self) -> bool:
        """Whether the change is better."""
        return self.verdict == "better"


@dataclass(frozen=True, repr=False)
class Picture:
    """A picture that was written.

    Attributes:
        path: The file.
        text: What is said of it.
        folder: The run in which it is kept.
    """

    path: Path
    text: str
    folder: Path

    def __repr__(self) -> str:
        return self.text

    def _repr_png_(self) -> bytes:
        """The picture itself, where one can be shown."""
        return self.path.read_bytes()
