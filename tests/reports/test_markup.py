"""Text is escaped, whoever wrote it."""

import pytest

from mnistlab.reports.markup import Markup, element, preformatted, table, text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('a "b" & c', "a &quot;b&quot; &amp; c"),
        ("\x1b[31m\ud800\u202e", r"\x1b[31m\ud800\u202e"),
        (Markup("<b>"), "<b>"),
    ],
)
def test_text_is_shown_and_does_nothing(said: str, shown: str) -> None:
    """Only what is HTML already stays as it is."""
    assert text(said) == shown


def test_an_element_escapes_its_inner_text_and_its_attributes() -> None:
    """A name can neither open an element nor close an attribute."""
    made = element("p", "<i>", element("b", "x"), title='"><script>', class_="note", hidden=False, open=True)

    assert made == '<p title="&quot;&gt;&lt;script&gt;" class="note" open>&lt;i&gt;<b>x</b></p>'


def test_a_table_has_headers_with_a_scope() -> None:
    """Of columns and of rows, so that a cell can be read aloud with them."""
    made = table(("Name", "Value"), [("a", 1), ("<b>", 2)], caption="Values", numeric=["Value"])

    assert made.count('scope="col"') == made.count('scope="row"') == 2
    assert "<caption>Values</caption>" in made
    assert "&lt;b&gt;" in made
    assert made.count('class="number"') == 3


def test_lines_stay_lines() -> None:
    """A configuration is read line by line."""
    assert ">a: 1\nb: &lt;2&gt;<" in preformatted("a: 1\nb: <2>\n")
