"""`mnistlab bench --against`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import mnistlab
from mnistlab import main
from mnistlab.benchmark import builds, checkouts
from mnistlab.benchmark.processes import Ended
from mnistlab.training.failures import RunFailedError

SMALL = ("--data=SyntheticDigits", "--data.train_size=1500", "--data.test_size=200", "--data.val_size=300")


def record(folder: Path, seconds: float, number: int = 0) -> None:
    """Write the record of a run whose epochs took so long, but for the first one."""
    folder.mkdir(parents=True)
    times = {"epoch_seconds": [9 * seconds, seconds, seconds], "train_seconds": seconds}
    begun = f"2026-11-30T10:00:{2 * seconds * number:09.6f}+00:00"
    metrics = {"test": {"test/acc": 0.998}}
    text = json.dumps({"command": "fit", "started": begun, "timings": times, "metrics": metrics})
    (folder / "run.json").write_text(text)


@pytest.fixture
def other(here: Path) -> Path:
    """A folder that holds a lab."""
    package = here / "other" / "mnistlab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return package.parent


class Processes:
    """Processes that end at once and say that they took a second here, two in the other build.

    Attributes:
        begun: What was run, each with whether by the other build.
        environments: Their variables.
    """

    def __init__(self) -> None:
        self.begun: list[tuple[bool, Sequence[str]]] = []
        self.environments: list[Mapping[str, str]] = []

    def end(self, command: Sequence[str], code: int, environment: Mapping[str, str]) -> Ended:
        """Leave what the command would."""
        elsewhere = not environment["PYTHONPATH"].startswith(str(Path(mnistlab.__file__).parent.parent))
        self.begun.append((elsewhere, command))
        self.environments.append(environment)
        if elsewhere and "--model=EfficientNet66K" in command:
            raise RunFailedError("there is no EfficientNet66K")
        seconds = 2.0 if elsewhere else 1.0
        root = next((Path(word.partition("=")[2]) for word in command if word.startswith("--run.dir=")), Path())
        if "sweep" in command:
            for number in range(3):
                record(root / "sweep" / f"trial-{number}", seconds, number)
        elif "fit" in command and not code:
            record(root / "net" / f"{len(self.begun)}", seconds)
        said = 400 if command[-1] == "lightning.pytorch.cli" else 400 + 100 * seconds
        return Ended(said - seconds, 20 * seconds, f"@bench {said}\n")


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    """Those that would be run."""
    made = Processes()
    monkeypatch.setattr(builds, "ended", made.end)
    return made


def bench(*arguments: str, code: int = 0) -> dict[str, Any]:
    """Measure, and give what was kept."""
    assert main(["bench", "--output=figures.json", *arguments, *SMALL]) == code
    kept: dict[str, Any] = json.loads(Path("figures.json").read_text())
    return kept


def test_both_builds_are_measured_by_turns(
    other: Path, processes: Processes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every ratio has its pairs, and each build goes first in its turn."""
    kept = bench(f"--against={other}", "--seeds=5")

    assert kept["against"]["folder"] == str(other)
    found = {section: {each["name"]: each for each in lines} for section, lines in kept["sections"].items()}
    assert list(found) == ["epochs", "starts", "sweeps", "memory", "accuracy"]
    vit = found["epochs"][f"ViT210K, an epoch of 6 batches, {other} / this build"]
    assert vit["value"] == 2
    assert vit["marks"] == [{"bound": 1.5, "reached": True}, {"bound": 1.8, "reached": True}]
    assert vit["parts"] == {
        str(other): {"median": 2.0, "unit": "s", "values": [2.0] * 3},
        "this build": {"median": 1.0, "unit": "s", "values": [1.0] * 3},
    }
    assert [elsewhere for elsewhere, command in processes.begun if "--model=ViT210K" in command] == [0, 1, 1, 0, 0, 1]
    whole, between = found["sweeps"].values()
    assert [mark["bound"] for mark in whole["marks"]] == [0.25, 0.1]
    assert whole["value"] == pytest.approx((20 - 3) / (40 - 6))
    assert between["value"] == pytest.approx(0.5)
    (memory,) = found["memory"].values()
    assert (memory["value"], memory["parts"]["this build"]["values"]) == (0.5, [100, 100])
    (best,) = found["accuracy"].values()
    assert [mark["reached"] for mark in best["marks"]] == [True, True]
    assert "99.80 % and here 99.80 %" in best["how"]
    shown = capsys.readouterr().out
    assert "[2 to 2] n = 3; 2 s [2 to 2] / 1 s [1 to 1]" in " ".join(shown.split())


def test_what_the_other_build_cannot_do_is_left_out(
    other: Path, processes: Processes, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line says so, and the rest is measured."""
    kept = bench(f"--against={other}", "--only=epochs")

    lines = kept["sections"]["epochs"]
    assert [each.get("left_out") for each in lines] == [
        "there is no EfficientNet66K" if each["name"].startswith("EfficientNet66K") else None for each in lines
    ]
    assert len(lines) == 6
    assert "EfficientNet66K, an epoch is left out: there is no EfficientNet66K" in " ".join(
        capsys.readouterr().out.split()
    )
    assert processes.begun


def test_a_mark_for_five_seeds_is_not_for_one(other: Path, processes: Processes) -> None:
    """It is said how to have it."""
    (best,) = bench(f"--against={other}", "--only=accuracy")["sections"]["accuracy"]

    assert best["marks"] == []
    assert best["how"].endswith("The mark is for 5 seeds: --seeds=5.")
    assert len(processes.begun) == 2


def test_bytecode_is_kept_where_it_may_not_be_written(other: Path, processes: Processes) -> None:
    """Otherwise a start would be that of Python's compiler."""
    bench(f"--against={other}", "--only=starts", "--quick")

    for variables in processes.environments:
        assert "PYTHONDONTWRITEBYTECODE" not in variables
        assert variables["PYTHONPYCACHEPREFIX"].endswith("bytecode")
        assert variables["PYTHONSAFEPATH"] == "1"


def git(folder: Path, *command: str) -> str:
    """What git says there."""
    whole = ["git", "-C", str(folder), "-c", "user.name=N", "-c", "user.email=n@example.org", *command]
    return subprocess.run(whole, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(other: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that holds a lab, the one that is measured."""
    git(other, "init", "--quiet")
    git(other, "commit", "--quiet", "--allow-empty", "--message=Nothing yet")
    git(other, "add", ".")
    git(other, "commit", "--quiet", "--message=A lab")
    monkeypatch.setattr(checkouts, "HERE", other)
    return other


def test_a_revision_is_checked_out_and_goes_again(
    repository: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it ends in the middle."""
    commit = git(repository, "rev-parse", "HEAD")

    kept = bench("--against=HEAD", "--only=epochs", "--quick")

    assert kept["against"] == {"name": "HEAD", "folder": "", "commit": commit}
    (vit, _) = kept["sections"]["epochs"]
    assert vit["parts"]["HEAD"]["values"] == [2.0]

    def interrupted(command: Sequence[str], code: int, environment: Mapping[str, str]) -> Ended:
        folder = Path(environment["PYTHONPATH"].split(os.pathsep)[0])
        if folder.name == "checkout":
            assert (folder / "mnistlab" / "__init__.py").is_file()
            raise KeyboardInterrupt
        return processes.end(command, code, environment)

    monkeypatch.setattr(builds, "ended", interrupted)
    assert main(["bench", "--against=HEAD", "--only=epochs", "--output=second.json", *SMALL]) == 130
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert not (repository / ".git" / "worktrees").exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("nonsense", "git knows no such revision of"),
        ("mnistlab", "git knows no such revision of"),
        ("--help", "git knows no such revision of"),
        ("HEAD~1", "that revision has no mnistlab/ in it"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_what_is_no_checkout_is_refused(typed: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line."""
    assert main(["bench", f"--against={typed}"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mnistlab: --against={typed}: ")
    assert said in line


def test_a_package_outside_a_repository_has_no_revisions(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder is wanted then."""
    monkeypatch.setattr(checkouts, "HERE", here)

    assert main(["bench", "--against=HEAD"]) == 2

    assert f"{here} is no git checkout, which would have revisions." in capsys.readouterr().err


def test_a_wrong_checkout_is_told_before_torch_is_imported(here: Path) -> None:
    """At once."""
    code = "import sys; from mnistlab import main; print(main(['bench', '--against=nonsense']), 'torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=here, check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["2", "False"]


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_a_copy_of_this_build_is_measured_beside_it() -> None:
    """Whole commands of both; nothing is left out."""
    shutil.copytree(Path(mnistlab.__file__).parent, "copy/mnistlab", ignore=shutil.ignore_patterns("__pycache__"))

    kept = bench("--against=copy", "--quick", "--only=starts,sweeps")

    found = [each for lines in kept["sections"].values() for each in lines]
    assert len(found) == 6
    assert all(0.2 < each["value"] < 5 for each in found)
    assert all(each["parts"].keys() == {"copy", "this build"} for each in found)
