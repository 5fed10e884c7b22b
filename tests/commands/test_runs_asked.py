"""`mnistlab runs` of a class: by any option, by person and time, with what was chosen as columns; names and notes."""

import csv
import io
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mnistlab import main
from mnistlab.runs.run import Run
from mnistlab.runs.where import since

Fit = Callable[..., Path]
Told = Callable[..., str]

CONFIG = """\
seed_everything: {seed}
model:
  class_path: mnistlab.models.{model}
  init_args:
    hidden_dim: {width}
    optimizer:
      class_path: torch.optim.AdamW
      init_args:
        lr: {lr}
        weight_decay: 0.01
data:
  class_path: mnistlab.data.MNIST
  init_args:
    batch_size: 128
run:
  name: null
"""


def make(
    end: str, lr: float, user: str | None, *, width: int = 128, model: str = "TinyModel", **record: object
) -> Path:
    """A run with a configuration."""
    folder = Path("runs", model.lower(), f"20260101T000000Z-{end}")
    folder.mkdir(parents=True)
    basis = {"command": "fit", "class": model, "data": "MNIST", "status": "finished", "user": user, "seed": 0}
    day = datetime.now(UTC) - timedelta(days=int(end[-1]))
    record = {**basis, "started": day.isoformat(), "chosen": ["model.optimizer.lr"], **record}
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "config.yaml").write_text(CONFIG.format(seed=0, model=model, width=width, lr=lr))
    return folder


@pytest.fixture
def several(here: Path) -> None:
    """Runs of two people, and one of an older version."""
    del here
    make("aaa001", 0.001, "anna", metrics={"best": {"val/acc": 0.91, "val/loss": 0.3}}, name="base")
    make("aaa002", 0.01, "anna", metrics={"best": {"val/acc": 0.95, "val/loss": 0.2}}, tags=["x", "paper"])
    make("bbb003", 0.005, "ben", metrics={"best": {"val/acc": 0.97}})
    make("bbb004", 0.001, "ben", width=256, model="SmallModel")
    make("ccc005", 0.1, None)
    (Path("runs/tinymodel/20260101T000000Z-ccc005/config.yaml")).unlink()


def ids(told: Told, *arguments: str) -> list[str]:
    """The runs that are listed, by their last letters."""
    order = [] if any(each.startswith("--sort=") for each in arguments) else ["--sort=id"]
    return [each["id"][-6:] for each in json.loads(told("runs", "--json", "--columns=id", *order, *arguments))]


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("model.optimizer.lr>0.001", "aaa002 bbb003"),
        ("lr>0.001 and user=anna", "aaa002"),
        ("lr>=1e-3 and lr<=0.005", "aaa001 bbb003 bbb004"),
        ("optimizer.lr<0.01 and (user=anna or hidden_dim=256)", "aaa001 bbb004"),
        ("user=ANNA,ben and lr=0.001", "aaa001 bbb004"),
        ("user!=anna", "bbb003 bbb004 ccc005"),
        ("user=none", "ccc005"),
        ("lr=null", "ccc005"),
        ("tags=x", "aaa002"),
        ("tag~pap", "aaa002"),
        ("name='base'", "aaa001"),
        ("model=SmallModel or class_name=x", "no run has class_name"),
        ("optimizer=AdamW and hidden_dim=128", "aaa001 aaa002 bbb003"),
        ("val_acc>=95%", "aaa002 bbb003"),
        ("val/loss<0.25", "aaa002"),
        ("batch_size=128.0 AND user~nn", "aaa001 aaa002"),
        ("", "a name is wanted here, at the end"),
        ("lr", "=, !=, <, <=, >, >= or ~ is wanted here, at the end (character 3)"),
        ("lr>", "a value is wanted here, at the end (character 4)"),
        ("lr>>3", "a value is wanted here, before `>3` (character 4)"),
        ("lr>3 user=anna", "`and` or `or` is wanted here, before `user=anna` (character 6)"),
        ("lr>many", "lr is a number, and many is none, before `many` (character 4)"),
        ("(lr>3", "`)` is wanted here"),
        ("val_acc>95", "val_acc is from 0 to 1; 95% is 0.95, before `95` (character 9)"),
        ("name='base", "a quote has no end, before `'base` (character 6)"),
        ("lrr>3", "no run has lrr. Did you mean lr? (character 1)"),
        ("user=anna and model.optimiser.lr>3", "Did you mean model.optimizer.lr or model.optimizer? (character 15)"),
    ],
)
def test_an_expression_leaves_what_it_says(told: Told, expression: str, expected: str) -> None:
    """Or says in a line what is wrong with it, and where."""
    if expected[:3] in ("aaa", "bbb", "ccc"):
        assert ids(told, f"--where={expression}" if expression else "") == expected.split()
    elif expression:
        refused = told("runs", f"--where={expression}", code=2)
        assert expected in refused
        assert len(refused.splitlines()) == 1


@pytest.mark.usefixtures("several")
def test_people_names_and_times_choose_too(told: Told) -> None:
    """Together with an expression."""
    assert ids(told, "--user=anna") == ["aaa001", "aaa002"]
    assert ids(told, "--name=base") == ["aaa001"]
    assert ids(told, "--since=60h") == ["aaa001", "aaa002"]
    assert ids(told, "--since=3.5d", "--where=lr>0.001") == ["aaa002", "bbb003"]
    assert "Did you mean anna" in told("runs", "--user=ana", code=2)
    assert ids(told, "--since=yesterday", "--user=ben") == []
    refused = told("runs", "--since=yesteday", code=2)
    assert "--since=yesteday: 90m, 12h, 2d, 1w, today, yesterday or a date such as" in refused
    assert refused.endswith("Did you mean yesterday?\n")
    assert ids(told, "--user=ben", "--sort=-lr") == ["bbb003", "bbb004"]
    assert "--sort=lrr: no run has lrr. Did you mean lr" in told("runs", "--sort=lrr", code=2)


def test_a_name_is_meant_as_it_is_typed_where_somebody_is_called_so(told: Told) -> None:
    """Else in any case: so it is in a filter and in an expression, and whoever removes runs removes no other's."""
    make("aaa001", 0.001, "anna")
    make("bbb002", 0.001, "Anna")
    make("ccc003", 0.001, "Ben", model="SmallModel")

    for user, expected in {
        "anna": ["aaa001"],
        "Anna": ["bbb002"],
        "ANNA": ["aaa001", "bbb002"],
        "ben": ["ccc003"],
    }.items():
        assert ids(told, f"--user={user}") == ids(told, f"--where=user={user}") == expected
    assert ids(told, "--where=user!=anna") == ["bbb002", "ccc003"]
    assert ids(told, "--where=model=smallmodel") == ["ccc003"]
    assert ids(told, "--where=user~ANN") == ["aaa001", "bbb002"]


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Tokyo"])
def test_today_begins_at_the_midnight_of_the_clock_here(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever says so in the evening means the same day as in the morning, and yesterday is a day longer."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        here = datetime.now().astimezone()
        today, yesterday = (datetime.fromisoformat(since(word)).astimezone() for word in ("today", "yesterday"))
    finally:
        monkeypatch.undo()
        time.tzset()

    assert (today.hour, today.minute, today.date()) == (0, 0, here.date())
    assert (yesterday.hour, yesterday.minute, yesterday.date()) == (0, 0, here.date() - timedelta(days=1))


def test_a_time_is_that_of_greenwich() -> None:
    """A date is its beginning, and a time may say its own zone."""
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)

    assert since("90m", now)[:16] == "2026-11-30T10:30"
    assert since("1w", now)[:10] == "2026-11-23"
    assert since("2026-11-01") == "2026-11-01T00:00:00"
    assert since("2026-11-01T12:00+02:00") == "2026-11-01T10:00:00"


@pytest.mark.usefixtures("several")
def test_what_was_chosen_and_differs_is_a_column(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """The width of another model follows from its choice, and has none; where there is only one value there is none."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_, **__: os.terminal_size((120, 40)))

    head = told("runs").split("\n\n")[1].splitlines()[0].split()
    assert {"lr", "user"} <= {*head}
    assert "hidden_dim" not in head
    assert "lr" not in told("runs", "--user=anna", "--where=lr=0.001").split("\n\n")[1].split()

    everything = told("runs", "--all").split("\n\n")[1]
    assert "note" not in everything.splitlines()[0]
    rows = told("runs", "--columns=hidden_dim,val_acc", "--sort=id").split("\n\n")[1].splitlines()
    assert [row.split()[1:] for row in rows[:2]] == [["hidden_dim", "val_acc"], ["128", "0.91"]]
    rows = told("runs", "--columns=val %,s,user,id,user").split("\n\n")[1].splitlines()
    assert rows[0].split() == ["id", "val_acc", "seconds", "user"]
    assert "--columns=x: no run has x" in told("runs", "--columns=x", code=2)
    assert "--by" in told("runs", "--columns=lr", "--format=csv", code=2)


@pytest.mark.usefixtures("several")
def test_a_command_over_a_run_takes_no_columns_from_the_trainings(told: Told) -> None:
    """Their options are what was chosen; where nothing else is listed, its own are."""
    before = told("runs").split("\n\n")[1].splitlines()[0]
    make("ddd006", 0.01, "anna", command="predict", chosen=["data.batch_size", "model.hidden_dim"], width=99)
    head = told("runs").split("\n\n")[1].splitlines()[0].split()

    assert "hidden_dim" not in head
    assert {*before.split()} <= {*head}


@pytest.mark.usefixtures("several")
def test_a_note_of_several_lines_is_one_cell(told: Told) -> None:
    """As RFC 4180 has it: a table of other programs has it as it was written, and nothing that moves a cursor."""
    told("runs", "note", "aaa001", 'one\ntwo, "three"\x1b[2J')
    rows = csv.DictReader(io.StringIO(told("runs", "--csv", "--columns=id,note")))

    assert {row["note"] for row in rows} == {'one\ntwo, "three"\\x1b[2J', ""}


@pytest.mark.usefixtures("several")
def test_every_value_comes_with_its_type(told: Told) -> None:
    """In JSON as it is, in CSV as text; what a run has not is null, or empty."""
    objects = {each["id"][-6:]: each for each in json.loads(told("runs", "--json"))}
    rows = {each["id"][-6:]: each for each in csv.DictReader(io.StringIO(told("runs", "--csv")))}

    assert objects["aaa001"]["options.model.optimizer.lr"] == 0.001
    assert objects["aaa001"]["options.model.hidden_dim"] == 128
    assert objects["bbb004"]["options.model"] == "mnistlab.models.SmallModel"
    assert not [name for name in objects["ccc005"] if name.startswith("options.")]
    assert (rows["aaa001"]["options.model.hidden_dim"], rows["ccc005"]["options.model.hidden_dim"]) == ("128", "")
    chosen = json.loads(told("runs", "--json", "--columns=lr,user,tags", "--where=tags=x"))
    assert [(each["model.optimizer.lr"], each["user"], each["tags"]) for each in chosen] == [
        (0.01, "anna", ["x", "paper"])
    ]


@pytest.mark.usefixtures("several")
def test_a_run_is_renamed_and_annotated(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found by its new name, and both are shown."""
    monkeypatch.setattr("getpass.getuser", lambda: "ben")
    told("runs", "rename", "bbb003", "ben's best")
    told("runs", "note", "ben's best", "twice the rate")

    assert "twice the rate" in told("runs", "show", "ben's best")
    assert "twice the rate" in told("runs", "--all")
    assert ids(told, "--where=note~rate") == ["bbb003"]
    assert "another run has this name" not in told("runs", "rename", "bbb003", "")
    assert "no such run" in told("runs", "show", "ben's best", code=2)


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["rename", "aaa001"], "takes a run and a name"),
        (["rename", "aaa001", "two", "words"], "Quote words"),
        (["rename", "aaa001"], "got 1 word:"),
        (["rename", "aaa001", "last"], "a word that means a run"),
        (["rename", "aaa001", "a/b"], "no slash"),
        (["rename", "nix", "x"], "no such run"),
        (["note", "aaa001", "x" * 20_000], "10,000 characters at most"),
    ],
)
def test_what_no_run_can_be_called_changes_nothing(told: Told, words: list[str], why: str) -> None:
    """It is told in a line."""
    before = {path: path.read_bytes() for path in Path("runs").rglob("run.json")}

    assert why in told("runs", *words, code=2)
    assert {path: path.read_bytes() for path in Path("runs").rglob("*") if path.is_file() and path in before} == before


def test_a_trainer_that_still_runs_leaves_name_and_note(fit: Fit) -> None:
    """They are said while it trains, and stand there at its end; who has run it stands there too."""
    from mnistlab.runs.recorder import Recorder  # noqa: PLC0415 - brings torch in

    real = Recorder.goes_on

    def goes_on(self: Recorder) -> bool:
        assert main(["runs", "rename", self.folder.name, "while it ran"]) == 0
        assert main(["runs", "note", self.folder.name, "in words"]) == 0
        return real(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorder, "goes_on", goes_on)
        patch.setenv("LOGNAME", "anna")
        folder = fit()

    run = Run.of(folder)
    assert (run.name, run.note, run.user, run.status) == ("while it ran", "in words", "anna", "finished")
    assert run.epochs == 1
    assert not list(folder.glob(".*"))


def test_where_nobody_has_a_name_a_run_has_none(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user is a bare number."""

    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", unknown)

    assert json.loads((fit() / "run.json").read_text())["user"] is None


@pytest.mark.usefixtures("several")
def test_no_option_that_stands_there_twice_is_lost(told: Told) -> None:
    """All expressions have to be true; a second filter is refused; of what takes one value the last one counts."""
    both = ["--where=user=anna or user=ben", "--where=lr>0.001"]

    assert ids(told, *both) == ["aaa002", "bbb003"]
    assert ids(told, *both, "--where=val_acc>0.96") == ["bbb003"]
    assert "is given twice. Several are written as one: --user=anna,ben." in told(
        "runs", "--user=anna", "--user", "ben", code=2
    )
    assert ids(told, "--limit=1", "--limit=2") == ids(told, "--limit=2")
