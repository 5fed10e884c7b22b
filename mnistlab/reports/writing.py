"""The page that is asked for, from its head to its end."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mnistlab.errors import say
from mnistlab.reports.behind import Trust
from mnistlab.reports.charts import Chart
from mnistlab.reports.drawing import Drawing, live_pages
from mnistlab.reports.figures import pages_charts, written_figures
from mnistlab.reports.judged import Judged, judgement
from mnistlab.reports.markup import Markup, element
from mnistlab.reports.one_run import about, headline, sections
from mnistlab.reports.several import runs_side_by_side, sweep, trials_of
from mnistlab.reports.themes import page_style
from mnistlab.reports.wanted import Wanted
from mnistlab.runs.ranking import Ranking
from mnistlab.runs.record import now
from mnistlab.runs.run import Run
from mnistlab.system.files import telling, write_text
from mnistlab.system.handing import hand_over
from mnistlab.text.values import from_here, moment

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with it: nothing is fetched, and no script runs, whatever it holds."""


def report(wanted: Wanted, plots: Callable[[Path], Sequence[Chart]]) -> int:
    """Write the page that is asked for, and its figures where they are wanted; the exit code.

    Args:
        wanted: The page.
        plots: Draws what there is to see of a sweep in a folder.

    Raises:
        LabError: If the file cannot be written.
    """
    trust = Trust(wanted.allowed)
    judged = Judged.find(wanted.sweep) if wanted.sweep else None
    trials = trials_of(wanted.sweep) if wanted.sweep and not judged else []
    best = Ranking.of(wanted.sweep).best(trials) if wanted.sweep else None
    shown = [best] if best else wanted.runs
    drawing = Drawing(wanted.path.parent, live_pages(shown, wanted.allowed) if wanted.live else {})
    if judged and wanted.sweep:
        title, change = wanted.sweep.resolve().name, " ".join(judged.words("options"))
        text = page(title, f"{change} against the baseline", judgement(judged), drawing)
    elif wanted.sweep:
        text = _of_sweep(wanted.sweep, trials, trust, drawing)
    else:
        text = _of_runs(wanted.runs, trust, drawing)
    with telling(wanted.path, "Name a file with --output=..."):
        write_text(wanted.path, text)
    hand_over(wanted.path)
    print(f"wrote {from_here(wanted.path)}")
    if wanted.figures:
        charts = pages_charts(wanted, judged, trials, trust, plots)
        say(written_figures(charts, wanted.figures, wanted.formats))
    return 0


def _of_runs(runs: Sequence[Run], trust: Trust, drawing: Drawing) -> str:
    if len(runs) == 1:
        (run,) = runs
        return page(run.title, about(run), [headline(run, drawing), *sections(run, trust)], drawing)
    models = ", ".join(dict.fromkeys(run.title for run in runs))
    return page(f"{len(runs)} runs", models, runs_side_by_side(runs, trust, drawing), drawing)


def _of_sweep(folder: Path, trials: Sequence[Run], trust: Trust, drawing: Drawing) -> str:
    models = ", ".join(dict.fromkeys(trial.title for trial in trials)) or "no trials yet"
    return page(folder.resolve().name, models, sweep(folder, trials, trust, drawing), drawing)


def page(title: str, subtitle: str, inner: Iterable[Markup], drawing: Drawing, command: str = "report") -> str:
    """A whole page, written by a command."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(drawing)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} - mnistlab"),
        element("style", Markup(page_style())),
    )
    closing = f"Written by mnistlab {command}, {moment(now(), 'minutes')} UTC."
    header = element("header", element("h1", title), element("p", subtitle, class_="about"))
    body = element("body", header, element("main", *inner), element("footer", element("p", closing)))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _policy(drawing: Drawing) -> str:
    """The policy, with the scripts of the small pages, which are bound by it too."""
    scripts = dict.fromkeys(script for page in drawing.live.values() for script in page.scripts)
    return f"{_POLICY}; script-src {' '.join(scripts)}" if scripts else _POLICY
