"""The page that runs the net of a run: a report links to it, and lays a small one in."""

import html
import os.path
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from mnistlab.export.document import Page, live_of
from mnistlab.reports.markup import Markup, element
from mnistlab.runs.folder import weights_of
from mnistlab.runs.run import Run
from mnistlab.system.files import is_file
from mnistlab.training.export_options import PAGE, Export, is_newer


@dataclass(frozen=True)
class Drawing:
    """Where one can draw for a net.

    Attributes:
        place: The folder in which the report will lie.
        live: The small pages that stand in it, by the folder of the run.
    """

    place: Path
    live: Mapping[Path, Page] = field(default_factory=dict)

    def link(self, run: Run, words: str) -> Markup | None:
        """A link to the page of a run; None where there is none."""
        page = run.folder / PAGE
        if not is_file(page):
            return None
        older = "" if is_newer(page, weights_of(run.folder)) else " as it was before it went on"
        return element("a", f"{words}{older}", href=quote(Path(os.path.relpath(page, self.place)).as_posix()))

    def shown(self, run: Run) -> Iterator[Markup]:
        """The small page, and the link."""
        link = self.link(run, "Draw for this net")
        page = self.live.get(run.folder)
        if page:
            yield element("figure", _frame(page, run), element("figcaption", link))
        elif link:
            yield element("p", link)


def live_pages(runs: Sequence[Run], allowed: frozenset[str]) -> dict[Path, Page]:
    """The small pages of some runs, by their folders; what has no page that is newer than its net gets one first.

    Raises:
        LabError: If a net cannot stand on a page.
    """
    trusted = [f"--trust={package}" for package in sorted(allowed)]
    for run in runs:
        if not is_newer(run.folder / PAGE, weights_of(run.folder)):
            from mnistlab.training.pages import exporting  # noqa: PLC0415 - brings torch in

            exporting("export", [str(run.folder)], trusted, Export(("html",)))()
    return {run.folder: live_of(run.folder / PAGE) for run in runs}


def _frame(page: Page, run: Run) -> Markup:
    """A page within a page, which can reach nothing of it."""
    title = html.escape(f"Draw for {run.title}")
    return Markup(
        f'<iframe class="live" title="{title}" sandbox="allow-scripts" loading="lazy" '
        f'srcdoc="{html.escape(page.text)}"></iframe>'
    )
