"""What is said about measurements."""

import pytest

from mnistlab.benchmark.figures import Figure, Mark, Result, Series, head, lines, ratio
from mnistlab.text.values import three_digits


def test_a_figure_is_its_median_with_its_spread() -> None:
    """A single one has none."""
    assert str(Figure([3.0, 1.0, 2.5])) == "2.5 s [1 to 3]"
    assert str(Figure([0.123456], "MiB")) == "0.123 MiB"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.012345, "0.0123"), (1.2345, "1.23"), (12.345, "12.3"), (123.4, "123"), (28_905.4, "28,905"), (0.0, "0")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    """Whole ones have all."""
    assert three_digits(value) == text


@pytest.mark.parametrize(
    ("mark", "value", "reached"),
    [
        (Mark(1.35, 1.10), 1.36, [False, False]),
        (Mark(1.35, 1.10), 1.35, [True, False]),
        (Mark(1.35, 1.10), 1.0, [True, True]),
        (Mark(6, 8, at_least=True), 5.9, [False, False]),
        (Mark(6, 8, at_least=True), 8.0, [True, True]),
        (Mark(200), 201, [False]),
    ],
)
def test_a_mark_is_reached_from_its_side(mark: Mark, value: float, reached: list[bool]) -> None:
    """From above, or from below where more is better."""
    assert [each for _, each in Result("a", value, "x", "", mark).verdicts()] == reached


def test_seconds_do_not_count_without_the_accuracy() -> None:
    """Fast and wrong is no record."""
    result = Result("a", 1.0, "s", "", Mark(10, 5), judged=False)

    assert result.verdicts() == [(10, False), (5, False)]


def test_a_ratio_is_that_of_the_medians() -> None:
    """And both are said."""
    result = ratio("a", ("fit", Figure([2.0, 4.0, 9.0])), ("plain loop", Figure([2.0])))

    assert result.value == 2.0
    assert (result.name, result.how) == ("a, fit / plain loop", "4 s [2 to 9] / 2 s")
    assert list(result.parts) == ["fit", "plain loop"]


def test_a_paired_ratio_is_the_median_of_ratios() -> None:
    """Each taken in the same minute: a slow one slows both."""
    result = ratio("a", ("fit", Figure([2.0, 40.0, 9.0])), ("plain loop", Figure([1.0, 10.0, 3.0])), paired=True)

    assert result.value == 3.0


def test_a_line_says_the_figure_its_marks_and_what_it_is_made_of() -> None:
    """The marks stand below their columns."""
    result = Result("an epoch", 1.2, "x", "fit 1 s", Mark(1.35, 1.10))

    (line,) = lines(result, 80)

    assert line.split() == ["1.20x", "1.35x", "+", "1.1x", "-", "an", "epoch:", "fit", "1", "s"]
    assert [line.index("1.35x"), line.index("1.1x"), line.index("an")] == [
        head().index("mark"),
        head().index("then"),
        head().index("what"),
    ]


def test_lines_fit_on_the_screen() -> None:
    """However long."""
    result = Result("name " * 20, 28_905, "images/s", "how " * 30)
    series = Series("by size", ("images", "s"), [(1_000, 0.5), (16_000, 8.0)])

    for found in (result, series):
        assert all(len(line) <= 80 for line in lines(found, 80))
    assert "16,000" in "\n".join(lines(series, 80))
