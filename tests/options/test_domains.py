"""Domains: what stands in place of a value where many are to be tried."""

import gc
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from mnistlab import choice, interval
from mnistlab.cli import main
from mnistlab.errors import LabError
from mnistlab.options.command_line import from_arguments
from mnistlab.options.domains import Choice, Domain, Interval, domain_words
from mnistlab.options.labels import Label
from mnistlab.options.swept import with_domain
from mnistlab.options.written import Written

SWEEPS = Path(__file__).parents[2] / "docs" / "sweeps.md"


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


def test_the_documentation_has_a_row_for_every_word() -> None:
    """In docs/sweeps.md, as it is written."""
    rows = [line for line in SWEEPS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

    assert not [word for word in domain_words() if not any(row.startswith(f"| `{word}:") for row in rows)]


def test_python_refuses_an_empty_domain() -> None:
    """At the line where it is written."""
    with pytest.raises(LabError, match="needs values"):
        choice()
    with pytest.raises(LabError, match="smaller number first"):
        interval(2, 1)


@pytest.fixture
def powers() -> Iterator[None]:
    """A further word for domains, and all that it takes."""

    @dataclass(frozen=True)
    class Powers(Domain):
        """Powers of two."""

        words: ClassVar[dict[str, str]] = {"pow2": "pow2:3..5"}

        low: int
        high: int

        def __str__(self) -> str:
            return f"pow2:{self.low}..{self.high}"

        @classmethod
        def parse(cls, word: str, text: str, entry: Written) -> Domain:
            """Two exponents."""
            del entry
            low, dots, high = text.partition("..")
            if not (dots and low.isdigit() and high.isdigit()):
                raise ValueError(f"`{word}` takes two exponents.")
            return cls(int(low), int(high))

        def values(self) -> Sequence[Label]:
            return [2**exponent for exponent in range(self.low, self.high + 1)]

    yield
    del Powers
    gc.collect()  # or else other tests would find it


@pytest.mark.usefixtures("powers", "inline")
@pytest.mark.parametrize("sampler", ["grid", "random", "tpe"])
def test_a_further_word_is_one_class(here: Path, small_data: tuple[str, ...], sampler: str) -> None:
    """It says what it reads and which values there are; each way to choose them, plots and tables follow."""
    swept = ["--model=TinyModel", "--model.layers=1", "--model.hidden_dim=pow2:3..5", f"--sampler={sampler}"]
    assert main(["sweep", *swept, *small_data, "--trainer.max_epochs=1", "--trials=3", "--name=it"]) == 0

    records = [json.loads(path.read_text()) for path in here.glob("runs/it/*/run.json")]
    assert sorted(each["point"]["model.hidden_dim"] for each in records) == [8, 16, 32]
    assert [path.name for path in here.rglob("slice-*.svg")] == ["slice-model.hidden_dim.svg"]


@pytest.mark.usefixtures("powers")
def test_a_further_word_is_refused_like_any(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With how it is written, and where it is misspelt; a single run takes none."""
    del here
    for text, said in (("pow2:a", "`pow2` takes two exponents. Write pow2:3..5."), ("pow:3..5", "pow2:3..5")):
        assert main(["sweep", "--model=TinyModel", f"--model.hidden_dim={text}"]) == 2
        assert said in capsys.readouterr().err
    assert main(["fit", "--model=TinyModel", "--model.hidden_dim=pow2:3..5"]) == 2
    assert "pow2:3..5" in capsys.readouterr().err
