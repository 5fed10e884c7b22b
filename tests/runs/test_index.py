"""What is known of many runs is what stands in their files, whatever has happened to them or to the index."""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistlab import main
from mnistlab.options.files import from_text
from mnistlab.runs.index import INDEX
from mnistlab.runs.reading import parse_record
from mnistlab.runs.run import Run, read_runs
from mnistlab.runs.sheets import Sheets, options_of

Fit = Callable[..., Path]
MANY = 40  # as many as are worth an index

CONFIG = """\
# Everything that mnistlab was configured with, defaults included.
# yaml-language-server: $schema=file:///home/{number}
seed_everything: {number}
model:
  class_path: mnistlab.models.TinyModel
  init_args:
    hidden_dim: 128
    optimizer:
      class_path: torch.optim.AdamW
      init_args:
        lr: {lr}
        betas:
        - 0.9
        - 0.999
data:
  class_path: mnistlab.data.MNIST
run:
  name: run {number}
  tags: null
threads: null
budget: null
"""


def make(number: int, lr: float = 0.001, **record: object) -> Path:
    """A run with a record and a configuration, of long ago."""
    folder = Path(f"runs/tiny/20260101T000000Z-{number:06x}")
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"best": {"epoch": 0, "val/acc": number / 100}, "last": {"epoch": 1}}
    basis = {"command": "fit", "status": "finished", "class": "TinyModel", "started": f"2026-01-01T00:{number:02}"}
    (folder / "run.json").write_text(json.dumps({**basis, "metrics": figures, "seed": number, **record}))
    (folder / "config.yaml").write_text(CONFIG.format(number=number, lr=lr))
    return folder


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that has been written lies longer back than a clock may stand still."""
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 60 * 10**9)


@pytest.fixture
def many(here: Path, later: None) -> list[Path]:
    """Runs that have been read once."""
    del here, later
    folders = [make(number) for number in range(MANY)]
    read_runs(Path("runs"))
    assert Path("runs", INDEX).is_file()
    return folders


def said() -> dict[str, tuple[object, ...]]:
    """What is known of each run."""
    return {
        run.folder.name: (run.record.get("seed"), run.val_acc, run.status, run.options.get("model.optimizer.lr"))
        for run in read_runs(Path("runs")).all
    }


def read_anew() -> dict[str, tuple[object, ...]]:
    """The same without an index, each run by itself."""
    runs = [Run.of(folder) for folder in Path("runs").glob("*/*") if (folder / "run.json").exists()]
    return {
        run.folder.name: (run.record.get("seed"), run.val_acc, run.status, run.options.get("model.optimizer.lr"))
        for run in runs
    }


@pytest.mark.usefixtures("many")
def test_what_is_known_is_what_is_read() -> None:
    """Of each run, with its types; what is kept of no run is read when somebody asks."""
    runs = {run.folder.name: run for run in read_runs(Path("runs")).all}

    assert len(runs) == MANY
    assert said() == read_anew()
    for run in runs.values():
        whole = Run.of(run.folder)
        assert dict(run.record) == whole.record
        assert run.options == whole.options
        assert run.flat() == whole.flat()
        assert (run.said("metrics", "best", "epoch"), run.part("metrics", "best")) == (0, whole.part("metrics", "best"))
        assert run.said("seed", "x") is run.said("nothing") is None


def test_what_has_changed_is_seen(many: list[Path]) -> None:
    """A run that was changed, replaced, removed, added, begun again or is no run any more, in whatever order."""
    make(0, seed=1000)
    make(1, lr=0.5)
    shutil.rmtree(many[2])
    (many[3] / "run.json").unlink()
    make(MANY)
    (many[4] / "config.yaml").write_text(CONFIG.format(number=4, lr=0.002).replace("AdamW", "SGD"))
    (many[5] / "config.yaml").unlink()
    many[6].rename(many[6].with_name("20260101T000000Z-other"))
    make(7, status="failed")

    found = said()

    assert found == read_anew()
    assert len(found) == MANY - 1
    assert found[many[0].name][0] == 1000
    assert found[many[1].name][3] == 0.5
    assert found[many[5].name][3] is None
    assert Path(many[3], "run.json") in read_runs(Path("runs")).broken


def test_a_change_within_a_tick_of_the_clock_is_seen(many: list[Path]) -> None:
    """Of the same size, with the time of before, in the same file: the time of its last change tells."""
    path = many[9] / "run.json"
    before, text = path.stat(), path.read_text()
    path.write_text(text.replace("0.09", "0.99"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert path.stat().st_size == before.st_size
    assert said()[many[9].name][1] == 0.99


def test_what_was_written_just_now_is_not_trusted(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second change might leave no trace, so nothing is kept of it; nor of what is running."""
    del here
    for number in range(MANY):
        make(number)
    read_runs(Path("runs"))
    assert not Path("runs", INDEX).exists()

    for number in range(MANY):
        make(number, status="running")
    monkeypatch.setattr(time, "time_ns", lambda: 2**62)
    read_runs(Path("runs"))
    assert not Path("runs", INDEX).exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign", "folder", "old", "closed"])
@pytest.mark.usefixtures("many")
def test_an_index_that_is_none_is_made_anew(damage: str) -> None:
    """Whatever has happened to it."""
    index = Path("runs", INDEX)
    content = index.read_bytes()
    index.unlink()
    if damage == "folder":
        index.mkdir()
    elif damage == "closed":
        index.symlink_to("nowhere/at/all")
    else:
        texts = {
            "cut": content[: len(content) // 2],
            "flipped": content.replace(b"0.17", b"0.71"),
            "empty": b"",
            "foreign": b'{"of": "another"}\n[]',
            "old": content.replace(b'"format": 1', b'"format": 0', 1),
        }
        assert texts[damage] != content
        index.write_bytes(texts[damage])

    assert said() == read_anew()
    assert said() == read_anew()


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"sheets":[],"groups":[{"names":[["seed"]],"columns":[[1]]}]}', b"null"]
)
@pytest.mark.usefixtures("many")
def test_a_whole_index_of_a_stranger_ends_nothing(body: bytes) -> None:
    """One with the right sum and the wrong contents."""
    import zlib  # noqa: PLC0415 - only here

    index = Path("runs", INDEX)
    head = json.loads(index.read_bytes().partition(b"\n")[0])
    index.write_bytes(json.dumps({**head, "sum": zlib.crc32(body)}).encode() + b"\n" + body)

    assert said() == read_anew()


@pytest.mark.usefixtures("many")
def test_where_nobody_may_write_all_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index each time anew."""
    Path("runs", INDEX).unlink()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("mnistlab.runs.stored.write_bytes", refuse)

    assert said() == read_anew()
    assert not Path("runs", INDEX).exists()


@pytest.mark.parametrize("rights", [0o1777, 0o755])
def test_where_only_others_may_write_the_index_one_has_one_of_ones_own(
    many: list[Path], rights: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saves reading what the shared one does not know; the newer of the two is read, and what changes is seen."""
    others = Path("runs", INDEX).read_bytes()
    Path("runs").chmod(rights)
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    real = os.access
    monkeypatch.setattr("os.access", lambda path, mode: real(path, mode) and (rights & 2 or str(path) != "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path("cache").absolute()))
    read: list[str] = []

    def parse(content: bytes, path: str) -> dict[str, object]:
        read.append(path)
        return parse_record(content, path)

    monkeypatch.setattr("mnistlab.runs.index.parse_record", parse)
    for number in range(MANY, 2 * MANY):
        make(number)

    assert (len(said()), len(read)) == (2 * MANY, MANY)
    (own,) = Path("cache/mnistlab/runs").glob("*.json")
    assert Path("runs", INDEX).read_bytes() == others

    read.clear()
    make(3, status="failed")
    assert said()[many[3].name][2] == "failed"
    assert read == [f"{many[3]}/run.json"]

    own.write_bytes(b"")
    read.clear()
    assert len(said()) == 2 * MANY
    assert len(read) == 2 * MANY
    assert len(own.read_bytes()) > len(others)


@pytest.mark.usefixtures("many")
def test_two_that_read_and_write_at_once_see_all() -> None:
    """While runs come and the index goes."""
    wrong: list[object] = []

    def read() -> None:
        for _ in range(5):
            found = {run.folder.name: run.val_acc for run in read_runs(Path("runs")).all}
            wrong.extend(name for name, accuracy in found.items() if accuracy != int(name[-6:], 16) / 100)
            wrong.extend(range(len(found), MANY))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for each in threads:
        each.start()
    for number in range(MANY, 2 * MANY):
        make(number)
        Path("runs", INDEX).unlink(missing_ok=True)
    for each in threads:
        each.join()

    assert not [each for each in wrong if not isinstance(each, str) or int(each[-6:], 16) < MANY]
    assert said() == read_anew()


def test_a_configuration_is_read_by_its_lines_as_by_its_yaml() -> None:
    """Whatever differs from those that were read before, and however it is written."""
    sheets = Sheets()
    texts = [
        CONFIG.format(number=3, lr=lr) for lr in ("0.001", "1e-3", ".5", "null", "true", "0x1f", "-1", "inf", "abc")
    ]
    texts += [
        texts[0].replace("lr: 0.001", "lr: '0.001'"),
        texts[0].replace("lr: 0.001", "lr: {a: 1}"),
        texts[0].replace("lr: 0.001", "lr: [0.1, 0.2]"),
        texts[0].replace("- 0.9\n", "- 0.8\n"),
        texts[0].replace("TinyModel", "SmallModel"),
        texts[0].replace("name: run 3", "name: another one, in words 'quoted'"),
        texts[0].replace("tags: null", "tags:\n  - a\n  - b"),
        texts[0].replace("hidden_dim: 128", "hidden_dim: &a 128").replace("lr: 0.001", "lr: *a"),
        texts[0].replace("hidden_dim: 128", "hidden_dim: &a 64").replace("lr: 0.001", "lr: *a"),
    ]
    for text in [*texts, *reversed(texts)]:
        number, changes = sheets.read(text)
        sheet = sheets.known[number]
        found = dict(sheet.options) | {
            sheet.names[int(str(at))]: value for at, value in zip(changes[::2], changes[1::2], strict=True)
        }
        read = options_of(from_text(text, "x"))
        assert {key: (type(value), value) for key, value in found.items()} == {
            key: (type(value), value) for key, value in read.items()
        }
    assert len(sheets.known) < len(texts)


def test_a_real_configuration_is_read_by_its_lines(fit: Fit) -> None:
    """Two real runs share a sheet, and their options are those of their files."""
    runs = [fit("--model.optimizer.lr=0.01", "--run.name=a b"), fit("--seed_everything=4", "--run.tags=x,y")]

    listed = {run.folder: run for run in read_runs(Path("runs").absolute()).all}

    for folder in runs:
        assert listed[folder].options == Run.of(folder).options
        assert listed[folder].words("chosen") == tuple(json.loads((folder / "run.json").read_text())["chosen"])
    assert "model.optimizer.lr" in listed[runs[0]].words("chosen")
    assert "model.optimizer.lr" not in listed[runs[1]].words("chosen")


@pytest.mark.usefixtures("many")
def test_removed_runs_leave_the_list_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """By the command that removes them, which finds them in the index."""
    assert main(["runs", "rm", "--where=val_acc<0.1", "--yes"]) == 0
    capsys.readouterr()

    assert len(said()) == MANY - 10
