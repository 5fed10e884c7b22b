"""The runs of a sweep, or of folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mnistlab.calling.results import Shown
from mnistlab.calling.run import Run
from mnistlab.runs.run import read_runs
from mnistlab.text.values import counted, percent, short_path


@dataclass(frozen=True, repr=False)
class Trials(Shown):
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

    @property
    def best(self) -> Run | None:
        """The run with the highest validation accuracy."""
        return max(
            (run for run in self.runs if run.val_acc is not None), key=lambda run: run.val_acc or 0, default=None
        )

    @property
    def text(self) -> str:  # type: ignore[override] # a property serves as well
        """How many there are, and which is the best."""
        best = f", the best {self.best.folder.name}: val acc {percent(self.best.val_acc)}" if self.best else ""
        return f"{counted(len(self.runs), 'run')} in {short_path(self.folder)}{best}"
