"""The board that is asked for, which is worked out anew each time somebody looks."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from mnistlab.options.arguments import Arguments
from mnistlab.reports.board.page import inner, page
from mnistlab.reports.board.standing import Standing, standing
from mnistlab.reports.screen.overview import chosen_of, none_of, runs_below, written_filters


@dataclass(frozen=True)
class Board:
    """What is asked for, each time anew."""

    asked: Arguments
    _told: set[Path] = field(default_factory=set, init=False)  # records that cannot be read, each told once

    @property
    def by(self) -> str:
        """Whose best run counts."""
        return self.asked.values.get("by", "user")

    @property
    def best(self) -> bool:
        """Whether the newest runs are left out."""
        return "best" in self.asked.switches

    def standing(self) -> Standing:
        """Who stands where now.

        Raises:
            LabError: If a filter is none, or there is no such folder.
        """
        found = runs_below(self.asked.root, self.asked, self._told)
        self._told.update(found.broken)
        chosen, filters = chosen_of(found, self.asked), written_filters(self.asked)
        shown = standing(chosen, self.by, self.asked.root)
        if shown.places or not found.all or not filters:
            return shown
        missing = none_of(found, self.asked) if not chosen else f"No run of fit with {filters} has been validated."
        return replace(shown, missing=missing)

    def inner(self) -> str:
        """What changes with each new run."""
        return inner(self.standing(), self.by, best=self.best)

    def page(self, closing: str, *, live: bool = False) -> str:
        """The whole page."""
        return page(self.standing(), self.by, best=self.best, closing=closing, live=live)
