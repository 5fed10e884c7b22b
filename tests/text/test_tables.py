"""Rows in columns, as wide as the screen."""

import pytest

from mnistlab.text.layout import table


@pytest.mark.parametrize(
    ("last", "lines"),
    [("short", 1), ("too long", 2), ("much longer than what is left", 2)],
    ids=str,
)
def test_the_last_column_stands_below_only_where_it_has_no_room(last: str, lines: int) -> None:
    """However little it needs."""
    shown = table(["name", "what"], [["x" * 70, last]], 80)

    assert len(shown) == 2 * lines
    assert max(map(len, shown)) <= 80
