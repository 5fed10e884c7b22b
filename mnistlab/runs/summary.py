"""What the records of runs say, in a form that can be filtered, sorted and written as a table.

A run may be made of any JSON: nothing is taken for granted but that.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeGuard

from mnistlab.errors import LabError
from mnistlab.runs.folder import RECORD
from mnistlab.runs.reading import read_record, read_records
from mnistlab.system.processes import is_elsewhere, is_gone, is_silent
from mnistlab.system.shapes import number
from mnistlab.text.nearest import suggestion

STATUSES = ("running", "finished", "interrupted", "failed", "diverged", "pruned", "lost")
"""How a run may have ended.

`diverged` is one whose loss was no number any more, `lost` one whose process has died without a word.
"""

COMMANDS = ("fit", "validate", "test", "predict", "explain")
"""What is kept as a run."""

_MOST_NAMED = 12


@dataclass(frozen=True)
class Run:
    """A run, as its record tells. Text that it does not tell is empty, a number None.

    Attributes:
        folder: Where it is kept.
        record: Everything in the record.
    """

    folder: Path
    record: Mapping[str, object]

    @cached_property
    def status(self) -> str:
        """One of `STATUSES`."""
        said = self.text("status")
        if said == "running" and is_elsewhere(self.record):
            return "lost" if is_silent(self.folder / RECORD) else said
        return "lost" if said == "running" and is_gone(self.record) else said

    @property
    def model(self) -> str:
        """The class of the model."""
        return self.text("class") or self.text("model")

    @property
    def tags(self) -> tuple[str, ...]:
        """The words that it is found by."""
        return self.words("tags")

    @property
    def epochs(self) -> int | None:
        """How many epochs it has trained."""
        last = self.number("metrics", "last", "epoch")
        return None if last is None else int(last) + 1

    @property
    def val_acc(self) -> float | None:
        """The best validation accuracy, from 0 to 1."""
        return _first(self.number("metrics", "best", "val/acc"), self.number("metrics", "val/acc"))

    @property
    def test_acc(self) -> float | None:
        """The accuracy on the test images, from 0 to 1."""
        return _first(self.number("metrics", "test", "test/acc"), self.number("metrics", "test/acc"))

    @property
    def seconds(self) -> float | None:
        """The seconds of training; None where no epoch has come to its end."""
        return self.number("timings", "train_seconds") or None

    @property
    def started(self) -> str:
        """When, as the record has it: UTC in ISO's form."""
        return self.text("started")

    def text(self, name: str) -> str:
        """The text of that name."""
        value = self.record.get(name)
        return value if isinstance(value, str) else ""

    def words(self, name: str) -> tuple[str, ...]:
        """The list of texts of that name."""
        value = self.record.get(name)
        return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()

    def part(self, *names: str) -> Mapping[str, object]:
        """The mapping below these names, empty where there is none."""
        value: object = self.record
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else {}

    def number(self, *names: str) -> float | None:
        """The number below these names; one that is not finite is none."""
        value = self.part(*names[:-1]).get(names[-1])
        return value if is_number(value) else None

    def flat(self) -> dict[str, object]:
        """Everything in one level; further levels are joined with a dot, lists stay."""
        own: dict[str, object] = {
            "id": self.folder.name,
            "folder": str(self.folder),
            "status": self.status,
            "epochs": self.epochs,
            "val_acc": self.val_acc,
            "test_acc": self.test_acc,
            "seconds": self.seconds,
        }
        return {**own, **dict(_flattened(self.record, "")), "status": self.status}


@dataclass(frozen=True)
class Runs:
    """All runs in a folder.

    Attributes:
        all: Those whose record could be read, in no order.
        broken: The records that could not, or are missing where there is a configuration; folders that are closed.
    """

    all: Sequence[Run]
    broken: Sequence[Path]


def read_runs(root: Path) -> Runs:
    """Read the records of all runs below `root`."""
    found, broken = read_records(root)
    return Runs([Run(folder, record) for folder, record in found], broken)


def read_run(folder: Path) -> Run:
    """Read the record of one run.

    Raises:
        LabError: If it has none, or one that cannot be read.
    """
    record = read_record(folder)
    if record is None:
        raise LabError(f"{folder} has no {RECORD}: the run was not begun, or its record was removed.")
    return Run(folder, record)


def selected(runs: Sequence[Run], wanted: Mapping[str, str]) -> list[Run]:
    """The runs that have what is wanted of them.

    Args:
        runs: All runs.
        wanted: By filter, a key of `FILTERS`, the values that will do, joined with commas; their case does not matter.

    Raises:
        LabError: If a value is none that any run has.
    """
    kept = list(runs)
    for name, text in wanted.items():
        values = [value.strip() for value in text.split(",") if value.strip()]
        _check_values(name, values, runs)
        will_do = {value.lower() for value in values}
        kept = [run for run in kept if will_do & {has.lower() for has in FILTERS[name](run)}]
    return kept


def ordered(runs: Sequence[Run], key: str) -> list[Run]:
    """The runs in the order of a key of `ORDERS`, with `-` before it the other way round.

    Those that do not have it come last either way; of equal ones the newest first.

    Raises:
        LabError: If there is no such key.
    """
    name = key.removeprefix("-")
    if name not in ORDERS:
        raise LabError(f"--sort={key}: there is no such key.{suggestion(name, ORDERS)} There are {', '.join(ORDERS)}.")
    newest_first = sorted(runs, key=lambda run: (run.started, run.folder), reverse=True)
    places_of = [(ORDERS[name](run), run) for run in newest_first]
    having = [(place, run) for place, run in places_of if place is not None]
    having.sort(key=lambda pair: pair[0], reverse=key.startswith("-"))
    return [*(run for _, run in having), *(run for place, run in places_of if place is None)]


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number that can be compared: true, false and what is not finite are none."""
    return isinstance(value, int | float) and number(value) is None


FILTERS: Mapping[str, Callable[[Run], Sequence[str]]] = {
    "tag": lambda run: run.tags,
    "model": lambda run: (run.model, run.text("model")),
    "data": lambda run: (run.text("data"),),
    "command": lambda run: (run.text("command"),),
    "status": lambda run: (run.status,),
    "preset": lambda run: [name for preset in run.words("presets") for name in (preset, _preset_name(preset))],
    "sweep": lambda run: (run.text("sweep"),),
}
"""What runs can be chosen by, and what a run has of it."""

_ALWAYS = {"status": STATUSES, "command": COMMANDS}
"""Values that are right even if no run has them just now."""


def _by_text(read: Callable[[Run], str]) -> Callable[[Run], tuple[float, str] | None]:
    return lambda run: (0.0, read(run)) if read(run) else None


def _by_number(read: Callable[[Run], float | None]) -> Callable[[Run], tuple[float, str] | None]:
    def place(run: Run) -> tuple[float, str] | None:
        value = read(run)
        return None if value is None else (value, "")

    return place


ORDERS: Mapping[str, Callable[[Run], tuple[float, str] | None]] = {
    "started": _by_text(lambda run: run.started),
    "id": _by_text(lambda run: run.folder.name),
    "model": _by_text(lambda run: run.model),
    "data": _by_text(lambda run: run.text("data")),
    "command": _by_text(lambda run: run.text("command")),
    "epochs": _by_number(lambda run: run.epochs),
    "val_acc": _by_number(lambda run: run.val_acc),
    "test_acc": _by_number(lambda run: run.test_acc),
    "seconds": _by_number(lambda run: run.seconds),
    "parameters": _by_number(lambda run: run.number("parameters")),
    "status": _by_text(lambda run: run.status),
    "name": _by_text(lambda run: run.text("name")),
    "trial": _by_number(lambda run: run.number("trial")),
}
"""What runs can be sorted by: the place of a run, None where it has none."""

SORTED_BY = (*ORDERS, *(f"-{name}" for name in ORDERS))


def _check_values(name: str, values: Sequence[str], runs: Sequence[Run]) -> None:
    """Refuse a value that no run has: it is misspelt."""
    had = sorted({has for run in runs for has in FILTERS[name](run) if has})
    known = {value.lower() for value in (*had, *_ALWAYS.get(name, ()))}
    unknown = [value for value in values if value.lower() not in known]
    if not runs or not unknown:
        return
    listed = [*had[:_MOST_NAMED], *([f"{len(had) - _MOST_NAMED} more"] if len(had) > _MOST_NAMED else [])]
    others = f" There {'are' if len(had) > 1 else 'is'} {', '.join(listed)}." if had else f" None of them has a {name}."
    hint = suggestion(unknown[0], [*had, *_ALWAYS.get(name, ())])
    raise LabError(f"--{name}={unknown[0]}: none of the {len(runs)} runs has it.{hint}{others}")


def _preset_name(preset: str) -> str:
    """`Wide` of `presets/Wide.yaml`, and of `mine.py:Wide`."""
    path, _, name = preset.rpartition(":")
    return name if path else Path(preset).stem


def _flattened(record: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", None if isinstance(value, float) and not math.isfinite(value) else value


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)
