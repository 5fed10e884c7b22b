"""`mnistlab models --cost`."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from support import BEST

from mnistlab import main
from mnistlab.benchmark.cost_of import measure

Told = Callable[..., str]

MINE = '''
from torch import nn

from mnistlab import Classifier


class Mine(Classifier):
    """One layer."""

    name = "mine"

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


class Broken(Mine):
    """None."""

    name = "broken"

    def __init__(self) -> None:
        raise ValueError("there is no such net")
'''


def test_costs_are_measured_and_one_that_breaks_is_left_out(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nets of one's own too, each with what it was measured with; what goes wrong is said, and no more than that."""
    (here / "mine.py").write_text(MINE)

    assert main(["models", "--cost", "tinymodel", "Mine", "Broken", "--csv", "--batch=3,2", "--threads=1"]) == 0
    printed = capsys.readouterr()
    rows = [*csv.DictReader(io.StringIO(printed.out))]
    names = [(row["name"], row["parameters"], row["multiply_adds"]) for row in rows]
    assert names == [("TinyModel", "135562", "134400"), ("Mine", "7850", "7840")]
    for row in rows:
        assert 0 < float(row["ms_per_image_3"]) < 1000
        assert int(row["passes_2"]) >= 5
        assert int(row["peak_bytes_3"]) >= int(row["peak_bytes_2"]) > 0
        assert int(row["checkpoint_bytes"]) > int(row["weights_bytes"]) > 4 * int(row["parameters"])
        assert int(row["threads"]) == 1
        assert float(row["busy_cores"]) >= 0
        assert row["processor"]
    assert "Broken is left out: " in printed.err
    assert "there is no such net" in printed.err


def test_costs_are_a_table_for_the_screen(told: Told) -> None:
    """Which says how it was measured."""
    said = " ".join(told("models", "--cost", "SDN8K", "--batch=4").split())

    assert "name parameters MACs ms at 4 memory checkpoint SDN8K 8,470 8.34k" in said
    assert "in batches of 4 (median of" in said


def test_a_checkpoint_is_as_large_as_it_says(trained: Callable[..., Path]) -> None:
    """But for what is kept of the run itself."""
    real = (trained() / BEST).stat().st_size

    assert 0 < real - measure("mnistlab.TinyModel", [1]).checkpoint_bytes < 100_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cost", "CNN8"], "there is no model CNN8. Did you mean CNN8K or CNN68K?"),
        (["--cost", "Wrapped"], "Wrapped is no model before it has its net"),
        (["--cost", "--batch=0"], "--batch=0: sizes from 1 to 10,000 are wanted"),
        (["--cost", "--threads=0"], "--threads=0: a number from 1 on is wanted"),
        (["--threads=1"], "--threads is for what models cost"),
        (["--cost", "--csv", "--json"], "--json and --csv exclude each other"),
        (["--csv"], "--csv is for what models cost: mnistlab models --cost --csv"),
        (["CNN8K"], "models takes names with --cost only, got CNN8K"),
    ],
)
def test_what_cannot_be_measured_is_refused(told: Told, arguments: list[str], said: str) -> None:
    """In a line."""
    assert said in told("models", *arguments, code=2)
