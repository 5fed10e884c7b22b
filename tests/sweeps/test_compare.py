"""`mnistlab compare`, from its arguments to its table."""

import csv
import io
import json
import os
import shutil
import statistics
from collections.abc import Callable
from dataclasses import replace
from math import sqrt
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mnistlab.cli import main
from mnistlab.runs.statistics import smallest_difference
from mnistlab.sweeps.table import Standing, as_json, front

Compare = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def compare(here: Path, small_data: tuple[str, ...], inline: None, capsys: pytest.CaptureFixture[str]) -> Compare:
    """The rows of a comparison."""
    del here, inline

    def run(*arguments: str) -> list[dict[str, Any]]:
        assert main(["compare", *small_data, "--trainer.max_epochs=1", "--json", *arguments]) == 0
        rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return rows

    return run


@pytest.fixture
def said(
    here: Path, small_data: tuple[str, ...], inline: None, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """A comparison as a person reads it, in one line."""
    del here, inline

    def run(*arguments: str) -> str:
        assert main(["compare", *small_data, "--trainer.max_epochs=1", *arguments]) == 0
        return " ".join(capsys.readouterr().out.split())

    return run


def standing(model: str, parameters: int, *accuracies: float) -> Standing:
    """A model with some test accuracies."""
    return Standing(model, parameters, list(range(len(accuracies))), accuracies, 1.0, 1000.0)


def test_each_model_is_trained_with_each_seed(compare: Compare, here: Path) -> None:
    """The row has the mean over what the runs say, and the figures of its own runs."""
    rows = compare("--models=TinyModel,SDN8K", "--seeds=2")

    assert {row["model"]: row["parameters"] for row in rows} == {"TinyModel": 135_562, "SDN8K": 8_470}
    costs = {"TinyModel": 134_400, "SDN8K": 8_340}
    assert {row["model"]: row["multiply_adds"] for row in rows} == costs
    records = [json.loads(path.read_text()) for path in here.glob("runs/compare-*/*/run.json")]
    assert [record["multiply_adds"] for record in records] == [costs[record["class"]] for record in records]
    for row in rows:
        folders = here.glob(f"runs/compare-*/{row['model']}-seed-*")
        tests = [
            json.loads((folder / "run.json").read_text())["metrics"]["test"]["test/acc"] for folder in sorted(folders)
        ]
        assert row["accuracies"] == tests
        assert row["mean"] == pytest.approx(statistics.fmean(tests))
        assert row["deviation"] == pytest.approx(statistics.stdev(tests))


def test_a_cell_is_what_fit_makes(compare: Compare, fit: Callable[..., Path]) -> None:
    """The same model, seed and options give the same test accuracy."""
    (row,) = compare("--models=TinyModel", "--seeds=1", "--seed_everything=3")

    assert row["accuracies"] == [
        json.loads((fit("--seed_everything=3") / "run.json").read_text())["metrics"]["test"]["test/acc"]
    ]


def test_what_is_there_is_not_trained_again(compare: Compare, here: Path) -> None:
    """More models and more seeds are added to it."""
    compare("--models=TinyModel", "--seeds=1")
    before = {path: path.read_text() for path in here.glob("runs/*/*/run.json")}
    rows = compare("--models=TinyModel,SDN8K", "--seeds=2")

    assert all(path.read_text() == text for path, text in before.items())
    assert [len(row["seeds"]) for row in rows] == [2, 2]
    assert len(list(here.glob("runs/compare-*/*/run.json"))) == 4
    assert len(list(here.glob("runs/compare-*"))) == 1


def test_other_conditions_are_another_comparison(compare: Compare, here: Path) -> None:
    """Figures of different learning rates never stand in one table."""
    compare("--models=SDN8K", "--seeds=1")
    compare("--models=SDN8K", "--seeds=1", "--model.optimizer.lr=0.01")

    assert len(list(here.glob("runs/compare-*"))) == 2


def test_the_table_is_for_people_and_for_spreadsheets(
    compare: Compare, here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same figures, and plots of accuracy against what it costs."""
    rows = compare("--models=TinyModel,SDN8K", "--seeds=2")
    arguments = ["compare", *small_data, "--trainer.max_epochs=1", "--models=TinyModel,SDN8K", "--seeds=2"]
    assert main(arguments) == 0
    table = capsys.readouterr().out
    assert main([*arguments, "--csv"]) == 0
    sheet = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    for row, line in zip(rows, sheet, strict=True):
        assert f"{100 * row['mean']:.2f} ± {100 * row['deviation']:.2f}" in table
        assert float(line["mean"]) == row["mean"]
    assert all(len(line) <= 80 for line in table.splitlines() if not line.startswith(("Plots", "compare")))
    assert not any(line.startswith("   ") for line in table.splitlines())  # what has no room stands below no row
    plots = {path.name: path.read_text() for path in here.glob("runs/*/plots/*")}
    assert plots.keys() == {"pareto-parameters.svg", "pareto-seconds.svg"}
    assert all(">test accuracy, %</text>" in plot for plot in plots.values())


def test_that_of_another_user_is_left_to_them(
    here: Path,
    compare: Compare,
    small_data: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a folder that a class shares; the way to one's own is told."""
    compare("--models=SDN8K", "--seeds=1", "--name=it")
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "it" and may(path, mode))

    assert main(["compare", *small_data, "--models=SDN8K", "--seeds=1", "--name=it"]) == 2

    said = capsys.readouterr().err
    assert (
        "runs/it is another user's. --name=... begins one of your own; mnistlab report it --output=FILE shows this one."
        in said
    )
    assert [folder.name for folder in (here / "runs").iterdir() if folder.is_dir()] == ["it"]


def test_quick_is_ten_batches_of_one_epoch(compare: Compare, here: Path) -> None:
    """Of every model."""
    compare("--models=SDN8K,CNN8K", "--quick", "--seeds=1", "--data.batch_size=16")

    records = [json.loads(path.read_text()) for path in here.glob("runs/*/*/run.json")]
    assert [record["metrics"]["last"]["step"] for record in records] == [10, 10]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--models is missing"),
        (["--models=SDN8,CNN8K"], "Did you mean SDN8K"),
        (["--models=SDN8K", "--model=CNN8K"], "--models=A,B"),
        (["--models=SDN8K", "--model.optimizer.lr=log:1e-4..1e-2"], "`mnistlab sweep` tries several"),
        (["--modles=SDN8K"], "Did you mean --models"),
        (["--models=SDN8K,TinyModel", "--model.patch_size=7"], "patch_size"),
        (["--models=SDN8K", "--seeds=0"], "seeds"),
        (["--models=SDN8K", "--trials=3"], "--trials is an option of `mnistlab sweep`"),
        (["SDN8K", "CNN8K"], "Did you mean --models=SDN8K,CNN8K?"),
        (["--model=SDN8K,CNN8K"], "Did you mean --models=SDN8K,CNN8K?"),
        (["--models=SDN8K,", "CNN8K"], "a space has cut the list. Write --models=SDN8K,CNN8K"),
        (["--models=SDN8K", "--json", "--csv"], "exclude each other"),
        (["--models=SDN8K", "--run.test=false"], "test accuracy"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    here: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is written."""
    assert main(["compare", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(here.iterdir())


def test_all_that_is_wrong_is_told_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the comparison itself, of its conditions, and of its models."""
    del here
    wrong = ["--models=SDN8,CNN8K", "--seeds=0", "--model.optimizer.lr=x", "--trainer.max_epochs=choice:1,2"]
    assert main(["compare", *wrong]) == 2

    begins = [line.removeprefix("mnistlab: ").partition(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert sorted(begins) == ["--model.optimizer.lr=x", "--model=SDN8", "--seeds=0", "--trainer.max_epochs=choice"]


def test_a_model_is_on_the_front_if_none_is_better_for_less() -> None:
    """Equal accuracy for more does not count."""
    small, large = standing("small", 10, 0.9), standing("large", 20, 0.95)
    worse, equal = standing("worse", 15, 0.85), standing("equal", 30, 0.95)

    assert front([equal, worse, large, small], lambda each: each.parameters) == [small, large]


def test_the_interval_is_that_of_student() -> None:
    """For three values 1, 2 and 3: 2 plus or minus 4.303 / sqrt(3)."""
    interval = standing("any", 1, 0.01, 0.02, 0.03).interval

    assert interval == pytest.approx((0.02 - 0.024843, 0.02 + 0.024843), abs=1e-5)
    assert standing("any", 1, 0.5).interval is None


def test_the_interval_is_that_of_student_for_many_seeds_too() -> None:
    """For 32 values, half of them 0 and half 1: 2.0395 times the standard error; of equal ones it is their value."""
    low, high = standing("any", 1, *16 * [0.0, 1.0]).interval or (0.0, 0.0)

    assert (high - low) / 2 == pytest.approx(2.039513446396408 * sqrt(8 / 31) / sqrt(32), rel=1e-9)
    assert standing("any", 1, 0.9, 0.9, 0.9).interval == pytest.approx((0.9, 0.9), abs=1e-15)


def test_models_that_differ_alike_with_each_seed_are_told_apart() -> None:
    """Their seeds vary far more than their differences; the others have a letter in common."""
    same = [
        standing("a", 1, 0.90, 0.95, 0.99),
        standing("b", 1, 0.89, 0.9401, 0.98),
        standing("c", 1, 0.80, 0.96, 0.95),
    ]
    first, second, third = json.loads(as_json(same))

    assert not {*first["group"]} & {*second["group"]}
    assert {*first["group"]} & {*third["group"]}
    assert second["behind_best"] == pytest.approx(0.0099667, abs=1e-6)
    assert 0 < second["behind_best_low"] < second["behind_best"] < second["behind_best_high"]
    assert second["behind_best_p"] == pytest.approx(3 * 1.1187e-05, rel=1e-3)


def test_only_shared_seeds_are_paired() -> None:
    """One that is shared tells nothing."""
    first, second = (
        Standing("a", 1, [0, 1, 2], [0.9, 0.91, 0.92], 1.0, 1.0),
        Standing("b", 1, [2, 3, 4], [0.1, 0.11, 0.12], 1.0, 1.0),
    )
    assert [row["group"] for row in json.loads(as_json([first, second]))] == [None, None]

    later = replace(second, seeds=[1, 2, 3])
    assert json.loads(as_json([first, later]))[1]["behind_best"] == pytest.approx(0.81)


def test_what_could_not_have_been_told_is_said(compare: Compare, said: Callable[..., str]) -> None:
    """In points, by the deviation of the middle pair; of one run each that it is nothing."""
    rows = compare("--models=TinyModel,SDN8K,CNN8K", "--seeds=2")
    (smallest,) = {row["smallest_difference"] for row in rows}
    table = said("--models=TinyModel,SDN8K,CNN8K", "--seeds=2")

    assert f"With 2 seeds a difference of less than {100 * smallest:.2f} points could not be told" in table
    assert f"behind {rows[0]['model']}" in table
    assert "Nothing can be told of one run each: --seeds=3" in said("--models=TinyModel,SDN8K", "--seeds=1")
    assert "told" not in said("--models=TinyModel", "--seeds=2")


def test_a_model_that_varies_far_more_leaves_what_the_others_could_show() -> None:
    """The middle pair counts; for normal differences it is what the deviation of all would say, mostly."""
    rng = Random(0)  # noqa: S311 - no secret

    def drawn(deviation: float) -> Standing:
        return standing("any", 1, *(rng.gauss(0.5, deviation) for _ in range(40)))

    even = [drawn(0.01) for _ in range(4)]
    smallest = [json.loads(as_json(found))[0]["smallest_difference"] for found in (even, [*even, drawn(1.0)])]

    assert smallest == pytest.approx(2 * [smallest_difference(0.01 * sqrt(2), 40)], rel=0.2)


def test_models_are_found_however_they_are_spelt(compare: Compare) -> None:
    """With spaces and in any case; each once."""
    rows = compare("--models=tinymodel, SDN8K,TinyModel", "--seeds=1")

    assert {row["model"] for row in rows} == {"TinyModel", "SDN8K"}


def test_a_cell_that_was_removed_is_trained_again(compare: Compare, here: Path) -> None:
    """It is missing."""
    first = compare("--models=SDN8K", "--seeds=2")
    shutil.rmtree(next(here.glob("runs/*/SDN8K-seed-1")))

    assert [row["accuracies"] for row in compare("--models=SDN8K", "--seeds=2")] == [row["accuracies"] for row in first]


def test_a_preset_with_domains_is_no_condition(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A comparison has the same value for all."""
    (here / "mine.yaml").write_text("trainer:\n  max_epochs: choice:1,2\n")

    assert main(["compare", "--models=SDN8K,CNN8K", "--config=mine.yaml"]) == 2
    assert "the same value" in capsys.readouterr().err


def test_images_per_second_are_those_that_were_trained_on(compare: Compare, here: Path) -> None:
    """However many of them a step takes: 500 an epoch."""
    (row,) = compare("--models=SDN8K", "--seeds=1", "--data.batch_size=300", "--trainer.accumulate_grad_batches=3")

    record = json.loads(next(here.glob("runs/*/*/run.json")).read_text())
    assert record["train_images"] == 500
    assert row["images_per_second"] == pytest.approx(500 / record["timings"]["train_seconds"])


def test_models_are_compared_without_validation_too(compare: Compare) -> None:
    """By the test of their last weights."""
    (row,) = compare("--models=SDN8K", "--seeds=1", "--data.val_size=0")

    assert len(row["accuracies"]) == 1


def write_presets() -> None:
    """Two presets of one's own with data of theirs, the second of which builds on the first."""
    Path("presets").mkdir()
    Path("presets/One.yaml").write_text("model: SDN8K\nrun: {tags: [mine]}\n")
    Path("presets/Two.yaml").write_text("base: One\nmodel: CNN8K\n")


def test_presets_are_compared_like_models(compare: Compare) -> None:
    """Each has a row with its name and its model."""
    write_presets()
    rows = compare("--presets=One,Two", "--seeds=1")

    assert {(row["preset"], row["model"], row["parameters"]) for row in rows} == {
        ("One", "SDN8K", 8_470),
        ("Two", "CNN8K", 7_851),
    }


def test_presets_of_one_size_are_drawn(
    here: Path, small_data: tuple[str, ...], inline: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against the one number of parameters that they have, without a warning of the plot's."""
    write_presets()
    Path("presets/Two.yaml").write_text("base: One\nmodel.optimizer.lr: 0.01\n")
    del inline
    assert main(["compare", "--presets=One,Two", "--seeds=1", "--trainer.max_epochs=1", *small_data]) == 0

    said = capsys.readouterr()
    assert list(here.glob("runs/*/plots/pareto-parameters.svg"))
    assert "Warning" not in said.err
    assert not any(line.startswith("   ") for line in said.out.splitlines())  # columns that find no room are left out


def test_presets_are_compared_by_their_tag(compare: Compare) -> None:
    """All that have it."""
    write_presets()

    assert {row["preset"] for row in compare("--tag=mine", "--seeds=1")} == {"One", "Two"}


def test_what_a_preset_trains_is_what_fit_trains(compare: Compare, here: Path, small_data: tuple[str, ...]) -> None:
    """With what is typed beside it on top."""
    write_presets()
    (row,) = compare("--presets=One", "--seeds=1", "--model.optimizer.lr=0.01")
    assert main(["fit", "--config=One", *small_data, "--trainer.max_epochs=1", "--model.optimizer.lr=0.01"]) == 0

    (record,) = [json.loads(path.read_text()) for path in here.glob("runs/sdn_8k/*/run.json")]
    assert row["accuracies"] == [record["metrics"]["test"]["test/acc"]]


def test_a_preset_that_has_changed_is_trained_again_and_the_others_are_not(compare: Compare, here: Path) -> None:
    """A preset that is added later joins them."""
    write_presets()
    compare("--presets=One", "--seeds=1")
    compare("--presets=One,Two", "--seeds=1")
    assert len([*here.glob("runs/compare-*/*/run.json")]) == 2

    Path("presets/Two.yaml").write_text("base: One\nmodel: TinyModel\n")
    rows = compare("--presets=One,Two", "--seeds=1")

    assert len([*here.glob("runs/compare-*/*/run.json")]) == 3
    assert {row["model"] for row in rows} == {"SDN8K", "TinyModel"}


def test_a_preset_of_somebody_else_with_the_same_name_is_left_to_them(
    compare: Compare,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    small_data: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who compares under one name in one folder trains what they have written, whoever began."""
    write_presets()
    with monkeypatch.context() as patch:
        patch.setattr("mnistlab.sweeps.compare.try_all", lambda *_: None)  # the first one is interrupted at once
        main(["compare", "--presets=One", "--seeds=1", "--name=it", "--trainer.max_epochs=1", *small_data])
    capsys.readouterr()
    Path("presets/One.yaml").write_text("model: TinyModel\n")

    (row,) = compare("--presets=One", "--seeds=1", "--name=it")

    assert (row["parameters"], len(row["accuracies"])) == (135_562, 1)
    (record,) = [json.loads(path.read_text()) for path in here.glob("runs/it/*/run.json")]
    assert record["class"] == "TinyModel"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--presets=One,Tow"], "--presets=Tow: there is neither such a file nor such a preset. Did you mean Two?"),
        (["--presets=Thre,Tow"], "--presets=Thre: "),
        (["--presets=One", "--models=SDN8K"], "--models and --presets exclude each other"),
        (["--tag=mein"], "no preset has the tag mein. Did you mean mine?"),
        (["--presets=One,presets/One.yaml"], "are both called One"),
        (["--preset=One,Two"], "Did you mean --presets?"),
        (["--presets=One", "--run.test=false"], "test accuracy"),
    ],
)
def test_presets_that_cannot_be_compared_are_refused(
    here: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is written."""
    write_presets()

    assert main(["compare", "--data=SyntheticDigits", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (here / "runs").exists()


def test_presets_on_other_data_are_told(compare: Compare, capsys: pytest.CaptureFixture[str]) -> None:
    """Their accuracies do not compare; data that are typed are those of all."""
    write_presets()
    compare("--presets=One,Two", "--seeds=1")

    assert "do not compare" not in capsys.readouterr().err
