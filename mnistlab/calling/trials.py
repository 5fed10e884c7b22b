"""The runs of a sweep, or of folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mnistlab.calling.results import Printed, in_row, table_of
from mnistlab.calling.run import Run
from mnistlab.reports.markup import Markup, element, joined
from mnistlab.runs.ranking import Ranking
from mnistlab.runs.run import read_runs
from mnistlab.text.values import counted, last_parts, percent, short_path, shown


@dataclass(frozen=True, repr=False)
class Trials(Printed):
    """The runs of a sweep, or of folds.

    Attributes:
        folder: Where they are kept; `lab.report(trials.folder)` writes a page about them.
    """

    folder: Path
    runs: Sequence[Run]

    @classmethod
    def within(cls, folder: Path) -> "Trials":
        """Those in a folder, by their names."""
        kept = [each.folder for each in read_runs(folder.parent).all if each.folder.parent == folder]
        return cls(folder, [Run.of(each) for each in sorted(kept)])

    def __getitem__(self, number: int) -> Run:
        """A run, by its place."""
        return self.runs[number]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.runs)

    @property
    def best(self) -> Run | None:
        """The best run of the choice of values whose mean over its seeds is best, as the sweep has ranked them."""
        best = Ranking.of(self.folder).best(self.runs)
        return next((run for run in self.runs if run is best), None)

    def html(self) -> Markup:
        """A table of them, the best first."""
        order = [run for choice in Ranking.of(self.folder).choices(self.runs) for run in choice.runs]
        names = dict.fromkeys(name for run in order for name in run.options)
        changed = [name for name in names if len({str(run.options.get(name)) for run in order}) > 1]
        short = last_parts(changed)
        rows = [{**in_row(run), **{short[name]: shown(run.options.get(name)) for name in changed}} for run in order]
        return joined([element("p", self.text), table_of(rows)])

    @property
    def text(self) -> str:  # type: ignore[override] # a property serves as well
        """How many there are, and which is the best."""
        best = f", the best {self.best.folder.name}: val acc {percent(self.best.val_acc)}" if self.best else ""
        return f"{counted(len(self.runs), 'run')} in {short_path(self.folder)}{best}"
