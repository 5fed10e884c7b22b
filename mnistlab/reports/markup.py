"""HTML that is made of elements: all text in it is escaped, unless it is HTML already."""

import html
from collections.abc import Iterable, Sequence

from mnistlab.errors import visible


class Markup(str):
    """HTML that is put into a page as it is."""

    __slots__ = ()


def text(said: object) -> Markup:
    """What somebody wrote, as HTML that shows it and does nothing."""
    return said if isinstance(said, Markup) else Markup(html.escape(visible(str(said))))


def joined(parts: Iterable[object]) -> Markup:
    """Several parts, one after the other."""
    return Markup("".join(map(text, parts)))


def element(name: str, /, *inner: object, **attributes: object) -> Markup:
    """An element.

    Args:
        name: Of the element, such as `p`.
        inner: What is in it; text is escaped.
        attributes: Of the element; `class_` is `class`, `aria_label` is `aria-label`. True stands without a value, what
            is None or False is left out.
    """
    opening = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{html.escape(visible(str(value)))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    end = "" if name in ("img", "meta", "br", "col") else f"{joined(inner)}</{name}>"
    return Markup(f"<{name}{opening}>{end}")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str, numeric: Iterable[str] = ()
) -> Markup:
    """A table that scrolls in a box of its own where the page is narrow; the first cell of a row is its header.

    Args:
        columns: What stands above.
        rows: A cell for each column.
        caption: What the table says, for those who do not see it.
        numeric: The columns of numbers.
    """
    kinds = ["number" if column in set(numeric) else None for column in columns]
    head = [element("th", name, scope="col", class_=kind) for name, kind in zip(columns, kinds, strict=True)]
    body = []
    for first, *others in rows:
        cells = [element("td", cell, class_=kind) for cell, kind in zip(others, kinds[1:], strict=True)]
        body.append(element("tr", element("th", first, scope="row", class_=kinds[0]), *cells))
    inner = (element("caption", caption), element("thead", element("tr", *head)), element("tbody", *body))
    return scrolling(element("table", *inner), caption)


def scrolling(inner: Markup, label: str) -> Markup:
    """Something wide in a box that scrolls, with the keyboard too."""
    return element("div", inner, class_="wide", tabindex="0", role="region", aria_label=label)


def folded(summary: object, *inner: object, opened: bool = False, **attributes: object) -> Markup:
    """What is shown when it is asked for."""
    return element("details", element("summary", summary), *inner, open=opened, **attributes)


def preformatted(lines: str) -> Markup:
    """Text whose lines stay lines; long ones are broken."""
    shown = Markup("\n".join(map(text, lines.splitlines())))
    return element("pre", element("code", shown))


def note(said: object) -> Markup:
    """A sentence about what is not there."""
    return element("p", said, class_="note")
