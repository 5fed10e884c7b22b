"""One run as a part of a page."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from mnistlab.errors import LabError
from mnistlab.reports.behind import Trust
from mnistlab.reports.curves import course
from mnistlab.reports.drawing import Drawing
from mnistlab.reports.markup import Markup, element, folded, joined, note, preformatted, table
from mnistlab.reports.tested import interval, tested
from mnistlab.runs.folder import CONFIG, LAST
from mnistlab.runs.hints import command_for
from mnistlab.runs.looks import after_looks
from mnistlab.runs.metrics import KNOWN, PRIMARY, measured, measures_of
from mnistlab.runs.run import Run
from mnistlab.system.files import is_file
from mnistlab.text.values import UNKNOWN, count, duration, moment, percent, shown

_STATES = {
    "running": "It is still running: what is here is what was known when this page was written.",
    "lost": "It is lost: its process has died without a word.",
    "interrupted": "It was interrupted.",
    "failed": "It has failed.",
    "diverged": "It has diverged.",
    "pruned": "Its sweep has ended it early: it promised too little.",
}


def headline(run: Run, drawing: Drawing) -> Markup:
    """The figures that a run is judged by, and where one can draw for its net."""
    tested_with = " of the last weights" if run.said("metrics", "test", "checkpoint") == "last" else ""
    between = interval(run)
    likely = f" (95 %, Wilson: {between})" if between else ""
    figures = {
        f"test accuracy{tested_with}{likely} {after_looks(run.looks)}".rstrip(): percent(run.test_acc),
        "best validation accuracy": percent(run.val_acc),
        **dict(_further(run)),
        "parameters": count(run.parameters),
        "training": duration(run.seconds),
        "status": run.status or UNKNOWN,
    }
    parts = [element("div", element("dt", name), element("dd", value)) for name, value in figures.items()]
    return joined([element("dl", *parts, class_="figures"), *_state(run), *drawing.shown(run)])


def _further(run: Run) -> Iterator[tuple[str, str]]:
    """What else was measured in the test, or where there was none in the best validation."""
    for measure in measures_of(run.record):
        for split, words in (("test", "test"), ("val", "best validation")) if measure not in KNOWN else ():
            value = measured(run.record, f"{split}/{measure.name}")
            if value is not None:
                yield f"{words} {measure.title}", measure.figure(value)
                break


def about(run: Run) -> str:
    """What it was trained on, when, and what it is called, in a line."""
    parts = [f"on {run.data or UNKNOWN}", _begun(run)]
    if run.name:
        parts.append(f"called {run.name}")
    if run.tags:
        parts.append(f"tagged {', '.join(run.tags)}")
    if run.command not in ("fit", ""):
        parts.append(f"a run of {run.command}")
    return " · ".join(parts)


def _begun(run: Run) -> str:
    return f"{moment(run.started, 'minutes')} UTC" if run.started else UNKNOWN


def sections(run: Run, trust: Trust, *, level: int = 2) -> Iterator[Markup]:
    """All that is known about a run, below headings of a level."""
    yield _section("Training", course(run), level)
    for group in tested(run, trust):
        parts = [_section(heading, inner, level) for heading, inner in group]
        yield element("div", *parts, class_="columns") if len(parts) > 1 else parts[0]
    yield _section("Configuration", configuration(run, trust), level)
    yield _section("To repeat it", _commands(run), level)
    yield _section("Versions and machine", _origin(run), level)


def _section(heading: str, parts: Iterable[object], level: int) -> Markup:
    return element("section", element(f"h{level}", heading), *parts)


def _state(run: Run) -> Iterator[Markup]:
    if not run.record:
        yield note("There is no run.json that could be read in this folder: little is known about the run.")
    elif run.status in _STATES:
        yield note(f"{_STATES[run.status]}{f' {run.error}' if run.error else ''}")
    if run.verdict:
        yield note(run.verdict)
    validated = run.val_acc is not None or any(PRIMARY in row for row in run.rows)
    if run.record and run.status == "finished" and not validated and not run.said("checkpoint"):
        yield note("It was not validated: no images were held out.")


def configuration(run: Run, trust: Trust) -> Iterator[Markup]:
    """What is not at its default, then all."""
    try:
        found = trust.changed(run)
        rows = [(each.name, shown(each.value), shown(each.default) if each.known else UNKNOWN) for each in found]
        if rows:
            yield table(("Option", "Value", "Default"), rows, caption="What is not at its default")
        else:
            yield note("Everything is at its default.")
    except LabError as error:
        yield note(f"What differs from the defaults cannot be said: {error}")
    with suppress(LabError):  # as has been said
        yield folded("Everything that it was configured with", preformatted(run.read_configuration()))


def _commands(run: Run) -> Iterator[Markup]:
    if run.commands:
        several = len(run.commands) > 1
        yield element("p", "What was typed, each time that it was started:" if several else "What was typed:")
        yield preformatted("\n".join(run.commands))
    elif run.record:
        yield note("What was typed is not in its record.")
    lines = []
    if run.command == "fit" and is_file(run.folder / CONFIG):
        lines.append(shlex.join(["mnistlab", "fit", f"--config={run.folder / CONFIG}"]))
    if is_file(run.folder / LAST):
        lines.append(command_for("test", run.folder))
    if lines:
        yield element("p", "To train it again as it was configured, or to test it:")
        yield preformatted("\n".join(lines))


def _origin(run: Run) -> Iterator[Markup]:
    single = {name: run.said(name) for name in ("host", "device", "seed")}
    rows = [
        *_flat("", run.said("versions")),
        *_flat("", run.said("machine")),
        *_flat("", {name: value for name, value in single.items() if value is not None}),
        *_flat("source ", run.said("git")),
        ("folder", run.folder.absolute()),
    ]
    yield table(("What", "Is"), rows, caption="Versions and machine")


def _flat(prefix: str, value: object) -> list[tuple[str, str]]:
    return [(f"{prefix}{key}", shown(each)) for key, each in value.items()] if isinstance(value, Mapping) else []
