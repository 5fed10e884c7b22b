"""Several runs stand side by side; a sweep shows its trials and its best run."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pages import Page

from mnistlab.cli import main
from mnistlab.reports.charts import save

Fit = Callable[..., Path]
Report = Callable[..., Page]
Change = Callable[..., None]


def test_several_runs_stand_side_by_side(here: Path, fit: Fit, report: Report) -> None:
    """In the current folder: a table, their curves in one chart, and each by itself, folded."""
    runs = [fit("--trainer.max_epochs=2", f"--run.name=run {number}") for number in range(2)]
    page = report(*map(str, runs))

    assert (here / "report.html").is_file()
    assert len(page.all("details")) >= 2
    assert [each["href"] for each in page.all("a")] == ["#run-0", "#run-1"]
    drawn = page.source.partition("Validation accuracy, %</text>")[2].partition("</svg>")[0]
    assert all(f">run {number}<" in drawn for number in range(2))


def test_runs_have_short_names_that_no_other_has(fit: Fit, report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that was given twice tells nothing; a run that is named twice counts once, which is said."""
    first, second, third = fit("--run.name=same"), fit("--run.name=same"), fit("--run.name=own")
    page = report(*map(str, (first, second, third)))

    assert re.findall(r'<a href="#run-\d">(.*?)</a>', page.source) == [first.name[-6:], second.name[-6:], "own"]

    assert main(["report", "own", "own", str(third)]) == 0
    outcome = capsys.readouterr()
    assert "named several times counts once; 1 of 3" in outcome.err
    assert str(third.relative_to(Path.cwd())) in outcome.out


def test_runs_on_different_data_are_not_drawn_into_one_chart(fit: Fit, report: Report, change: Change) -> None:
    """And it is said that their figures do not compare."""
    runs = [fit("--trainer.max_epochs=2", f"--seed_everything={seed}") for seed in range(3)]
    page = report(*map(str, runs))
    assert "different data" not in page.text

    change(runs[2], data="KMNIST")
    page = report(*map(str, runs))

    assert "They are of different data (SyntheticDigits, KMNIST): these figures do not compare." in page.text
    for data, drawn in {"SyntheticDigits": runs[:2], "KMNIST": runs[2:]}.items():
        chart = page.source.partition(f"Validation accuracy on {data}, %</text>")[2].partition("</svg>")[0]
        assert [run.name[-6:] in chart for run in runs] == [run in drawn for run in runs]


@pytest.fixture
def sweep(here: Path, trained: Fit, change: Change) -> Path:
    """A sweep of three trials, of which one was pruned."""
    folder = here / "runs" / "<lr>"
    for number, rate in enumerate((1e-5, 3e-3, 1e-3)):
        trial = trained("--trainer.max_epochs=2", f"--model.optimizer.lr={rate}")
        change(trial, sweep="<lr>", trial=f"trial-{number:04}", point={"model.optimizer.lr": rate, "data.<b>": "<i>"})
        folder.mkdir(exist_ok=True)
        shutil.move(trial, folder / f"trial-{number:04}")
    change(folder / "trial-0000", status="pruned", metrics={})
    (folder / "sweep.json").write_text("{}")
    (folder / "plots").mkdir()
    save(lambda axes: axes.set_title("front"), folder / "plots" / "slice-model.hidden_dim.svg")
    (folder / "plots" / "evil.svg").write_text("<svg><script>alert(1)</script></svg>")
    return folder


def test_a_sweep_has_a_table_of_its_trials_and_its_best_run(sweep: Path, report: Report) -> None:
    """The best first, with what was swept, and its plots as images, in which nothing runs."""
    page = report("<lr>")
    accuracy = {
        number: json.loads((sweep / f"trial-000{number}" / "run.json").read_text())["metrics"]["best"]["val/acc"]
        for number in (1, 2)
    }
    best = max(accuracy, key=lambda number: accuracy[number])

    assert (sweep / "report.html").is_file()
    names = [f"trial-{number:04}" for number in (best, 3 - best, 0)]
    assert re.findall(r'<th scope="row">(trial-\d+)<', page.source) == names
    assert all(text in page.text for text in ("lr", "0.003", "2 finished, 1 pruned", f"Best trial: {names[0]}"))
    assert "slice of model.hidden_dim" in page.text
    assert [(each["src"] or "")[:18] for each in page.all("img") if each.get("class") == "plot"] == [
        "data:image/svg+xml"
    ] * 2
    assert not page.all("script", "b", "i", "lr")


def test_seeds_of_a_trial_have_a_row_in_common(sweep: Path, change: Change, report: Report) -> None:
    """Their mean and deviation, and what the sweep went by; its curves and its best run go by the folder."""
    for number, trial in enumerate(("trial-0001", "trial-0001", "trial-0002")):
        best = {"val/acc": 0.5 + 0.1 * number, "val/loss": 0.3 - 0.1 * number}
        folder = sweep / f"trial-000{number}"
        change(folder, trial=trial, status="finished", point={}, metrics={"best": best}, seed=number)
        (folder / "metrics.csv").write_text("epoch,val/loss\n0,0.9\n1,0.8\n")
    (sweep / "sweep.json").write_text('{"metric": "val/loss"}')

    page = report("<lr>")

    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)[:4] for row in re.findall("<tr>.*?</tr>", page.source)[:3]]
    assert rows == [
        ["Trial", "n", "Best val/loss", "Validation"],
        ["trial-0002", "1", "0.1000", "70.00 %"],
        ["trial-0001", "2", "0.2500 ± 0.0707", "55.00 ± 7.07 %"],
    ]
    assert "Best trial: trial-0002" in page.text


def test_a_sweep_is_reported_alone(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What beside it would mean is anyone's guess."""
    assert main(["report", str(sweep), "last"]) == 2
    assert "is a sweep, which has a page of its own" in capsys.readouterr().err


def test_a_sweep_that_has_just_begun_has_a_page(here: Path, report: Report) -> None:
    """It says that there is nothing yet."""
    (here / "runs" / "new").mkdir(parents=True)
    (here / "runs" / "new" / "sweep.json").write_text("{}")

    assert "There are no trials in it yet." in report("new").text
