"""What is known about a run; its files may be of an older mnistlab, half written, or of anyone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from mnistlab.errors import tell
from mnistlab.runs.reading import read_record, read_rows
from mnistlab.system.files import UnreadableError
from mnistlab.system.processes import is_gone

UNKNOWN = "–"  # noqa: RUF001 - it is to be seen


@dataclass(frozen=True, eq=False)
class Facts:
    """A run.

    Attributes:
        folder: Where it is kept.
        record: Its `run.json`, empty where that cannot be read.
    """

    folder: Path
    record: Mapping[str, object]

    @classmethod
    def of(cls, folder: Path) -> "Facts":
        """Read the record in a folder; of one that cannot be read a word is said."""
        try:
            return cls(folder, read_record(folder) or {})
        except UnreadableError as error:
            tell(f"note: {error}")
            return cls(folder, {})

    def said(self, *keys: str) -> object:
        """What stands in the record under these keys, one within the other; None where nothing does."""
        value: object = self.record
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def number(self, *keys: str) -> float | None:
        """The same, if it is a finite number."""
        return finite(self.said(*keys))

    def word(self, *keys: str) -> str:
        """The same as text."""
        value = self.said(*keys)
        return UNKNOWN if value is None else str(value)

    @property
    def title(self) -> str:
        """The class of the model, or what there is in its place."""
        return str(self.said("class") or self.said("model") or self.folder.name)

    @property
    def name(self) -> str:
        """What it is called among others: its number in a sweep, its own name, or its folder's."""
        trial = self.said("trial")
        return str(self.said("name") or self.folder.name) if trial is None else str(trial)

    @property
    def status(self) -> str:
        """How it has ended; `lost` where its process is gone and did not say."""
        status = self.word("status")
        return "lost" if status == "running" and is_gone(self.record) else status

    @property
    def tags(self) -> list[str]:
        """The words that it is found by."""
        tags = self.said("tags")
        return [str(tag) for tag in tags] if isinstance(tags, list) else []

    @property
    def started(self) -> str:
        """When it began, to the minute, in UTC."""
        try:
            return datetime.fromisoformat(self.word("started")).strftime("%Y-%m-%d %H:%M UTC")
        except ValueError:
            return self.word("started")

    @property
    def error(self) -> str | None:
        """What ended it, where something did."""
        error = _last(self.said("segments")).get("error")
        return None if error is None else str(error)

    @property
    def commands(self) -> list[str]:
        """What was typed, once for each time that it was started."""
        segments = self.said("segments")
        listed = segments if isinstance(segments, list) else []
        return [str(each["command"]) for each in listed if isinstance(each, dict) and "command" in each]

    @property
    def point(self) -> Mapping[str, object]:
        """The options that its sweep has set."""
        point = self.said("point")
        return {str(key): value for key, value in point.items()} if isinstance(point, Mapping) else {}

    @property
    def seconds(self) -> float | None:
        """The seconds of training; None where no epoch has come to its end."""
        return self.number("timings", "train_seconds") or None

    @property
    def parameters(self) -> float | None:
        """The number of parameters."""
        return self.number("parameters")

    def tested(self, metric: str) -> float | None:
        """A metric of its test, such as `acc`; a run of `test` keeps it in another place than one of `fit`."""
        name = f"test/{metric}"
        value = self.number("metrics", "test", name)
        return self.number("metrics", name) if value is None else value

    def validated(self, metric: str) -> float | None:
        """A metric of its best validation, such as `acc`."""
        name = f"val/{metric}"
        value = self.number("metrics", "best", name)
        return self.number("metrics", name) if value is None else value

    @cached_property
    def rows(self) -> Sequence[Mapping[str, float]]:
        """What was measured at the end of each epoch; only what is a finite number."""
        try:
            rows = [{name: finite(_number(cell)) for name, cell in row.items()} for row in read_rows(self.folder)]
        except FileNotFoundError:
            return []
        except UnreadableError as error:
            tell(f"note: {error}")
            return []
        return [{name: value for name, value in row.items() if value is not None} for row in rows]


def finite(value: object) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def percent(share: float | None, digits: int = 2) -> str:
    """A share from 0 to 1."""
    return UNKNOWN if share is None else f"{100 * share:.{digits}f} %"


def count(number: float | None) -> str:
    """A whole number."""
    return UNKNOWN if number is None else f"{number:,.0f}"


def duration(seconds: float | None) -> str:
    """A time as one would say it."""
    if seconds is None:
        return UNKNOWN
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _number(text: object) -> float | None:
    try:
        return float(str(text))
    except ValueError:
        return None


def _last(values: object) -> Mapping[str, object]:
    last = values[-1] if isinstance(values, list) and values else None
    return last if isinstance(last, dict) else {}
