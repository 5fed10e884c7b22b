"""`mnistlab new class`: a folder for a class, whose sheet runs as it is written."""

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistlab.cli import main
from mnistlab.runs.run import read_runs

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture
def digits(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a class, just written, in which one stands."""
    monkeypatch.delenv("MNISTLAB_DATA_DIR", raising=False)
    assert main(["new", "class", "Digits"]) == 0
    monkeypatch.chdir(here / "Digits")
    return here / "Digits"


def few_images(folder: Path) -> None:
    """Let a class learn a few hundred images for an epoch."""
    kit = (folder / "mnistlab.yaml").read_text()
    quick = {r"(val|test)_size: \d+": r"\1_size: 100", r"train_size: \d+": "train_size: 600", "epochs: 5": "epochs: 1"}
    for usual, fewer in {**quick, "seeds: 3": "seeds: 2"}.items():
        kit, often = re.subn(usual, fewer, kit)
        assert often
    (folder / "mnistlab.yaml").write_text(kit)


def in_blocks(page: Path) -> list[str]:
    """The commands that a page shows."""
    return re.findall(r"^mnistlab .*", page.read_text(), re.MULTILINE)


def test_what_the_documentation_shows_runs(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kit on the page, too, and what it says is in force."""
    monkeypatch.delenv("MNISTLAB_DATA_DIR", raising=False)
    page = DOCS / "class.md"
    for line in in_blocks(page):
        assert main(shlex.split(line)[1:]) in (0, 1 * ("doctor" in line)), f"{line}\n{capsys.readouterr().err}"
        if " class " in line:
            monkeypatch.chdir(here / "Digits")
            few_images(Path())
    (text,) = re.findall(r"```yaml\n# Digits/mnistlab.yaml\n(.*?)```", page.read_text(), re.DOTALL)
    Path("mnistlab.yaml").write_text(text)
    capsys.readouterr()
    assert main(["fit", "--print_config=origins"]) == 0
    out = capsys.readouterr().out

    assert re.search(r"max_epochs: 3 +# mnistlab.yaml:7:5", out)
    assert f"data: {here}/data" in out


@pytest.mark.usefixtures("inline")
def test_each_command_of_the_sheet_runs_for_each_student(
    digits: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a folder of one's own; all is kept in the one folder of runs, and a name means one's own run."""
    few_images(digits)
    typed = in_blocks(digits / "sheet.md")
    for student in ("anna", "ben"):
        (digits / student).mkdir()
        monkeypatch.chdir(digits / student)
        monkeypatch.setattr("getpass.getuser", lambda student=student: student)
        monkeypatch.setenv("USER", student)
        for line in map(os.path.expandvars, typed):
            assert main(shlex.split(line)[1:]) == 0, f"{student}: {line}\n{capsys.readouterr().err}"
            assert "another run has this name" not in capsys.readouterr().err
        assert [path.name for path in Path().iterdir()] == ["presets"]  # what was saved
    named = {(run.user, run.name): run.folder.name for run in read_runs(digits / "runs").all}
    capsys.readouterr()
    assert main(["runs", "show", "first"]) == 0
    shown = capsys.readouterr().out
    monkeypatch.setattr("getpass.getuser", lambda: "teacher")
    assert main(["runs", "show", "first"]) == 2

    assert len(typed) > 8
    assert {(student, name) for student in ("anna", "ben") for name in ("first", "wide", "slow")} <= named.keys()
    assert named["ben", "first"] in shown
    asked = capsys.readouterr().err
    assert "first means 2 runs" in asked
    assert all(f"first, of {student}\n" in asked for student in ("anna", "ben"))


def test_what_lies_beside_the_own_folder_is_named_from_there(
    digits: Path, monkeypatch: pytest.MonkeyPatch, told: Callable[..., str]
) -> None:
    """In one line that can be copied; what was not tested is not tested again."""
    few_images(digits)
    (digits / "anna").mkdir()
    monkeypatch.chdir(digits / "anna")
    said = told("fit", "--config=Start", "--run.name=first", "--run.test=false").splitlines()
    (folder,) = Path("../runs/tiny").iterdir()

    assert f"kept in {folder}" in said
    assert any(re.fullmatch(r"  data +SyntheticDigits +\.\./mnistlab.yaml:7:5", line) for line in said)
    assert said[-1] == f"Test it: mnistlab test --ckpt_path={folder}"
    assert "1 run in ../runs: " in told("runs")
    assert f"mnistlab fit --config={folder}/config.yaml" in told("runs", "show", "first")
    assert told(*said[-1].split()[3:]).splitlines()[-1].startswith("kept in ../runs/")
    assert "again: " not in told("runs", "show", "first")


def test_what_it_says_by_itself_is_in_force(digits: Path, told: Callable[..., str]) -> None:
    """As the sheet claims; the net of the preset is one of at most 100,000 parameters."""
    said = told("fit", "--config=Start", "--print_config=origins")

    assert re.search(r"max_epochs: 5 +# mnistlab.yaml:11:5", said)
    assert re.search(r"class_path: mnistlab.data.SyntheticDigits +# mnistlab.yaml:7:5", said)
    assert "NAME" not in (digits / "sheet.md").read_text()
    assert (digits / ".gitignore").read_text().split() == ["runs/", "data/"]


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_what_is_there_is_left_alone(here: Path, told: Callable[..., str], there: str) -> None:
    """Even an empty folder, and a link that leads nowhere."""
    place = here / "Digits"
    if there == "folder":
        place.mkdir()
    elif there == "file":
        place.write_text("mine")
    else:
        place.symlink_to("nowhere")

    assert "Digits is there already, and is left as it is." in told("new", "class", "Digits", code=2)
    assert [each.name for each in here.rglob("*")] == ["Digits"]


@pytest.mark.parametrize("name", ["", "A B", "../up", "/x", ".hidden", "a/b", "a\tb"])
def test_what_is_no_name_of_a_folder_is_refused(here: Path, told: Callable[..., str], name: str) -> None:
    """Before anything is written."""
    said = told("new", "class", *name.split(" ") if name else (), code=2)

    assert "name" in said
    assert "Digits" in said
    assert not list(here.iterdir())
