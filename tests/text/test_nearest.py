"""A guess is made where one is worth it."""

import pytest

from mnistlab.text.nearest import nearest


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("otput", ["output", "trust", "help"], ["output"]),
        ("conv3", ["conv", "conv1", "linear"], ["conv", "conv1"]),
        ("val", ["val/acc", "val/loss", "train/acc"], ["val/acc", "val/loss"]),
        ("zzz", ["output"], []),
    ],
)
def test_a_name_that_is_much_less_like_it_is_no_second_guess(name: str, known: list[str], expected: list[str]) -> None:
    """Those that are about as like, or begin so, are."""
    assert nearest(name, known) == expected
