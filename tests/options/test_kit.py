"""The kit of a class: what a file above says counts where nobody has said anything else, and is trusted no further."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import only_run, record_of

from mnistlab.catalogue import load_catalogue
from mnistlab.cli import main
from mnistlab.commands.doctor import CHECKS
from mnistlab.errors import LabError
from mnistlab.options.kit import find_kit
from mnistlab.system.files import UnreadableError

KIT = """\
runs: kept
data: sets
presets: shared
defaults:
  fit:
    model: SDN8K
    data: SyntheticDigits
    data.train_size: 600
    data.test_size: 200
    data.val_size: 100
    trainer.max_epochs: 2
  runs: {limit: 1}
"""
STRANGER = 12_345
Told = Callable[..., str]


@pytest.fixture(autouse=True)
def anna(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a student, below that of a class; one stands in it."""
    monkeypatch.delenv("MNISTLAB_DATA_DIR", raising=False)
    (here / "mnistlab.yaml").write_text(KIT)
    (here / "shared").mkdir()
    (here / "shared" / "Wide.yaml").write_text("# Wide.\nmodel: TinyModel\nmodel.hidden_dim: 16\n")
    (here / "anna").mkdir()
    monkeypatch.chdir(here / "anna")
    return here / "anna"


@pytest.fixture
def strange(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kit, which another user has laid there."""
    if os.getuid():
        monkeypatch.setattr(os, "getuid", lambda: STRANGER)
    else:
        os.chown(here / "mnistlab.yaml", STRANGER, -1)
    return here / "mnistlab.yaml"


def origins(told: Told, *arguments: str) -> dict[str, str]:
    """Who said each value, by the option and the value."""
    lines = told("fit", *arguments, "--print_config=origins").splitlines()
    return {line.partition("  # ")[0].strip(): line.partition("  # ")[2] for line in lines if "  # " in line}


def test_what_it_says_counts_and_is_named_as_the_origin(told: Told, here: Path) -> None:
    """In each folder below it, with the line; folders are meant from where it lies."""
    said = origins(told, "--data=MNIST")

    assert said["max_epochs: 2"] == f"{here}/mnistlab.yaml:11:5"
    assert said[f"dir: {here}/kept"] == f"{here}/mnistlab.yaml:1:1"
    assert said["data_dir: null"] == f"{here}/mnistlab.yaml:2:1: data: {here}/sets"


def test_what_is_said_otherwise_counts_before_it(told: Told, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the command line, in a preset, in the environment."""
    monkeypatch.setenv("MNISTLAB_RUN_DIR", "mine")
    said = origins(told, "--config=Wide", "--trainer.max_epochs=3")

    assert said["max_epochs: 3"] == "--trainer.max_epochs=3"
    assert said["class_path: mnistlab.models.TinyModel"] == f"{here}/shared/Wide.yaml:2:1"
    assert said["dir: mine"] == "MNISTLAB_RUN_DIR=mine"


def test_the_nearest_one_is_in_force_alone(told: Told, anna: Path) -> None:
    """As with any tool that looks for a file so; the nearest says nothing here."""
    (anna / "mnistlab.yaml").write_text("# nothing yet\n")

    assert "MediumModel" in told("fit", "--print_config")


def test_above_ones_home_none_is_looked_for(
    told: Told, anna: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies there is nobody's own."""
    monkeypatch.setenv("HOME", str(anna))
    assert find_kit() is None
    monkeypatch.setenv("HOME", str(here))

    assert find_kit() is not None
    assert "SDN8K" in told("fit", "--print_config")


@pytest.mark.usefixtures("inline")
def test_all_commands_go_by_it(told: Told, here: Path) -> None:
    """What one keeps the others find; nothing else is written where one stands."""
    told("fit", "--run.name=first")
    run = only_run(here / "kept")
    told("sweep", "--model.optimizer.lr=choice:0.1,0.01", "--name=two", "--trainer.max_epochs=1")
    told("compare", "--models=TinyModel", "--seeds=1", "--name=one", "--trainer.max_epochs=1")
    assert {path.name for path in (here / "kept").iterdir()} == {run.parent.name, "two", "one", "looks.csv"}
    assert not list(Path.cwd().iterdir())
    shown = re.sub(r"\s+", " ", told("runs", "show", "first"))
    assert f"kit {here}/mnistlab.yaml: model=SDN8K" in shown
    assert "trainer.max_epochs=2" in shown
    assert record_of(run)["kit"]["trainer.max_epochs"] == "2"
    assert len(told("runs").splitlines()) < len(told("runs", "--limit=all").splitlines())
    assert "Wide" in told("presets")
    assert "Wide" in told("completion", "--complete", "bash", "mnistlab fit --config=W", "")
    assert "first" in told("completion", "--complete", "bash", "mnistlab runs show fir", "")
    assert "SDN8K" in told("fit", "--help")
    assert f"{here}/mnistlab.yaml: runs in {here}/kept" in re.sub(r"\s+", " ", told("doctor"))
    report = told("report", "first").strip()
    assert report.endswith(f"{run.name}/report.html")


def test_a_run_means_the_same_where_there_is_no_kit(
    told: Told, here: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its checkpoint and its configuration say all that the kit has said."""
    told("fit")
    run = only_run(here / "kept")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    told("test", f"--ckpt_path={run}")
    told("fit", f"--config={run}/config.yaml", "--run.dir=again")
    again = only_run(Path("again"))

    (tested,) = Path("runs").glob("*/*")
    test = record_of(run)["metrics"]["test"]
    assert record_of(tested)["metrics"]["test/acc"] == test["test/acc"]
    assert record_of(again)["metrics"] == record_of(run)["metrics"]
    assert "kit" not in record_of(again)


def test_a_kit_that_changes_makes_another_sweep(told: Told, here: Path) -> None:
    """Its trials would not be comparable."""
    sweep = ("sweep", "--model.optimizer.lr=choice:0.1,0.01", "--name=it", "--trainer.max_epochs=1")
    from mnistlab.sweeps.space import Space, content_of  # noqa: PLC0415 - brings torch in

    before = content_of(Space(sweep[1:2]))
    (here / "mnistlab.yaml").write_text(KIT.replace("kept", "else"))
    assert content_of(Space(sweep[1:2])) == before
    (here / "mnistlab.yaml").write_text(KIT.replace("600", "700"))

    assert content_of(Space(sweep[1:2])) != before
    assert told("presets")


@pytest.mark.parametrize(
    ("text", "command", "message"),
    [
        ("rusn: a", "runs", "mnistlab.yaml:1:1: a kit has no rusn. Did you mean runs?"),
        ("a: 1", "runs", "mnistlab.yaml:1:1: a kit has no a. It has runs, data, presets, defaults."),
        ("\nruns: [a]", "runs", "mnistlab.yaml:2:1: runs takes a folder, such as `runs: runs`."),
        ("data: null", "runs", "mnistlab.yaml:1:1: data takes a folder"),
        ("presets:", "runs", "mnistlab.yaml:1:1: presets takes a folder"),
        ("runs: a\nruns: b", "runs", "mnistlab.yaml:2:1: runs stands here for the second time"),
        ("runs: [", "runs", "mnistlab.yaml:1:8: this is not YAML"),
        ("- a", "runs", "mnistlab.yaml: a kit is a mapping"),
        ("defaults: 3", "runs", "mnistlab.yaml:1:11: defaults takes options with their values"),
        ("defaults: {fit: 3}", "runs", "mnistlab.yaml:1:12: defaults.fit takes options with their values"),
        ("defaults: {fti: {seed_everything: 3}}", "runs", "mnistlab.yaml:1:18: defaults: there is no command fti."),
        ("defaults: {runs: {limti: 3}}", "runs", "mnistlab.yaml:1:19: runs has no option limti. Did you mean limit?"),
        ("defaults: {runs: {json: true}}", "runs", "mnistlab.yaml:1:19: json is typed where it is wanted"),
        ("defaults: {runs: {format: pdf}}", "runs", "mnistlab.yaml:1:19: format=pdf: latex or"),
        ("defaults: {runs: {limit: 0}}", "runs", "mnistlab.yaml:1:19: limit=0"),
        ("defaults: {runs: {limit: [1]}}", "runs", "mnistlab.yaml:1:19: limit takes one value."),
        ("defaults: {runs: {run.dir: a}}", "runs", "mnistlab.yaml:1:19: run.dir belongs on the command line."),
        ("defaults: {report: {trust: mine}}", "report", "mnistlab.yaml:1:21: trust belongs on the command line."),
        ("defaults: {sweep: {seeds: 0}}", "sweep --model.layers=choice:1,2", "mnistlab.yaml:1:20: seeds=0"),
        ("defaults: {sweep: {trainer.max_epochs: 1}}", "sweep", "mnistlab.yaml:1:20: sweep has no option trainer.max"),
        ("defaults: {fit: {trainer.max_epoch: 1}}", "fit", "mnistlab.yaml:1:18: "),
        ("defaults: {fit: {trainer.max_epochs: a}}", "fit", "mnistlab.yaml:1:18: "),
        ("defaults: {fit: {model: TinyModell}}", "fit", "mnistlab.yaml:1:18: "),
        ("defaults: {fit: {config: Wide}}", "fit", "mnistlab.yaml:1:18: config belongs on the command line."),
        ("defaults: {fit: {trust: mine}}", "fit", "mnistlab.yaml:1:18: trust belongs on the command line."),
    ],
)
def test_a_mistake_in_it_is_told_with_its_line(told: Told, here: Path, text: str, command: str, message: str) -> None:
    """In one line, by the commands that it is about; nothing is written."""
    (here / "mnistlab.yaml").write_text(text)
    said = told(*command.split(), code=2)

    assert said.startswith(f"mnistlab: {here}/{message}")
    assert len(said.splitlines()) == 1
    assert not (here / "kept").exists()


@pytest.mark.parametrize(
    "text", ["runs: [", "rusn: a", "defaults: {fti: {a: 1}}", "defaults: {runs: {limti: 3}}", "defaults: {fit: {a: 1}}"]
)
def test_doctor_reads_all_of_it(here: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Also what is for a command that nobody has typed yet."""
    (here / "mnistlab.yaml").write_text(text)
    assert main(["doctor", "--json"]) == 1
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)}

    assert found["kit"]["state"] == "bad"
    assert found["kit"]["text"].startswith(f"{here}/mnistlab.yaml:1:")
    assert not any("LabError" in each["text"] for each in found.values())


@pytest.mark.parametrize("what", ["folder", "dangling link", "nothing", "unreadable folder"])
def test_what_is_no_file_is_no_kit(here: Path, told: Told, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is there one where nobody may look."""
    file = here / "mnistlab.yaml"
    file.unlink()
    if what == "folder":
        file.mkdir()
    elif what == "dangling link":
        file.symlink_to("nowhere")
    elif what == "unreadable folder":
        stat = Path.stat

        def refused(path: Path, **how: bool) -> os.stat_result:
            if path == file:
                raise PermissionError(13, "Permission denied", str(path))
            return stat(path, **how)

        monkeypatch.setattr(Path, "stat", refused)

    assert find_kit() is None
    said = re.sub(r"\s+", " ", told("doctor"))
    assert "no mnistlab.yaml here or above" in said
    kinds = {"folder": "a folder", "dangling link": "a link that leads nowhere"}
    assert (f"{file} is not taken: it is {kinds.get(what)}, and no file." in said) == (what in kinds)


def test_a_link_that_leads_nowhere_is_told_by_each_command(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever has laid it believes that it is in force."""
    (here / "mnistlab.yaml").unlink()
    (here / "mnistlab.yaml").symlink_to("nowhere")
    assert main(["runs"]) == 0

    assert f"note: {here}/mnistlab.yaml is not taken: it is a link that leads nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "line", "make"), [("runs", 1, "file"), ("data", 2, "file"), ("presets", 3, "file"), ("presets", 3, "")]
)
def test_a_folder_that_it_names_and_that_is_none_is_told(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, line: int, make: str
) -> None:
    """Those of runs and data are made when they are needed, presets are not."""
    folder = {"runs": "kept", "data": "sets", "presets": "shared"}[name]
    for path in (here / folder).glob("*"):
        path.unlink()
    if (here / folder).is_dir():
        (here / folder).rmdir()
    if make:
        (here / folder).write_text("mine")
    assert main(["doctor", "--json"]) == 1
    (found,) = [each for each in json.loads(capsys.readouterr().out) if each["name"] == "kit"]
    what = "no folder" if make else "not there"
    sentence = f"{here}/mnistlab.yaml:{line}:1: {name}: {here}/{folder} is {what}."

    assert (found["state"], found["text"]) == ("bad", sentence)
    assert main(["fit", "--config=Wider"]) == 2
    assert (sentence in capsys.readouterr().err) == (name == "presets")
    assert main(["presets"]) == 0
    assert (f"note: {sentence}" in capsys.readouterr().err) == (name == "presets")


def test_a_folder_that_has_been_removed_has_none(anna: Path) -> None:
    """A shell may still stand in it."""
    anna.rmdir()

    assert find_kit() is None


@pytest.mark.parametrize("everybody", ["the folder", "the file"])
def test_where_everybody_may_write_another_users_is_not_taken(
    strange: Path, told: Told, capsys: pytest.CaptureFixture[str], everybody: str
) -> None:
    """Anyone can lay one into /tmp, and would say what those below it run; that it is passed over is told."""
    place = strange if everybody == "the file" else strange.parent
    place.chmod(0o777)
    assert find_kit() is None
    assert main(["fit", "--print_config"]) == 0
    said = capsys.readouterr()

    assert "MediumModel" in said.out
    assert said.err.startswith(f"note: {strange} is not taken: it is another user's, and everybody may write there.")
    assert "is not taken" in re.sub(r"\s+", " ", told("doctor"))


def test_ones_own_is_taken_wherever_it_lies(here: Path) -> None:
    """A class may share a folder in which all may write, if each has the file from himself or from root."""
    here.chmod(0o777)

    assert find_kit() is not None


def test_another_users_sets_values(strange: Path, told: Told) -> None:
    """It is the teacher's, in a folder that others only read."""
    assert origins(told)["max_epochs: 2"] == f"{strange}:11:5"
    assert ", of another user" in re.sub(r"\s+", " ", told("doctor"))


@pytest.mark.parametrize(
    ("default", "way_out"),
    [
        ("fit: {model: antigravity.Net}", "nothing was imported. If you trust it, add --trust=antigravity."),
        ("fit: {model: Wrapped, model.net: os.system}", "nothing was imported. If you trust it, add --trust=os."),
        ("fit: {trainer.default_root_dir: /elsewhere}", "nor in the folder of the kit. If you trust it, add --trust="),
        ("fit: {logger: mlflow, logger.uri: 'http://host:1'}", "If you trust it, add --trust=http://host:1"),
        ("report: {output: /elsewhere.html}", "this kit is another user's, so type it yourself: --output=..."),
        ("sweep: {storage: 'postgresql://host/db'}", "this kit is another user's, so type it yourself: --storage=..."),
    ],
)
def test_another_users_is_trusted_as_little_as_a_checkpoint(
    strange: Path, told: Told, default: str, way_out: str
) -> None:
    """It imports nothing and names no place to write to, not even for a page of help."""
    owner = strange.stat().st_uid
    strange.write_text(f"defaults: {{{default}}}")
    assert strange.stat().st_uid == owner
    command = default.partition(":")[0]

    assert way_out in told(command, code=2)


def test_its_presets_in_python_are_run_when_they_are_named(told: Told, here: Path) -> None:
    """As those of the folder in which one stands: what is listed is read and not run."""
    (here / "shared" / "mine.py").write_text(
        "from pathlib import Path\nfrom mnistlab import Preset, TinyModel\nPath('RUN').touch()\n\n\n"
        "class Mine(Preset):\n    '''Mine.'''\n\n    model = TinyModel\n"
    )
    listed = told("presets")
    assert "Mine" in listed
    assert f"{here}/shared/mine.py" in re.sub(r"\s+", "", listed)
    assert not Path("RUN").exists()
    assert "TinyModel" in told("fit", "--config=Mine", "--print_config")

    assert Path("RUN").exists()


def test_a_preset_of_ones_own_hides_that_of_the_kit_and_this_a_shipped_one(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is told."""
    (here / "shared" / "QuickTest.yaml").write_text("trainer.max_epochs: 4\n")
    Path("presets").mkdir()
    Path("presets", "Wide.yaml").write_text("model: SDN68K\n")
    assert main(["fit", "--config=Wide", "--config=QuickTest", "--print_config"]) == 0
    said = capsys.readouterr()

    assert f"note: --config=Wide is presets/Wide.yaml; it hides {here}/shared/Wide.yaml.\n" in said.err
    assert f"{here}/shared/QuickTest.yaml; it hides " in said.err
    assert "which comes with mnistlab." in said.err
    assert "SDN68K" in said.out
    assert "max_epochs: 4" in said.out


def test_what_a_kit_says_of_a_form_that_is_not_asked_for_is_left_aside(told: Told, here: Path) -> None:
    """A board is written though the kit has a port, and served though it has a file; what is typed is still refused."""
    kit = "defaults:\n  board: {port: 'PORT', host: nowhere.invalid, output: x.html}\n"
    (here / "mnistlab.yaml").write_text(kit.replace("PORT", "99999"))
    said = told("board", "--serve", code=2)
    (here / "anna" / "runs").mkdir()
    (here / "mnistlab.yaml").write_text(kit.replace("PORT", "9999"))
    told("board")

    assert "a number from 1 to 65535 is wanted" in said
    assert "mnistlab.yaml:2:" in said
    assert Path("x.html").exists()
    assert "--port=77: it is for a board that is served" in told("board", "--port=77", code=2)
    (here / "mnistlab.yaml").write_text("defaults:\n  runs: {by: model, columns: nothing}\n")
    assert told("runs", "--csv", "--columns=id") == "id\n"


@pytest.mark.parametrize(
    ("kit", "file", "content", "said"),
    [
        ("presets: mine", "Empty.yaml", "", "Empty.yaml is empty."),
        ("presets: mine", "Word.yaml", "x", "Word.yaml: a configuration file is a mapping"),
        ("presets: mine", "Wrong.yaml", "model: {class_path: SDN8K, init_args: {dropuot: 3}}", "no option dropuot"),
        ("presets: mine", "Conv.py", "a = 1\n", "Conv.py has no preset"),
        ("defaults: {compare: {seeds: many}}", "", "", "mnistlab.yaml:1:22: seeds=many: "),
        (
            "defaults: {runs: {limit: -4}}",
            "",
            "",
            "mnistlab.yaml:1:19: limit=-4: a number from 1 on is wanted, or all.",
        ),
        ("defaults: {judge: {effect: x}}", "", "", "mnistlab.yaml:1:20: effect=x: a number from 0 on is wanted"),
        ("defaults: {judge: {budget: soon}}", "", "", "mnistlab.yaml:1:20: budget=soon: a time is wanted"),
        (
            "defaults: {models: {batch: '1,x'}}",
            "",
            "",
            "mnistlab.yaml:1:21: batch=x: sizes from 1 to 10,000 are wanted",
        ),
        ("defaults: {runs: {since: often}}", "", "", "mnistlab.yaml:1:19: since=often: 90m, 12h, 2d, 1w, today, "),
        ("defaults: {runs: {where: 'lr>'}}", "", "", "mnistlab.yaml:1:19: where=lr>: a value is wanted here"),
        ("defaults: {board: {port: 70000}}", "", "", "mnistlab.yaml:1:20: port=70000: a number from 1 to 65535"),
        ("defaults: {bench: {data: MNISTT}}", "", "", "mnistlab.yaml:1:20: data=MNISTT: "),
        ("defaults: {compare: {models: 'all,SDN9K'}}", "", "", "SDN9K"),
        ("defaults: {compare: {presets: Wider}}", "", "", "mnistlab.yaml:1:22: presets=Wider: "),
        ("defaults: {presets: {tag: nobodys}}", "", "", "mnistlab.yaml:1:22: tag=nobodys: "),
        ("defaults: {fit: {'': 3}}", "", "", "mnistlab.yaml:1:18: defaults has a name that is empty."),
    ],
)
def test_doctor_finds_what_only_other_commands_would_meet(
    here: Path, kit: str, file: str, content: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Presets that cannot be used, and defaults of commands that nobody has typed yet."""
    monkeypatch.setattr("mnistlab.training.typed.sys", SimpleNamespace(modules={}))  # as in a process of its own
    (here / "mnistlab.yaml").write_text(kit)
    (here / "mine").mkdir()
    if file:
        (here / "mine" / file).write_text(content)

    found = [each for each in CHECKS["kit"]() if each.state != "good"]

    assert [said in each.text for each in found] == [True]


def test_doctor_looks_the_classes_up_to_check_a_kit(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where none have been looked up yet; where they cannot be, it says that the kit is not checked."""
    catalogue = load_catalogue()
    monkeypatch.setattr("mnistlab.catalogue.store.present_catalogue", lambda: None)
    monkeypatch.setattr("mnistlab.catalogue.store.write_catalogue", lambda *_: None)
    monkeypatch.setattr("mnistlab.catalogue.store.new_catalogue", lambda: catalogue)
    (here / "shared" / "Wide.yaml").write_text("model: TinyModel\nmodel.dropuot: 0.5\n")
    assert ["no option dropuot" in each.text for each in CHECKS["kit"]() if each.state == "bad"] == [True]

    def broken() -> None:
        raise LabError("the classes cannot be listed: no torch.")

    monkeypatch.setattr("mnistlab.catalogue.store.new_catalogue", broken)
    (finding,) = CHECKS["kit"]()

    assert finding.state == "note"
    assert "mnistlab.yaml is not checked: the classes cannot be listed" in finding.text


def test_a_kit_that_nobody_may_read_has_no_line_to_mend(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be done is to let it be read."""
    (here / "mnistlab.yaml").write_text("runs: kept\n")

    def refuse(path: Path, *_: object) -> str:
        raise UnreadableError(f"{path} cannot be read: permission denied.")

    monkeypatch.setattr("mnistlab.options.kit.read_text", refuse)
    (finding,) = CHECKS["kit"]()

    assert finding.text.endswith("cannot be read: permission denied.")
    assert finding.way_out == "Let it be read by you, or move it away."


def test_a_preset_that_cannot_be_read_says_so_in_the_table(here: Path, told: Told) -> None:
    """It is not listed as if it could be used."""
    (here / "mnistlab.yaml").write_text("presets: mine\n")
    (here / "mine").mkdir()
    (here / "mine" / "Empty.yaml").write_text("")

    row = next(each for each in json.loads(told("presets", "--json")) if each["name"] == "Empty")

    assert row["description"].startswith("It cannot be read: ")
