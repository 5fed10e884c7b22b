"""A run is found by whatever names it and no other; what its record says is read with care."""

import json
import shutil
from pathlib import Path

import pytest

from mnistlab.errors import LabError
from mnistlab.options.written import COMPLETE
from mnistlab.runs.listing import find_run, short_ids
from mnistlab.runs.run import Run, read_runs
from mnistlab.runs.selection import ordered, selected
from mnistlab.system.processes import this_process


def make(root: Path, place: str, **record: object) -> Path:
    """A run below `root` with this record."""
    folder = root / place
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(record))
    return folder


@pytest.fixture
def runs(here: Path) -> dict[str, Path]:
    """Three training runs, a trial of each of two sweeps, and things that are no runs."""
    names = {
        "old": "tiny/20260101T000000Z-aaa111",
        "new": "tiny/20260301T000000Z-aaa222",
        "cnn": "cnn_8k/20260201T000000Z-bbb111",
        "first": "lr/trial-0007",
        "second": "size/trial-0007",
    }
    (here / "runs/tiny/notes").mkdir(parents=True)
    (here / "runs/lr").mkdir()
    (here / "runs/lr/sweep.json").write_text("{}")
    (here / "runs/.hidden/20260101T000000Z-ccc111").mkdir(parents=True)
    started = {"old": "2026-01-01", "new": "2026-03-01", "cnn": "2026-02-01"}
    return {
        key: make(Path("runs"), name, command="fit", started=started.get(key, "2025"), name=f"my {key}")
        for key, name in names.items()
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20260101T000000Z-aaa111", "old"),
        ("20260101", "old"),
        ("aaa1", "old"),
        ("aaa222", "new"),
        ("tiny/20260301", "new"),
        ("tiny/aaa11", "old"),
        ("runs/cnn_8k/20260201T000000Z-bbb111", "cnn"),
        ("runs/cnn_8k/20260201T000000Z-bbb111/", "cnn"),
        ("lr/trial-0007", "first"),
        ("size/trial", "second"),
        ("last", "new"),
        ("my cnn", "cnn"),
        ("AAA1", "old"),
        ("tiny/20260301t", "new"),
    ],
)
def test_a_run_is_found_by_whatever_means_no_other(runs: dict[str, Path], name: str, expected: str) -> None:
    """A name of one's own, an id, a beginning of one, with the folder above, a path, the word for the newest."""
    assert find_run(name, Path("runs")) == runs[expected]


@pytest.mark.parametrize("name", ["d7", "2", "a", "d7aaaa", "m/20260201T000000Z-d7aaaa", "D7"])
def test_a_name_wins_over_every_id(here: Path, name: str) -> None:
    """And so the run of that name can be reached, whatever the ids of others are, which chance has made."""
    del here
    make(Path("runs"), "m/20260101T000000Z-aaaad7")
    make(Path("runs"), "m/20260201T000000Z-d7aaaa")
    named = make(Path("runs"), "m/20260301T000000Z-bbbbbb", name=name)

    assert find_run(name, Path("runs")) == named


def test_a_whole_id_wins_over_the_beginning_of_another(here: Path) -> None:
    """And the end of an id is none."""
    del here
    short, _ = make(Path("runs"), "lr/trial-7"), make(Path("runs"), "lr/trial-77")

    assert find_run("trial-7", Path("runs")) == short
    with pytest.raises(LabError, match="no such run"):
        find_run("77", Path("runs"))


def test_all_that_a_name_means_are_listed(here: Path) -> None:
    """However many, each with its id and its name."""
    del here
    for number in range(30):
        make(Path("runs"), f"m/20260101T0000{number:02}Z-{number:06}", name="twice" if number < 2 else f"run {number}")

    for name, count in {"twice": 2, "2026": 30, "00000": 10}.items():
        with pytest.raises(LabError, match=f"^{name} means {count} runs. Name one of them:\n") as error:
            find_run(name, Path("runs"))
        assert len(str(error.value).splitlines()) == count + 1
        assert "  m/20260101T000001Z-000001  twice" in str(error.value).splitlines()


def test_a_name_means_ones_own_runs(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of a class: of several only those, and all with whose they are for who has none."""
    del here
    for number, user in enumerate(("anna", "ben", "ben")):
        make(Path("runs"), f"m/20260101T00000{number}Z-{number:06}", command="fit", name="first", user=user)
    monkeypatch.setattr("getpass.getuser", lambda: "anna")
    assert find_run("first", Path("runs")).name.endswith("000000")

    monkeypatch.setattr("getpass.getuser", lambda: "ben")
    with pytest.raises(LabError, match=r"^first means 2 runs") as error:
        find_run("first", Path("runs"))
    assert "anna" not in str(error.value)
    monkeypatch.setattr("getpass.getuser", lambda: "teacher")
    with pytest.raises(LabError, match=r"(?s)^first means 3 runs.*-000000  first, of anna\n.*-000002  first, of ben"):
        find_run("first", Path("runs"))


def test_a_name_means_the_original_and_not_what_repeats_it(runs: dict[str, Path]) -> None:
    """Unless that is gone."""
    again = make(Path("runs"), "tiny/20260401T000000Z-ddd111", command="fit", name="my cnn", reproduces="x")
    assert find_run("my cnn", Path("runs")) == runs["cnn"]

    shutil.rmtree(runs["cnn"])
    assert find_run("my cnn", Path("runs")) == again


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("aaa", ["aaa means 2 runs", "tiny/20260101T000000Z-aaa111", "tiny/20260301T000000Z-aaa222"]),
        ("trial-0007", ["means 2 runs", "lr/trial-0007", "size/trial-0007"]),
        ("aaa112", ["no such run", "Did you mean aaa111"]),
        ("tiny", ["a folder of 2 runs", "tiny/20260301T000000Z-aaa222"]),
        ("tiny/notes", ["no such run"]),
        ("ccc111", ["no such run"]),
        ("", ["names no run"]),
        ("/", ["names no run"]),
    ],
)
def test_what_names_none_or_several_is_told(runs: dict[str, Path], name: str, said: list[str]) -> None:
    """With those that it may mean."""
    assert runs
    with pytest.raises(LabError) as error:
        find_run(name, Path("runs"))

    assert all(text in str(error.value) for text in said)


@pytest.mark.parametrize("name", ["last", "x"])
def test_where_there_are_none_the_folder_is_told(here: Path, name: str) -> None:
    """It may be the wrong one."""
    assert not read_runs(here / "runs").folders
    with pytest.raises(LabError, match=r"--run\.dir"):
        find_run(name, here / "runs")


def test_short_names_are_short_and_find_their_run(runs: dict[str, Path]) -> None:
    """Every one of them, whatever the others are called."""
    named = short_ids(read_runs(Path("runs")).folders)

    assert set(named) == set(runs.values())
    assert named[runs["old"]] == "aaa111"
    assert named[runs["first"]] == "lr/trial-0007"
    assert all(find_run(name, Path("runs")) == folder for folder, name in named.items())


def test_trials_of_several_sweeps_are_told_apart_by_their_sweep(here: Path) -> None:
    """All of them, also one whose number only one sweep has; those of a single sweep need not."""
    first = [make(here, f"lr/trial-{number}") for number in range(2)]
    second = make(here, "size/trial-0")

    assert list(short_ids(first).values()) == ["trial-0", "trial-1"]
    assert list(short_ids([*first, second]).values()) == ["lr/trial-0", "lr/trial-1", "size/trial-0"]


def test_a_run_whose_record_is_missing_is_one_that_cannot_be_read(here: Path) -> None:
    """It is a run for every other command; a folder of something else is none."""
    (here / "tiny/a").mkdir(parents=True)
    (here / "tiny/a/config.yaml").write_text(f"{COMPLETE}\n")
    (here / "tiny/b").mkdir()
    (here / "tiny/b/config.yaml").write_text("model: of another program\n")
    (here / "tiny/notes").mkdir()

    assert read_runs(here).broken == [here / "tiny/a/run.json"]


def test_a_run_without_a_whole_epoch_has_no_seconds() -> None:
    """0 would be a time."""
    assert Run(Path("a"), {"timings": {"train_seconds": 0}}).seconds is None


def test_of_many_runs_all_are_read(here: Path) -> None:
    """Ten thousand, with next to nothing in their records: none is lost and none stops the others."""
    for number in range(10_000):
        make(here, f"m{number % 7}/{number:05}", command="fit")

    found = read_runs(here)

    assert len({run.folder for run in found.all}) == 10_000
    assert not found.broken
    assert len(ordered(found.all, "-test_acc")) == 10_000


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"command": null}', "3", "[" * 100_000, "\xff"])
def test_a_broken_record_is_set_aside(here: Path, text: str) -> None:
    """Those beside it are read."""
    (make(here, "tiny/a") / "run.json").write_text(text, encoding="latin-1")
    good = make(here, "tiny/b", status="finished")

    found = read_runs(here)

    assert [run.folder for run in found.all] == [good]
    assert found.broken == [here / "tiny/a/run.json"]


@pytest.mark.parametrize("value", [None, 3, "x", [], {}, [1, None], {"best": 3}, {"best": {"val/acc": "high"}}, True])
def test_a_field_of_another_kind_is_none(value: object) -> None:
    """Records may be old, or a stranger's."""
    names = ("class", "model", "data", "tags", "metrics", "timings", "segments", "git", "versions", "process")
    run = Run(Path("runs/tiny/a"), {**dict.fromkeys(names, value), "status": "running"})

    assert (run.val_acc, run.test_acc, run.seconds, run.epochs) == (None, None, None, None)
    assert isinstance(run.architecture, str)
    assert all(isinstance(tag, str) for tag in run.tags)
    assert run.status == "running"
    assert run.flat()["id"] == "a"
    assert ordered([run], "val_acc") == selected([run], {"status": "running"}) == [run]


def test_a_run_whose_process_is_gone_is_lost() -> None:
    """One that runs is not, nor one that has ended."""
    here = this_process()
    gone = {**here, "process": 2**22 + 1}

    said = [Run(Path("a"), {**process, "status": "running"}).status for process in (here, gone)]

    assert said == ["running", "lost"]
    assert Run(Path("a"), {**gone, "status": "finished"}).status == "finished"


def test_what_lacks_the_key_comes_last_either_way() -> None:
    """And of equal ones the newest first."""
    runs = [
        Run(Path(name), {"started": started, "metrics": {"test": {"test/acc": accuracy}}})
        for name, started, accuracy in [("a", "1", 0.5), ("b", "2", None), ("c", "3", 0.9), ("d", "4", 0.5)]
    ]

    assert [run.folder.name for run in ordered(runs, "test_acc")] == ["d", "a", "c", "b"]
    assert [run.folder.name for run in ordered(runs, "-test_acc")] == ["c", "d", "a", "b"]
    assert [run.folder.name for run in ordered(runs, "-started")] == ["d", "c", "b", "a"]


def test_a_number_that_is_none_is_no_figure() -> None:
    """Not a number would break every order, and JSON."""
    run = Run(Path("a"), {"metrics": {"test": {"test/acc": float("nan"), "test/loss": float("inf")}}})

    assert run.test_acc is None
    assert run.flat()["metrics.test.test/loss"] is None
