"""Whatever could be typed at commit 69fd1d7 can be typed: its commands, options, classes and imports."""

import json
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from mnistlab.catalogue import load_catalogue
from mnistlab.commands.declaring.model import Command, all_commands
from mnistlab.options.arguments import steering
from mnistlab.options.entries import ClassEntry, OptionEntry

TYPED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "options.json").read_text(encoding="utf-8"))
"""Each command with its own options, each class with its options and their defaults, the paths that classes had."""

NEW_DEFAULTS = {"val_size": (5_000, None)}
"""5,000 of few images were too many: null is 5,000, or a sixth of the images where there are fewer than 30,000."""

REFUSED = {
    "AsyncCheckpointIO",
    "BackboneFinetuning",
    "BaseFinetuning",
    "BasePredictionWriter",
    "BatchSizeFinder",
    "ChainedScheduler",
    "Checkpoint",
    "DeepSpeedPrecision",
    "GradientAccumulationScheduler",
    "LambdaLR",
    "LearningRateFinder",
    "ModelParallelStrategy",
    "MultiplicativeLR",
    "OnExceptionCheckpoint",
    "ProgressBar",
    "SequentialLR",
    "SpikeDetection",
    "StochasticWeightAveraging",
    "XLAProfiler",
}
"""Classes that had no effect, or a wrong one."""

REQUIRED = "(required)"

IMPORTS = """
from mnistlab import MNIST, CNN68K, SDN68K, CompactCNN62K, CompactCNN104K, ConvNeXt73K, EfficientNet66K, ViT38K
from mnistlab import Classifier, Preset, SmallModel, SyntheticDigits, config, preset
from mnistlab.data import RandomDistortion
from mnistlab.losses import LabelSmoothingLoss, Loss
from mnistlab.numbers import PositiveInt
from mnistlab.profiling import TimeTable
from mnistlab.schedules import WarmupCosine
from mnistlab.sections.run import Run
"""
"""All imports of README.md, docs/ and presets/."""


def command_called(name: str) -> Command:
    """`runs`, `runs show`, ..."""
    first, _, word = name.partition(" ")
    command = all_commands()[first]
    return command.commands[word] if word else command


@pytest.fixture(scope="module")
def classes() -> dict[str, ClassEntry]:
    """What the classes of the file are today; that without a name stands for what belongs to no class."""
    catalogue = load_catalogue()
    sections = {name: section.entry for name, section in catalogue.sections.items() if section.entry}
    chosen = {f"{key} {name}": cls for key, kind in catalogue.kinds.items() for name, cls in kind.classes.items()}
    return {"": ClassEntry("", "", "", "", catalogue.top), **sections, **chosen}


def was(said: Any) -> tuple[Any, set[str]]:
    """The default of an option and the words to offer for it, as the file has them."""
    if isinstance(said, dict) and "words" in said:
        return said.get("default", REQUIRED), _known(said["words"])
    return said, set()


def is_now(option: OptionEntry) -> tuple[Any, set[str]]:
    """The same, today."""
    chosen = {"class": option.default_class, **option.default_options} if option.default_class else option.default
    return REQUIRED if option.required else chosen, _known(option.choices)


def _known(words: Iterable[str]) -> set[str]:
    return {word.lower() for word in words}  # True is true, as in YAML


@pytest.mark.parametrize("name", TYPED["commands"])
def test_a_command_takes_the_options_that_it_took(name: str) -> None:
    """With those of a command whose options it shares."""
    command = command_called(name)
    taken = {option.name for option in (*command.own, *(steering(command.like).values() if command.like else ()))}

    assert {*TYPED["commands"][name]} <= taken


def test_every_option_of_every_class_has_its_default_and_its_words(classes: dict[str, ClassEntry]) -> None:
    """But for the defaults that were changed on purpose."""
    for name, options in TYPED["classes"].items():
        for option, said in options.items():
            entry = classes[name].by_name.get(option)
            assert entry is not None, f"{name} {option}"
            (default, words), (default_now, words_now) = was(said), is_now(entry)
            assert words <= words_now, f"{name} {option}"
            assert default_now == default or (default, default_now) == NEW_DEFAULTS.get(option), f"{name} {option}"


def test_every_class_may_be_chosen(classes: dict[str, ClassEntry]) -> None:
    """But for those that could be chosen to no avail: of each is said why, and mostly what to use."""
    refused = {name.partition(" ")[2]: classes[name].refused for name in TYPED["classes"] if classes[name].refused}

    assert {*refused} == REFUSED
    assert all(text.startswith(f"{name} ") for name, text in refused.items())


def test_a_class_is_found_by_the_paths_that_it_had() -> None:
    """Also by that of the file in which it stood."""
    for path in TYPED["paths"]:
        module, _, name = path.rpartition(".")
        assert getattr(import_module(module), name).__name__ == name


def test_what_was_imported_is_imported() -> None:
    """In the words of those files."""
    names: dict[str, object] = {}
    exec(IMPORTS, names)  # noqa: S102 - it stands above

    assert {*re.findall(r"\w+", re.sub(r"from \S+ import", "", IMPORTS))} <= {*names}
