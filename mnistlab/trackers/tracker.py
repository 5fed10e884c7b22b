"""What a tracker is, and what it hears of a run."""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mnistlab.runs.folder import BEST, CONFIG, LAST, RECORD, WEIGHTS
from mnistlab.runs.metrics import BESIDES
from mnistlab.runs.record import what_counts

DEFAULT_NAME = "mnistlab"
"""The experiment or the project where none is named."""

Parameter = None | bool | int | float | str


@dataclass(frozen=True)
class Followed:
    """A run as trackers see it.

    Attributes:
        folder: Where it is kept.
        root: Where all runs are kept, and what trackers keep of them.
        record: What `run.json` says; it grows while the run goes on.
        config: The resolved configuration.
        rows: The rows of the epochs before this segment; none of a run that is new.
    """

    folder: Path
    root: Path
    record: Mapping[str, Any]
    config: Mapping[str, Any]
    rows: Sequence[Mapping[str, float]] = ()

    @property
    def key(self) -> str:
        """A word for this run and no other, the same when it is continued: letters and digits."""
        said = f"{self.folder.parent.name}/{self.folder.name} {self.record['started']}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """The name that the user gave the run, else that of the model."""
        return str(self.record["name"] or self.record["model"])

    @property
    def words(self) -> list[str]:
        """The user's own tags."""
        return [str(word) for word in self.record["tags"]]

    @property
    def facts(self) -> dict[str, str]:
        """What one looks a run up by."""
        commit = (self.record.get("git") or {}).get("commit")
        facts = {"model": self.record["model"], "data": self.record["data"], "run": str(self.folder)}
        return {name: str(fact) for name, fact in {**facts, "git_commit": commit}.items() if fact}

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The configuration without nesting: `model.hidden_dim`. What only says where a run is kept is left out."""
        return dict(_flat(what_counts(self.config), ""))

    @property
    def outcome(self) -> dict[str, float]:
        """The best and the test metrics, as far as there are any: `best/val/acc`, `test/acc`."""
        metrics = self.record.get("metrics") or {}
        best, test = metrics.get("best") or {}, metrics.get("test") or {}
        found = {f"best/{name}": value for name, value in best.items() if name not in BESIDES}
        found |= {"best/epoch": epoch_of(best)} if best else {}
        return {**found, **{name: value for name, value in test.items() if name != "checkpoint"}}

    @property
    def files(self) -> list[Path]:
        """What is worth keeping of it, as far as it is there."""
        checkpoint = BEST if (self.folder / BEST).is_file() else LAST
        found = [self.folder / name for name in (CONFIG, RECORD, WEIGHTS, checkpoint)]
        return [path for path in found if path.is_file()]


class Tracker(ABC):
    """Shows runs in a tool of others.

    Any error in one is told once, and the run goes on without it.

    Attributes:
        module: What must be installed for it; of most the name of the tool.
        extra: What of mnistlab installs that.
    """

    module: ClassVar[str] = ""
    extra: ClassVar[str] = ""

    @abstractmethod
    def begin(self, run: Followed) -> str:
        """Begin with a run, or go on with one that is continued, `run.rows` included; how to look at it."""

    @abstractmethod
    def row(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Show the metrics after an epoch; the first epoch is 1, as on the screen."""

    @abstractmethod
    def end(self, run: Followed) -> None:
        """Show the outcome, and how the run has ended."""


def epoch_of(row: Mapping[str, float]) -> int:
    """The number of an epoch as the screen has it, from 1 on."""
    return int(row["epoch"]) + 1


def metrics_of(row: Mapping[str, float]) -> dict[str, float]:
    """The metrics of a row of `metrics.csv`, under the names that they have there."""
    return {name: value for name, value in row.items() if name not in ("epoch", "seconds")}


def shown(path: Path) -> str:
    """A path as short as it can be typed here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _flat(value: object, key: str) -> Iterator[tuple[str, Parameter]]:
    """Each plain value with its dotted key; of a class the short name, and its options below that."""
    if isinstance(value, Mapping):
        if "class_path" in value:
            yield key, str(value["class_path"]).rpartition(".")[2]
        parts = value.get("init_args") or {} if "class_path" in value else value
        for name, part in parts.items():
            yield from _flat(part, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        for number, part in enumerate(value):
            yield from _flat(part, f"{key}.{number}")
    else:
        yield key, value if value is None or isinstance(value, bool | int | float | str) else str(value)
