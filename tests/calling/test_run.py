"""What a run shows from Python: columns, charts, configuration, the net and its answers."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from PIL import Image

import mnistlab
from mnistlab import CNN68K, MNIST, Run, SyntheticDigits, TinyModel, main
from mnistlab.errors import LabError
from mnistlab.reports.charts import Chart, Charts

Fit = Callable[..., Path]
Told = Callable[..., str]


@pytest.fixture
def run(trained: Fit) -> Run:
    """A run of two epochs."""
    return Run.of(trained("--trainer.max_epochs=2"))


@pytest.fixture
def digits() -> torch.Tensor:
    """Some of the images that it was tested on."""
    data = SyntheticDigits(train_size=600, test_size=200, val_size=100)
    data.setup("test")
    return data.test_images().images[:20]


def charts_of(run: Run) -> list[Chart | Charts]:
    """All that a run draws."""
    return [run.plot(), run.confusion(), run.mistakes(), run.calibration()]


def test_what_there_is_says_what_it_is_on_a_line(run: Run) -> None:
    """Class, size, shapes; the images of each part; model, data, status and accuracies."""
    accuracy = f"test acc {100 * (run.test_acc or 0):.2f} %"

    begins = f"Run({os.path.relpath(run.folder)}: TinyModel on SyntheticDigits, fit finished, "
    assert repr(run) == f"{begins}{repr(run).split(', ', 2)[2]}"
    assert accuracy in repr(run)
    assert repr(run.model) == "TinyModel(135,562 parameters: images (n, 1, 28, 28) -> 10 classes)"
    assert repr(CNN68K()) == "CNN68K(68,994 parameters: images -> 10 classes)"
    assert str(SyntheticDigits(train_size=600, test_size=200)) == (
        "SyntheticDigits(500 training, 100 validation, 200 test images of 1 x 28 x 28, 10 classes of digit)"
    )
    assert repr(MNIST(data_dir="here")).endswith("/here)")


def test_a_run_is_the_same_wherever_one_stands(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its folder is absolute, and said from where one stands; once that is gone, whatever needs it says so."""
    there = Path.cwd()
    moved = Run.of(os.path.relpath(run.folder))
    monkeypatch.chdir(tmp_path.parent)

    assert moved.folder.is_absolute()
    assert list(moved.history["epoch"]) == [1, 2]
    assert moved.test(limit_test_batches=1).folder.is_absolute()
    monkeypatch.chdir(moved.folder.parent)
    assert f"({moved.folder.name}: " in repr(moved)
    monkeypatch.chdir(there)
    shutil.move(run.folder, run.folder.with_name("elsewhere"))
    for use in (moved.plot, lambda: moved.config, lambda: moved.model, moved.test, moved.confusion):
        with pytest.raises(LabError, match=r"is gone: this run was moved or removed\.$"):
            use()


def test_the_history_has_a_column_for_each_metric(run: Run) -> None:
    """With the numbers of the table of the run, its epochs counted from 1."""
    assert [repr(epoch) for epoch in run.history["epoch"]] == ["1", "2"]
    assert list(run.history["val/acc"]) == [row["val/acc"] for row in run.rows]
    assert set(run.history) == set(run.table[0])
    with pytest.raises(KeyError, match="Did you mean val/acc"):
        run.history["val/ac"]


def test_the_history_is_a_table_in_a_terminal_and_in_a_notebook(run: Run) -> None:
    """A row for each epoch."""
    shown = f"{100 * run.history['val/acc'][1]:.2f}"

    assert len(repr(run.history).splitlines()) == 3
    assert shown in repr(run.history)
    assert f">{shown}</td>" in run.history._repr_html_()


def test_the_history_is_saved_as_a_table(run: Run, here: Path) -> None:
    """The columns as they are; under another name nothing is written."""
    lines = run.history.save("history.csv").read_text().splitlines()

    assert lines[0].split(",") == list(run.history)
    assert [float(line.split(",")[lines[0].split(",").index("val/acc")]) for line in lines[1:]] == run.history[
        "val/acc"
    ]
    with pytest.raises(
        LabError, match=r"history\.svg: columns are written as \.csv\. Write history\.csv; run\.plot\(\)"
    ):
        run.history.save("history.svg")
    assert not (here / "history.svg").exists()


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_the_history_becomes_a_frame_of_what_is_installed(run: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It is given the columns; without either of them it is said what to do."""
    library = ModuleType(name)
    library.__spec__ = SimpleNamespace()  # type: ignore[assignment] # as one that is installed has one
    library.DataFrame = lambda columns: (name, columns)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, library)

    assert run.history.frame(name) == (name, dict(run.history))


@pytest.mark.skipif(bool(find_spec("pandas") or find_spec("polars")), reason="one of them is installed")
def test_a_frame_without_its_library_is_told(run: Run) -> None:
    """With what to install, and what there is without."""
    with pytest.raises(LabError, match=r"needs pandas or polars.*pip install pandas.*dict\(history\)"):
        run.history.frame()


def test_the_configuration_is_a_mapping_and_a_text(run: Run) -> None:
    """By full names and by their last parts where one alone ends so; as its file has it."""
    assert run.config["model.optimizer.lr"] == run.config["lr"] == 0.001
    assert run.config["trainer.max_epochs"] == 2
    assert repr(run.config) == (run.folder / "config.yaml").read_text().rstrip()
    assert "trainer.max_epochs" in run.config._repr_html_()
    with pytest.raises(KeyError, match="Did you mean max_epochs"):
        run.config["max_epoch"]


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_all_that_is_drawn_saves_itself(run: Run, here: Path, suffix: str) -> None:
    """Each as a file of its kind, the same bytes each time."""
    openings = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}
    for chart in charts_of(run):
        path = chart.save(f"{chart.name}.{suffix}")
        content = path.read_bytes()

        assert content.startswith(openings[suffix])
        assert chart.save(here / f"again.{suffix}").read_bytes() == content
        assert suffix != "svg" or ET.fromstring(content).tag.endswith("svg")  # noqa: S314 - it was just made


@pytest.mark.parametrize(
    ("name", "message"), [("a.jpg", r"a\.jpg.*\.svg, \.pdf or \.png"), ("no/a.svg", r"no/a\.svg cannot be written")]
)
def test_a_chart_that_cannot_be_saved_leaves_nothing(run: Run, here: Path, name: str, message: str) -> None:
    """Another kind of file, or a folder that is not there, is told in a line."""
    before = set(here.iterdir())
    for chart in charts_of(run):
        with pytest.raises(LabError, match=message):
            chart.save(name)

    assert set(here.iterdir()) == before


def test_the_matrix_in_a_terminal_counts_the_test_images(run: Run) -> None:
    """Its diagonal are the right answers."""
    lines = repr(run.confusion()).splitlines()[3:]
    counts = [[int(cell.replace(".", "0")) for cell in line.split()[1:]] for line in lines]

    assert sum(map(sum, counts)) == 200
    assert sum(row[at] for at, row in enumerate(counts)) == int(run.outcomes.primary.right.sum())


def test_charts_say_in_words_what_they_show(run: Run) -> None:
    """Courses by their ends, mistakes and bins as tables."""
    assert [line.split()[0] for line in repr(run.plot()).splitlines()] == ["loss", "accuracy,"]
    assert repr(run.plot("loss")).startswith("loss over 2 epochs: train from")
    assert len(repr(run.mistakes()).splitlines()) == 3 + len(run.outcomes.primary.worst())
    assert len(repr(run.calibration()).splitlines()) == 3 + 10


def test_a_notebook_shows_what_the_report_shows(run: Run, here: Path) -> None:
    """The same table of the matrix, the same images; with a style that reaches nothing else."""
    assert main(["report", str(run.folder), "--output=page.html"]) == 0
    page = (here / "page.html").read_text()
    for chart in (run.confusion(), run.mistakes()):
        html = chart._repr_html_()
        assert type(html) is str  # marimo makes nothing of what is derived from it
        style, _, inner = html.removeprefix('<div class="mnistlab"><style>').partition("</style>")

        assert inner.removesuffix("</div>") in page
        rules = [line for line in style.splitlines() if line[:1] not in (" ", "}", "")]
        assert ":is(#mnistlab, .mnistlab) {" in rules
        assert all(".mnistlab" in rule for rule in rules[: rules.index(":is(#mnistlab, .mnistlab) {")])


def test_other_runs_stand_beside_one_however_they_are_named(trained: Fit, run: Run) -> None:
    """By themselves, by what finds them, alone or in a list."""
    other = Run.of(trained("--model=SDN8K", "--trainer.max_epochs=2"))
    wanted = repr(run.plot(beside=[other]))

    assert "of 2 runs" in wanted
    for beside in (other, other.folder, str(other.folder), (other,)):
        assert repr(run.plot(beside=beside)) == wanted
    with pytest.raises(LabError, match="nix"):
        run.plot(beside="nix")


def test_what_a_run_has_not_is_told(trained: Fit, run: Run) -> None:
    """No such metric, no such label, no test."""
    untested = Run.of(trained("--run.test=false"))

    with pytest.raises(LabError, match=r"plot\('los'\): measured is loss, acc\. Did you mean loss\?"):
        run.plot("los")
    with pytest.raises(LabError, match="no head 'thickness': the test has label"):
        run.confusion("thickness")
    with pytest.raises(LabError, match="it was not tested"):
        untested.mistakes()


def test_the_model_is_that_of_the_best_weights(run: Run) -> None:
    """It does not train, and gives the probabilities that the test has kept."""
    best = torch.load(run.folder / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]

    assert isinstance(run.model, TinyModel)
    assert run.model is run.model
    assert not run.model.training
    assert all(torch.equal(value, best[name]) for name, value in run.model.state_dict().items())


def test_arrays_get_the_answers_of_the_test(run: Run, digits: torch.Tensor) -> None:
    """Labels and probabilities, of a tensor, of numpy, of one image alone."""
    answers = run.predict(digits)
    kept = run.outcomes.primary

    assert np.array_equal(answers.labels, kept.prediction[:20])
    assert np.allclose(answers.confidence, kept.confidence[:20], atol=1e-6)
    assert np.array_equal(run.predict(digits.numpy()[:, 0]).probs, answers.probs)
    assert run.predict(digits[3, 0].numpy())[0].label == answers.labels[3]
    assert len(answers) == 20
    assert answers[0].name == answers.names[0] == str(answers.labels[0])
    assert len(repr(answers).splitlines()) == 21
    assert answers._repr_html_().count("<img ") == 20


def test_pictures_get_the_answers_of_the_command(run: Run, digits: torch.Tensor, told: Told) -> None:
    """As files, as folders and as Pillow has them: the same signs, the same probabilities."""
    sheet = np.full((60, 200), 255, dtype=np.uint8)
    for number in range(4):
        sheet[16:44, 10 + 45 * number : 38 + 45 * number] = 255 - digits[number, 0].numpy()
    Path("pictures").mkdir()
    picture = Image.fromarray(sheet)
    picture.save("pictures/sheet.png")
    command = json.loads(told("predict", f"--ckpt_path={run.folder}", "--json", "pictures/sheet.png"))

    for given in ("pictures/sheet.png", Path("pictures"), picture, [picture]):
        answers = run.predict(given)
        assert np.allclose(answers.probs, [each["label"]["probs"] for each in command], rtol=0, atol=1e-6)
        assert [each == -1 for each in answers.labels] == [each["refused"] is not None for each in command]
    assert answers.sources == [f"picture 1, sign {number}" for number in range(1, len(command) + 1)]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((28, 30), np.uint8), r"\(28, 30\) is not the shape.*\(28, 28\), \(n, 28, 28\) or \(n, 1, 28, 28\)"),
        (np.zeros((5, 784), np.uint8), r"x\.reshape\(-1, 28, 28\)"),
        (np.full((28, 28), 0.5), r"uint8 from 0 to 255, these are float64 from 0\.5 to 0\.5: \(x \* 255\)"),
        (np.ones((28, 28), np.uint8), r"the largest pixel is 1.*x \* 255"),
        (np.full((28, 28), 7), r"these are int64.*x\.astype\('uint8'\)"),
        (np.full((28, 28), -2.0), "as they were before they were scaled"),
        (np.zeros((0, 28, 28), np.uint8), "there are no images"),
        ("no.png", r"no\.png: there is no such picture"),
        (None, "a NoneType holds no images"),
    ],
)
def test_what_is_no_image_is_told_with_what_is_wanted(run: Run, images: object, message: str) -> None:
    """Shape, scale and kind, each with the way out."""
    with pytest.raises(LabError, match=message):
        run.predict(images)


def test_a_trained_model_takes_images_as_they_are(run: Run, digits: torch.Tensor) -> None:
    """As those of a file, with its own normalization, in the shapes that people have; normalized ones as before."""
    model = TinyModel.load_from_checkpoint(run.folder / "checkpoints" / "best.ckpt").eval()
    assert model.pixels is not None
    with torch.no_grad():
        logits = model(model.pixels.normalized(digits))

        assert isinstance(logits, torch.Tensor)
        for images in (digits, digits[:, 0], digits.numpy(), digits.permute(0, 2, 3, 1).numpy()):
            assert torch.equal(model(images), logits)
        assert torch.allclose(model(digits[0, 0].numpy()), logits[:1], atol=1e-5)
        with pytest.raises(LabError, match="is not the shape of such images"):
            model(digits[:, :, :20])


def test_a_fresh_model_does_not_know_pixels() -> None:
    """It has learnt from none; what its data make of them it takes."""
    with pytest.raises(LabError, match="TinyModel has not been trained"):
        TinyModel()(np.zeros((28, 28), np.uint8))


def test_a_file_of_weights_alone_knows_its_images(run: Run, here: Path) -> None:
    """Its shape and its scale stand in it too."""
    weights = next((run.folder / "checkpoints").glob("*.safetensors"), None) or _as_safetensors(run, here)
    assert TinyModel.load_from_checkpoint(weights).pixels == run.model.pixels


def _as_safetensors(run: Run, here: Path) -> Path:
    from mnistlab.checkpoints.reading import write_weights  # noqa: PLC0415 - only here

    path = here / "net.safetensors"
    write_weights(path, run.folder / "checkpoints" / "best.ckpt", {})
    return path


def test_a_run_is_listed_without_what_draws_and_learns() -> None:
    """Its class brings neither torch nor matplotlib, until something is asked for that needs them."""
    script = "import mnistlab; mnistlab.Run; import sys; print(*{'torch', 'matplotlib', 'numpy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert not done.stdout.strip()
    assert mnistlab.Run is Run
