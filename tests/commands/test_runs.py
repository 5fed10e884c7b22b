"""`mnistlab runs`: lists, shows, compares and removes runs."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mnistlab import main
from mnistlab.system.processes import this_process

Fit = Callable[..., Path]
Said = Callable[..., str]
Refused = Callable[..., str]


@pytest.fixture
def said(here: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """What `runs` prints that ends well."""
    del here

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(["runs", *arguments]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


@pytest.fixture
def refused(here: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """What `runs` says where it refuses."""
    del here

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(["runs", *arguments]) == 2
        outcome = capsys.readouterr()
        assert not outcome.out
        return outcome.err

    return run


def make(place: str, **record: object) -> Path:
    """A run with this record and nothing else."""
    folder = Path("runs", place)
    folder.mkdir(parents=True)
    basis = {"command": "fit", "class": "TinyModel", "data": "MNIST", "status": "finished", "started": place[-1:]}
    (folder / "run.json").write_text(json.dumps({**basis, **record}))
    return folder


def ids(table: str) -> list[str]:
    """The first column of a table."""
    return [line.split()[0] for line in table.split("\n\n")[1].splitlines()[1:]]


@pytest.fixture
def several(here: Path) -> None:
    """Four runs that differ."""
    del here
    make("tiny/2026Z-a001", tags=["x", "y"], metrics={"test": {"test/acc": 0.9}}, name="first")
    make("tiny/2026Z-a002", status="failed", presets=["QuickTest"])
    make("cnn/2026Z-a003", **{"class": "CNN8K"}, tags=["x"], metrics={"test": {"test/acc": 0.95}})
    make("lr/trial-0004", command="fit", sweep="lr", trial=4, status="pruned", data="EMNIST")


def test_a_run_is_a_row_with_its_figures(fit: Fit, said: Said) -> None:
    """What all rows have in common is said once, above them."""
    run = fit("--run.name=base", "--run.tags=a,b")
    record = json.loads((run / "run.json").read_text())

    head, table, _ = said().split("\n\n")

    assert head == "1 run in runs: fit, SyntheticDigits, finished"
    row = table.splitlines()[1]
    assert run.name.endswith(row.split()[0])
    figures = [
        f"{100 * record['metrics'][part][name]:.2f}" for part, name in (("best", "val/acc"), ("test", "test/acc"))
    ]
    assert row.split()[1:5] == ["TinyModel", "1", *figures]
    assert row.endswith("base (a, b)")


@pytest.mark.usefixtures("several")
def test_the_newest_is_first_and_any_key_sorts(said: Said) -> None:
    """`-` and --reverse turn the order round; what lacks the key stays last."""
    assert ids(said()) == ["trial-0004", "a003", "a002", "a001"]
    assert ids(said("--sort=test_acc")) == ["a001", "a003", "trial-0004", "a002"]
    assert ids(said("--sort=-test_acc")) == ["a003", "a001", "trial-0004", "a002"]
    assert ids(said("--sort", "-test_acc", "--limit=1")) == ["a003"]
    assert ids(said("--reverse")) == ["a001", "a002", "a003", "trial-0004"]


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--tag=x"], ["a003", "a001"]),
        (["--tag=y"], ["a001"]),
        (["--model=tinymodel"], ["trial-0004", "a002", "a001"]),
        (["--model=CNN8K,TinyModel", "--tag=x"], ["a003", "a001"]),
        (["--status=failed,pruned"], ["trial-0004", "a002"]),
        (["--preset=QuickTest"], ["a002"]),
        (["--sweep=lr"], ["trial-0004"]),
        (["--data=EMNIST"], ["trial-0004"]),
        (["--command=fit", "--status=failed"], ["a002"]),
    ],
)
def test_filters_leave_what_has_it_all(said: Said, filters: list[str], expected: list[str]) -> None:
    """Of the values of one filter any will do."""
    assert ids(said(*filters)) == expected


@pytest.mark.usefixtures("several")
def test_what_no_run_has_is_misspelt_or_told(said: Said, refused: Refused) -> None:
    """A status that no run has just now is no mistake."""
    assert "Did you mean TinyModel" in refused("--model=TinyModle")
    assert "There are x, y" in refused("--tag=z")
    assert "There is QuickTest" in refused("--preset=none")
    assert "Did you mean running" in refused("--status=runing")
    assert "None of the 4 runs" in said("--status=running")
    assert json.loads(said("--status=running", "--json")) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--latex", "--format=latex"),
        ("--md", "--format=markdown"),
        ("--failed", "--status=failed"),
        ("--best", "--sort=-val_acc"),
        ("--order-by=lr", "--sort"),
        ("--cite", "mnistlab runs cite"),
        ("--delete", "mnistlab runs rm"),
        ("tag X", "--tag=... or mnistlab fit --run.tags=... or mnistlab runs note"),
        ("remove X", "mnistlab runs rm"),
        ("list", "mnistlab runs"),
        ("sho X", "mnistlab runs show"),
        ("compare A B", "mnistlab runs diff or mnistlab compare"),
        ("report A", "mnistlab report"),
        ("failed", "--status=failed"),
    ],
)
def test_what_is_done_otherwise_is_told(refused: Refused, typed: str, meant: str) -> None:
    """Also where it is a command of its own, or called otherwise elsewhere."""
    assert refused(*typed.split()).endswith(f"Did you mean {meant}?\n")


@pytest.mark.parametrize("name", ["last", "first"])
def test_the_name_of_a_run_is_no_word_of_an_option(refused: Refused, name: str) -> None:
    """However much it is like one."""
    assert f"`mnistlab runs show {name}` shows one" in refused(name)


@pytest.mark.usefixtures("several")
def test_csv_and_json_say_everything_in_one_level(said: Said) -> None:
    """A row for each run, whatever the others have."""
    rows = list(csv.DictReader(io.StringIO(said("--csv"))))
    objects = json.loads(said("--json"))

    assert [row["id"] for row in rows] == [each["id"] for each in objects]
    assert [each["id"] for each in objects] == ["trial-0004", "2026Z-a003", "2026Z-a002", "2026Z-a001"]
    assert objects[1]["metrics.test.test/acc"] == objects[1]["test_acc"] == 0.95
    assert rows[1]["metrics.test.test/acc"] == rows[1]["test_acc"] == "0.95"
    assert not any(isinstance(value, dict) for each in objects for value in each.values())
    assert len({tuple(row) for row in rows}) == 1


def test_a_table_fits_80_columns_and_says_what_it_leaves_out(here: Path, said: Said) -> None:
    """With long names of everything, and nothing in common."""
    del here
    figures = {"last": {"epoch": 99}, "best": {"val/acc": 1.0}, "test": {"test/acc": 1.0}}
    more = {"metrics": figures, "timings": {"train_seconds": 12345.6}, "started": "2026-01-01T00:00:00"}
    make("a/20260101T000000Z-abc123", data="SyntheticDigits", name="a name of many words " * 3, **more)
    make("b/20260101T000001Z-abc124", **{"class": "MultiheadCNN422K"}, status="interrupted", command="validate", **more)

    table = said()

    assert max(map(len, table.splitlines())) <= 80
    assert "MultiheadCNN422K" in table
    assert "interrupted" in table
    assert "started UTC: a wider terminal" in " ".join(table.split())


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("tagged", [[], ["--tag=a word"]])
def test_on_a_terminal_all_is_seen_at_once(said: Said, monkeypatch: pytest.MonkeyPatch, tagged: list[str]) -> None:
    """Heading, rows, what stands below them, and the prompt; also where rows have several lines."""
    for number in range(60):
        name = "a name of many words " * (number % 3)
        make(f"net{number}/20260101T000000Z-{number:06}", tags=["a word"], name=name, started=f"2026-01-01T{number:02}")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_, **__: os.terminal_size((80, 24)))

    shown = said(*tagged)

    assert 15 <= len(shown.splitlines()) <= 23
    assert ("of the 60 that match, of 64 runs" if tagged else "of 64 runs in runs") in " ".join(shown.split())


def test_a_row_is_a_line_on_a_narrow_terminal(here: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """The further metrics give way first, the last one before the others; what a run is found by stays."""
    del here
    measures = [{"name": name, "title": name, "unit": "%", "higher_is_better": True} for name in ("top3", "ece")]
    figures = {f"{split}/{name}": 0.5 for split in ("val", "test") for name in ("acc", "top3", "ece")}
    outcome = {"last": {"epoch": 9}, "best": figures, "test": figures}
    for number in (1, 2):
        more = {"measures": measures, "metrics": outcome, "timings": {"train_seconds": 12.0}, "name": f"n{number}"}
        make(f"a/20260101T000000Z-abc12{number}", **{"class": "MultiheadCNN422K"}, **more)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    for width, left_out in {
        60: "val top3 %, test top3 %, val ece %, test ece %",
        90: "test top3 %, val ece %, test ece %",
    }.items():
        monkeypatch.setattr("shutil.get_terminal_size", lambda *_, width=width, **__: os.terminal_size((width, 24)))
        heading, *rows = said().split("\n\n")[1].splitlines()
        assert len(rows) == 2
        assert heading.split()[:2] == ["id", "model"]
        assert max(map(len, rows)) <= width
        assert f"No room for {left_out}" in " ".join(said().split())


def test_the_column_that_is_sorted_by_stays(here: Path, said: Said) -> None:
    """Where there is no room for all."""
    del here
    figures = {"last": {"epoch": 99}, "best": {"val/acc": 1.0}, "test": {"test/acc": 1.0}}
    for number, (data, command) in enumerate([("SyntheticDigits", "fit"), ("MNIST", "validate")]):
        more = {"metrics": figures, "timings": {"train_seconds": 12345.6}, "started": f"2026-01-01T00:00:0{number}"}
        make(f"a/20260101T000000Z-abc12{number}", data=data, command=command, name="some words " * 9, **more)

    assert "data" in said()
    for key, heading in {"seconds": "12,346", "started": "01-01 00:00", "epochs": "100"}.items():
        table = said(f"--sort={key}")
        assert heading in table
        assert max(map(len, table.splitlines())) <= 80


def test_broken_records_are_counted_and_stop_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever wrote them cannot move the cursor either."""
    del here
    make("tiny/a001", name="\x1b[2Jevil")
    for name, text in (("b001", "{"), ("b002", "{}")):
        (make(f"tiny/{name}") / "run.json").write_text(text)

    assert main(["runs"]) == 0
    outcome = capsys.readouterr()

    assert "2 records cannot be read" in outcome.err
    assert "\x1b" not in outcome.out
    assert "evil" in outcome.out


def test_where_there_is_nothing_the_way_on_is_told(said: Said, refused: Refused) -> None:
    """A folder that was named and is not there is a mistake."""
    assert "no runs in runs" in said()
    assert said("--json") == "[]\n"
    assert said("--csv").startswith("id,folder,status,")
    assert "no such folder" in refused("--run.dir=gone")


def test_a_run_is_shown_in_full(fit: Fit, said: Said) -> None:
    """What is not at its default, its epochs, and how to have it again; no default is among it."""
    run = fit(
        "--trainer.max_epochs=2", "--model.optimizer.lr=0.01", "--model.loss=MSELoss", "--trainer.callbacks=Timer"
    )

    shown = said("show", str(run))
    report = json.loads(said("show", str(run), "--json"))

    assert f"mnistlab fit --config={run}/config.yaml" in shown
    assert f"mnistlab test --ckpt_path={run}" in shown
    settings = {each["option"]: (each["value"], each["default"]) for each in report["settings"]}
    assert settings["model.optimizer.lr"] == (0.01, 0.001)
    assert settings["model.loss"] == ("MSELoss", "CrossEntropyLoss")
    assert set(settings) == {
        "trainer.callbacks.0",
        "trainer.max_epochs",
        "model",
        "model.optimizer.lr",
        "model.loss",
        "data",
        "data.train_size",
        "data.test_size",
        "data.val_size",
    }
    assert [row["epoch"] for row in report["epochs"]] == [0, 1]


def test_a_long_run_is_shown_in_short(here: Path, said: Said) -> None:
    """Its first epochs, its best one and its last ones."""
    del here
    run = make("tiny/a001", metrics={"best": {"epoch": 40, "val/acc": 0.9}, "last": {"epoch": 99}})
    (run / "metrics.csv").write_text("epoch,val/acc\n" + "".join(f"{epoch},0.5\n" for epoch in range(100)))

    lines = [line.split() for line in said("show", "a001").splitlines() if line.startswith("  ")]
    epochs = [int(line[0]) for line in lines if line[0].isdecimal()]

    assert epochs == [1, 2, 3, 41, *range(94, 101)]
    assert ["41", "50.00", "best"] in lines


@pytest.mark.parametrize("record", [{}, {"segments": 3, "metrics": [], "machine": "x", "git": 1, "versions": None}])
def test_a_run_of_which_little_is_known_is_shown_too(here: Path, said: Said, record: dict[str, object]) -> None:
    """Without a word of what is not there; its configuration may be missing or broken."""
    del here
    folder = make("tiny/a001", **record)
    assert "cannot be shown" in said("show", "a001")
    (folder / "config.yaml").write_text("a: &a [*a]\n")
    assert "cannot be shown" in said("show", "a001")
    assert "\n\n\n" not in said("show", "a001")
    make("tiny/a002")
    assert "No comparison image by image" in said("diff", "a001", "a002")


def test_a_lost_run_can_be_continued(here: Path, said: Said) -> None:
    """Also where it has written no checkpoint yet: it begins anew then."""
    del here
    folder = make("tiny/a001", status="running", **{**this_process(), "process": 2**22 + 1})
    (folder / "config.yaml").touch()

    assert f"mnistlab fit --ckpt_path={folder}" in said("show", "a001")


def test_two_runs_differ_in_what_was_changed(fit: Fit, said: Said) -> None:
    """And the images that only one gets right are those that their tests say."""
    first, second = fit(), fit("--model.optimizer.lr=0.01", "--model.hidden_dim=32")

    report = json.loads(said("diff", str(first), str(second), "--json"))

    found = {each["name"]: (each["a"], each["b"]) for each in report["settings"]}
    assert found == {"model.optimizer.lr": (0.001, 0.01), "model.hidden_dim": (128, 32)}
    tests = report["tests"]["label"]
    assert tests["both_right"] + tests["only_a"] == round(200 * report["metrics"]["a"]["test/acc"])
    assert tests["both_right"] + tests["only_b"] == round(200 * report["metrics"]["b"]["test/acc"])
    assert len(tests["flips"]) == tests["only_a"] + tests["only_b"]
    assert all((flip["a"] == flip["target"]) != (flip["b"] == flip["target"]) for flip in tests["flips"])
    shown, everything = said("diff", str(first), str(second)), said("diff", str(first), str(second), "--all")
    assert len(everything.splitlines()) - len(shown.splitlines()) == len(tests["flips"]) - 11
    assert "on the same 200 test images" in shown


def test_options_of_one_class_count_where_somebody_changed_them(fit: Fit, said: Said) -> None:
    """The defaults of another class are no difference by themselves."""
    first, second = fit(), fit("--model=SmallModel", "--model.optimizer=SGD", "--model.optimizer.momentum=0.5")

    names = [each["name"] for each in json.loads(said("diff", str(first), str(second), "--json"))["settings"]]

    assert "model.optimizer.momentum" in names
    assert not {"model.optimizer.nesterov", "model.optimizer.betas", "model.optimizer.amsgrad"} & set(names)


def test_a_later_test_stands_in_for_one_that_was_left_out(fit: Fit, said: Said) -> None:
    """Until then the way to it is told."""
    first, second = fit(), fit("--run.test=false", "--seed_everything=1")
    assert f"mnistlab test --ckpt_path={second}" in said("diff", str(first), str(second))

    assert main(["test", f"--ckpt_path={second.name.rpartition('-')[2]}"]) == 0

    assert "on the same 200 test images" in said("diff", str(first), str(second))


def test_tests_on_other_images_are_not_compared(fit: Fit, said: Said) -> None:
    """It is said, and the rest is shown."""
    first, second = fit(), fit("--data.draw_seed=1")

    shown = said("diff", str(first), str(second))

    assert "different images" in shown
    assert "data.draw_seed" in shown


@pytest.mark.usefixtures("several")
def test_removed_runs_are_gone_and_no_others(said: Said) -> None:
    """By their names, by a filter; a folder that is empty then goes with them."""
    assert len(said("rm", "a001", "a003", "--yes").splitlines()) == 2
    assert not Path("runs/cnn").exists()
    assert "removed runs/tiny/2026Z-a002" in said("rm", "--status=failed", "--yes")

    assert [path.parent.name for path in Path("runs").rglob("run.json")] == ["trial-0004"]
    assert {path.name for path in Path("runs").rglob("*")} == {"lr", "trial-0004", "run.json"}


def test_what_is_removed_is_the_run_of_that_name(said: Said, refused: Refused) -> None:
    """Not one whose id begins or ends so; which it is stands in the question, in the refusal and at the end."""
    others = [make("tiny/20260101T000000Z-aaaad7"), make("tiny/20260101T000000Z-d7aaaa")]
    make("tiny/20260101T000000Z-bbbbbb", name="d7")
    which = "runs/tiny/20260101T000000Z-bbbbbb, called d7"

    assert refused("rm", "d7").endswith(f"add --yes to remove {which}.\n")
    assert said("rm", "d7", "--yes") == f"removed {which}\n"
    assert [folder.exists() for folder in others] == [True, True]


def test_runs_of_others_are_removed_on_purpose_alone(
    said: Said, refused: Refused, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the id, or with whose they are; a name, or how a run has ended, means one's own."""
    names = [f"20260101T000000Z-aaaaa{number}" for number in range(4)]
    users = ("anna", "ben", "ben", "carl")
    made = [
        make(f"tiny/{name}", name="first", status="failed", user=user) for name, user in zip(names, users, strict=True)
    ]
    monkeypatch.setattr("getpass.getuser", lambda: "anna")

    assert main(["runs", "rm", "--status=failed", "--yes"]) == 0
    told = capsys.readouterr()
    assert told.out == f"removed {made[0]}, called first\n"
    assert told.err == "note: 3 runs of ben, carl left alone; --user=NAME takes those of one.\n"
    assert said("rm", "--user=ben", "--yes").count("removed") == 2
    last = refused("rm", "first", "--yes")
    assert last.endswith(f"first is a run of carl: nothing was removed. Its id removes it: {names[3]}\n")
    for command in ("rename", "note"):
        changed = refused(command, "first", "text")
        assert changed.endswith(f"first is a run of carl: nothing was changed. Its id changes it: {names[3]}\n")
    assert said("rm", "aaaaa3", "--yes") == f"removed {made[3]} of carl, called first\n"


def test_a_long_user_name_empties_no_table(here: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut, and what there is room for after all is shown."""
    del here
    monkeypatch.setenv("COLUMNS", "80")
    for number, user in enumerate(("anna", "maximilian-alexander.von-hohenstein-schwarzenberg"), 1):
        metrics = {"last": {"epoch": 9}, "best": {"val/acc": 0.9}, "test": {"test/acc": 0.9}}
        make(f"tiny/2026Z-a00{number}", user=user, metrics=metrics)
    head = said().split("\n\n")[1].splitlines()[0].split()
    assert {"ep", "user"} <= {*head}


@pytest.mark.usefixtures("here")
def test_a_filter_takes_what_is_there_as_it_is_typed(said: Said) -> None:
    """In any case only where nothing is exactly so; a name with a comma is one that is there."""
    for number, user in enumerate(("anna", "ANNA", "a,b", "Ben"), 1):
        make(f"tiny/2026Z-a00{number}", user=user)
    assert ids(said("--user=anna")) == ["a001"]
    assert ids(said("--user=ANNA")) == ["a002"]
    assert ids(said("--user=Anna")) == ["a002", "a001"]
    assert ids(said("--user=a,b")) == ["a003"]
    assert ids(said("--user=ben,anna")) == ["a004", "a001"]


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a001", "nix", "--yes"], "no such run"),
        (["a001", "live", "--yes"], "is running"),
        (["--status=finished,running", "--yes"], "is running"),
        (["a001", "elsewhere/tiny/a009", "--yes"], "does not lie in runs"),
        (["a001", "linked", "--yes"], "does not lie in runs"),
        (["a001"], "add --yes"),
        (["a001", "--status=failed", "--yes"], "exclude each other"),
        (["--yes"], "needs the runs"),
        (["tiny", "--yes"], "a folder of"),
    ],
)
def test_what_must_stay_keeps_all_others(refused: Refused, arguments: list[str], why: str) -> None:
    """All are checked before one is removed."""
    make("tiny/live", status="running", **this_process())
    outside = Path("elsewhere/tiny/a009")
    outside.parent.mkdir(parents=True)
    make("tiny/a009").rename(outside)
    Path("runs/tiny/linked").symlink_to(outside.absolute())
    before = sorted(Path().rglob("*"))

    assert why in refused("rm", *arguments)
    assert sorted(Path().rglob("*")) == before


@pytest.mark.usefixtures("several")
def test_what_cannot_be_removed_stays_where_it_was(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not hidden, such as the run of somebody else."""

    def rmtree(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("shutil.rmtree", rmtree)
    assert "runs/tiny/2026Z-a001 cannot be removed: Permission denied" in refused("rm", "a001", "--yes")
    assert Path("runs/tiny/2026Z-a001/run.json").exists()


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    "command",
    [
        ["runs", "show", "nix"],
        ["runs", "diff", "nix", "nax"],
        ["runs", "rm", "nix", "--yes"],
        ["report", "nix"],
        ["inspect", "nix"],
        ["reproduce", "nix"],
        ["test", "--ckpt_path=nix"],
    ],
)
def test_a_closed_folder_of_another_user_ends_no_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """A name that is not found is told as ever."""
    real = {name: getattr(os, name) for name in ("stat", "lstat", "open", "scandir")}

    def closed(name: str) -> Callable[..., object]:
        def call(path: object, *arguments: object, **options: object) -> object:
            if "2026Z-a002/" in str(path) or (name == "scandir" and str(path).endswith("2026Z-a002")):
                raise PermissionError(13, "Permission denied", str(path))
            return real[name](path, *arguments, **options)

        return call

    for name in real:
        monkeypatch.setattr(os, name, closed(name))
    assert main(command) == 2
    error = capsys.readouterr().err
    assert "nix: there is no such" in error
    assert error.count("\n") == 1


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(("answer", "stays"), [("y", False), ("n", True), ("", True)])
def test_on_a_terminal_it_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, *, stays: bool
) -> None:
    """Only yes is yes."""
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: answer)

    assert main(["runs", "rm", "a001"]) == int(stays)
    assert Path("runs/tiny/2026Z-a001").exists() == stays
    out = capsys.readouterr().out
    assert out.startswith("  runs/tiny/2026Z-a001, called first\n")
    assert ("Nothing was removed" in out) == stays


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a001"], "mnistlab runs show a001"),
        (["shwo"], "Did you mean mnistlab runs show"),
        (["--json", "show"], "comes first"),
        (["show"], "takes 1 run, got none"),
        (["diff", "a001"], "takes 2 runs, got 1"),
        (["diff", "a001", "2026Z-a001"], "the same run"),
        (["show", "a001", "--yes"], "no such option"),
        (["--sort=test"], "Did you mean test_acc"),
        (["--limit=0"], "from 1 on"),
        (["--csv", "--json"], "exclude each other"),
    ],
)
def test_mistakes_are_told(refused: Refused, arguments: list[str], said: str) -> None:
    """In one line, with the way out."""
    assert said in refused(*arguments)


@pytest.mark.parametrize("arguments", [["--help"], ["show", "-h"], ["diff", "--help"], ["rm", "--help"]])
def test_help_fits_a_screen(said: Said, arguments: list[str]) -> None:
    """Of each of its commands."""
    lines = said(*arguments).splitlines()

    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("arguments", [[], ["show", "a001"], ["diff", "a001", "a002"], ["rm", "a001", "--yes"]])
def test_what_needs_no_torch_loads_none(arguments: list[str]) -> None:
    """A list is there at once; only tests that are compared image by image are tensors."""
    script = f"import sys; from mnistlab import main; main({['runs', *arguments]}); print('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)

    names = {name.partition(".")[0] for name in done.stdout.partition("LOADED")[2].split()}
    assert "csv" in names
    assert not names & {"torch", "lightning", "jsonargparse", "numpy"}


def test_what_is_run_again_from_a_shown_command_is_the_same(fit: Fit, said: Said) -> None:
    """The configuration that `show` names gives the same run."""
    run = fit("--model.optimizer.lr=0.01")
    line = next(line for line in said("show", "last").splitlines() if "--config=" in line)

    again = fit(line.split()[-1])

    assert yaml.safe_load((again / "config.yaml").read_text()) == yaml.safe_load((run / "config.yaml").read_text())
