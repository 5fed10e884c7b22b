"""`mnistlab bench`."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from forked import Popen

from mnistlab import main

SMALL = ("--data=SyntheticDigits", "--data.train_size=1500", "--data.test_size=200", "--data.val_size=300")

_LIGHT = ("--version", "--help", "fit --help", "models")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes whose starts are not timed begin at once."""
    monkeypatch.setattr(subprocess, "Popen", Popen)


def bench(*arguments: str, data: Sequence[str] = SMALL) -> dict[str, Any]:
    """Measure quickly, and give what was kept."""
    assert main(["bench", "--quick", "--output=figures.json", *arguments, *data]) == 0
    kept: dict[str, Any] = json.loads(Path("figures.json").read_text())
    return kept


def results(kept: dict[str, Any], section: str) -> dict[str, dict[str, Any]]:
    """The lines of a section by their names."""
    return {each["name"]: each for each in kept["sections"][section]}


@pytest.mark.slow
@pytest.mark.usefixtures("here", "at_once")
def test_the_same_net_is_timed_in_all_ways(capsys: pytest.CaptureFixture[str]) -> None:
    """Each figure of a ratio is there, and they make it."""
    kept = bench("--only=epochs")

    found = results(kept, "epochs")
    epoch = found["SDN68K, an epoch, fit / plain loop"]
    pairs = zip(epoch["parts"]["fit"]["values"], epoch["parts"]["plain loop"]["values"], strict=True)
    assert epoch["value"] == median(ours / theirs for ours, theirs in pairs)
    assert [mark["bound"] for mark in epoch["marks"]] == [1.15, 1.10]
    assert {name.partition(",")[0] for name in found} == {"SDN68K", "CNN421K"}
    assert all(value > 0 for each in found.values() for part in each["parts"].values() for value in part["values"])
    assert {"torch", "lightning"} <= set(kept["versions"])
    assert kept["machine"]["cores"]
    shown = capsys.readouterr().out
    assert "plain loop" in shown
    assert "marks are reached. All figures are in figures.json." in shown
    assert max(map(len, shown.splitlines()[2:])) <= 80  # below the machine and the versions


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_commands_are_timed_against_the_imports() -> None:
    """What only shows something takes a part of them."""
    found = results(bench("--only=starts,memory"), "starts")

    shown = [next(iter(each["parts"])) for each in found.values()]
    assert shown == [
        *_LIGHT,
        "TAB after --model=S",
        "a mistake in a command",
        "test of a small net",
        "runs show",
        "runs diff",
        "fit to its first step",
    ]
    assert {each["name"].partition(" / ")[2] for each in found.values()} == {"import lightning.pytorch.cli"}
    light, rest = list(found.values())[:5], list(found.values())[5:]
    assert all(each["value"] < 1 for each in light)
    assert all(0 < each["value"] < 3 for each in rest)
    assert rest[-1]["value"] > 0.3
    bounds = [[mark["bound"] for mark in each["marks"]] for each in rest]
    assert bounds == [[0.06, 0.04], [0.65, 0.5], *[[0.4, 0.25]] * 2, [0.85, 0.7]]
    kept = json.loads(Path("figures.json").read_text())
    peak, growth = kept["sections"]["memory"]
    assert peak["value"] < 2_000  # below 0: a run imports less than all of Lightning does
    assert peak["parts"]["fit"]["median"] > 100
    assert len(growth["parts"]["after each epoch"]["values"]) == 8


@pytest.mark.slow
@pytest.mark.usefixtures("here", "at_once")
def test_epochs_are_timed_beside_busy_processes() -> None:
    """From the start of a run and from its middle on, over its quiet epochs, and several runs at once."""
    found = results(bench("--only=busy"), "busy")

    whole, midway, at_once = found.values()
    assert whole["parts"]["quiet"] == midway["parts"]["quiet"]
    assert all(each["value"] > 0 for each in (whole, midway, at_once))
    assert [[mark["bound"] for mark in each["marks"]] for each in found.values()] == [[3, 2.3], [3, 2.3], [1.15]]


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_pictures_of_ones_own_are_read_beside_torchvision() -> None:
    """Which goes image by image in one process; where there is little time nothing is judged."""
    (found,) = results(bench("--only=own"), "own").values()

    assert found["name"] == "150 PNG files read, torchvision's ImageFolder / Images"
    assert all(value > 0 for part in found["parts"].values() for value in part["values"])
    assert not found["marks"]


@pytest.mark.slow
@pytest.mark.usefixtures("here", "at_once")
def test_the_cost_is_told_by_images_batch_and_records() -> None:
    """A row for each size."""
    kept = bench("--only=scaling,augmentation")

    by_images, by_batch, by_records = kept["sections"]["scaling"]
    assert [row[:2] for row in by_images["rows"]] == [[1, 5_500], [4, 23_500]]
    assert [row[0] for row in by_batch["rows"]] == [128, 1_024]
    assert [row[0] for row in by_records["rows"]] == [100, 1_000]
    assert all(row[-1] > 0 for series in (by_images, by_batch, by_records) for row in series["rows"])
    assert len(kept["sections"]["augmentation"]) == 3


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_lists_and_boards_of_many_runs_are_timed() -> None:
    """With an index and without, and the memory; the marks are those of ten thousand."""
    found = bench("--only=runs")["sections"]["runs"]

    names = [each["name"] for each in found]
    assert names[:2] == ["runs with a filter, 400 runs, without an index", "runs with a filter, 400 runs"]
    assert names[4:] == ["board, 300 runs", "board, 400 runs"]
    assert all(each["value"] > 0 and not each["marks"] for each in found)


@pytest.mark.slow
@pytest.mark.usefixtures("here", "at_once")
def test_accuracy_is_told_with_the_seconds() -> None:
    """Marks are those of MNIST: other data have none."""
    (quick,) = bench("--only=accuracy")["sections"]["accuracy"]

    assert 0 < quick["parts"]["accuracy"]["median"] <= 100
    assert len(quick["parts"]["reference loop"]["values"]) == 2
    assert quick["marks"] == []


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only=epoch"], "there is no section `epoch`. Did you mean epochs?"),
        (["--only=nonsense"], "There are epochs, augmentation, starts"),
        (["--only=sweeps"], "--only=sweeps: without --against there are epochs, augmentation, starts"),
        (["--only=busy", "--against=."], "--only=busy: with --against there are epochs, starts, sweeps, memory"),
        (["--against=nonsense"], "--against=nonsense: there is no folder nonsense with a mnistlab/ in it, and"),
        (["--against=."], "--against=.: there is no folder . with a mnistlab/ in it, and"),
        (["--seeds=0"], "--seeds=0: a number from 1 on is needed"),
        (["--seeds=x"], "--seeds=x: a number from 1 on is needed"),
        (["--quik"], "Did you mean --quick?"),
        (["epochs"], "bench takes no names. Did you mean --only=epochs?"),
        (["--output=nowhere/figures.json"], "there is no folder"),
        (["--output=there.json"], "the file is there already"),
        (["--data=MNITS"], "Did you mean MNIST"),
        (["--data=SyntheticDigits", "--data.trian_size=5"], "Did you mean train_size?"),
    ],
)
def test_a_mistake_is_told_before_anything_is_measured(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten minutes are not spent on it."""
    Path("there.json").write_text("{}")

    assert main(["bench", *arguments]) == 2

    shown = " ".join(capsys.readouterr().err.split())
    assert said in shown
    assert [path.name for path in Path().iterdir()] == ["there.json"]
    assert Path("there.json").read_text() == "{}"


@pytest.mark.slow
@pytest.mark.usefixtures("here", "at_once")
def test_judgements_are_seldom_wrong() -> None:
    """Simulated ones, and those of real runs; other rules are named beside them, and effects that are found."""
    kept = bench("--only=judging")

    found = {name: each for name, each in results(kept, "judging").items() if "value" in each}
    assert sum(bool(each["marks"]) for each in found.values()) == 6
    assert all(mark["reached"] for each in found.values() for mark in each["marks"])
    series = [each for each in kept["sections"]["judging"] if "rows" in each]
    assert [row[0] for row in series[0]["rows"]] == [1, 2, 3]
