"""`mnistlab report` writes one file that says what is known about runs, whatever state they are in."""

import itertools
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from mnistlab.answers import Answers
from mnistlab.charts import save
from mnistlab.cli import main
from mnistlab.runs.outcomes import Outcomes, load_outcomes, save_outcomes

Fit = Callable[..., Path]
Change = Callable[..., None]

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """A page as a reader finds it.

    Attributes:
        elements: Each element with its attributes, in order.
        text: All text outside the style.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        assert not self._open, f"{self._open} are left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element of a drawing."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        if self._open and self._open[-1] != "style":
            self.text += data

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        """The attributes of all such elements."""
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[..., Page]:
    """Write a report and read the page that it says it has written."""

    def written(*arguments: str) -> Page:
        capsys.readouterr()
        assert main(["report", *arguments]) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        assert out.startswith("wrote ")
        return Page(Path(out.removeprefix("wrote ").strip()))

    return written


@pytest.fixture
def change() -> Change:
    """Change the record of a run."""

    def changed(folder: Path, **fields: Any) -> None:
        record = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**record, **fields}))

    return changed


Report = Callable[..., Page]


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


def test_a_page_is_one_file_without_addresses(fit: Fit, report: Report) -> None:
    """It needs neither a network nor a script, and forbids both."""
    fit("--trainer.max_epochs=2")
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


def test_the_matrix_counts_every_test_image(fit: Fit, report: Report) -> None:
    """Its diagonal are the right answers."""
    run = fit()
    page = report()
    answers = load_outcomes(run / "outcomes.safetensors").answers["label"]
    matrix = page.source.partition('class="confusion"')[2].partition("</table>")[0]
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
    assert torch.equal(confidence, confidence.sort(descending=True).values)
    assert confidence[0] == answers.confidence[~answers.right].max()
    assert f"{int(answers.target[rows[0]])}, taken for {int(answers.prediction[rows[0]])} " in page.text


def test_what_somebody_wrote_is_text(fit: Fit, report: Report, change: Change) -> None:
    """Names, tags, errors, commands and versions open no element."""
    evil = "<script>alert('x')</script>\x1b[31m\ud800"
    run = fit("--trainer.max_epochs=2")
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


def test_a_run_of_several_heads_has_a_table_of_them(fit: Fit, report: Report) -> None:
    """The primary one is shown in full."""
    run = fit("--data.labels=MeasuredLabels")
    page = report()
    metrics = json.loads((run / "run.json").read_text())["metrics"]["test"]

    for head in ("thickness", "slant", "loops"):
        assert f"{head}" in page.text
        assert f"{100 * metrics[f'test/{head}_acc']:.2f} %" in page.text
    assert "Confusion matrix of digit" in page.text
    assert page.source.count('class="confusion"') == 1


def test_several_runs_stand_side_by_side(here: Path, fit: Fit, report: Report) -> None:
    """In the current folder: a table, their curves in one chart, and each by itself, folded."""
    runs = [fit("--trainer.max_epochs=2", f"--run.name=run {number}") for number in range(2)]
    page = report(*map(str, runs))

    assert (here / "report.html").is_file()
    assert len(page.all("details")) >= 2
    assert [each["href"] for each in page.all("a")] == ["#run-0", "#run-1"]
    drawn = page.source.partition("Validation accuracy, %</text>")[2].partition("</svg>")[0]
    assert all(f">run {number}<" in drawn for number in range(2))


@pytest.fixture
def sweep(here: Path, fit: Fit, change: Change) -> Path:
    """A sweep of three trials, of which one was pruned."""
    folder = here / "runs" / "<lr>"
    for number, rate in enumerate((1e-5, 3e-3, 1e-3)):
        trial = fit("--trainer.max_epochs=2", f"--model.optimizer.lr={rate}")
        change(trial, sweep="<lr>", trial=number, point={"model.optimizer.lr": rate, "data.<b>": "<i>"})
        folder.mkdir(exist_ok=True)
        shutil.move(trial, folder / f"trial-{number:04}")
    change(folder / "trial-0000", status="pruned", metrics={})
    (folder / "sweep.json").write_text("{}")
    (folder / "plots").mkdir()
    save(lambda axes: axes.set_title("front"), folder / "plots" / "front.svg")
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
    assert re.findall(r'<th scope="row">(trial \d)<', page.source) == [f"trial {n}" for n in (best, 3 - best, 0)]
    assert all(text in page.text for text in ("lr", "0.003", "2 finished, 1 pruned", f"Best trial: trial {best}"))
    assert [(each["src"] or "")[:18] for each in page.all("img") if each.get("class") == "plot"] == [
        "data:image/svg+xml"
    ] * 2
    assert not page.all("script", "b", "i", "lr")


def test_a_sweep_is_reported_alone(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What beside it would mean is anyone's guess."""
    assert main(["report", str(sweep), "last"]) == 2
    assert "is a sweep, which has a page of its own" in capsys.readouterr().err


def test_a_sweep_that_has_just_begun_has_a_page(here: Path, report: Report) -> None:
    """It says that there is nothing yet."""
    (here / "runs" / "new").mkdir(parents=True)
    (here / "runs" / "new" / "sweep.json").write_text("{}")

    assert "There are no trials in it yet." in report("new").text


@pytest.mark.parametrize(
    ("files", "record", "sentence"),
    [
        (["outcomes.safetensors"], {}, "There is no outcomes.safetensors in the folder of this run"),
        (["outcomes.safetensors"], {"status": "interrupted"}, "it ended before its test"),
        (["outcomes.safetensors"], {"metrics": None}, "it was not tested"),
        (["metrics.csv"], {}, "No epoch has been completed"),
        (["config.yaml"], {}, "What differs from the defaults cannot be said: There is no file"),
        (["run.json"], None, "There is no run.json that could be read"),
        ([], {"status": "running"}, "It is lost"),
        ([], {"status": "running", "host": "elsewhere"}, "It is still running"),
        ([], {"status": "failed", "segments": [{"error": "RuntimeError: x"}]}, "It has failed. RuntimeError: x"),
    ],
)
def test_what_is_missing_is_said(
    fit: Fit, report: Report, change: Change, files: list[str], record: dict[str, Any] | None, sentence: str
) -> None:
    """The rest of the page is there all the same."""
    run = fit("--trainer.max_epochs=2")
    if record is not None:
        change(run, **{"process": 1, "process_started": 1.0, **record})
    for name in files:
        (run / name).unlink()
    page = report(str(run))

    assert sentence in page.text
    assert "To repeat it" in page.text


def test_a_run_without_validation_says_so(fit: Fit, report: Report) -> None:
    """Its curves are those of the training."""
    fit("--data.val_size=0", "--trainer.max_epochs=2")

    assert "It was not validated: no images were held out." in report().text


def reconfigure(run: Path, **data: object) -> None:
    """Change the data of a saved configuration."""
    path = run / "config.yaml"
    head = path.read_text().partition("\n")[0]
    config = yaml.safe_load(path.read_text())
    config["data"] = {**config["data"], **data}
    path.write_text(f"{head}\n{yaml.safe_dump(config)}")


def test_other_images_than_those_of_the_test_are_not_shown(fit: Fit, report: Report) -> None:
    """The fingerprint tells; what was mistaken is a table then."""
    run = fit()
    config = yaml.safe_load((run / "config.yaml").read_text())
    reconfigure(run, init_args={**config["data"]["init_args"], "draw_seed": 7})
    page = report()

    assert "The images themselves are left out: the images here are not those of the test" in page.text
    assert "Taken for" in page.text
    assert not page.all("img")


def test_images_that_are_not_here_are_not_fetched(
    fit: Fit, report: Report, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says that they are not here."""
    monkeypatch.setenv("MNISTLAB_DATA_DIR", str(here / "none"))
    run = fit()
    reconfigure(run, class_path="mnistlab.data.MNIST", init_args={})
    page = report()

    assert "The images themselves are left out" in page.text
    assert not (here / "none").exists()


@pytest.mark.parametrize("trusts", [False, True])
def test_what_a_configuration_names_is_imported_only_if_it_is_trusted(
    fit: Fit, report: Report, here: Path, monkeypatch: pytest.MonkeyPatch, *, trusts: bool
) -> None:
    """A run may be a stranger's."""
    name = f"strange_{here.name.replace('-', '_')}"
    code = "from pathlib import Path\nfrom mnistlab import SyntheticDigits\nPath('IMPORTED').touch()\n"
    (here / f"{name}.py").write_text(f"{code}\nclass Mine(SyntheticDigits):\n    '''Mine.'''\n")
    monkeypatch.syspath_prepend(str(here))
    run = fit()
    reconfigure(run, class_path=f"{name}.Mine")
    page = report(*([f"--trust={name}"] if trusts else []))

    assert (here / "IMPORTED").exists() == trusts
    assert bool(page.all("img")) == trusts
    assert (f"add --trust={name}" in page.text) != trusts


def test_outcomes_that_are_none_are_told(fit: Fit, report: Report) -> None:
    """A file of anything, and answers that no test gives."""
    path = fit() / "outcomes.safetensors"
    honest = load_outcomes(path)
    answers = honest.answers["label"]
    forged = Answers(answers.prediction + 30, answers.target, answers.confidence, answers.target_prob)
    save_outcomes(path, Outcomes({"label": forged}, honest.images, honest.num_classes))

    assert "does not hold the answers of a test: they name classes that are not from 0 to 9" in report().text

    path.write_bytes(b"nothing")
    assert "does not hold the outcomes of a test" in report().text


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


def test_a_place_that_cannot_be_written_is_told(fit: Fit, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left there."""
    fit()
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
