"""Which page is asked for, and where it is written."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mnistlab.errors import LabError, tell
from mnistlab.options.arguments import Arguments
from mnistlab.options.trust import packages_of
from mnistlab.reports.behind import Trust
from mnistlab.reports.charts import STYLE
from mnistlab.reports.markup import Markup, element
from mnistlab.reports.one_run import about, headline, sections
from mnistlab.reports.several import is_sweep, runs_side_by_side, sweep, trials_of
from mnistlab.runs.listing import find_run
from mnistlab.runs.newest import LAST
from mnistlab.runs.record import now
from mnistlab.runs.run import Run
from mnistlab.system.files import is_folder, telling, write_text
from mnistlab.text.values import moment

NAME = "report.html"
"""What a page is called where nobody names it."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with it: nothing is fetched, and no script runs, whatever it holds."""


def report(asked: Arguments) -> int:
    """Write the page that is asked for; the exit code.

    Raises:
        LabError: If there is no such run, or the file cannot be written.
    """
    trust = Trust(packages_of(name for name in asked.values.get("trust", "").split(",") if name))
    root = asked.root
    trust.prepare()
    sweep_folder = _sweep(asked.names, root)
    if sweep_folder is not None:
        text, place = _of_sweep(sweep_folder, trust), sweep_folder / NAME
    else:
        folders = [find_run(name, root) for name in asked.names or (LAST,)]
        runs = [Run.salvage(each) for each in _once(folders)]
        place = runs[0].folder / NAME if len(runs) == 1 else Path(NAME)
        text = _of_runs(runs, trust)
    path = Path(asked.values["output"]) if "output" in asked.values else place
    if is_folder(path):
        raise LabError(f"--output={path}: it is a folder. Name the file: --output={path / NAME}")
    with telling(path, "Name a file with --output=..."):
        write_text(path, text)
    print(f"wrote {path}")
    return 0


def _sweep(names: Sequence[str], root: Path) -> Path | None:
    """The folder of the sweep that is asked for, None where runs are."""
    found = [place for name in names for place in (Path(name), root / name) if is_sweep(place)]
    if found and len(names) > 1:
        raise LabError(f"{found[0]} is a sweep, which has a page of its own: mnistlab report {found[0]}")
    return found[0] if found else None


def _once(folders: Sequence[Path]) -> list[Path]:
    """Each run once, with a word where one was named more often."""
    found = {folder.resolve(): folder for folder in reversed(folders)}
    if len(found) < len(folders):
        tell(f"note: a run that is named several times counts once; {len(found)} of {len(folders)} are left.")
    return [found[place] for place in dict.fromkeys(folder.resolve() for folder in folders)]


def _of_runs(runs: Sequence[Run], trust: Trust) -> str:
    if len(runs) == 1:
        (run,) = runs
        return _page(run.title, about(run), [headline(run), *sections(run, trust)])
    models = ", ".join(dict.fromkeys(run.title for run in runs))
    return _page(f"{len(runs)} runs", models, runs_side_by_side(runs, trust))


def _of_sweep(folder: Path, trust: Trust) -> str:
    trials = trials_of(folder)
    models = ", ".join(dict.fromkeys(trial.title for trial in trials)) or "no trials yet"
    return _page(folder.resolve().name, models, sweep(folder, trials, trust))


def _page(title: str, subtitle: str, inner: Iterable[Markup]) -> str:
    """A whole page."""
    style = STYLE + Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} - mnistlab"),
        element("style", Markup(style)),
    )
    closing = f"Written by mnistlab report, {moment(now(), 'minutes')} UTC."
    header = element("header", element("h1", title), element("p", subtitle, class_="about"))
    body = element("body", header, element("main", *inner), element("footer", element("p", closing)))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"
