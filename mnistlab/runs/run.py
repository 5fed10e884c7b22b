"""A kept run: all that its folder says, whose files may be old, damaged, missing, or of anyone."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mnistlab.errors import LabError, tell
from mnistlab.options.written import COMPLETE, Written
from mnistlab.runs.folder import BEST, CONFIG, OUTCOMES, RECORD, closed, no_folder, weights_of
from mnistlab.runs.index import Kept, kept_runs
from mnistlab.runs.metrics import PRIMARY, TESTED, measured
from mnistlab.runs.reading import Name, Said, read_configuration, read_name, read_record, read_rows
from mnistlab.runs.sheets import options_of
from mnistlab.system.files import UnreadableError, is_file, stands
from mnistlab.system.shapes import is_number
from mnistlab.system.user import current_user

if TYPE_CHECKING:
    from mnistlab.runs.outcomes import Outcomes

STATUSES = ("running", "finished", "interrupted", "failed", "diverged", "pruned", "lost")
"""How a run may have ended.

`diverged` is one whose loss was no number any more, `lost` one whose process has died without a word.
"""

COMMANDS = ("fit", "validate", "test", "predict", "explain")
"""What is kept as a run."""


@dataclass(frozen=True, eq=False)
class Run(Said):
    """A run: `Run.of("runs/cnn_8k/20260101T120000Z-1a2b3c").rows`. Its record is read at once, all else when asked for.

    Text that it does not tell is empty, a number None.

    Attributes:
        folder: Where it is kept.
        record: Everything in `run.json`.
    """

    folder: Path
    record: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path | str) -> Self:
        """Read the run in a folder.

        Raises:
            LabError: If it has no record, or one that cannot be read.
        """
        found = cls.find(folder)
        if found is None:
            raise LabError(f"{folder} has no {RECORD}: the run was not begun, or its record was removed.")
        return found

    @classmethod
    def find(cls, folder: Path | str) -> Self | None:
        """Read the run in a folder; None where there is no record.

        Raises:
            UnreadableError: If there is one that cannot be read.
        """
        record = read_record(Path(folder))
        return None if record is None else cls(Path(folder), record)

    @classmethod
    def salvage(cls, folder: Path) -> Self:
        """Read what can be read: the record is empty where there is none; of one that cannot be read a word is said."""
        try:
            return cls.find(folder) or cls(folder)
        except UnreadableError as error:
            tell(f"note: {error}")
            return cls(folder)

    @cached_property
    def status(self) -> str:
        """One of `STATUSES`."""
        said = self.text("status")
        if said != "running":
            return said
        from mnistlab.system.processes import is_elsewhere, is_gone, is_silent  # noqa: PLC0415 - brings psutil in

        if is_elsewhere(self.record):
            return "lost" if is_silent(self.folder / RECORD) else said
        return "lost" if is_gone(self.record) else said

    @property
    def architecture(self) -> str:
        """The class of the model."""
        return self.text("class") or self.text("model")

    @property
    def title(self) -> str:
        """The same, or what it is called on the disk."""
        return self.architecture or self.folder.name

    @property
    def name(self) -> str:
        """The name that was given to it."""
        return self.text("name")

    @property
    def data(self) -> str:
        """The class of the data."""
        return self.text("data")

    @property
    def user(self) -> str:
        """Who has run it."""
        return self.text("user")

    @property
    def is_own(self) -> bool:
        """Whether the current user has run it, as far as that is known."""
        return not self.user or current_user() in (None, self.user)

    @property
    def note(self) -> str:
        """What somebody has noted of it."""
        return self.text("note")

    @property
    def command(self) -> str:
        """One of `COMMANDS`."""
        return self.text("command")

    @property
    def tags(self) -> tuple[str, ...]:
        """The words that it is found by."""
        return self.words("tags")

    @property
    def started(self) -> str:
        """When, as the record has it: UTC in ISO's form."""
        return self.text("started")

    @property
    def epochs(self) -> int | None:
        """How many epochs it has trained."""
        last = self.number("metrics", "last", "epoch")
        return None if last is None else int(last) + 1

    @property
    def val_acc(self) -> float | None:
        """The best validation accuracy, from 0 to 1."""
        return measured(self.record, PRIMARY)

    @property
    def test_acc(self) -> float | None:
        """The accuracy on the test images, from 0 to 1."""
        return measured(self.record, TESTED)

    @property
    def looks(self) -> int | None:
        """How often the same test images had been looked at in the folder of runs before; None if not tested."""
        looks = self.number("looks")
        return None if looks is None else int(looks)

    @property
    def parameters(self) -> float | None:
        """The number of parameters."""
        return self.number("parameters")

    @property
    def multiply_adds(self) -> float | None:
        """Those of the net for one image; a comparison counts them, a training by itself does not."""
        return self.number("multiply_adds")

    @property
    def fingerprint(self) -> Mapping[str, str]:
        """That of the images that were read for it, by split; empty where an older version has made it."""
        return {name: value for name, value in self.part("data_fingerprint").items() if isinstance(value, str)}

    @property
    def seconds(self) -> float | None:
        """The seconds of training; None where no epoch has come to its end."""
        return self.number("timings", "train_seconds") or None

    @property
    def epoch_seconds(self) -> list[float | None]:
        """The seconds of training that each epoch took."""
        return [each if is_number(each) else None for each in self.listed("timings", "epoch_seconds")]

    @property
    def segments(self) -> list[Mapping[str, object]]:
        """What is said of each time that it was started; nothing of one that is no record of that."""
        return [each if isinstance(each, dict) else {} for each in self.listed("segments")]

    @property
    def commands(self) -> list[str]:
        """What was typed, once for each time that it was started."""
        return [str(each["command"]) for each in self.segments if each.get("command")]

    @property
    def error(self) -> str:
        """What ended it, where something did."""
        said = self.segments[-1].get("error") if self.segments else None
        return "" if said is None else str(said)

    @property
    def point(self) -> Mapping[str, object]:
        """The options that its sweep has set."""
        return self.part("point")

    def read_table(self) -> list[dict[str, str]]:
        """Read what was measured after each epoch, as text: the same text is the same number. Empty where none is kept.

        Raises:
            UnreadableError: If there is a table that cannot be read.
        """
        try:
            return read_rows(self.folder)
        except FileNotFoundError:
            return []

    @cached_property
    def table(self) -> Sequence[Mapping[str, str]]:
        """The same; of a table that cannot be read a word is said, and it is empty."""
        try:
            return self.read_table()
        except UnreadableError as error:
            tell(f"note: {error}")
            return []

    @cached_property
    def rows(self) -> Sequence[Mapping[str, float]]:
        """What was measured after each epoch; only what is a finite number."""
        return [{name: value for name, cell in row.items() if is_number(value := _number(cell))} for row in self.table]

    @property
    def verdict(self) -> str | None:
        """What is to be said of it now that it has finished; None where nothing is."""
        from mnistlab.runs.verdict import verdict  # noqa: PLC0415 - brings statistics in

        return verdict(self.rows, self.record)

    def read_configuration(self) -> str:
        """Read the text of its configuration.

        Raises:
            LabError: If it is not there, or cannot be read.
        """
        try:
            return read_configuration(self.folder)
        except FileNotFoundError as error:
            raise LabError(f"There is no file {self.folder / CONFIG}.") from error

    @cached_property
    def configuration(self) -> Sequence[Written]:
        """What it was configured with.

        Raises:
            LabError: If that is not there, cannot be read, has no end, or is no configuration.
        """
        from mnistlab.options.files import from_text  # noqa: PLC0415 - brings YAML in, which a list needs not

        text = self.read_configuration()
        written = from_text(text, str(self.folder / CONFIG))
        return [replace(entry, complete=text.startswith(COMPLETE)) for entry in written]

    @cached_property
    def options(self) -> Mapping[str, object]:
        """The value of each option; empty where its configuration cannot be read."""
        if isinstance(self.record, Kept):
            return self.record.options or {}
        with suppress(LabError):
            return options_of(self.configuration)
        return {}

    @property
    def weights(self) -> Path | None:
        """The file whose weights count: the best ones, else the last ones; None where there are none."""
        return weights_of(self.folder)

    @cached_property
    def outcomes(self) -> "Outcomes":
        """What its test said of each image.

        Raises:
            LabError: If that is not there, or is something else.
        """
        from mnistlab.runs.outcomes import load_outcomes  # noqa: PLC0415 - brings numpy in

        return load_outcomes(self.folder / OUTCOMES)

    def tested_in(self, root: Path) -> "Run | None":
        """The run that has the outcomes of its test, if any: itself, else the newest `test` of its weights."""
        if stands(self.folder / OUTCOMES):
            return self
        weights = str((self.weights or self.folder / BEST).resolve())
        later = [each for each in read_runs(root).all if each.text("checkpoint") == weights]
        fitting = [each for each in later if each.data == self.data and each.started > self.text("ended")]
        tested = [each for each in fitting if is_file(each.folder / OUTCOMES)]
        return max(tested, key=lambda each: each.started, default=None)

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
    """All runs in a folder."""

    all: Sequence[Run]  # those whose record could be read, in no order
    broken: Sequence[Path]
    """The records that could not, or are missing where there is a configuration; folders that are closed."""

    @property
    def folders(self) -> list[Path]:
        """The folders of all, in the order of their names, whether their record could be read or not."""
        unread = [path.parent for path in self.broken if path.name == RECORD]
        return sorted([*(run.folder for run in self.all), *unread])

    @property
    def names(self) -> dict[Path, str]:
        """The names that were given to runs; one that repeats another has its name only where that is gone."""
        given = [(run.folder, Name(run.name, "reproduces" in run.record)) for run in self.all if run.name]
        unread = [path.parent for path in self.broken if path.name == RECORD]
        given += [(folder, said) for folder in unread if (said := read_name(folder))]
        firsts = {said.name for _, said in given if not said.repeats}
        return {folder: said.name for folder, said in given if not (said.repeats and said.name in firsts)}


def read_runs(root: Path) -> Runs:
    """Read what is known of all runs below `root`: what is asked for seldom is read when it is.

    Raises:
        LabError: If a file stands there.
    """
    if is_file(root):
        raise LabError(no_folder(root))
    found, broken = kept_runs(root)
    runs = [Run(Path(record.folder), record) for record in found]
    return Runs(runs, [*closed(root), *(Path(folder, RECORD) for folder in broken)])


def _flattened(record: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", None if isinstance(value, float) and not math.isfinite(value) else value


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
