"""What was measured after each epoch of a run, as columns."""

import math
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mnistlab.errors import LabError
from mnistlab.reports.markup import Markup, note
from mnistlab.reports.markup import table as markup_table
from mnistlab.reports.shown import Shown
from mnistlab.runs.metrics import BESIDES, Measure, measure_of
from mnistlab.system.files import telling, write_text
from mnistlab.text.layout import as_csv, screen_width, table
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import UNKNOWN

_FRAMES = ("pandas", "polars")
_NONE = "No epoch has been completed."


class History(Shown, Mapping[str, Sequence[float]]):
    """The columns by their names: `run.history["val/acc"]`; NaN where an epoch has no number.

    Args:
        rows: The rows, as text.
        measures: What is known of the metrics.
    """

    def __init__(self, rows: Sequence[Mapping[str, str]], measures: Sequence[Measure]) -> None:
        self._measures = measures
        names = dict.fromkeys(name for row in rows for name in row)
        self._columns = {name: [_number(row.get(name, "")) for row in rows] for name in names}
        for name, first in (("epoch", 1), ("step", 0)):  # epochs are counted as people do
            column = self._columns.get(name, [])
            if not any(map(math.isnan, column)):
                self._columns |= {name: [int(value) + first for value in column]} if column else {}

    def __getitem__(self, name: str) -> Sequence[float]:
        """A column, one value for each epoch.

        Raises:
            KeyError: If there is none of that name.
        """
        if name not in self._columns:
            raise KeyError(f"{name}: the columns are {', '.join(self) or 'none'}.{suggestion(name, self)}")
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the columns."""
        return iter(self._columns)

    def __len__(self) -> int:
        """How many columns there are."""
        return len(self._columns)

    def frame(self, library: str | None = None) -> Any:
        """The columns as a data frame.

        Args:
            library: `pandas` or `polars`; the first of them that is installed if not given.

        Raises:
            LabError: If it is not installed.
        """
        if library not in (None, *_FRAMES):
            raise LabError(f"{library} makes no frames here. Use {' or '.join(_FRAMES)}.")
        wanted = _FRAMES if library is None else (library,)
        found = next((name for name in wanted if find_spec(name)), None)
        if found is None:
            raise LabError(
                f"history.frame() needs {' or '.join(wanted)}, which is not installed: pip install {wanted[0]}. "
                "Without it, dict(history) has the columns as lists."
            )
        return import_module(found).DataFrame(dict(self))

    def save(self, path: Path | str) -> Path:
        """Write the columns as a CSV, whole or not at all; the file.

        Args:
            path: The file, `history.csv`.

        Raises:
            LabError: If it is called otherwise, or cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() != ".csv":
            raise LabError(
                f"{path}: columns are written as .csv. Write {path.with_suffix('.csv')}; run.plot() is a chart."
            )
        rows = [dict(zip(self, values, strict=True)) for values in zip(*self.values(), strict=True)]
        plain = [{name: "" if math.isnan(value) else value for name, value in row.items()} for row in rows]
        with telling(path, "Name a file in a folder that is there, and that you may write to."):
            write_text(path, as_csv(plain))
        return path

    def html(self) -> Markup:
        """A table."""
        if not self:
            return note(_NONE)
        head, rows = self._shown()
        return markup_table(head, rows, caption="What was measured after each epoch", numeric=head)

    def lines(self) -> str:
        """A table."""
        if not self:
            return _NONE
        head, rows = self._shown()
        return "\n".join(table(head, rows, screen_width(), right=range(len(head))))

    def _shown(self) -> tuple[list[str], list[list[str]]]:
        """What a person wants to see of it: the epoch, the metrics and the rate."""
        names = [name for name in self if name == "epoch" or name not in BESIDES]
        measures = [measure_of(name, self._measures) for name in names]
        head = [f"{name} {each.unit}".rstrip() if each else name for name, each in zip(names, measures, strict=True)]
        columns = [
            [_cell(name, value, each) for value in self[name]] for name, each in zip(names, measures, strict=True)
        ]
        return head, [list(row) for row in zip(*columns, strict=True)]


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _cell(name: str, value: float, measure: Measure | None) -> str:
    if math.isnan(value):
        return UNKNOWN
    return f"{value:.0f}" if name == "epoch" else measure.bare(value) if measure else f"{value:.4g}"
