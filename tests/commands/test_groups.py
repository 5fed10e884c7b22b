"""`mnistlab runs --format` and `--by`: runs that differ in nothing but their seed as one row."""

import csv
import io
import json
import re
import shutil
import statistics
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from mnistlab.cli import main
from mnistlab.text.layout import as_latex, as_markdown

Fit = Callable[..., Path]
Change = Callable[..., None]
Told = Callable[..., str]
DOCS = Path(__file__).parents[2] / "docs" / "runs.md"


@pytest.fixture
def make(trained: Fit, here: Path, change: Change) -> Fit:
    """A run with a seed, a learning rate and a batch size of its own, whose test says what is wanted."""
    number = iter(range(100))

    def run(rate: float, seed: int, accuracy: float | None, batch_size: int = 128, **record: object) -> Path:
        place = here / "runs" / "tiny" / f"20260101T0000{next(number):02}Z-a{seed}"
        shutil.move(trained(), place)
        text = (place / "config.yaml").read_text().replace("seed_everything: 0", f"seed_everything: {seed}")
        text = text.replace(" batch_size: 128", f" batch_size: {batch_size}").replace(" lr: 0.001", f" lr: {rate}")
        (place / "config.yaml").write_text(text)
        test = {} if accuracy is None else {"test": {"test/acc": accuracy}}
        figures = {"best": {"val/acc": 0.5}, "last": {"epoch": 0}, **test}
        change(place, metrics=figures, started=place.name, **{"seed": seed, "looks": 0, **record})
        return place

    return run


@pytest.fixture
def groups(told: Told) -> Callable[..., list[dict[str, Any]]]:
    """The groups as JSON has them."""
    return lambda *arguments: json.loads(told("runs", "--format=json", *arguments))


Groups = Callable[..., list[dict[str, Any]]]


def test_runs_that_differ_in_nothing_but_their_seed_are_a_row(make: Fit, groups: Groups) -> None:
    """With what the groups differ in, and the interval by Student's t."""
    accuracies = {0.001: [0.90, 0.91, 0.95], 0.01: [0.80, 0.81]}
    for rate, found in accuracies.items():
        for seed, accuracy in enumerate(found):
            make(rate, seed, accuracy, name=f"some {seed}")

    rows = {row["model.optimizer.lr"]: row for row in groups()}

    for rate, found in accuracies.items():
        row = rows[rate]
        half = {2: 12.7062047, 3: 4.30265273}[len(found)] * statistics.stdev(found) / sqrt(len(found))
        assert (row["n"], row["seeds"]) == (len(found), list(range(len(found))))
        assert row["test_acc_mean"] == pytest.approx(statistics.fmean(found))
        assert row["test_acc_deviation"] == pytest.approx(statistics.stdev(found))
        assert row["test_acc_interval_high"] - row["test_acc_mean"] == pytest.approx(half, rel=1e-6)
        assert row["interval_method"] == "95 %, Student's t"
    assert [name for name in rows[0.01] if "." in name] == ["model.optimizer.lr"]


def test_groups_are_sorted_by_their_means(make: Fit, groups: Groups) -> None:
    """The best single run does not count; `--reverse` and `--limit` are of groups."""
    for rate, found in {0.001: (0.99, 0.5), 0.01: (0.8, 0.8)}.items():
        for seed, accuracy in enumerate(found):
            make(rate, seed, accuracy)

    assert [row["model.optimizer.lr"] for row in groups("--sort=-test_acc")] == [0.01, 0.001]
    assert [row["model.optimizer.lr"] for row in groups("--sort=-test_acc", "--reverse", "--limit=1")] == [0.001]


def test_a_seed_counts_once_and_what_has_not_finished_not_at_all(make: Fit, groups: Groups) -> None:
    """The newest of it; of all that is left out a word is said."""
    make(0.001, 0, 0.5)
    newest = make(0.001, 0, 0.6)
    make(0.001, 1, 0.7)
    make(0.001, 2, 0.1, status="failed")
    make(0.001, 3, None)

    (row,) = groups()

    assert (row["n"], row["seeds"], row["runs"][0]) == (2, [0, 1], str(newest.relative_to(Path.cwd())))
    assert groups("--status=failed")[0]["test_acc_mean"] == 0.1


def test_a_repetition_without_a_test_takes_no_tested_seed_away(make: Fit, groups: Groups) -> None:
    """However new it is."""
    tested = [make(0.001, seed, 0.5 + seed / 10) for seed in range(3)]
    make(0.001, 0, None)

    (row,) = groups()

    assert (row["n"], row["runs"]) == (3, [str(run.relative_to(Path.cwd())) for run in tested])
    assert row["test_acc_mean"] == pytest.approx(0.6)


def test_what_is_left_out_is_said(make: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the table, so that it does not disturb a program."""
    make(0.001, 0, 0.5)
    make(0.001, 0, 0.6)
    make(0.001, 1, None)
    make(0.001, 2, 0.1, status="failed")
    make(0.001, 3, 0.5, git={"commit": "0" * 40})

    assert main(["runs", "--by=lr"]) == 0
    notes = capsys.readouterr().err
    assert "1 run left out of other commands than fit, or that have not finished (--status=...)" in notes
    assert "1 run left out by the rule that a configuration and seed count once" in notes
    assert "1 run left out without a test" in notes
    assert "1 group with runs of several commits or versions" in notes


def test_validation_stands_where_nothing_was_tested(make: Fit, told: Told) -> None:
    """And beside the test where some groups have one."""
    make(0.001, 0, None)
    assert "val acc, %" in told("runs", "--format=markdown")
    assert "test acc, %" not in told("runs", "--format=markdown")

    make(0.01, 0, 0.9)
    assert "| test acc, % | 95 % (Student) | val acc, % | 95 % (Student) |" in told("runs", "--format=markdown")


def test_groups_are_made_by_the_options_that_are_named(make: Fit, groups: Groups, told: Told) -> None:
    """All else is put together; a short name will do where no other option ends so."""
    for rate in (0.001, 0.01):
        for size in (64, 128):
            make(rate, 0, rate + size / 1000, size)

    rows = groups("--by=data.batch_size,lr", "--sort=test_acc")
    assert [(row["data.batch_size"], row["model.optimizer.lr"], row["n"]) for row in rows] == [
        (64, 0.001, 1),
        (64, 0.01, 1),
        (128, 0.001, 1),
        (128, 0.01, 1),
    ]
    assert {row["data.batch_size"]: row["n"] for row in groups("--by=batch_size")} == {64: 2, 128: 2}
    assert [row["model"] for row in groups("--by=model")] == ["mnistlab.models.TinyModel"]
    assert "Did you mean batch_size" in told("runs", "--by=batch_sise", code=2)


def test_a_column_is_named_after_its_option(make: Fit, trained: Fit, told: Told, groups: Groups) -> None:
    """Also where the option is one of a list, whose entries have numbers."""
    make(0.001, 0, 0.9)
    trained("--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/loss")

    heading, *_ = told("runs", "--format=markdown").splitlines()

    assert "| callbacks |" in heading
    assert "callbacks.monitor" in heading
    assert "| 0 |" not in heading
    assert {row.get("trainer.callbacks.0") for row in groups("--by=callbacks")} == {
        None,
        "lightning.pytorch.callbacks.EarlyStopping",
    }


def test_a_table_for_a_paper_is_latex_or_markdown(make: Fit, told: Told) -> None:
    """With the same figures as the spreadsheet has."""
    for seed, accuracy in enumerate((0.9, 0.92)):
        make(0.001, seed, accuracy, looks=7, multiply_adds=134400)
        make(0.01, seed, accuracy - 0.1)

    latex, markdown = told("runs", "--format=latex"), told("runs", "--format=markdown")
    (row, _) = csv.DictReader(io.StringIO(told("runs", "--format=csv", "--sort=-test_acc")))

    assert float(row["test_acc_mean"]) == pytest.approx(0.91)
    assert float(row["multiply_adds"]) == 134400
    assert r"0.001 & 2 & 91.00 $\pm$ 1.41 & 78.29 to 100.00 & 135,562 & 134k &" in latex
    assert latex.startswith(
        "% needs \\usepackage{booktabs}\n\\begin{tabular}{lrrrrrrr}\n\\toprule\nlr & n & test acc, \\%"
    )
    assert [line.rpartition(" & ")[2] for line in latex.splitlines() if "pm" in line] == [r"0 \\", r"7 \\"]
    assert "| 0.001 | 2 | 91.00 ± 1.41 | 78.29 to 100.00 | 135,562 | 134k |" in markdown
    assert "| looks |" in markdown


def test_what_does_not_go_together_is_told(make: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs on other images, which share no row; and a test that came later, whose figure is not that of the run."""
    for seed, train in enumerate(("a", "b")):
        make(0.001, seed, 0.9, data_fingerprint={"train": train})
    untested = make(0.01, 0, None)
    assert main(["test", f"--ckpt_path={untested}"]) == 0
    capsys.readouterr()

    assert main(["runs", "--format=json"]) == 0
    told = capsys.readouterr()
    said = told.err
    divided = [row for row in json.loads(told.out) if "images" in row]
    assert sorted((row["images"], row["n"]) for row in divided) == [("a", 1), ("b", 1)]
    (tested,) = (each for each in Path("runs").glob("*/*") if not each.name.startswith("20260101T"))
    assert "note: runs on different images have rows of their own;" in said
    assert f"note: 1 run tested only later, which counts for no figure here: {tested.name} (" in said
    assert main(["runs", "cite", str(untested)]) == 0
    assert "it was tested later, by a command of its own" in " ".join(capsys.readouterr().out.split())


def test_runs_are_grouped_by_who_ran_them_too(make: Fit, told: Told) -> None:
    """And by other words that are no options, beside those that are."""
    for seed, user in enumerate(("anna", "ben", "ben")):
        make(0.001, seed, 0.9, user=user)

    rows = json.loads(told("runs", "--format=json", "--by=user,lr"))

    assert sorted((row["user"], row["model.optimizer.lr"], row["n"]) for row in rows) == [
        ("anna", 0.001, 1),
        ("ben", 0.001, 2),
    ]
    assert "Did you mean user?" in told("runs", "--by=usr", code=2)


def test_signs_of_latex_and_markdown_are_none_in_a_cell() -> None:
    """Whatever somebody called a file."""
    latex, markdown = as_latex(["a_b"], [[r"50 % & {x} \y ~^<|>"]]), as_markdown(["a|b"], [["x_*y*"]])

    strange = r"\textbackslash{}y \textasciitilde{}\textasciicircum{}\textless{}\textbar{}\textgreater{} \\"
    assert latex[3] == r"a\_b \\"
    assert latex[5] == rf"50 \% \& \{{x\}} {strange}"
    assert markdown == [r"| a\|b |", "| --- |", r"| x\_\*y\* |"]


def test_rows_and_groups_are_not_asked_for_at_once(told: Told) -> None:
    """Nor is a format that there is not."""
    assert "groups are written with --format=csv" in told("runs", "--csv", "--format=csv", code=2)
    assert "latex or markdown or csv or json is wanted" in told("runs", "--format=html", code=2)
    assert told("runs", "--format=json") == "[]\n"
    assert "None of these runs" in told("runs", "--by=model")


def test_the_queries_of_the_docs_run(make: Fit, here: Path) -> None:
    """Where DuckDB is installed: the first groups as `--by=model` does."""
    del here
    duckdb = pytest.importorskip("duckdb")
    for seed, accuracy in enumerate((0.9, 0.92)):
        make(0.001, seed, accuracy)
    queries = re.findall(r"^```sql\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    found = [duckdb.sql(query).fetchall() for query in queries]

    assert found[0][0][:2] == ("TinyModel", 2)
    assert len(found) > 1
    assert all(found)
