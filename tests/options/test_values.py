"""One value has one meaning, whoever says it: the command line, YAML, what stands in brackets, or Python."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import timedelta
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from conftest import SMALL_DATA
from jsonargparse import ArgumentParser
from lightning.pytorch import Trainer
from torch import nn

from mnistlab.classifier import Classifier
from mnistlab.cli import main
from mnistlab.data import ImageData
from mnistlab.errors import LabError
from mnistlab.options.annotations import slot_of, type_of
from mnistlab.options.classes import candidates, listed
from mnistlab.options.command_line import from_arguments
from mnistlab.options.composing import dump
from mnistlab.options.files import from_text
from mnistlab.options.imported import Section, settle
from mnistlab.options.notation import as_written
from mnistlab.options.numbers import PositiveInt
from mnistlab.options.parsing import parse
from mnistlab.options.reading import Unfit, read, takes_parts, takes_several, takes_text
from mnistlab.options.signatures import options
from mnistlab.options.written import Written
from mnistlab.presets.nodes import written_for
from mnistlab.sections.parts import Sweep, TopLevel, prepare
from mnistlab.sections.run import Run
from mnistlab.trackers import Tracker

REFUSED = "refused"

SCALARS = (
    "null", "Null", "None", "~", "true", "True", "false", "yes", "no", "on", "off", "y",
    "0", "1", "-1", "10", "010", "-007", "+3", "1_000", "1__000", "0x1F", "0o17", "0b101", "2:00", "1:30", "1:00:00:00",
    "0.5", ".5", "1.", "2.0", "010.5", "1e5", "1e-3", "1E+2", "1_0.5", "inf", "-inf", ".inf", "-.INF", "nan", ".NaN",
    "2026-01-01", "2026-01-01 10:00:00", "=", "<<", "#5", "a b", "SGD", "auto", "32", "cpu", "~/x", "a.b", "9" * 30,
    "min", "mean", "none", "16-mixed", "link", "a: b", "- a", "{epoch}-{step}", "!x", "&a", "*a", "%", "@", "`", "'a'",
)  # fmt: skip
LISTS = ("[]", "[1]", "[1, 2]", "[0.5, 1]", "[010, 1e-3]", "[a, b]", "[a, null]", "[null]", "[true]", "[[1, 2], [3]]")
MAPPINGS = ("{}", "{a: 1}", "{hours: 1}", "{0: 8, 4: 4}", "{a: 010}", "{a: null}", "{a: [1]}")
TEXTS = (*SCALARS, *LISTS, *MAPPINGS)
"""What may be written; that no two of the pairs agree by accident is what the many odd ones are for."""


@cache
def offered() -> dict[str, object]:
    """The type of each option that takes no class, of every class that can be chosen, by what it is called."""
    prepare()
    found: dict[str, object] = {}
    rest: list[tuple[type, int]] = [(cls, 0) for cls in (TopLevel, Run, Sweep, Trainer)]
    rest += [(cls, 0) for base in (Classifier, ImageData, Tracker) for cls in _chosen((base,))]
    done: set[tuple[type, int]] = set()
    while rest:
        cls, supplied = rest.pop()
        if (cls, supplied) in done:
            continue
        done.add((cls, supplied))
        for option in options(cls, supplied=supplied).values():
            if option.slot is None or option.slot.plain:
                found.setdefault(str(option.annotation), option.annotation)
            if option.slot is not None:
                several = option.slot.bases if option.slot.bases != (nn.Module,) else ()  # every layer of torch
                rest += [(inner, option.slot.supplied) for inner in _chosen(several)]
    return found


def _chosen(bases: tuple[type, ...]) -> Iterator[type]:
    names = set(listed(bases))
    for name, classes in candidates(bases).items():
        if name in names:
            yield from (
                cls for cls in classes if cls.__module__.partition(".")[0] in ("mnistlab", "torch", "lightning")
            )


@cache
def holder(name: str) -> type:
    """A class with one option, which is of that type."""

    class Holder:
        def __init__(self, option: Any = None) -> None:
            """Take it."""

    Holder.__init__.__annotations__["option"] = offered()[name]
    return Holder


def settled(name: str, said: Callable[[], list[Written]]) -> object:
    """What an option of this type is given by what is said of `x.option`, or `REFUSED`."""
    try:
        value: Any = settle(object, {"x": Section(holder(name))}, [said()]).values["x"]
    except LabError:
        return REFUSED
    return value["option"]


def in_yaml(text: str, annotation: object) -> str:
    """A text as it stands in YAML: in quotes where that has another use for it."""
    try:
        (entry, *_) = from_text(f"o: {text}", "")
    except (LabError, ValueError):
        return dump(text).strip()
    if text[0] not in "[{":
        return text if entry.key == ("o",) and entry.value == text else dump(text).strip()
    structured = takes_parts(type_of(annotation)) if text[0] == "{" else takes_several(type_of(annotation))
    return text if structured or slot_of(annotation) or not takes_text(type_of(annotation)) else dump(text).strip()


def disagreements(name: str, text: str) -> str | None:
    """What each way of saying it comes to, where they are not the same."""
    yaml = in_yaml(text, offered()[name])
    line = settled(name, lambda: from_arguments([f"--x.option={text}"]))
    ways = {
        "line": line,
        "yaml": settled(name, lambda: from_text(f"x:\n  option: {yaml}\n", "f")),
        "brackets": settled(name, lambda: from_arguments([f"--x={{option: {yaml}}}"])),
    }
    if line != REFUSED:
        ways["python"] = settled(name, lambda: list(written_for("x", {"option": line}, "here")))
        ways["read back"] = settled(name, lambda: from_text(dump({"x": {"option": line}}), "f"))
    agree = len({repr(value) for value in ways.values()}) == 1
    return None if agree else f"{name} given {text}: {ways}"


def pairs() -> list[tuple[str, str]]:
    """Every type with every text."""
    return [(name, text) for name in sorted(offered()) for text in TEXTS]


@pytest.mark.parametrize("seed", [int(os.environ.get("MNISTLAB_TEST_SEED", "0"))])
def test_a_value_means_the_same_whoever_says_it(seed: int) -> None:
    """On the command line, in YAML, in brackets and in Python, and once it has been written down."""
    some = random.Random(seed).sample(pairs(), 800)  # noqa: S311 - no secret

    assert [found for pair in some if (found := disagreements(*pair))] == []


@pytest.mark.slow
def test_every_value_means_the_same_whoever_says_it() -> None:
    """Each type that an option of any class has, with each text."""
    assert [found for pair in pairs() if (found := disagreements(*pair))] == []


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "010", 10),
        (int, "-007", -7),
        (int, "1_000", 1000),
        (int, "0x1f", 31),
        (int, "0o17", 15),
        (int, "0b101", 5),
        (int, "2:00", REFUSED),
        (int, "1e5", REFUSED),
        (int, "2.0", REFUSED),
        (int, "true", REFUSED),
        (int, "\u0661", REFUSED),
        (int, "9" * 5000, REFUSED),
        (float, "1e-3", 0.001),
        (float, "1", 1.0),
        (float, "010.5", 10.5),
        (float, ".inf", float("inf")),
        (float, "-inf", float("-inf")),
        (float, "1:30", REFUSED),
        (float, "1" + "0" * 400, REFUSED),
        (int, "+3", REFUSED),
        (float, "+3", 3.0),
        (bool, "True", True),
        (bool, "yes", REFUSED),
        (bool, "on", REFUSED),
        (bool, "1", REFUSED),
        (int | None, "null", None),
        (int | None, "~", None),
        (int | None, "None", None),
        (int | float, "1", 1),
        (int | float, "1.0", 1.0),
        (bool | int, "1", 1),
        (str, "010", "010"),
        (str, "~", "~"),
        (str, "#5", "#5"),
        (str, "yes", "yes"),
        (str, "1:30", "1:30"),
        (str, "2026-01-01", "2026-01-01"),
        (str, "=", "="),
        (str, "<<", "<<"),
        (str, "[a, b]", "[a, b]"),
        (str, "{epoch}-{step}", "{epoch}-{step}"),
        (str, "{epoch}", "{epoch}"),
        (str, "", ""),
        (str, "null", REFUSED),
        (str | None, "null", None),
        (str | None, "None", "None"),
        (str | None, "~", "~"),
        (str | int, "010", 10),
        (str | int, "1:30", "1:30"),
        (str | list[str], "[1, ~]", ["1", "~"]),
        (str | list[str], "2026", "2026"),
        (str | timedelta | dict[str, int], "1:00:00:00", "1:00:00:00"),
        (str | timedelta | dict[str, int], "{hours: 010}", {"hours": 10}),
        (list[int], "[010, 2]", [10, 2]),
        (list[int], "[1.0]", REFUSED),
        (tuple[int, float], "[1, 1]", [1, 1.0]),
        (tuple[int, int], "[1]", REFUSED),
        (dict[int, int], "{0: 8, 4: 010}", {0: 8, 4: 10}),
        (dict[str, float], "{10: 1}", {"10": 1.0}),
        (Literal[1, 2], "true", REFUSED),
        (Literal[1, 2], "1", 1),
        (Literal["1", "2"], "1", "1"),
        (Literal[64, "64"], "64", 64),
        (Literal["true", "pred"], "true", "true"),
        (Literal["none", "sum"] | None, "none", "none"),
        (Path | str, "~/x", str(Path.home() / "x")),
        (Path | None, "~", str(Path.home())),
        (Path | None, "null", None),
        (Any, "010", 10),
        (Any, "~", "~"),
        (Any, "yes", "yes"),
        (Any, "[1, a]", [1, "a"]),
    ],
)
def test_one_notation(annotation: object, text: str, value: object) -> None:
    """What `mnistlab.options.notation` says."""
    try:
        found = read(as_written(text), type_of(annotation))
    except Unfit:
        found = REFUSED

    assert found == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize(("annotation", "value"), [(str | int, "10"), (str | None, "null"), (Any, "true")])
def test_text_in_quotes_is_text(annotation: object, value: str) -> None:
    """In YAML and in Python."""
    (quoted,) = from_text(f"x: '{value}'", "")

    assert read(quoted.value, type_of(annotation)) == value
    assert read(value, type_of(annotation)) == value


@pytest.mark.parametrize(
    ("annotation", "value"), [(str, 5), (int, 2.0), (PositiveInt, 2.0), (Literal[1], True), (float, True)]
)
def test_python_says_what_it_means(annotation: object, value: object) -> None:
    """Nothing is converted but a whole number for a fraction."""
    with pytest.raises(Unfit):
        read(value, type_of(annotation))


def resolved(*arguments: str) -> Any:
    """The configuration of a command."""
    out = StringIO()
    with redirect_stdout(out):
        assert main(["fit", "--model=TinyModel", *SMALL_DATA, *arguments, "--print_config"]) == 0
    return yaml.safe_load(out.getvalue())


@pytest.mark.parametrize(
    "text", ["#5", "~", "1e5", "0o17", "010", "yes", "2026-01-01", "{epoch}-x", "{a: 1}", "[a", "x.yaml", "None", "- a"]
)
def test_the_name_of_a_run_is_any_text(here: Path, text: str) -> None:
    """And it is the same in the configuration that is read again, whoever reads it."""
    (here / "x.yaml").write_text("class_path: SDN8K\n")
    printed = resolved(f"--run.name={text}")

    assert printed["run"]["name"] == text
    (here / "again.yaml").write_text(dump(printed))
    assert resolved("--config=again.yaml")["run"]["name"] == text


def test_null_is_a_text_where_one_says_so(here: Path) -> None:
    """By `literal:` anywhere, by quotes in YAML."""
    (here / "c.yaml").write_text("run:\n  name: 'null'\n")

    assert resolved("--run.name=null")["run"]["name"] is None
    assert resolved("--run.name=literal:null")["run"]["name"] == "null"
    assert resolved("--config=c.yaml")["run"]["name"] == "null"


def test_the_text_of_a_nested_class_is_kept() -> None:
    """Where jsonargparse would read it again, once when it parses and once when it writes it down."""
    callback = ["--trainer.callbacks+=ModelCheckpoint", "--trainer.callbacks.filename=1e5"]
    (found,) = resolved(*callback, "--trainer.callbacks.dirpath=null")["trainer"]["callbacks"]

    assert found["init_args"]["filename"] == "1e5"
    assert found["init_args"]["dirpath"] is None


@pytest.mark.parametrize("name", ["auto", "simple"])
def test_a_file_that_is_called_as_a_value_changes_nothing(here: Path, name: str) -> None:
    """It is no configuration of an option."""
    before = resolved("--trainer.profiler=simple")
    (here / name).write_bytes(b"\xff\xfe")

    assert resolved("--trainer.profiler=simple") == before


def test_jsonargparse_reads_text_twice() -> None:
    """Once it does not, `mnistlab.options.parsing` can go."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--name", type=str | None)

    assert parser.parse_object({"name": "null"}).name is None
    assert parse(parser, {"name": "null"}).name == "null"
