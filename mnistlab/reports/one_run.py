"""One run as a part of a page."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from mnistlab.errors import LabError
from mnistlab.reports.behind import Trust
from mnistlab.reports.curves import course
from mnistlab.reports.facts import Facts, count, duration, percent
from mnistlab.reports.markup import Markup, element, folded, joined, note, preformatted, table
from mnistlab.reports.tested import interval, tested
from mnistlab.runs.folder import CONFIG, LAST
from mnistlab.runs.hints import command_for
from mnistlab.runs.metrics import KNOWN, PRIMARY, measured, measures_of
from mnistlab.runs.reading import read_configuration
from mnistlab.runs.verdict import verdict
from mnistlab.system.files import UnreadableError, is_file

_STATES = {
    "running": "It is still running: what is here is what was known when this page was written.",
    "lost": "It is lost: its process has died without a word.",
    "interrupted": "It was interrupted.",
    "failed": "It has failed.",
    "diverged": "It has diverged.",
    "pruned": "Its sweep has ended it early: it promised too little.",
}


def headline(facts: Facts) -> Markup:
    """The figures that a run is judged by."""
    tested_with = " of the last weights" if facts.said("metrics", "test", "checkpoint") == "last" else ""
    between = interval(facts)
    likely = f" (95 %: {between})" if between else ""
    figures = {
        f"test accuracy{tested_with}{likely}": percent(facts.tested("acc")),
        "best validation accuracy": percent(facts.validated("acc")),
        **dict(_further(facts)),
        "parameters": count(facts.parameters),
        "training": duration(facts.seconds),
        "status": facts.status,
    }
    shown = [element("div", element("dt", name), element("dd", value)) for name, value in figures.items()]
    return joined([element("dl", *shown, class_="figures"), *_state(facts)])


def _further(facts: Facts) -> Iterator[tuple[str, str]]:
    """What else was measured in the test, or where there was none in the best validation."""
    for measure in measures_of(facts.record):
        for split, words in (("test", "test"), ("val", "best validation")) if measure not in KNOWN else ():
            value = measured(facts.record, f"{split}/{measure.name}")
            if value is not None:
                yield f"{words} {measure.title}", measure.figure(value)
                break


def about(facts: Facts) -> str:
    """What it was trained on, when, and what it is called, in a line."""
    parts = [f"on {facts.word('data')}", facts.started]
    if facts.said("name"):
        parts.append(f"called {facts.said('name')}")
    if facts.tags:
        parts.append(f"tagged {', '.join(facts.tags)}")
    if facts.said("command") not in ("fit", None):
        parts.append(f"a run of {facts.said('command')}")
    return " · ".join(parts)


def sections(facts: Facts, trust: Trust, *, level: int = 2) -> Iterator[Markup]:
    """All that is known about a run, below headings of a level."""
    yield _section("Training", course(facts), level)
    for group in tested(facts, trust):
        parts = [_section(heading, inner, level) for heading, inner in group]
        yield element("div", *parts, class_="columns") if len(parts) > 1 else parts[0]
    yield _section("Configuration", _configuration(facts, trust), level)
    yield _section("To repeat it", _commands(facts), level)
    yield _section("Versions and machine", _origin(facts), level)


def _section(heading: str, parts: Iterable[object], level: int) -> Markup:
    return element("section", element(f"h{level}", heading), *parts)


def _state(facts: Facts) -> Iterator[Markup]:
    if not facts.record:
        yield note("There is no run.json that could be read in this folder: little is known about the run.")
    elif facts.status in _STATES:
        yield note(f"{_STATES[facts.status]}{f' {facts.error}' if facts.error else ''}")
    line = verdict(facts.rows, facts.record)
    if line:
        yield note(line)
    if facts.record and facts.status == "finished" and not _validated(facts) and not facts.said("checkpoint"):
        yield note("It was not validated: no images were held out.")


def _validated(facts: Facts) -> bool:
    return facts.validated("acc") is not None or any(PRIMARY in row for row in facts.rows)


def _configuration(facts: Facts, trust: Trust) -> Iterator[Markup]:
    """What is not at its default, then all."""
    try:
        rows = [
            (origin.name, _plain(origin.value), _plain(origin.default)) for origin in trust.differences(facts.folder)
        ]
        if rows:
            yield table(("Option", "Value", "Default"), rows, caption="What is not at its default")
        else:
            yield note("Everything is at its default.")
    except LabError as error:
        yield note(f"What differs from the defaults cannot be said: {error}")
    with suppress(FileNotFoundError, UnreadableError):  # as has been said
        yield folded("Everything that it was configured with", preformatted(read_configuration(facts.folder)))


def _plain(value: object) -> str:
    """A value as one types it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _commands(facts: Facts) -> Iterator[Markup]:
    if facts.commands:
        several = len(facts.commands) > 1
        yield element("p", "What was typed, each time that it was started:" if several else "What was typed:")
        yield preformatted("\n".join(facts.commands))
    elif facts.record:
        yield note("What was typed is not in its record.")
    lines = []
    command = facts.said("command")
    if command == "fit" and is_file(facts.folder / CONFIG):
        lines.append(shlex.join(["mnistlab", "fit", f"--config={facts.folder / CONFIG}"]))
    if is_file(facts.folder / LAST):
        lines.append(command_for("test", facts.folder))
    if lines:
        yield element("p", "To train it again as it was configured, or to test it:")
        yield preformatted("\n".join(lines))


def _origin(facts: Facts) -> Iterator[Markup]:
    single = {name: facts.said(name) for name in ("host", "device", "seed")}
    rows = [
        *_flat("", facts.said("versions")),
        *_flat("", facts.said("machine")),
        *_flat("", {name: value for name, value in single.items() if value is not None}),
        *_flat("source ", facts.said("git")),
        ("folder", facts.folder.absolute()),
    ]
    yield table(("What", "Is"), rows, caption="Versions and machine")


def _flat(prefix: str, value: object) -> list[tuple[str, str]]:
    return [(f"{prefix}{key}", _plain(each)) for key, each in value.items()] if isinstance(value, Mapping) else []
