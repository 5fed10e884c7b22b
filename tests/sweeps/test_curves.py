"""Learning curves: an error against the one thing that varies, and the power law that it follows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pages import Page

from mnistlab.cli import main
from mnistlab.sweeps.curves import PowerLaw

_IMAGES = (500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 55_000.0)
_SWEPT = ("--model=SDN8K", "--data=SyntheticDigits", "--data.test_size=100", "--data.val_size=100")

pytestmark = pytest.mark.usefixtures("inline")


@pytest.mark.parametrize(
    ("factor", "exponent", "rest"), [(300.0, -0.5, 0.8), (50.0, -0.3, 0.0), (2e-4, 1.2, 1.0), (1e6, -2.0, 3.0)]
)
def test_a_power_law_is_found_again(factor: float, exponent: float, rest: float) -> None:
    """From errors that follow it."""
    errors = [factor * n**exponent + rest for n in _IMAGES]

    law = PowerLaw.fitted(_IMAGES, errors)

    assert law is not None
    assert law.exponent == pytest.approx(exponent, abs=1e-3)
    assert law.at(np.array(_IMAGES)).tolist() == pytest.approx(errors, rel=1e-3)
    assert (law.start, law.end) == (500, 55_000)


@pytest.mark.parametrize(
    ("law", "typed", "printed"),
    [
        (PowerLaw(14_812.3, -0.66, 0.0, 1, 2), "14,800 n^-0.66", "14,800 n⁻⁰·⁶⁶"),
        (PowerLaw(5.408, 0.97, 2.31, 0, 1), "5.41 n^0.97 + 2.3", "5.41 n⁰·⁹⁷ + 2.3"),
        (PowerLaw(1.234e9, -2.0, 0.5, 1, 2), "1.23×10^9 n^-2.00 + 0.5", "1.23×10⁹ n⁻²·⁰⁰ + 0.5"),  # noqa: RUF001
        (PowerLaw(2e-7, 1.2, 0.0, 1, 2), "2.00×10^-7 n^1.20", "2.00×10⁻⁷ n¹·²⁰"),  # noqa: RUF001
    ],
)
def test_a_power_law_is_written_as_in_papers(law: PowerLaw, typed: str, printed: str) -> None:
    """In three digits that count, its powers raised where it is drawn."""
    assert (str(law), law.raised) == (typed, printed)


@pytest.mark.parametrize(
    ("places", "errors"),
    [
        ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]),
        ([1.0, 1.0, 2.0, 2.0, 3.0], [3.0, 3.0, 2.0, 2.0, 1.0]),
        ([1.0, 2.0, 3.0, 4.0], [3.0, 2.0, 1.0, 0.0]),
    ],
)
def test_too_little_is_fitted_by_no_law(places: list[float], errors: list[float]) -> None:
    """Three places for three numbers prove nothing, and an error of 0 has no power."""
    assert PowerLaw.fitted(places, errors) is None


def test_one_option_that_varies_alone_is_drawn_as_a_curve(
    here: Path, capsys: pytest.CaptureFixture[str], report: Callable[..., Page]
) -> None:
    """Over the images that are trained on, with intervals over seeds, and in the report."""
    sizes = "--data.train_size=choice:200,300,500,900"
    assert main(["sweep", *_SWEPT, sizes, "--trainer.max_epochs=1", "--seeds=2", "--name=it"]) == 0

    said = " ".join(capsys.readouterr().out.split())
    drawn = (here / "runs/it/plots/curve-data.train_size.svg").read_text()
    assert "Power law: validation error, % =" in said
    assert "n training images, least squares of relative errors, n from 100 to 800" in said
    assert "n from 100 to 800" in drawn
    assert ">validation error, %</text>" in drawn
    assert "mean of 2 seeds, 95 % by Student's t" in drawn
    assert "learning curve of data.train_size" in report("it").text


def test_nets_of_several_sizes_are_drawn_by_their_parameters(here: Path) -> None:
    """Whatever makes them so; two places are no curve, and a name is none."""
    small = [*_SWEPT[1:], "--data.train_size=200", "--trainer.max_epochs=1"]
    for name, swept in {
        "widths": "--model.hidden_dim=choice:8,16,32",
        "two": "--model.hidden_dim=choice:8,16",
        "names": "--model.optimizer=choice:SGD,Adam,AdamW",
    }.items():
        assert main(["sweep", "--model=TinyModel", swept, *small, f"--name={name}"]) == 0

    (curve,) = here.glob("runs/*/plots/curve-*.svg")
    assert curve.parent.parent.name == "widths"
    assert "parameters" in curve.read_text()
