"""One file that is damaged, strange or without end never stops what is about other runs, and is told in a line."""

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

import pytest
from conftest import SMALL_DATA

from mnistlab.cli import main

GOOD = "20990101T000000Z-abc123"
RECORD = {"command": "fit", "status": "finished", "started": "2098", "class": "TinyModel", "data": "SyntheticDigits"}


def text(content: str) -> Callable[[Path], None]:
    """A file of this content."""

    def write(path: Path) -> None:
        path.write_text(content, encoding="latin-1")

    return write


def said(**fields: object) -> Callable[[Path], None]:
    """A record with these fields."""
    return text(json.dumps({**RECORD, **fields}))


def listening(path: Path) -> None:
    """A socket."""
    with chdir(path.parent), socket.socket(socket.AF_UNIX) as end:  # its name may not be long
        end.bind(path.name)


def sparse(path: Path) -> None:
    """A file of 8 GB that takes no room."""
    with path.open("wb") as file:
        file.truncate(8 << 30)


NO_FILES: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a socket": listening,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link that leads nowhere": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a folder": lambda path: path.mkdir(),
    "gigabytes": sparse,
    "not UTF-8": text("\xff\xfe"),
}
"""What may stand in the place of any file, and is none that can be read."""

NO_RECORDS: dict[str, Callable[[Path], None]] = {
    **NO_FILES,
    "nested without end": text("[" * 40_000 + "]" * 40_000),
    "nested deeply": text('{"command": "fit", "a": ' + "[" * 500 + "]" * 500 + "}"),
    "a list": text("[]"),
    "a long number": text('{"command": "fit", "seed": ' + "9" * 5000 + "}"),
}

ODD_RECORDS: dict[str, Callable[[Path], None]] = {
    "a process that cannot be": said(status="running", process=-1, host=os.uname().nodename),
    "a process too large": said(status="running", process=10**30, host=os.uname().nodename),
    "a start without end": said(status="running", process=1, process_started=10**400, host=os.uname().nodename),
    "numbers where texts should be": said(**dict.fromkeys(("started", "model", "class", "name", "host", "ended"), 7)),
    "texts where numbers should be": said(parameters="x", seed="x", process="x", timings={"train_seconds": "x"}),
    "lists where mappings should be": said(metrics=[1], timings=[1], versions=[1], machine=[1], git=[1], point=[1]),
    "null everywhere": said(**dict.fromkeys(("started", "segments", "tags", "metrics", "timings", "class"))),
    "numbers that are none": text(json.dumps({**RECORD, "metrics": {"best": {"val/acc": float("nan")}}})),
    "huge numbers": said(metrics={"best": {"val/acc": 10**400, "epoch": 10**400}}, timings={"train_seconds": 10**400}),
    "odd segments": said(segments=[3, {"command": 3}], tags=[3], presets=3),
}


@contextmanager
def as_nobody(*closed: Path) -> Iterator[None]:
    """Without a right to look into some folders, also where tests run as root."""
    root = os.geteuid() == 0
    for folder in closed:
        folder.chmod(0o700 if root else 0)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for folder in closed:
            folder.chmod(0o755)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which tests take copies."""
    root = tmp_path_factory.mktemp("trained")
    assert main(["fit", "--model=TinyModel", *SMALL_DATA, "--trainer.max_epochs=1", f"--run.dir={root}"]) == 0
    (folder,) = root.glob("*/*")
    return folder


@pytest.fixture
def run(trained: Path, here: Path) -> Path:
    """A good run in an empty current folder, the newest there."""
    folder = Path("runs/tiny", GOOD)
    shutil.copytree(trained, here / folder)
    change = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**change, "started": "2099-01-01T00:00:00"}))
    return folder


@pytest.fixture
def bad(run: Path) -> dict[str, Path]:
    """One run of each bad kind beside the good one, and one of whose files nobody may see any."""
    folders = {}
    for number, (kind, make) in enumerate({**NO_RECORDS, **ODD_RECORDS}.items()):
        folder = run.parent / f"20980101T0000{number:02}Z-bad{number:03}"
        folder.mkdir()
        make(folder / "run.json")
        folders[kind] = folder
    return folders


LISTINGS = [
    ["runs"],
    ["runs", "--json"],
    ["runs", "--csv"],
    ["runs", "--sort=seconds", "--status=finished"],
    ["runs", "show", "last"],
    ["runs", "show", GOOD[-6:], "--json"],
    ["report"],
    ["report", "last"],
    ["inspect", "last"],
    ["inspect", "best", "--json"],
    ["test", "--ckpt_path=last"],
    ["explain", "--ckpt_path=best", "--images=1"],
    ["fit", "--ckpt_path=last", "--trainer.max_epochs=2"],
    ["fit", "--model=TinyModel", *SMALL_DATA, "--trainer.max_epochs=1", "--model.init_from=last"],
    ["reproduce", "last"],
]


@pytest.mark.parametrize("command", LISTINGS, ids=" ".join)
def test_bad_runs_stop_nothing(bad: dict[str, Path], capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    """Whatever is asked of the good one beside them is answered; how many cannot be read is said where all are read."""
    assert bad
    assert main(command) == 0, capsys.readouterr().err
    outcome = capsys.readouterr()

    by_name = GOOD[-6:] in command
    assert (f"{len(NO_RECORDS)} records cannot be read" in outcome.err) != by_name
    if command[0] == "runs":
        assert GOOD[-6:] in outcome.out


def test_a_run_that_cannot_be_read_is_told_by_its_name(
    bad: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line by whatever needs its record; it can be removed all the same."""
    for kind in NO_RECORDS:
        name = bad[kind].name
        for command in (["runs", "show", name], ["runs", "diff", GOOD, name], ["reproduce", name]):
            assert main(command) == 2
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith(f"mnistlab: {bad[kind]}/run.json cannot be read"), kind
        assert main(["runs", "rm", name, "--yes"]) == 0, kind
        assert not bad[kind].exists()
        capsys.readouterr()


def test_what_is_odd_in_a_record_is_left_out_and_named(
    bad: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest is shown; without a configuration nothing is repeated."""
    left_out = {}
    for kind in ODD_RECORDS:
        name = bad[kind].name
        assert main(["runs", "show", name, "--json"]) == 0
        left_out[kind] = json.loads(capsys.readouterr().out)["record"].get("left_out", [])
        assert main(["runs", "show", name]) == 0
        assert ("left out" in capsys.readouterr().out) == bool(left_out[kind])
        assert main(["runs", "diff", GOOD, name]) == 0
        assert main(["reproduce", name]) == 2
        assert len(capsys.readouterr().err.splitlines()) <= 2

    assert left_out["a process too large"] == ["process"]
    assert left_out["texts where numbers should be"] == ["parameters", "seed", "process", "timings"]
    assert left_out["null everywhere"] == ["tags", "segments", "timings"]
    assert not left_out["numbers that are none"]


def test_a_page_about_a_run_that_cannot_be_read_says_so(
    bad: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """On the page, and in a line."""
    for kind in ("a pipe", "nested without end"):
        assert main(["report", bad[kind].name]) == 0
        assert f"note: {bad[kind]}/run.json cannot be read" in capsys.readouterr().err
        assert "no run.json that could be read" in (bad[kind] / "report.html").read_text()


def test_a_folder_that_nobody_may_look_into_is_named(run: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Be it that of a run or one above; its neighbours are listed."""
    closed, above = run.parent / "20980101T000000Z-closed", Path("runs/closed")
    closed.mkdir()
    (above / "20980101T000000Z-hidden").mkdir(parents=True)
    here.chmod(0o755)
    with as_nobody(closed, above):
        assert main(["runs"]) == 0
        listed = capsys.readouterr()
        assert main(["inspect", "last"]) == 0
        assert main(["runs", "show", closed.name]) == 2
        shown = capsys.readouterr().err
        assert main(["test", f"--ckpt_path={closed.name}"]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1

    assert GOOD[-6:] in listed.out
    assert "note: 2 records cannot be read and are left out, such as runs/closed\n" in listed.err
    assert "2 records" in shown
    assert f"{closed}/run.json cannot be read: permission denied." in shown


ASKED = {
    "runs show": ["runs", "show", "last"],
    "diff": ["runs", "diff", "last", "other"],
    "report": ["report", "last"],
    "reproduce": ["reproduce", "last"],
    "inspect": ["inspect", "last"],
    "test": ["test", "--ckpt_path=last"],
    "go on": ["fit", "--ckpt_path=last"],
}

NEEDS = {"config.yaml": ["reproduce", "go on"], "metrics.csv": ["reproduce"], "outcomes.safetensors": []}
"""Which commands cannot do without a file of a run."""


@pytest.mark.parametrize("name", NEEDS)
@pytest.mark.parametrize("kind", ["a pipe", "a device", "a link to itself", "gigabytes", "not UTF-8"])
def test_a_file_of_a_run_that_cannot_be_read_is_told(
    run: Path, capsys: pytest.CaptureFixture[str], name: str, kind: str
) -> None:
    """By what needs it in one line and at once; all else goes on without it."""
    shutil.copytree(run, run.with_name("20970101T000000Z-other"))
    (run / name).unlink()
    NO_FILES[kind](run / name)
    before = sorted(path for path in Path("runs").rglob("*") if path != run / "report.html")

    for asked in (*NEEDS[name], *(each for each in ("runs show", "diff", "inspect") if each not in NEEDS[name])):
        capsys.readouterr()
        assert main(ASKED[asked]) == 2 * (asked in NEEDS[name]), capsys.readouterr().err
        if asked in NEEDS[name]:
            assert capsys.readouterr().err.startswith(f"mnistlab: {run}/{name} cannot be read")
    assert sorted(Path("runs").rglob("*")) == before


@pytest.mark.parametrize("name", NEEDS)
def test_a_page_says_which_file_of_a_run_cannot_be_read(
    run: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page has the rest."""
    (run / name).unlink()
    os.mkfifo(run / name)

    assert main(["report", "last"]) == 0
    assert "cannot be read" in capsys.readouterr().err + (run / "report.html").read_text()


@pytest.mark.parametrize(
    "rows",
    ["", "x\n1\n", "epoch\nx\n", "epoch\n\xb2\n", "epoch,a\n" + "9" * 400, 'epoch\n"0\n', "epoch\n" + "x" * 200_000],
)
def test_a_table_of_anything_is_shown_or_told(run: Path, capsys: pytest.CaptureFixture[str], rows: str) -> None:
    """It may be cut off, or be the table of something else."""
    (run / "metrics.csv").write_text(rows)

    assert main(["runs", "show", "last"]) == 0
    assert main(["reproduce", "last"]) in (1, 2)
    assert "metrics.csv cannot be read" in capsys.readouterr().err or rows in ("", 'epoch\n"0\n')


def test_keys_are_answered_beside_bad_runs(bad: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """TAB reads no record."""
    for words in (["runs", "show", ""], ["test", "--ckpt_path=runs/tiny/"], ["fit", "--config=runs/tiny/"]):
        assert main(["completion", "--complete", "fish", *words]) == 0
        assert "bad000"[-3:] in capsys.readouterr().out or words[0] == "fit"
    assert bad
