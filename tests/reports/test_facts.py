"""A record may be of an older mnistlab, half written, or of anyone."""

import json
from pathlib import Path

import pytest

from mnistlab.reports.facts import UNKNOWN, Facts, duration, finite, percent

ODD: list[object] = [
    {},
    {"metrics": [], "segments": {}, "tags": "a", "timings": None, "started": 5, "point": [1]},
    {"metrics": {"test": {"test/acc": "high"}, "best": {"val/acc": float("nan")}}, "parameters": True, "segments": [1]},
    {"status": "running", "process": "x", "host": [], "segments": [{"command": 1}, {"error": {}}], "started": "soon"},
]


@pytest.mark.parametrize("record", ODD)
def test_an_odd_record_has_facts_too(here: Path, record: object) -> None:
    """What is not there, or something else, is not known."""
    (here / "run.json").write_text(json.dumps(record))
    facts = Facts.of(here)

    assert (facts.tested("acc"), facts.validated("acc"), facts.parameters, facts.seconds) == (None,) * 4
    assert (facts.tags, facts.point, list(facts.rows)) == ([], {}, [])
    assert all(isinstance(each, str) for each in (facts.title, facts.name, facts.status, facts.started))
    assert all(isinstance(command, str) for command in facts.commands)


def test_a_folder_without_a_record_is_called_by_its_name(here: Path) -> None:
    """Or with one that cannot be read."""
    (here / "run.json").write_text("{")

    assert (Facts.of(here).title, Facts.of(here).status) == (here.name, UNKNOWN)


def test_rows_hold_finite_numbers_only(here: Path) -> None:
    """A loss that is none leaves a gap in the curve."""
    (here / "metrics.csv").write_text("epoch,val/loss,val/acc\n0,nan,0.5\n1,2.5,\n2,x,inf,7\n")

    assert Facts.of(here).rows == [{"epoch": 0, "val/acc": 0.5}, {"epoch": 1, "val/loss": 2.5}, {"epoch": 2}]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, UNKNOWN), (12.54, "12.5 s"), (61, "1 min 01 s"), (3599.8, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_times_are_said_as_one_would(seconds: float | None, text: str) -> None:
    """Seconds matter for minutes, minutes for hours."""
    assert duration(seconds) == text


def test_no_number_is_no_share() -> None:
    """JSON knows numbers that are none, and whole ones that no float holds."""
    assert (finite(float("inf")), finite(10**400), finite(True), finite("1")) == (None,) * 4
    assert (percent(None), percent(0.99871)) == (UNKNOWN, "99.87 %")
