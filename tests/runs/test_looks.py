"""How often test images have been looked at before."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mnistlab.cli import main
from mnistlab.runs.looks import FEW, LOOKS, note_look
from mnistlab.runs.run import Run

RUNS = Path("runs")


pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def small(small_data: tuple[str, ...]) -> list[str]:
    """A quick training."""
    return ["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=1"]


def newest() -> Run:
    """The run that was kept last."""
    return Run.of(max(RUNS.glob("*/*"), key=lambda folder: folder.stat().st_mtime_ns))


def looked(times: int) -> None:
    """Look at the test images of the newest run as often."""
    for _ in range(times):
        note_look(RUNS, newest().fingerprint["test"])


def test_a_figure_says_how_many_looks_came_before_once_they_are_many(
    small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """On the screen, in `runs`, in `runs show` and in the report; of the first ones nothing is said."""
    assert main(small) == 0
    assert newest().looks == 0
    assert main(["runs"]) == 0
    assert "looks" not in capsys.readouterr().out

    looked(FEW)
    words = f"after {FEW + 1} looks at the test images"
    assert main([*small, "--seed_everything=1"]) == 0
    assert words in capsys.readouterr().out
    assert newest().looks == FEW + 1
    assert main(["runs", "show", "last"]) == 0
    assert words in " ".join(capsys.readouterr().out.split())
    assert main(["runs"]) == 0
    table = capsys.readouterr().out
    assert "looks" in table
    assert f" {FEW + 1} " in table
    assert main(["report", "last", "--output=page.html"]) == 0
    assert words in Path("page.html").read_text()
    both = [str(run) for run in RUNS.glob("*/*")]
    assert main(["report", *both, "--output=both.html"]) == 0
    assert "Looks before" in Path("both.html").read_text()
    capsys.readouterr()
    assert main(["test", "--ckpt_path=last"]) == 0
    assert f"after {FEW + 2} looks at the test images" in capsys.readouterr().out


def test_what_does_not_look_costs_none(small: list[str]) -> None:
    """Neither a training without a test, nor a validation or an explanation; the answers to all test images are one."""
    assert main([*small, "--run.test=false"]) == 0
    assert not (RUNS / LOOKS).exists()
    assert newest().looks is None
    assert main(["validate", "--ckpt_path=last"]) == 0
    assert main(["explain", "--ckpt_path=last", "--images=2"]) == 0
    assert not (RUNS / LOOKS).exists()
    assert main(["predict", "--ckpt_path=last"]) == 0
    assert newest().looks == 0
    assert main(["test", "--ckpt_path=last"]) == 0
    assert newest().looks == 1


def test_looks_are_kept_when_runs_are_removed(small: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What has been seen cannot be unseen; each set of test images counts by itself."""
    assert main(small) == 0
    images = newest().fingerprint["test"]
    assert main(["runs", "rm", newest().folder.name, "--yes"]) == 0
    capsys.readouterr()
    assert main(small) == 0
    assert newest().looks == 1
    assert newest().fingerprint["test"] == images

    assert main([*small, "--data.test_size=100"]) == 0
    assert newest().looks == 0
    head, *lines = (RUNS / LOOKS).read_text().splitlines()
    assert head == "time,images"
    assert [line.split(",")[1] == images for line in lines] == [True, True, False]


def test_looks_at_once_are_all_counted() -> None:
    """Also by many at the same moment."""
    with ThreadPoolExecutor(16) as pool:
        before = pool.map(lambda _: note_look(RUNS, "e2959d86"), range(200))

    assert sorted(before, key=str) == sorted(range(200), key=str)


@pytest.mark.usefixtures("inline")
def test_a_comparison_says_how_often_the_test_images_were_looked_at(
    small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of its last test, which is the one that had the most before it."""
    assert main(small) == 0
    looked(FEW)
    data = [each for each in small if each.startswith("--data")]
    capsys.readouterr()
    command = ["compare", "--models=TinyModel,SmallModel", "--seeds=2", *data, "--trainer.max_epochs=1", "--workers=1"]
    assert main(command) == 0
    assert f"The test images had been looked at {FEW + 4} times before the last of these." in capsys.readouterr().out
    assert main([*command, "--json"]) == 0
    assert max(each["looks"] for each in json.loads(capsys.readouterr().out)) == FEW + 4
