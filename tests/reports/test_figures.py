"""`mnistlab report --figures=FOLDER`: the charts of a page as files for a paper."""

import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import mnistlab as lab
from mnistlab import main
from mnistlab.runs.folder import SWEEP

Told = Callable[..., str]
Trained = Callable[..., Path]

ONE = ["loss", "acc", "confusion", "calibration", "mistakes"]
SWEPT = ("--model=SDN8K", "--data=SyntheticDigits", "--data.test_size=100", "--data.val_size=100")


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def test_each_chart_of_a_run_is_a_file_in_each_format(trained: Trained, told: Told, here: Path) -> None:
    """Named by what it shows, as wide as a column; text stays text, of 7 points at least. By themselves they are PDF.

    The same figure is the same bytes.
    """
    run = trained("--trainer.max_epochs=2")

    said = told("report", str(run), "--figures=figures", "--format=pdf,svg,png")

    assert f"wrote 5 figures as pdf and svg and png in figures: {', '.join(ONE)}" in said
    assert names(here / "figures") == {f"{name}.{form}" for name in ONE for form in ("pdf", "svg", "png")}
    svg, pdf = (here / "figures/acc.svg").read_text(), (here / "figures/acc.pdf").read_bytes()
    assert ">accuracy, %</text>" in svg
    assert "#ffffff" in svg
    drawn = "".join((here / f"figures/{name}.svg").read_text() for name in ONE)
    assert min(float(points) for points in re.findall(r"font(?:-size)?: ([\d.]+)px", drawn)) == 7
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf  # fonts, and not their outlines
    assert b"/MediaBox [ 0 0 244.8 172.8 ]" in pdf  # 3.4 inches
    widths = {name: _inches(here / f"figures/{name}.pdf") for name in ONE}
    assert widths == {**dict.fromkeys(ONE, 3.4), "mistakes": 6.3}
    with Image.open(here / "figures/acc.png") as picture:
        assert picture.size == (680, 480)

    told("report", str(run), "--figures=again")  # a repository of a paper shows what has changed

    assert names(here / "again") == {f"{name}.pdf" for name in ONE}
    for name in names(here / "again"):
        assert (here / "again" / name).read_bytes() == (here / "figures" / name).read_bytes()


def test_figures_of_several_runs_are_called_by_the_runs(trained: Trained, told: Told, here: Path) -> None:
    """And the curves of all stand in one."""
    runs = [trained("--trainer.max_epochs=2", "--run.name=a b"), trained("--model=SDN8K", "--run.name=c")]

    told("report", *map(str, runs), "--figures=figures", "--format=svg")

    assert {"val-acc.svg", "a-b-acc.svg", "a-b-confusion.svg", "c-confusion.svg"} <= names(here / "figures")
    assert "c-acc.svg" not in names(here / "figures")  # one epoch makes no curve
    assert "a b</text>" in (here / "figures/val-acc.svg").read_text()


def _inches(path: Path) -> float:
    """The width of a figure."""
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", path.read_bytes())
    assert box
    return round(float(box[1]) / 72, 2)


def _made(name: str, width: int, seed: int) -> Path:
    """A run of three epochs."""
    folder = Path("runs/tiny", f"20260101T000000Z-{width:04}{seed}")
    folder.mkdir(parents=True)
    said = {"command": "fit", "class": "TinyModel", "data": "MNIST", "status": "finished", "name": name, "seed": seed}
    record = {**said, "metrics": {"best": {"val/acc": 0.7 + width / 1000}}}
    (folder / "run.json").write_text(json.dumps(record))
    config = f"class_path: mnistlab.models.TinyModel, init_args: {{hidden_dim: {width}}}"
    (folder / "config.yaml").write_text(f"seed_everything: {seed}\nmodel: {{{config}}}\n")
    rows = [f"{epoch},{0.5 + epoch / 10 + width / 1000},{seed}" for epoch in range(3)]
    (folder / "metrics.csv").write_text("\n".join(["epoch,val/acc,val/loss", *rows]))
    return folder


def _looks(svg: str) -> list[tuple[str, str]]:
    """The colours and dashes of the curves in a drawing that are neither faint nor its grid."""
    found = re.findall(r'<path d="[^"]*" clip-path="[^"]*" style="fill: none; ([^"]*)"', svg)
    styles = [dict(part.split(": ") for part in each.split("; ")) for each in found]
    drawn = [style for style in styles if float(style["stroke-width"]) > 1]
    return [(style["stroke"], style.get("stroke-dasharray", "")) for style in drawn]


@pytest.mark.parametrize(("widths", "seeds", "names"), [(3, 3, 3), (9, 1, 9), (9, 2, 9), (18, 1, 18), (19, 1, 1)])
def test_curves_differ_where_runs_differ_in_more_than_their_seed(
    here: Path, widths: int, seeds: int, names: int
) -> None:
    """All that are alike but for the seed look the same and are named once; of too many the best stands out."""
    runs = [_made(f"net-{width}", width, seed) for width in range(1, widths + 1) for seed in range(seeds)]

    chart = lab.Run.of(str(runs[0])).plot("val-acc", beside=[str(run) for run in runs[1:]])

    svg = chart.save(here / "it.svg").read_text()
    looks = _looks(svg)
    assert len(re.findall(r">net-\d+(?:, the best)?</text>", svg)) == names
    assert {looks.count(look) for look in looks} == {seeds}
    assert len({*looks}) == names


@pytest.mark.usefixtures("inline")
def test_a_learning_curve_is_a_figure(told: Told, here: Path) -> None:
    """With the other plots of the sweep, drawn anew from its database; without that the curves of the trials stay."""
    sizes = "--data.train_size=choice:200,300,500,900"
    assert main(["sweep", *SWEPT, sizes, "--trainer.max_epochs=2", "--name=it"]) == 0

    told("report", "it", "--figures=figures")
    (here / "runs/it/sweep.db").unlink()
    told("report", "it", "--figures=less")

    plots = {"curve-data.train_size.pdf", "slice-data.train_size.pdf", "history.pdf"}
    assert plots < names(here / "figures")
    assert names(here / "less") == names(here / "figures") - plots
    assert "val-acc.pdf" in names(here / "less")


@pytest.mark.usefixtures("inline")
def test_a_comparison_has_accuracy_against_its_price(told: Told, here: Path, small_data: tuple[str, ...]) -> None:
    """As figures, and the best of its runs."""
    options = ("--trainer.max_epochs=1", "--seeds=1", "--name=it")
    assert main(["compare", "--models=TinyModel,SDN8K", *small_data, *options]) == 0

    told("report", "it", "--figures=figures", "--format=png")

    assert '<td class="number">134,400</td>' in (here / "runs/it/report.html").read_text()
    assert {"pareto-parameters.png", "pareto-seconds.png", "best-confusion.png"} <= names(here / "figures")


def test_a_judgement_has_its_pairs(told: Told, here: Path) -> None:
    """As the page draws them."""
    folder = here / "runs/it"
    folder.mkdir(parents=True)
    words = {"in_words": "better", "verdict": "better", "metric": "val/acc", "unit": "%", "method": "a bet"}
    pairs = {"baseline": [0.5, 0.6], "change": [0.6, 0.7], "gains": [10.0, 10.0], "seeds": [0, 1]}
    (folder / "judgement.json").write_text(json.dumps({**words, **pairs, "effect": 0.1, "options": []}))
    (folder / SWEEP).write_text("{}")

    told("report", "it", "--figures=figures")

    assert names(here / "figures") == {"pairs.pdf"}


def test_without_the_outcomes_of_a_test_there_are_the_curves(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a word; the others are written."""
    run = trained("--trainer.max_epochs=2")
    (run / "outcomes.safetensors").unlink()

    assert main(["report", str(run), "--figures=figures"]) == 0
    printed = capsys.readouterr()
    assert "wrote 2 figures as pdf in figures: loss, acc" in printed.out
    assert "There is no outcomes.safetensors in the folder of this run" in printed.err


def test_a_figure_that_does_not_fit_leaves_no_half_one(
    trained: Trained, told: Told, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk: a line that names it, and those before it are whole."""
    run, real, count = trained("--trainer.max_epochs=2"), os.fsync, 0

    def full(number: int) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(number)

    monkeypatch.setattr(os, "fsync", full)

    said = told("report", str(run), "--figures=figures", code=1)
    assert said.startswith("mnistlab: the disk is full while figures/acc.pdf was written.")
    assert names(here / "figures") == {"loss.pdf"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format=pdf"], "--format is for the figures. Name a folder for them: --figures=figures"),
        (["--figures=f", "--format=pdf,eps"], "--format=pdf,eps: eps is none of pdf or svg or png."),
        (["--figures=file"], "--figures=file: it is no folder. Name one, which is made where there is none."),
        (["--figures="], "--figures needs a folder"),
        (["--figures", "--format=pdf"], "--figures needs a folder: --figures=..."),
    ],
)
def test_what_figures_cannot_be_is_refused(
    trained: Trained, told: Told, here: Path, arguments: list[str], said: str
) -> None:
    """Before anything is written."""
    run = trained()
    (here / "file").write_text("mine")

    assert said in told("report", str(run), *arguments, code=2)
    assert not (run / "report.html").exists()
