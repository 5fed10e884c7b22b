"""Classes in files of the current folder and in installed packages, which nobody has imported."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistlab import main

Row = dict[str, object]

FILE = '''
"""Parts of a user."""
from typing import Any
from torch import Tensor, nn
from mnistlab import Classifier, ImageData, Loss, TinyModel
import mnistlab

class {Stem}Base(mnistlab.Classifier):
    abstract = True

class {Stem}Net({Stem}Base):
    """A line.

    And more of it.
    """
    name = "{stem}_net"
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, self.heads[self.primary]))

class {Stem}Wide(TinyModel):
    """A wide one."""
    name = "{stem}_wide"

class {Stem}Loss(Loss):
    """A loss."""
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, target)

class {Stem}Data(ImageData):
    """Some data."""
'''


@pytest.fixture
def stem(here: Path) -> str:
    """The beginning of the names of classes in `MODULE.py`, and a file beside it that must not be run."""
    stem = "Beside" + "".join(part for part in here.name if part.isalnum())
    (here / f"{stem.lower()}.py").write_text(FILE.replace("{Stem}", stem).replace("{stem}", stem.lower()))
    (here / "broken.py").write_text("class (")
    (here / "untouched.py").write_text("from mnistlab import Loss\nopen('RUN', 'w')\nclass Untouched(Loss): ...\n")
    return stem


@pytest.fixture
def table(capsys: pytest.CaptureFixture[str]) -> Callable[[str], dict[object, Row]]:
    """The rows of a table by name."""

    def rows(command: str) -> dict[object, Row]:
        assert main([command, "--json"]) == 0
        return {row["name"]: row for row in json.loads(capsys.readouterr().out)}

    return rows


def test_tables_list_what_files_here_offer(stem: str, here: Path, table: Callable[[str], dict[object, Row]]) -> None:
    """By what they derive from, read without running them."""
    models = table("models")

    assert models[f"{stem}Net"]["description"] == f"A line. In {stem.lower()}.py."
    assert models[f"{stem}Net"]["class"] == f"{stem.lower()}.{stem}Net"
    assert models[f"{stem}Wide"]["command"] == f"mnistlab fit --model={stem}Wide"
    assert f"{stem}Loss" not in models
    assert {f"{stem}Loss", "Untouched"} <= table("losses").keys()
    assert f"{stem}Data" in table("datasets")
    assert not (here / "RUN").exists()


def test_tables_list_what_installed_packages_offer(
    here: Path, monkeypatch: pytest.MonkeyPatch, table: Callable[[str], dict[object, Row]]
) -> None:
    """By entry points of the group `mnistlab`, which name modules; none of them is imported."""
    site = here / "site"
    (site / "offering").mkdir(parents=True)
    (site / "offering" / "__init__.py").write_text("raise AssertionError('imported')\n")
    (site / "offering" / "nets.py").write_text(
        'from mnistlab import TinyModel\nclass Offering(TinyModel):\n    "One."\n'
    )
    info = site / "offering_nets-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offering-nets\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mnistlab]\nnets = offering.nets\ngone = no_such_module.nets\n")
    monkeypatch.syspath_prepend(site)

    row = table("models")["Offering"]

    assert row["description"] == "One. In offering_nets."
    assert row["class"] == "offering.nets.Offering"


def test_a_class_here_is_named_by_its_short_name(
    stem: str, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """In any case, as those of the lab; a checkpoint is opened by the same word."""
    chosen = (f"--model={stem}Net".lower(), f"--model.loss={stem}Loss")

    assert main(["fit", *chosen, *small_data, "--trainer.max_epochs=1"]) == 0
    assert main(["test", "--ckpt_path=last"]) == 2
    assert f"{stem.lower()}.{stem}Net" in capsys.readouterr().err
    assert main(["test", "--ckpt_path=last", f"--model={stem}Net", f"--model.loss={stem}Loss"]) == 0


def test_the_nearest_name_is_looked_for_among_them_too(stem: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And a word that two files have is refused with both."""
    assert main(["fit", f"--model={stem}Nett"]) == 2
    assert f"Did you mean {stem}Net" in capsys.readouterr().err

    Path("other.py").write_text(f"from mnistlab import TinyModel\nclass {stem}Net(TinyModel): ...\n")
    assert main(["fit", f"--model={stem}Net"]) == 2
    message = capsys.readouterr().err
    assert all(path in message for path in ("Write one of", f"other.{stem}Net", f"{stem.lower()}.{stem}Net"))


@pytest.mark.slow
def test_help_and_completion_know_them_without_torch(stem: str, here: Path) -> None:
    """TAB never, and help once the class has been imported for it."""
    script = "import sys; from mnistlab import main; main(sys.argv[1:]); print('torch' in sys.modules)"

    def said(*arguments: str) -> str:
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=here).stdout

    assert f"{stem}Net" in said("completion", "--complete", "bash", "mnistlab fit --model=Besid", "")
    assert said("models").endswith("False\n")
    said("fit", f"--model.help={stem}Net")
    assert said("fit", f"--model.help={stem}Net").endswith("False\n")
    assert said("fit", f"--model={stem}Net", "--model.optimizr=SGD").endswith("False\n")
