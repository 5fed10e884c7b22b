"""`base: QuickTest`: a preset in YAML builds on others."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnistlab import preset
from mnistlab.cli import main

Told = Callable[..., str]
Resolved = Callable[..., Any]


@pytest.fixture(autouse=True)
def _own_presets(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for presets, in a process that has seen no other."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "presets"]:
        monkeypatch.delitem(sys.modules, name)
    (here / "presets").mkdir()


def write(**presets: str) -> None:
    """Presets of one's own, in YAML."""
    for name, text in presets.items():
        Path("presets", f"{name}.yaml").write_text(text)


def test_a_preset_builds_on_another_by_its_name(resolved: Resolved) -> None:
    """What it says itself counts before that."""
    write(Mine="base: QuickTest\ntrainer: {max_epochs: 7}\n")
    found = resolved("--config=Mine")

    assert found["data"]["init_args"]["batch_size"] == 8
    assert found["trainer"]["max_epochs"] == 7


def test_a_file_lies_beside_the_one_that_names_it(resolved: Resolved) -> None:
    """Wherever the command is typed."""
    Path("elsewhere").mkdir()
    Path("elsewhere/a.yaml").write_text("model: SDN8K\n")
    Path("elsewhere/b.yaml").write_text("base: a.yaml\n")

    assert resolved("--config=elsewhere/b.yaml")["model"]["class_path"].endswith("SDN8K")


def test_of_several_the_later_one_counts(resolved: Resolved) -> None:
    """As with several `--config`."""
    write(A="seed_everything: 1\nthreads: 1\n", B="seed_everything: 2\n", C="base: [A, B]\n")

    found = resolved("--config=C")
    assert (found["seed_everything"], found["threads"]) == (2, 1)


def test_what_two_build_on_counts_before_both(resolved: Resolved) -> None:
    """Once, as in Python: what the first of them says is not undone."""
    write(Root="seed_everything: 1\n", A="base: Root\nseed_everything: 2\n", B="base: Root\n", C="base: [A, B]\n")

    assert resolved("--config=C")["seed_everything"] == 2


def test_a_preset_in_yaml_builds_on_one_in_python(resolved: Resolved) -> None:
    """Which is run."""
    Path("presets/own.py").write_text(
        "from mnistlab import Preset, SDN8K, config\n\n\nclass Small(Preset):\n    model = config(SDN8K)\n"
    )
    write(Mine="base: Small\nseed_everything: 4\n")

    assert resolved("--config=Mine")["model"]["class_path"].endswith("SDN8K")


def test_a_preset_in_python_builds_on_one_that_builds_on_another(told: Told) -> None:
    """`preset(...)` reads all of it."""
    del told
    write(Mine="base: QuickTest\n")

    assert preset("Mine").data.batch_size == 8


def test_one_that_hides_a_shipped_preset_may_build_on_it(resolved: Resolved) -> None:
    """By the name that they share."""
    write(QuickTest="base: QuickTest\nseed_everything: 9\n")

    found = resolved("--config=QuickTest")
    assert (found["seed_everything"], found["trainer"]["max_epochs"]) == (9, 5)


def test_the_origin_of_a_value_is_the_file_that_says_it(told: Told) -> None:
    """Whichever of the line that is."""
    write(A="seed_everything: 1\nmodel: SDN8K\n", B="base: A\nseed_everything: 2\n")

    said = told("fit", "--config=B", "--print_config=origins")
    assert "# presets/B.yaml:2:1" in said
    assert "# presets/A.yaml:2:1" in said


def test_what_a_preset_changes_of_its_base_is_no_contradiction(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """That is what it is for; two presets that are named together and differ are told."""
    write(A="seed_everything: 1\n", B="base: A\nseed_everything: 2\n")

    assert main(["fit", "--config=B", "--print_config"]) == 0
    assert "the later one counts" not in capsys.readouterr().err
    del told


def test_help_knows_the_class_of_a_base(told: Told) -> None:
    """Its options are those that are shown."""
    write(A="model: {class_path: CNN8K, init_args: {dropout: 0.25}}\n", B="base: A\n")

    assert "0.25" in told("fit", "--config=B", "--help=model")


def test_completion_knows_the_class_of_a_base(told: Told) -> None:
    """TAB offers the options of its class."""
    write(A="model: ViT38K\n", B="base: A\n")

    assert "--model.patch_size=" in told("completion", "--complete", "fish", "fit", "-c", "B", "--model.pat")


def test_a_sweep_takes_the_domains_of_a_base(told: Told) -> None:
    """And its way of sweeping."""
    write(A="model: {class_path: CNN8K, dropout: 'choice:0.1,0.2'}\nsweep: {seeds: 2}\n", B="base: A\n")

    assert "is to be swept" in told("fit", "--config=B", code=2)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("base: QuikTest\n", "presets/Mine.yaml:1:1: base=QuikTest: there is neither such a file nor such a preset. "),
        ("base: QuikTest\n", "Did you mean QuickTest?"),
        ("seed_everything: 1\nbase: gone.yaml\n", "presets/Mine.yaml:2:1: base=gone.yaml: there is no file presets/g"),
        ("base: {a: 1}\n", "presets/Mine.yaml:1:8: base takes the name of a preset, a file, or a list of them."),
        ("base: [[QuickTest]]\n", "presets/Mine.yaml:1:1: base takes"),
        ("base: Mine\n", "presets/Mine.yaml:1:1: base=Mine closes a circle: presets/Mine.yaml > presets/Mine.yaml."),
        ("base: Other\n", "presets/Other.yaml:1:1: base=Mine closes a circle: presets/Mine.yaml > presets/Other.yaml"),
        ("model: {base: QuickTest}\n", "presets/Mine.yaml:1:9: MediumModel has no option base"),
    ],
)
def test_a_wrong_base_is_told_with_its_line(told: Told, text: str, part: str) -> None:
    """And with what would have been right."""
    write(Mine=text, Other="base: Mine\n")

    assert part in told("fit", "--config=Mine", code=2)


def test_a_base_on_the_command_line_is_a_preset(told: Told) -> None:
    """It stands in files only."""
    assert "Did you mean --config?" in told("fit", "--base=QuickTest", code=2)


def test_the_configuration_of_a_run_that_goes_on_builds_on_nothing(told: Told, trained: Callable[..., Path]) -> None:
    """A stranger may have written it: what it names is not even read."""
    folder = trained()
    Path("evil.yaml").write_text("{ not even yaml\n")
    kept = folder / "config.yaml"
    kept.write_text(f"{kept.read_text()}base: {Path('evil.yaml').absolute()}\n")

    said = told("fit", f"--ckpt_path={folder}", "--trainer.max_epochs=2", code=2)
    assert "there is no option base" in said
    assert "YAML" not in said


def test_the_configuration_of_a_run_that_goes_on_reads_no_file_for_a_part(
    told: Told, trained: Callable[..., Path]
) -> None:
    """Nor does it name code by one."""
    folder = trained()
    Path("evil.yaml").write_text("class_path: os.system\n")
    kept = folder / "config.yaml"
    text = kept.read_text()
    kept.write_text(f"{text[: text.index('model:')]}model: {Path('evil.yaml').absolute()}\n")

    told_of = told("fit", f"--ckpt_path={folder}", "--trainer.max_epochs=2", code=2)
    assert "evil" in told_of
    assert "not part of mnistlab" in told_of
