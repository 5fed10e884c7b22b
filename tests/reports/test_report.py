"""`mnistlab report` writes one file that says what is known about a run."""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pages import Page

from mnistlab.cli import main
from mnistlab.runs.outcomes import load_outcomes

Fit = Callable[..., Path]
Report = Callable[..., Page]
Change = Callable[..., None]


def test_the_newest_training_run_is_reported_in_its_own_folder(fit: Fit, report: Report) -> None:
    """Its figures, its curves, its test, its configuration, its machine and how to repeat it."""
    fit()
    run = fit("--trainer.max_epochs=2", "--model.hidden_dim=40")
    page = report()
    record = json.loads((run / "run.json").read_text())

    assert (run / "report.html").is_file()
    for text in (
        "TinyModel",
        f"{100 * record['metrics']['test']['test/acc']:.2f} %",
        f"{100 * record['metrics']['best']['val/acc']:.2f} %",
        f"{record['parameters']:,}",
        "finished",
        "model.hidden_dim",
        record["versions"]["torch"],
        record["segments"][0]["command"],
        f"--config={run.relative_to(Path.cwd())}/config.yaml",
    ):
        assert text in page.text
    labels = [each["aria-label"] or "" for each in page.all("div") if each.get("role") == "img"]
    assert [label.split()[0] for label in labels] == ["loss", "accuracy,", "Accuracy"]


def test_a_page_is_one_file_without_addresses(trained: Fit, report: Report) -> None:
    """It needs neither a network nor a script, and forbids both."""
    trained("--trainer.max_epochs=2")
    page = report()

    assert not page.all("script", "link", "iframe", "object", "base")
    assert not [name for _, each in page.elements for name in each if name.startswith("on")]
    assert all((each["src"] or "").startswith("data:image/png;base64,") for each in page.all("img"))
    assert all((each["href"] or "").startswith("#") for each in page.all("a", "use"))
    assert not re.search(r"https?://|url\((?!#)|@import", page.source)
    assert [each["content"] for each in page.all("meta") if "http-equiv" in each] == [
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    ]


def test_a_page_can_be_read_aloud(fit: Fit, report: Report) -> None:
    """Headings in order, tables with headers, pictures with words, no id twice, every link leads somewhere."""
    first, second = fit("--trainer.max_epochs=2"), fit("--trainer.max_epochs=2")
    page = report(str(first), str(second))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    ids = [each["id"] for _, each in page.elements if "id" in each]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(each.get("scope") in ("row", "col") for each in page.all("th"))
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(each.get("alt") for each in page.all("img"))
    assert all(each.get("aria-label") for each in page.all("div") if each.get("role"))
    assert len(ids) == len(set(ids))
    assert {(each["href"] or "")[1:] for each in page.all("a", "use")} <= set(ids)
    assert page.all("html")[0]["lang"] == "en"


def test_the_matrix_counts_every_test_image(trained: Fit, report: Report) -> None:
    """Its diagonal are the right answers."""
    run = trained()
    page = report()
    answers = load_outcomes(run / "outcomes.safetensors").answers["label"]
    matrix = page.source.partition('class="confusion')[2].partition("</table>")[0]
    right, wrong = (
        sum(int(count) for count in re.findall(rf'<td class="{kind}"[^>]*>(\d+)<', matrix))
        for kind in ("right", "wrong")
    )

    assert right == int(answers.right.sum())
    assert right + wrong == len(answers.target) == 200


def test_the_worst_mistakes_are_shown_with_their_images(fit: Fit, report: Report) -> None:
    """At most 24, the most confident first, each an image of its own with what it was taken for."""
    run = fit()
    page = report()
    answers = load_outcomes(run / "outcomes.safetensors").answers["label"]
    rows = [int(re.findall(r"\d+", each["alt"] or "")[0]) for each in page.all("img")]
    confidence = answers.confidence[rows]

    assert len(rows) == min(24, int((~answers.right).sum()))
    assert not answers.right[rows].any()
    assert np.array_equal(confidence, np.sort(confidence)[::-1])
    assert confidence[0] == answers.confidence[~answers.right].max()
    assert f"{int(answers.target[rows[0]])}, taken for {int(answers.prediction[rows[0]])} " in page.text


def test_what_somebody_wrote_is_text(trained: Fit, report: Report, change: Change) -> None:
    """Names, tags, errors, commands and versions open no element."""
    evil = "<script>alert('x')</script>\x1b[31m\ud800"
    run = trained("--trainer.max_epochs=2")
    change(
        run,
        name=evil,
        tags=[evil],
        status="failed",
        data=evil,
        device=evil,
        machine={evil: evil},
        segments=[{"command": evil, "error": evil}],
        **{"class": evil},
    )
    for page in (report(), report(str(run), str(run.parent / "." / run.name), "--output=other.html")):
        assert not page.all("script")
        assert r"<script>alert('x')</script>\x1b[31m\ud800" in page.text


def test_a_run_of_several_heads_has_a_table_of_them(trained: Fit, report: Report) -> None:
    """The primary one is shown in full."""
    run = trained("--data.labels=MeasuredLabels")
    page = report()
    metrics = json.loads((run / "run.json").read_text())["metrics"]["test"]

    for head in ("thickness", "slant", "loops"):
        assert f"{head}" in page.text
        assert f"{100 * metrics[f'test/{head}_acc']:.2f} %" in page.text
    assert "Confusion matrix of digit" in page.text
    assert page.source.count('class="confusion') == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--outptu=x.html"], "Did you mean --output?"),
        (["nonsense"], "nonsense"),
        ([], "no training run lies there"),
        (["--trust=../x"], "the name of a package is wanted"),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_mistake_is_told_in_a_line(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """With the nearest right thing."""
    assert main(["report", *arguments]) == 2

    assert message in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_told(trained: Fit, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left there."""
    trained()
    (here / "folder").mkdir()

    assert main(["report", "--output=none/x.html"]) == 2
    assert "none/x.html cannot be written" in capsys.readouterr().err
    assert main(["report", "--output=folder"]) == 2
    assert "it is a folder" in capsys.readouterr().err
    assert not list(here.glob("**/.*"))


def test_help_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """And names every option."""
    assert main(["report", "--help"]) == 0
    shown = capsys.readouterr().out

    assert max(map(len, shown.splitlines())) <= 80
    assert all(option in shown for option in ("RUN", "SWEEP", "--output", "--trust", "--run.dir"))
