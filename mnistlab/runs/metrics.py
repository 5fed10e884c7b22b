"""What a metric is to whoever reads it: how it is called and shown, and which way is better.

A reader needs neither torch nor the class that has counted: the record of a run says what it has measured.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import SupportsFloat

from mnistlab.system.shapes import fields, flag, listed, number, text

MEASURES = "measures"
"""The key under which a record says what the run has measured besides loss and accuracy."""

PERCENT = "%"
"""The unit of a share from 0 to 1."""


@dataclass(frozen=True)
class Measure:
    """What is known of a metric."""

    name: str  # what it is called in tables and options: `acc` of `val/acc`
    title: str  # what it is called in words
    unit: str = ""
    """What it is counted in: `%` of a share, which is kept as a number from 0 to 1; nothing of a bare number."""
    higher_is_better: bool = True  # whether a higher value is the better one

    @property
    def label(self) -> str:
        """What stands beside an axis: `accuracy, %`."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    @property
    def head(self) -> str:
        """What stands above a column of bare numbers: `acc %`."""
        return f"{self.name} {self.unit}".rstrip()

    def scaled(self, value: float) -> float:
        """A value in its unit."""
        return 100 * value if self.unit == PERCENT else value

    def bare(self, value: float, form: str = ".4f") -> str:
        """A value in its unit, without it: a share with two decimals, all else as `form` says."""
        return f"{self.scaled(value):{'.2f' if self.unit == PERCENT else form}}"

    def figure(self, value: float, form: str = ".4f") -> str:
        """A value as a person reads it: `98.12 %`, `0.0643`."""
        return f"{self.bare(value, form)} {self.unit}".rstrip()

    def better(self, values: Iterable[float]) -> float:
        """The best of several values."""
        return max(values) if self.higher_is_better else min(values)


LOSS = Measure("loss", "loss", higher_is_better=False)
ACC = Measure("acc", "accuracy", PERCENT)
KNOWN = (LOSS, ACC)
"""What every run has measured; records do not say it."""

SPLITS = {"train": "training", "val": "validation", "test": "test"}
"""What comes before the name of a metric, in words."""

SECONDS = Measure("seconds", "training seconds", "s", higher_is_better=False)
"""What a run takes, which is judged as a metric is."""

PRIMARY = f"val/{ACC.name}"
"""What runs are compared by unless something else is asked for; `best.ckpt` is that of its highest value."""

TESTED = f"test/{ACC.name}"
"""What is told of a run that was tested, and what models are compared by."""

BESIDES = ("epoch", "step", f"{PRIMARY}_best")
"""What stands beside the metrics of an epoch."""

MEASURE = fields({**dict.fromkeys(("name", "title", "unit"), text), "higher_is_better": flag})


def recorded(measures: Sequence[Measure]) -> dict[str, list[dict[str, object]]]:
    """What a record says of the metrics of its run: nothing of those that every run has."""
    more = [asdict(each) for each in measures if each not in KNOWN]
    return {MEASURES: more} if more else {}


def measures_of(*records: Mapping[str, object]) -> list[Measure]:
    """What runs have measured, as their records say; these may be of an older mnistlab, or of anyone."""
    found = [*KNOWN]
    for said in (record.get(MEASURES) for record in records):
        if isinstance(said, list) and listed(MEASURE)(said) is None:
            found += [Measure(each["name"], each["title"], each["unit"], each["higher_is_better"]) for each in said]
    return list(dict.fromkeys(found))


def measure_of(column: str, measures: Iterable[Measure] = KNOWN) -> Measure | None:
    """What a column holds: `val/acc` and `val/digit_acc` accuracy, `lr` no metric."""
    name = column.rpartition("/")[2]
    fitting = [each for each in measures if name == each.name or name.endswith(f"_{each.name}")]
    return max(fitting, key=lambda each: len(each.name), default=None)


def measured(record: Mapping[str, object], column: str) -> float | None:
    """`val/acc` of the best validation of a run, or `test/acc` of its test; None where the record has no such number.

    A run of `validate` or `test` has it in another place than one of `fit`.
    """
    metrics = record.get("metrics")
    metrics = metrics if isinstance(metrics, Mapping) else {}
    part = metrics.get("best" if column.startswith("val/") else "test")
    places = [part] if isinstance(part, Mapping) else []
    values = [place[column] for place in (*places, metrics) if column in place]
    return next((value for value in values if isinstance(value, int | float) and number(value) is None), None)


def figure(column: str, value: float, measures: Iterable[Measure], form: str) -> str:
    """A value of a column as a person reads it; one of no metric, and a number without a unit, as `form` says."""
    measure = measure_of(column, measures)
    return f"{value:{form}}" if measure is None else measure.figure(value, form)


def rounded(value: SupportsFloat) -> float:
    """A metric as the number it was before Lightning made float32 of it: 0.9812, not 0.98119998."""
    return float(f"{float(value):.7g}")
