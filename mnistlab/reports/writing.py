"""Which page is asked for, and where it is written."""

from collections.abc import Sequence
from pathlib import Path

from mnistlab.errors import LabError, tell
from mnistlab.options.arguments import Arguments
from mnistlab.options.trust import packages_of
from mnistlab.reports.behind import Trust
from mnistlab.reports.one_run import about, headline, sections
from mnistlab.reports.page import page
from mnistlab.reports.several import is_sweep, runs_side_by_side, sweep, trials_of
from mnistlab.runs.listing import find_run
from mnistlab.runs.newest import LAST
from mnistlab.runs.record import now
from mnistlab.runs.run import Run
from mnistlab.system.files import is_folder, telling, write_text
from mnistlab.text.values import moment

NAME = "report.html"
"""What a page is called where nobody names it."""


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
        text = _of_one(runs[0], trust) if len(runs) == 1 else _of_several(runs, trust)
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


def _of_one(run: Run, trust: Trust) -> str:
    return page(run.title, about(run), [headline(run), *sections(run, trust)], _closing())


def _of_several(runs: Sequence[Run], trust: Trust) -> str:
    models = ", ".join(dict.fromkeys(run.title for run in runs))
    return page(f"{len(runs)} runs", models, runs_side_by_side(runs, trust), _closing())


def _of_sweep(folder: Path, trust: Trust) -> str:
    trials = trials_of(folder)
    models = ", ".join(dict.fromkeys(trial.title for trial in trials)) or "no trials yet"
    return page(folder.resolve().name, models, sweep(folder, trials, trust), _closing())


def _closing() -> str:
    return f"Written by mnistlab report, {moment(now(), 'minutes')} UTC."
