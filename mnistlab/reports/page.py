"""The page around it all: one file that opens anywhere."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mnistlab.reports.charts import STYLE
from mnistlab.reports.markup import Markup, element

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with it: nothing is fetched, and no script runs, whatever it holds."""


def page(title: str, subtitle: str, inner: Iterable[Markup], closing: str) -> str:
    """A whole page.

    Args:
        title: Its headline.
        subtitle: A line below.
        inner: What it says.
        closing: The last line.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} - mnistlab"),
        element("style", Markup(_style())),
    )
    header = element("header", element("h1", title), element("p", subtitle, class_="about"))
    body = element("body", header, element("main", *inner), element("footer", element("p", closing)))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


@cache
def _style() -> str:
    return STYLE + Path(__file__).with_name("style.css").read_text(encoding="utf-8")
