"""What is nearly a domain."""

import pytest

from mnistlab.options.swept import meant_domain


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("choise:64,128", "choice:64,128"),
        ("Choice:64,128", "choice:64,128"),
        ("choice=64,128", "choice:64,128"),
        ("choice:64;128", "choice:64,128"),
        ("'choice:64,128'", "choice:64,128"),
        ("64..128", "int:64..128"),
        ("64..512:64", "int:64..512:64"),
        ("0..0.5", "float:0..0.5"),
        ("1e-4..1e-2", "float:1e-4..1e-2"),
        ("flaot:0..0.5", "float:0..0.5"),
    ],
)
def test_a_slip_is_recognised(text: str, meant: str) -> None:
    """In the word, in the signs after it, or where the word is missing."""
    assert meant_domain(text) == meant


@pytest.mark.parametrize(
    "text", ["choice:64,128", "int:2..8", "128", "SGD", "literal:choice:a", "http://x..y", "C:data", "'128'", "a..b"]
)
def test_other_text_is_left_alone(text: str) -> None:
    """Also a domain as it should be."""
    assert meant_domain(text) is None
