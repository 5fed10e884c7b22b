"""A page of HTML as a test reads it."""

from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "img", "br", "col"}


class Page(HTMLParser):
    """A page as a reader finds it.

    Attributes:
        elements: Each element with its attributes, in order.
        text: All text outside the style.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        assert not self._open, f"{self._open} are left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element of a drawing."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        if self._open and self._open[-1] != "style":
            self.text += data

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        """The attributes of all such elements."""
        return [attributes for tag, attributes in self.elements if tag in tags]
