"""How often test images have been looked at before."""

import json
import os
import re
import stat
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
    assert head == "time,images,user"
    assert [line.split(",")[1] == images for line in lines] == [True, True, False]


def test_a_board_counts_the_looks_of_each_person(
    small: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By commands of their own, at another's run, and of runs that were removed; of old lines nobody knows whose."""
    for user in ("anna", "Lee, Ben"):
        monkeypatch.setattr("getpass.getuser", lambda user=user: user)
        assert main([*small, f"--run.name={user}"]) == 0
    assert main(["test", "--ckpt_path=anna"]) == 0
    assert main(["predict", "--ckpt_path=anna"]) == 0
    assert main([*small, "--run.name=again"]) == 0
    assert main(["runs", "rm", "again", "--yes"]) == 0
    with (RUNS / LOOKS).open("a") as file:
        file.write(f"2026,{newest().fingerprint['test']}\n")

    capsys.readouterr()
    assert main(["board"]) == 0

    page = Path("board.html").read_text()
    rows = {name: re.findall(r'looks">(\d+)<', row) for name in ("anna", "Lee, Ben") for row in [_row(page, name)]}
    assert rows == {"anna": ["1"], "Lee, Ben": ["4"]}
    assert "They have been looked at 6 times." in page
    assert newest().looks is not None


def _row(page: str, name: str) -> str:
    rows: list[str] = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    return next(row for row in rows if name in re.sub("<[^>]*>", "", row))


@pytest.mark.parametrize(("rights", "folder", "file"), [(0o1777, 0o1777, 0o666), (0o770, 0o775, 0o664)])
def test_in_a_folder_that_is_shared_everybody_can_train(small: list[str], rights: int, folder: int, file: int) -> None:
    """Whatever umask the first one has: what all have in common is open as the folder is, and a run is one's own."""
    RUNS.mkdir()
    RUNS.chmod(rights)
    before = os.umask(0o022)
    try:
        assert main(small) == 0
        assert main(["test", "--ckpt_path=last"]) == 0
    finally:
        os.umask(before)

    assert _rights(RUNS / "tiny") == folder
    assert _rights(RUNS / LOOKS) == file
    assert {_rights(run) for run in RUNS.glob("*/*")} == {0o755}


def test_a_folder_of_ones_own_stays_so(small: list[str]) -> None:
    """Its rights are what the umask says."""
    before = os.umask(0o022)
    try:
        assert main(small) == 0
    finally:
        os.umask(before)

    assert {_rights(path) for path in (RUNS, RUNS / "tiny")} == {0o755}
    assert _rights(RUNS / LOOKS) == 0o644


def _rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_where_no_look_can_be_noted_nothing_is_begun(
    small: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whose file it is can open it."""
    RUNS.mkdir()
    (RUNS / LOOKS).write_text("time,images,user\n")
    real = os.access
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != LOOKS and real(path, mode))

    assert main(small) == 2

    assert "chmod a+rw runs/looks.csv" in capsys.readouterr().err
    assert [path.name for path in RUNS.iterdir()] == [LOOKS]


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
