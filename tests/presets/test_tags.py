"""Presets are found by their tags, which are read without running anything."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnistlab.cli import main

Tagged = Callable[..., dict[str, Any]]

PYTHON = """
raise SystemExit("it was run")
from mnistlab import Preset, config
from mnistlab.sections import Run


class A(Preset):
    run = config(Run, tags=["a", "python"])


class B(A):
    seed_everything = 3


class C(Preset):
    run = {"tags": "c,d"}


D = A.clone({"run.tags": ["e"]})
E = C.clone(seed_everything=4)
"""


@pytest.fixture
def tagged(here: Path, capsys: pytest.CaptureFixture[str]) -> Tagged:
    """The tags of each preset of one's own, by name."""
    (here / "presets").mkdir()

    def read(*arguments: str) -> dict[str, Any]:
        assert main(["presets", "--json", *arguments]) == 0
        rows = json.loads(capsys.readouterr().out)
        return {row["name"]: row["tags"] for row in rows if not Path(row["path"]).is_absolute()}

    return read


def test_a_preset_in_yaml_has_the_tags_of_its_runs(tagged: Tagged) -> None:
    """As a list, or in one word."""
    Path("presets/A.yaml").write_text("run: {tags: [a, b]}\n")
    Path("presets/B.yaml").write_text("run.tags: a,c\n")

    assert tagged() == {"A": ["a", "b"], "B": ["a", "c"]}


def test_a_preset_has_the_tags_of_what_it_builds_on(tagged: Tagged) -> None:
    """Unless it says others, or adds some."""
    Path("presets/A.yaml").write_text("run: {tags: [a]}\n")
    Path("presets/B.yaml").write_text("base: A\n")
    Path("presets/C.yaml").write_text("base: A\nrun: {tags: [c]}\n")
    Path("presets/D.yaml").write_text("base: A\nrun: {tags+: d}\n")

    assert tagged() == {"A": ["a"], "B": ["a"], "C": ["c"], "D": ["a", "d"]}


def test_a_preset_in_python_has_its_tags_and_is_not_run(tagged: Tagged) -> None:
    """Its own, or those of the class that it derives from or is a clone of."""
    Path("presets/own.py").write_text(PYTHON)

    assert tagged() == {"A": ["a", "python"], "B": ["a", "python"], "C": ["c", "d"], "D": ["e"], "E": ["c", "d"]}


def test_those_with_a_tag_are_listed(tagged: Tagged) -> None:
    """Or with one of several."""
    Path("presets/A.yaml").write_text("run: {tags: [a]}\n")
    Path("presets/B.yaml").write_text("run: {tags: [b]}\n")
    Path("presets/C.yaml").write_text("run: {tags: [c]}\n")

    assert [*tagged("--tag=a,c")] == ["A", "C"]


def test_a_file_that_is_broken_has_no_tags(tagged: Tagged) -> None:
    """It is listed all the same."""
    Path("presets/A.yaml").write_text("run: {tags: [a\n")
    Path("presets/B.yaml").write_text("base: Nowhere\n")

    assert tagged() == {"A": [], "B": []}


def test_the_experiments_that_come_with_the_lab_have_a_tag(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are those of the templates that have them."""
    del here
    assert main(["presets", "--json", "--tag=experiment"]) == 0

    names = {row["name"] for row in json.loads(capsys.readouterr().out)}
    assert {"example", "multihead_cnn_mnist", "vit_mnist", "vit_mnist_995", "convnext_mnist"} <= names


def test_a_tag_that_no_preset_has_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the nearest one."""
    del here
    assert main(["presets", "--tag=experimnt"]) == 2

    assert capsys.readouterr().err == (
        "mnistlab: --tag=experimnt: no preset has the tag experimnt. Did you mean experiment?\n"
    )


def test_tags_are_completed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For presets and for comparisons."""
    del here
    for command in ("presets", "compare"):
        assert main(["completion", "--complete", "fish", command, "--tag=exp"]) == 0
        assert capsys.readouterr().out.split() == ["--tag=experiment"]
