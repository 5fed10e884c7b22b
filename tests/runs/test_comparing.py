"""Two tests on the same images are compared image by image."""

from collections.abc import Sequence
from fractions import Fraction
from math import comb

import numpy as np
import pytest

from mnistlab.errors import LabError
from mnistlab.options.files import from_text
from mnistlab.runs.comparing import Flip, compare_outcomes
from mnistlab.runs.differences import ABSENT, Difference, differences
from mnistlab.runs.outcomes import Answers, Outcomes
from mnistlab.runs.sheets import by_option
from mnistlab.runs.statistics import mcnemar


def outcomes(images: str = "same", **said: Sequence[int]) -> Outcomes:
    """A test with these predictions of each head; the right class of image i is i modulo 3."""
    answers = {}
    for head, prediction in said.items():
        certain = np.ones(len(prediction), np.float32)
        answers[head] = Answers(np.array(prediction), np.arange(len(prediction)) % 3, certain, certain)
    return Outcomes(answers, images, dict.fromkeys(said, 3))


@pytest.mark.parametrize(
    ("only_a", "only_b", "expected"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 5, 1.0),
        (0, 5, 0.0625),
        (5, 0, 0.0625),
        (2, 8, 0.109375),
        (1, 9, 0.021484375),
        (86, 150, 3.716e-05),  # 2 x 2 table of Agresti (2013), table 11.1
    ],
)
def test_mcnemar_gives_the_known_values(only_a: int, only_b: int, expected: float) -> None:
    """Those of the binomial test with one half, as tables and other programs have them."""
    assert mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("only_a", "only_b"), [(3, 9), (40, 61), (700, 800)])
def test_mcnemar_is_the_sum_of_the_tails(only_a: int, only_b: int) -> None:
    """Without rounding on the way, and the same for both nets."""
    count = only_a + only_b
    exact = Fraction(2 * sum(comb(count, drawn) for drawn in range(only_a + 1)), 2**count)

    assert mcnemar(only_a, only_b) == mcnemar(only_b, only_a) == float(exact)


def test_many_images_that_only_one_gets_right_are_no_burden() -> None:
    """The numbers on the way are far larger than a float."""
    assert mcnemar(0, 10_000) == 0.0
    assert 0.3 < mcnemar(34_900, 35_100) < 0.6


def test_images_are_counted_and_those_that_flip_are_named() -> None:
    """Two that are wrong in different ways do not flip: neither is better."""
    found = compare_outcomes(outcomes(digit=[0, 1, 0, 1, 2]), outcomes(digit=[0, 2, 2, 2, 1]))["digit"]

    assert found.flips == (Flip(1, 1, 1, 2), Flip(2, 2, 0, 2), Flip(4, 1, 2, 1))
    assert (found.only_a, found.only_b, found.both_right, found.both_wrong) == (1, 2, 1, 1)


def test_the_primary_heads_are_compared_whatever_they_are_called() -> None:
    """A single label has a name of its own; further heads are compared where both have them."""
    several = outcomes(digit=[0, 1, 2], loops=[0, 0, 0], slant=[0, 0, 0])
    single = outcomes(label=[0, 1, 1])

    assert list(compare_outcomes(several, single)) == ["digit"]
    assert list(compare_outcomes(single, several)) == ["label"]
    assert list(compare_outcomes(several, outcomes(digit=[0, 0, 0], slant=[0, 1, 2]))) == ["digit", "slant"]


def test_different_images_are_not_compared() -> None:
    """Whatever their number."""
    with pytest.raises(LabError, match="different images"):
        compare_outcomes(outcomes(digit=[0, 1]), outcomes("others", digit=[0, 1]))


def test_options_differ_by_value_by_presence_and_by_place_in_a_list() -> None:
    """One that is null is something else than one that is not there."""
    common = "data: {class_path: MNIST, init_args: {val_size: 5}}\n"
    a = f"{common}trainer: {{callbacks: [{{class_path: Timer}}, {{class_path: Stop, init_args: {{patience: 3}}}}]}}\n"
    b = f"{common}trainer: {{callbacks: [{{class_path: Timer}}, {{class_path: Stop, init_args: {{patience: 4}}}}]}}\n"

    assert differences(by_option(from_text(a, "a")), by_option(from_text(b, "b"))) == [
        Difference("trainer.callbacks.1.patience", 3, 4)
    ]
    assert differences({"x": None, "y": 1}, {"y": 1, "z": 2}) == [
        Difference("x", None, ABSENT),
        Difference("z", ABSENT, 2),
    ]
