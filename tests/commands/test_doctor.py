"""Every check of the installation can be good, and can fail."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import NoReturn

import pytest
import torch
from support import idx

from mnistlab import main
from mnistlab.data import MNIST

Doctor = Callable[[], dict[str, dict[str, str]]]


@pytest.fixture(autouse=True)
def _alone(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of this test's own."""
    monkeypatch.setenv("MNISTLAB_DATA_DIR", str(here / "sets"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    """What is found, the worst of each name, after the exit code was found to agree with it."""

    def found() -> dict[str, dict[str, str]]:
        code = main(["doctor", "--json"])
        findings: list[dict[str, str]] = json.loads(capsys.readouterr().out)
        assert code == int(any(finding["state"] == "bad" for finding in findings))
        bad = [finding for finding in findings if finding["state"] != "good"]
        assert all(finding["way_out"] or "Delete it" in finding["text"] for finding in bad)
        worst = sorted(findings, key=lambda finding: ["good", "note", "bad"].index(finding["state"]))
        return {finding["name"]: finding for finding in worst}

    return found


@pytest.fixture
def installed(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make it look as if a package were installed in another version."""

    def pretend(name: str, version: str, *lines: str) -> None:
        folder = here / "site" / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        text = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines])
        (folder / "METADATA").write_text(text + "\n")
        monkeypatch.syspath_prepend(str(here / "site"))

    return pretend


def write_mnist(here: Path, size: int = 5) -> Path:
    """A small MNIST in the folder of the data sets, its images at random."""
    raw = here / "sets" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(torch.randint(256, (size, 28, 28), dtype=torch.uint8)))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(torch.zeros(size, dtype=torch.uint8)))
    return raw


def test_this_installation_is_found_good(doctor: Doctor) -> None:
    """With the versions; only the data sets are absent, which breaks nothing."""
    found = doctor()

    assert {name for name, finding in found.items() if finding["state"] == "bad"} == set()
    assert f"torch {torch.__version__.partition('+')[0]}" in found["packages"]["text"]
    for name in ("python", "packages", "torchvision", "runs", "data folder", "cache"):
        assert found[name]["state"] == "good"
    assert found["cpu"]["text"].startswith("1 thread on ")


def test_looking_leaves_nothing_behind(doctor: Doctor, here: Path) -> None:
    """No folder is made, and no file stays."""
    doctor()

    assert not list(here.iterdir())


def test_another_python_is_needed(doctor: Doctor, installed: Callable[..., None]) -> None:
    """As the package's own metadata have it."""
    installed("mnistlab", "0.1.0", "Requires-Python: >=99")

    assert doctor()["python"] | {"text": ""} == {
        "name": "python",
        "state": "bad",
        "text": "",
        "way_out": "Make an environment with that Python.",
    }


@pytest.mark.parametrize(
    ("requirement", "text"),
    [
        ("no-such-package>=2", "no-such-package is not installed."),
        ("rich>=999", "but >=999 is needed."),
        ("pyyaml<1", "but <1 is needed."),
    ],
)
def test_a_package_is_missing_or_of_another_version(
    doctor: Doctor, installed: Callable[..., None], requirement: str, text: str
) -> None:
    """With the line that installs it."""
    installed("mnistlab", "0.1.0", f"Requires-Dist: {requirement}", 'Requires-Dist: nothing>1; extra == "dev"')

    finding = doctor()["packages"]

    assert finding["state"] == "bad"
    assert finding["text"].endswith(text)
    assert finding["way_out"] == f'pip install "{requirement}"'


def test_torch_and_torchvision_are_of_two_builds(doctor: Doctor, installed: Callable[..., None]) -> None:
    """One from PyPI, the other from torch's index for the CPU."""
    installed("torchvision", "0.29.2+cpu")

    finding = doctor()["torchvision"]

    assert finding["state"] == "bad"
    assert "torchvision 0.29.2+cpu are of different builds" in finding["text"]


def no_operator(*_: object) -> NoReturn:
    """What torchvision says next to a torch of another build."""
    raise RuntimeError("operator torchvision::nms does not exist")


BROKEN = {
    "cannot be imported": (None, "import of torchvision"),
    "has no operators": (SimpleNamespace(nms=no_operator), "operator torchvision::nms does not exist"),
    "computes something else": (SimpleNamespace(nms=lambda *_: torch.tensor([0, 1])), "nms gives [0, 1]"),
}


@pytest.mark.parametrize(("ops", "text"), BROKEN.values(), ids=BROKEN)
def test_a_broken_torchvision_is_told(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, ops: SimpleNamespace | None, text: str
) -> None:
    """It is no crash, and the other checks go on."""
    fake = ModuleType("torchvision")
    fake.ops = ops  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", None if ops is None else fake)

    found = doctor()

    assert found["torchvision"]["state"] == "bad"
    assert text in found["torchvision"]["text"]
    assert "runs" in found


def test_more_threads_than_cores_are_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are slow, not wrong."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 10_000)

    finding = doctor()["cpu"]

    assert finding["state"] == "note"
    assert "OMP_NUM_THREADS=" in finding["way_out"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_gpu_that_does_not_compute_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one whose driver is too old."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)

    assert doctor()["cuda:0"]["state"] == "bad"


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="needs a machine without MPS")
def test_mps_that_does_not_compute_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apple's GPU."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)

    assert doctor()["mps"]["state"] == "bad"


def test_a_device_that_computes_wrongly_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum must be what it is."""
    twos = torch.full((8, 8), 2.0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", lambda *_, **__: twos)

    assert "as 2048" in doctor()["mps"]["text"]


def test_a_data_set_is_absent_present_incomplete_or_damaged(
    doctor: Doctor, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only damage is a fault."""
    monkeypatch.setattr(MNIST, "num_images", {"train": 5, "test": 5})
    assert doctor()["MNIST"]["state"] == "note"

    raw = write_mnist(here)
    assert doctor()["MNIST"] == {
        "name": "MNIST",
        "state": "good",
        "text": f"5 train, 5 test, in {raw}",
        "way_out": "",
    }

    labels = raw / "t10k-labels-idx1-ubyte"
    whole = labels.read_bytes()
    labels.unlink()
    incomplete = doctor()["MNIST"]
    assert (incomplete["state"], "lacks t10k-labels-idx1-ubyte" in incomplete["text"]) == ("note", True)

    labels.write_bytes(whole[:-1])
    damaged = doctor()["MNIST"]
    assert (damaged["state"], str(labels) in damaged["text"]) == ("bad", True)
    assert "Delete it" in damaged["text"] + damaged["way_out"]


def test_what_is_odd_about_a_data_set_is_told(doctor: Doctor, here: Path) -> None:
    """Fewer images than the original has may be meant so; to be tested on the training images is not."""
    raw = write_mnist(here)
    fewer = doctor()["MNIST"]
    said = "MNIST has 5 train and 5 test images here, and 60,000 train and 10,000 test images in the original"
    assert (fewer["state"], said in fewer["text"]) == ("note", True)

    shutil.copy(raw / "t10k-images-idx3-ubyte", raw / "train-images-idx3-ubyte")
    same = doctor()["MNIST"]
    assert (same["state"], "5 of the 5 test images of MNIST stand among" in same["text"]) == ("bad", True)


def test_every_data_set_of_files_is_looked_at(doctor: Doctor) -> None:
    """By their classes, so that a new one is too."""
    assert {"MNIST", "FashionMNIST", "KMNIST", "QMNIST", "EMNIST"} <= doctor().keys()


def test_every_arrangement_of_emnist_is_looked_at(doctor: Doctor, here: Path) -> None:
    """Those that are there are named."""
    raw = here / "sets" / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "test"):
        stem = raw / f"emnist-letters-{part}"
        stem.with_name(f"{stem.name}-images-idx3-ubyte").write_bytes(
            idx(torch.randint(256, (4, 28, 28), dtype=torch.uint8))
        )
        stem.with_name(f"{stem.name}-labels-idx1-ubyte").write_bytes(idx(torch.ones(4, dtype=torch.uint8)))

    finding = doctor()["EMNIST"]

    assert (finding["state"], finding["text"].startswith("letters: EMNIST has 4 train and 4 test ")) == ("note", True)


@pytest.mark.parametrize(("name", "folder", "state"), [
    ("runs", "runs", "bad"), ("data folder", "sets", "note"), ("cache", "cache", "note"),
])  # fmt: skip
def test_a_folder_that_cannot_be_written_to_is_told(
    doctor: Doctor, here: Path, name: str, folder: str, state: str
) -> None:
    """Only without that of the runs nothing works; here a file is in its place."""
    (here / folder).write_text("")

    finding = doctor()[name]

    assert (finding["state"], "cannot be written to" in finding["text"]) == (state, True)


def test_looks_that_cannot_be_counted_are_told(
    doctor: Doctor, here: Path, told: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command that would look is refused; so is a folder that stands in the place of the file."""
    looks = here / "runs" / "looks.csv"
    looks.mkdir(parents=True)
    assert (doctor()["runs"]["state"], "and is no file" in doctor()["runs"]["text"]) == ("bad", True)
    assert "runs/looks.csv would count the looks at test images" in told("fit", "--data=SyntheticDigits", code=2)

    looks.rmdir()
    looks.touch()
    assert doctor()["runs"]["state"] == "good"
    real = os.access
    monkeypatch.setattr("os.access", lambda path, mode: (Path(path).name, mode) != (looks.name, 6) and real(path, mode))
    assert "chmod a+rw runs/looks.csv" in doctor()["runs"]["text"]


def test_a_disk_that_is_nearly_full_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a run finds out."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10_000_000))

    found = doctor()

    assert found["runs"]["state"] == "bad"
    assert "soon full" in found["runs"]["way_out"]
    assert found["cache"]["state"] == "note"


def test_a_check_that_fails_itself_is_a_finding(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a package that it needs, such as this one, the others are still made."""
    monkeypatch.setitem(sys.modules, "packaging.specifiers", None)

    found = doctor()

    assert found["python"]["state"] == "bad"
    assert "cannot be checked" in found["python"]["text"]
    assert found["runs"]["state"] == "good"


def test_a_person_sees_a_line_for_each(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    """In 80 columns, with what to do and a sum."""
    (here / "runs").write_text("")

    assert main(["doctor"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 or len(line[22:].split()) == 1 for line in lines)  # a path stays whole
    assert [line for line in lines if line.startswith("! bad   runs ")]
    assert lines[-1].startswith("1 of ")
    (here / "runs").unlink()
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("Nothing is broken.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--jsn"], "--jsn: doctor has no such option. Did you mean --json?"),
        (["--json=true"], "--json takes no value"),
        (["torch"], "doctor takes no names"),
    ],
)
def test_a_mistake_is_told(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """In one line."""
    assert main(["doctor", *arguments]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_help_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    """It says what is checked."""
    assert main(["doctor", "--help"]) == 0
    assert len(capsys.readouterr().out.splitlines()) < 10
