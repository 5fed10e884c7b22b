"""Numbers and values are shown as people read and type them."""

import pytest

from mnistlab.text.values import (
    UNKNOWN,
    count,
    counted,
    cut,
    duration,
    in_seconds,
    last_parts,
    percent,
    seconds_in,
    shown,
    size,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, UNKNOWN), (12.54, "12.5 s"), (61, "1 min 01 s"), (3599.8, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_times_are_said_as_one_would(seconds: float | None, text: str) -> None:
    """Seconds matter for minutes, minutes for hours."""
    assert duration(seconds) == text


def test_what_is_not_known_is_no_number() -> None:
    """It has a sign of its own, or none in a column of numbers."""
    assert (percent(None), percent(0.99871), percent(0.5, 0)) == (UNKNOWN, "99.87 %", "50 %")
    assert (count(None), count(67978)) == (UNKNOWN, "67,978")
    assert (in_seconds(None), in_seconds(9.54), in_seconds(1234.5)) == ("", "9.5", "1,234")


def test_one_thing_is_no_several() -> None:
    """Nor is none; large numbers have their commas."""
    assert [counted(number, "run") for number in (0, 1, 2000)] == ["0 runs", "1 run", "2,000 runs"]


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(999, "999 bytes"), (1500, "1.5 kB"), (12.5e6, "12.5 MB"), (3e9, "3 GB")]
)
def test_bytes_have_the_largest_unit_of_which_there_is_one(size_bytes: float, text: str) -> None:
    """In three digits."""
    assert size(size_bytes) == text


def test_values_are_shown_as_they_are_typed() -> None:
    """So that they can be copied."""
    assert [shown(value) for value in (None, True, "a", [1, None], {"a": False})] == [
        "null",
        "true",
        "a",
        "[1,null]",
        "{a: false}",
    ]


def test_an_option_is_called_by_its_end_where_no_other_ends_so() -> None:
    """Then by all of its name."""
    names = ["model.optimizer.lr", "model.dropout", "data.dropout"]

    assert list(last_parts(names).values()) == ["lr", "model.dropout", "data.dropout"]


def test_a_text_that_is_cut_says_so() -> None:
    """And is no longer than it may be."""
    assert (cut("abc", 3), cut("abcdef", 5), cut("abcdef", 5, "…")) == ("abc", "ab...", "abcd…")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("60s", 60),
        ("10m", 600),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("", None),
        ("soon", None),
        ("5m3h", None),
    ],
)
def test_times_are_read_as_they_are_typed(text: str, seconds: float | None) -> None:
    """In any of their units; what is no time is none."""
    assert seconds_in(text) == seconds
