"""The board that is asked for, which is worked out anew each time somebody looks."""

from dataclasses import dataclass

from mnistlab.options.arguments import Arguments
from mnistlab.reports.board.page import inner, page
from mnistlab.reports.board.standing import Standing, standing
from mnistlab.runs.run import read_runs
from mnistlab.runs.selection import ASKED, selected


@dataclass(frozen=True)
class Board:
    """What is asked for, each time anew."""

    asked: Arguments

    @property
    def by(self) -> str:
        """Whose best run counts."""
        return self.asked.values.get("by", "user")

    def standing(self) -> Standing:
        """Who stands where now.

        Raises:
            LabError: If a filter is none.
        """
        wanted = {name: value for name, value in self.asked.values.items() if name in ASKED}
        return standing(selected(read_runs(self.asked.root).all, wanted), self.by, self.asked.root)

    def inner(self) -> str:
        """What changes with each new run."""
        return inner(self.standing(), self.by, best="best" in self.asked.switches)

    def page(self, closing: str, *, live: bool = False) -> str:
        """The whole page."""
        best = "best" in self.asked.switches
        return page(self.standing(), self.by, best=best, closing=closing, live=live)
