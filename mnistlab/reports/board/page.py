"""The page of a board: readable from the back of a room and on a phone, in light and dark."""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from mnistlab.reports.board.standing import Place, Standing, ended, whose
from mnistlab.reports.markup import Markup, element, joined
from mnistlab.text.apart import MARK, told_apart
from mnistlab.text.values import UNKNOWN, counted, in_percent, moment, percent

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_LONGEST = 24  # characters of a name
_MOST = 84  # places that a projector has room for; the others stand below
_NEWEST = 6
_MOST_DOTS = 2000
_WIDE, _HIGH = 1000, 300  # of the drawing, which is stretched
_BESIDE = (("one", 20), ("two", 40), ("three", 0))  # so many tables beside each other for so many people at most
_COLUMNS = ("rank", "who", "number", "model", "number runs", "number looks")
_ONE_LINE = 36  # characters of who leads


def page(standing: Standing, by: str, *, best: bool, closing: str, live: bool = False) -> str:
    """The whole page.

    Args:
        standing: What it shows.
        by: Whose best run counts.
        best: Whether to leave out the newest runs.
        closing: What stands at its end.
        live: Whether it asks for news.
    """
    script = _file("board.js") if live else ""
    title = f"Board of {standing.data}" if standing.data else "Board"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(live=live)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} - mnistlab"),
        element("style", Markup(_file("board.css"))),
    )
    main = element("main", inner(standing, by, best=best), id="board")
    footer = element("footer", element("p", closing, id="closing"))
    end = element("script", Markup(script)) if live else Markup("")
    return f"<!DOCTYPE html>\n{element('html', head, element('body', main, footer, end), lang='en')}\n"


def policy(*, live: bool) -> str:
    """What a browser may do with it: nothing is fetched but news, and no other script runs."""
    if not live:
        return _POLICY
    digest = base64.b64encode(hashlib.sha256(_file("board.js").encode()).digest()).decode()
    return f"{_POLICY}; connect-src 'self'; script-src 'sha256-{digest}'"


def inner(standing: Standing, by: str, *, best: bool) -> Markup:
    """What changes with each new run."""
    if not standing.places:
        return element("p", standing.missing or "No run of fit has been validated yet.", class_="empty")
    names = told_apart((place.who for place in standing.places), _LONGEST)
    right = [_curve(standing), *([] if best else [_newest(standing, by, names)])]
    first, rest = standing.places[:_MOST], standing.places[_MOST:]
    kind, tables = _tables(first, by, names)
    columns = element("div", tables, element("div", *right, class_="beside"), class_=f"columns {kind} by-{by}")
    parts = [_header(standing, by, names), columns]
    for at in range(0, len(rest), _MOST):
        kind, tables = _tables(rest[at : at + _MOST], by, names)
        heading = element("h2", f"From place {rest[at].rank} on")
        parts.append(element("section", heading, tables, class_=f"more-places {kind}"))
    return joined(parts)


def _header(standing: Standing, by: str, names: Mapping[str, str]) -> Markup:
    first = [place for place in standing.places if place.rank == 1]
    people = "person" if by == "user" else "name"
    said = [counted(len(standing.runs), "run"), f"{counted(len(standing.places), people)}".replace("persons", "people")]
    others = ", ".join(f"{counted(number, 'run')} of {name}" for name, number in standing.others.items())
    note = f"{said[0]} of {said[1]} on {standing.data}, by validation accuracy: the test images are no leaderboard"
    looks = f"They have been looked at {counted(standing.looks, 'time')}." if standing.looks else ""
    rest = f"Not shown: {others} (--data=)." if others else ""
    lower = len(standing.places) - _MOST
    below = f"Below: {lower} more, from place {standing.places[_MOST].rank} on." if lower > 0 else ""
    named = [names[each.who] for each in first]
    who = " and ".join(named)
    if len(named) > 1 and len(who) > _ONE_LINE:
        who = f"{named[0]} and {counted(len(named) - 1, 'other')}"
    leader = element("p", element("span", who, class_="who"), " ", element("b", percent(first[0].accuracy)))
    about = element("p", " ".join(filter(None, [f"{note}.", looks, rest, below])), class_="about")
    return element("header", element("h1", element("small", "Best so far"), leader), about)


def _tables(places: Sequence[Place], by: str, called: Mapping[str, str]) -> tuple[str, Markup]:
    """The places in tables beside each other, and how many these are, as a word: all fit on a projector."""
    number, kind = next((n, kind) for n, (kind, most) in enumerate(_BESIDE, 1) if len(places) <= most or not most)
    rows = math.ceil(len(places) / number)
    tables = [_table(places[at : at + rows], by, rows, called) for at in range(0, len(places), rows)]
    return kind, element("div", *tables, class_="places")


def _table(places: Sequence[Place], by: str, rows: int, called: Mapping[str, str]) -> Markup:
    """A table of some of the places, of which the longest one has so many rows."""
    names = ("", "Person" if by == "user" else "Name", "Val. %", "Model", "Runs", "Looks")
    looks = "How often they have looked" if by == "user" else "How many of these runs were tested: each is a look"
    titles = {"Looks": f"{looks} at the test images"}
    head = [
        element("th", name, scope="col", class_=kind, title=titles.get(name))
        for name, kind in zip(names, _COLUMNS, strict=True)
    ]
    widths = [element("col", class_=kind) for kind in _COLUMNS]
    inside = (
        element("colgroup", *widths),
        element("thead", element("tr", *head)),
        element("tbody", *(_row(place, called[place.who]) for place in places)),
    )
    return element("table", *inside, style=f"--rows: {rows}")


def _row(place: Place, called: str) -> Markup:
    cells = (
        place.rank,
        _shrinking(called),
        in_percent(place.accuracy),
        place.best.architecture,
        place.runs,
        place.looks,
    )
    body = [
        element("th" if kind == "who" else "td", cell, class_=kind) for cell, kind in zip(cells, _COLUMNS, strict=True)
    ]
    return element("tr", *body, class_="best" if place.rank == 1 else None)


def _shrinking(name: str) -> Markup:
    """A name that gives way in its middle where there is less room."""
    start, mark, end = name.partition(MARK)
    if not mark:
        start, end = name[: len(name) // 2], name[len(name) // 2 :]
    middle = element("span", mark) if mark else ""
    last = element("span", end, class_="end" if not end.endswith(MARK) else None)
    return element("span", element("span", start, class_=None if mark else "start"), middle, last, class_="name")


def _newest(standing: Standing, by: str, called: Mapping[str, str]) -> Markup:
    newest = standing.runs[: -_NEWEST - 1 : -1]
    best = {run for run, _ in standing.course}
    rows = [
        element(
            "li",
            element("b", percent(run.val_acc)),
            " ",
            element("span", _shrinking(called[whose(run, by)]), class_="who"),
            " ",
            element("span", f"{run.architecture}, {moment(ended(run), 'minutes')[5:] or UNKNOWN}", class_="more"),
            element("em", "the best then") if run in best else "",
        )
        for run in newest
    ]
    return element("section", element("h2", "Newest runs"), element("ol", *rows, class_="newest"))


def _curve(standing: Standing) -> Markup:
    """The best over time, and each run as a dot; what is written beside it is not stretched with it."""
    runs = [(_seconds(ended(run)), run.val_acc or 0.0) for run in standing.runs]
    begin, end = runs[0][0], max(runs[-1][0], runs[0][0] + 1)
    top = standing.course[-1][1]
    accuracies = sorted(accuracy for _, accuracy in runs)
    low = min(accuracies[len(accuracies) // 4], top - 0.001)
    high = top + 0.06 * (top - low)

    def at(time: float, accuracy: float) -> tuple[float, float]:
        share = (max(accuracy, low) - low) / (high - low)
        return round(_WIDE * (time - begin) / (end - begin), 1), round(_HIGH * (1 - share), 1)

    steps = [at(_seconds(ended(run)), accuracy) for run, accuracy in standing.course]
    line = f"M{steps[0][0]} {steps[0][1]}" + "".join(f"H{x}V{y}" for x, y in steps[1:]) + f"H{_WIDE}"
    dots = "".join(f"M{x} {y}h0" for x, y in (at(*run) for run in runs[-_MOST_DOTS:] if run[1] >= low))
    paths = [
        element("path", d=dots, class_="dots"),
        element("path", d=f"{line}V{_HIGH}H{steps[0][0]}Z", class_="area"),
        element("path", d=line, class_="line"),
    ]
    box = f"0 0 {_WIDE} {_HIGH}"
    text = f"The best validation accuracy over time, from {percent(standing.course[0][1])} to {percent(top)}."
    below = sum(accuracy < low for accuracy in accuracies)
    hidden = f"{counted(below, 'run')} below {percent(low)}" if below else ""
    text += f" The lower edge is {percent(low)}{', with ' if hidden else ''}{hidden}."
    drawing = element("svg", *paths, viewBox=box, preserveAspectRatio="none", role="img", aria_label=text)
    first, last = (moment(ended(run), "minutes") for run in (standing.runs[0], standing.runs[-1]))
    day = first[:10] == last[:10]
    times = [element("span", time[11:] if day else time[5:]) for time in (first, last)]
    levels = [element("span", percent(level)) for level in (top, low)]
    about = ", ".join(filter(None, (first[:10] if day else "", "UTC", hidden)))
    caption = element("div", times[0], element("span", about), times[1], class_="times")
    frame = element("div", element("div", *levels, class_="levels"), drawing, caption, class_="frame")
    return element("section", element("h2", "The best over time"), frame)


def _seconds(time: str) -> float:
    """A time of a record in seconds; of anything else 0."""
    try:
        return datetime.fromisoformat(time).timestamp()
    except ValueError:
        return 0.0


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
