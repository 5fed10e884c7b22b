"""The one reader of what is kept of a run, whose files may be old, damaged, or of anyone."""

import csv
import io
import json
from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnistlab.errors import tell
from mnistlab.runs.folder import CONFIG, METRICS, RECORD
from mnistlab.runs.metrics import MEASURE, MEASURES
from mnistlab.system.files import UnreadableError, read_file, read_text
from mnistlab.system.shapes import (
    Shape,
    count,
    either,
    fields,
    is_number,
    listed,
    mapping,
    maybe,
    named,
    number,
    row,
    scalars,
    text,
    threads,
    whole,
)
from mnistlab.system.strict_json import NOT_FINITE, read_json

LEFT_OUT = "left_out"
"""The key under which a record that was read says which of its fields were not what they should be."""

MOST_BYTES: Mapping[str, int] = {RECORD: 8 << 20, METRICS: 32 << 20, CONFIG: 1 << 20}
"""How large the files of a run may be."""

_MOST_CELLS = 4_000_000
_MOST_DIGITS = 15
_DEEPEST = 40
_LARGEST_PROCESS = 2**31


def _process(value: object) -> str | None:
    is_one = count(value) is None and isinstance(value, int) and 0 < value < _LARGEST_PROCESS
    return None if is_one else " is no number of a process"


_words = maybe(text)
_TEXTS = (
    "command",
    "status",
    "started",
    "ended",
    "model",
    "class",
    "data",
    "name",
    "host",
    "device",
    "sweep",
    "user",
    "note",
)

_SHAPES: Mapping[str, Shape] = {
    **dict.fromkeys((*_TEXTS, "checkpoint", "reproduces", "config_hash", "ended_by"), _words),
    **dict.fromkeys(("tags", "presets", "chosen", NOT_FINITE), listed(text)),
    **dict.fromkeys(("versions", "machine", "point", "kit"), scalars),
    **dict.fromkeys(("parameters", "processes", "train_images", "effective_batch_size", "looks"), maybe(count)),
    "steps_per_epoch": maybe(count),
    "segments": listed(fields({}, dict.fromkeys(("command", "started", "ended", "status", "error"), _words))),
    "seed": maybe(whole),
    "threads": listed(row(count, threads)),
    MEASURES: listed(MEASURE),
    "trial": either(text, number),
    "data_fingerprint": maybe(named(text)),
    "process": _process,
    "process_started": number,
    "git": maybe(mapping),
    "timings": fields({}, {"epoch_seconds": listed(maybe(number)), "train_seconds": maybe(number)}),
    "metrics": maybe(named(maybe(either(scalars, number)))),
}
"""What the fields of a record are; of any other nothing is asked."""


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record of the run in a folder; None where there is none.

    A field that is not what it should be is left out and named under `LEFT_OUT`; a number that is none is null.

    Raises:
        UnreadableError: If there is one that cannot be read, or is not that of a run.
    """
    path = folder / RECORD
    try:
        written = read_file(path, MOST_BYTES[RECORD])
    except FileNotFoundError:
        return None
    return sound(parse_record(written, path))


def parse_record(content: bytes, path: Path | str) -> dict[str, Any]:
    """What a file says that is the record of a run; its fields may be anything.

    Raises:
        UnreadableError: If it is no such file.
    """
    try:
        written = content.decode()
        record = read_json(written)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path} cannot be read: it is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{path} cannot be read: it is no JSON, or nested without end.") from error
    if not isinstance(record, dict) or not any(isinstance(record.get(name), str) for name in ("command", "status")):
        raise UnreadableError(f"{path} cannot be read: it is not the record of a run.")
    if written.count("{") + written.count("[") > _DEEPEST < _depth(record):  # few brackets, as most have, nest little
        raise UnreadableError(f"{path} cannot be read: it is nested too deeply.")
    return record


def sound(record: dict[str, Any], names: Collection[str] | None = None) -> dict[str, Any]:
    """A record, or only those fields of it, without those that are not what they should be, which are named."""
    looked_at = record if names is None else {name: value for name, value in record.items() if name in names}
    found = {name for name, value in looked_at.items() if name in _SHAPES and _SHAPES[name](value)}
    odd = [name for name in _SHAPES if name in found] if found else []
    kept = {name: value for name, value in looked_at.items() if name not in odd} if odd else looked_at
    return {**kept, LEFT_OUT: odd} if odd else kept


class Indexed(Mapping[str, object]):
    """A record that knows what stands in it without all of it in memory."""

    @abstractmethod
    def at(self, names: tuple[str, ...]) -> object:
        """What stands below these names; None where nothing does."""


class Said:
    """What a record says: text that it does not tell is empty, a number None."""

    record: Mapping[str, object]

    def said(self, *names: str) -> object:
        """What stands in the record below these names; None where nothing does."""
        value: object = self.record
        if isinstance(value, Indexed):
            return value.at(names)
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def text(self, name: str) -> str:
        """The text of that name."""
        value = self.said(name)
        return value if isinstance(value, str) else ""

    def part(self, *names: str) -> Mapping[str, object]:
        """The mapping below these names, empty where there is none."""
        value = self.said(*names)
        return value if isinstance(value, Mapping) else {}

    def number(self, *names: str) -> float | None:
        """The number below these names; one that is not finite is none."""
        value = self.said(*names)
        return value if is_number(value) else None

    def listed(self, *names: str) -> list[object]:
        """The list below these names, empty where there is none."""
        value = self.said(*names)
        return value if isinstance(value, list) else []

    def words(self, name: str) -> tuple[str, ...]:
        """The list of texts of that name."""
        return tuple(word for word in self.listed(name) if isinstance(word, str))


@dataclass(frozen=True)
class Name:
    """What a run is called."""

    name: str  # the name that was given with `--run.name`
    repeats: bool  # whether it has it from another run, which it repeats
    user: str = ""  # who has run it


def read_name(folder: Path) -> Name | None:
    """The name that was given to the run in a folder, without a look at the rest; None where none can be read."""
    with suppress(FileNotFoundError, UnreadableError, ValueError, RecursionError):
        said = json.loads(read_text(folder / RECORD, MOST_BYTES[RECORD]))
        if isinstance(said, dict) and isinstance(said.get("name"), str) and said["name"]:
            user = said.get("user")
            return Name(said["name"], "reproduces" in said, user if isinstance(user, str) else "")
    return None


def tell_broken(broken: Sequence[Path]) -> None:
    """Say how many records cannot be read, and which is the first."""
    if broken:
        many, first = len(broken), min(broken)
        what = f"{many} records cannot be read and are left out, such as" if many > 1 else "a record cannot be read:"
        tell(f"note: {what} {first}")


def read_rows(folder: Path) -> list[dict[str, str]]:
    """The table of metrics as text, a row for each epoch: the same text is the same number.

    Raises:
        FileNotFoundError: If there is none.
        UnreadableError: If it cannot be read, or does not say which epochs its rows are of.
    """
    path = folder / METRICS
    rows: list[dict[str, str]] = []
    cells = 0
    try:
        table = csv.reader(io.StringIO(read_text(path, MOST_BYTES[METRICS]), newline=""))
        names = next(table, [])
        for row in filter(None, table):
            cells += max(len(names), len(row))
            if cells > _MOST_CELLS:
                raise UnreadableError(f"{path} cannot be read: it is longer than any training.")
            rows.append({**dict.fromkeys(names, ""), **dict(zip(names, row, strict=False))})
    except csv.Error as error:
        raise UnreadableError(f"{path} cannot be read: {error}.") from error
    strange = next((at for at, row in enumerate(rows, 1) if not _is_epoch(row.get("epoch", ""))), None)
    if strange is not None:
        raise UnreadableError(f"{path} cannot be read: row {strange} does not say which epoch it is of.")
    return rows


def read_configuration(folder: Path) -> str:
    """The text of the configuration.

    Raises:
        FileNotFoundError: If there is none.
        UnreadableError: If it cannot be read.
    """
    return read_text(folder / CONFIG, MOST_BYTES[CONFIG])


def _is_epoch(cell: str) -> bool:
    return cell.isdecimal() and len(cell) <= _MOST_DIGITS


def _depth(value: object) -> int:
    """How deeply lists and mappings are nested, at most one more than is allowed."""
    level: list[object] = [value]
    for depth in range(_DEEPEST + 1):
        level = [
            each
            for part in level
            for each in (part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())
        ]
        if not level:
            return depth
    return _DEEPEST + 1


def class_counts(said: object, split: str) -> list[int]:
    """How many images of each class a split has; nothing where that is not known.

    Args:
        said: What a record has under `class_counts`.
        split: Such as `train`.
    """
    heads = said.get(split) if isinstance(said, Mapping) else None
    counts = next(iter(heads.values()), None) if isinstance(heads, Mapping) else None
    sound = isinstance(counts, list) and all(isinstance(each, int) and each >= 0 for each in counts) and any(counts)
    return counts if sound and isinstance(counts, list) else []
