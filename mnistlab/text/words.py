"""Text of docstrings, made fit for a terminal."""

import re

_MARKUP = (
    (re.compile(r"\s*\.\. [\w-]+::.*$"), ""),  # a note or a warning, and what comes after it
    (re.compile(r":[\w:]+:`([^`<]+?)\s*<[^`>]*>`"), r"\1"),  # :ref:`text <target>`
    (re.compile(r":[\w:]+:`~(?:[^`]*\.)?([^`.]*)`"), r"\1"),  # :class:`~package.Name`
    (re.compile(r":[\w:]+:`([^`]*)`"), r"\1"),
    (re.compile(r"``([^`]*)``"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*<[^`>]*>`_+"), r"\1"),
    (re.compile(r"`([^`]+)`_+"), r"\1"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"\1"),
    (re.compile(r"(?<!\w)\*([^*\s][^*]*)\*(?!\w)"), r"\1"),
)
_SENTENCE = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!vs)[.!?]\s+(?=[A-Z`\"'(])")


def cleaned(text: str) -> str:
    """Text without the markup of reStructuredText, in one line."""
    text = " ".join(text.split())
    for markup, plain in _MARKUP:
        text = markup.sub(plain, text)
    return text.strip()


def first_sentence(text: str) -> str:
    """The first sentence of a text in one line."""
    found = _SENTENCE.search(text)
    return text[: found.start() + 1] if found else text
