"""Domains: what stands in place of a value where many are to be tried."""

import pytest

from mnistlab import choice, interval
from mnistlab.errors import LabError
from mnistlab.options.domains import Choice, Interval, with_domain
from mnistlab.options.written import from_arguments


def domain(text: str) -> object:
    """What `--model.x=text` takes its values from; None for one value."""
    (entry,) = from_arguments([f"--model.x={text}"])
    return with_domain(entry).domain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int:64..512:64", Interval(64, 512, 64, whole=True)),
        ("int:2..8", Interval(2, 8, whole=True)),
        ("logint:16..1024", Interval(16, 1024, log=True, whole=True)),
        ("float:0..0.5", Interval(0.0, 0.5)),
        ("float:0..0.5:0.1", Interval(0.0, 0.5, 0.1)),
        ("float:-1..1", Interval(-1.0, 1.0)),
        ("log:1e-4..1e-2", Interval(1e-4, 1e-2, log=True)),
    ],
)
def test_an_interval_is_written_with_two_dots(text: str, expected: Interval) -> None:
    """Its kind says whether numbers are whole and how they are spread."""
    assert domain(text) == expected
    assert domain(str(expected)) == expected


def test_a_choice_keeps_commas_within_brackets() -> None:
    """A list is one value."""
    found = domain("choice:[1,2],[3],null")

    assert isinstance(found, Choice)
    assert [each.written[0].value for each in found.candidates] == ["[1,2]", "[3]", "null"]


def test_a_number_in_a_choice_is_called_as_a_number() -> None:
    """So that plots have it in order; what would be typed otherwise stays text."""
    found = domain("choice:128,0.5,1e-3,SGD")

    assert isinstance(found, Choice)
    assert [each.label for each in found.candidates] == [128, 0.5, "1e-3", "SGD"]


@pytest.mark.parametrize("text", ["128", "chance:1,2", "interest:3", "null", "http://x..y"])
def test_other_text_is_one_value(text: str) -> None:
    """Only the five words before a colon make a domain."""
    assert domain(text) is None


def test_a_text_that_looks_like_a_domain_can_be_meant() -> None:
    """`literal:` says so."""
    (entry,) = from_arguments(["--run.name=literal:choice:a,b"])

    assert with_domain(entry).domain is None
    assert with_domain(entry).value == "choice:a,b"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("choice:1,,2", "has an empty value"),
        ("choice:", "this choice is empty"),
        ("choice:1,2,1", "1 twice"),
        ("int:1..2.5", "whole numbers"),
        ("int:8", "two numbers"),
        ("float:0.5..0.1", "a smaller number first"),
        ("log:0..1", "above 0"),
        ("log:1..10:2", "no step"),
        ("int:1..4:9", "a step between 0 and 3"),
        ("float:0..inf", "finite"),
    ],
)
def test_what_is_no_domain_is_refused_with_an_example(text: str, said: str) -> None:
    """The message names the option, the reason, and how to write it."""
    with pytest.raises(LabError, match=r"^--model\.x=") as caught:
        domain(text)

    assert said in str(caught.value)
    assert "Write " in str(caught.value)
    assert "::" not in str(caught.value)


def test_python_refuses_an_empty_domain() -> None:
    """At the line where it is written."""
    with pytest.raises(ValueError, match="needs values"):
        choice()
    with pytest.raises(ValueError, match="smaller number first"):
        interval(2, 1)
