"""Learning curves: an error against the one thing that varies, with intervals over seeds and a power law."""

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Self

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mnistlab.reports.placing import SMALL
from mnistlab.runs.metrics import ACC, PERCENT, SPLITS, Measure
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import student_quantile
from mnistlab.sweeps.jobs import Progress
from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.space import Axis
from mnistlab.system.shapes import is_number
from mnistlab.text.values import counted, in_letters

_FEWEST = 3  # places of a curve
_FEWEST_OF_LAW = 4  # for three numbers
_FAR, _HIGH = 20, 5  # ratios of the ends from which on an axis is logarithmic
_STEEPEST, _STEPS = 3.0, 300  # exponents that are tried to either side of 0, then as many around the best of them
_DRAWN = 100
_MOST_ZEROS = 5  # of a number that is written without a power of ten
_RAISED = str.maketrans("-0123456789.", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹·")


@dataclass(frozen=True)
class PowerLaw:
    """error = factor * n^exponent + rest, between the ends that it was fitted to."""

    factor: float
    exponent: float
    rest: float
    start: float
    end: float

    def __str__(self) -> str:
        """The formula in n."""
        rest = f" + {self.rest:.2g}" if self.rest else ""
        return f"{_three_digits(self.factor)} n^{self.exponent:.2f}{rest}"

    @property
    def raised(self) -> str:
        """The same as in print, in letters that every font has: no fraction of a power is set by itself."""
        return re.sub(r"\^([-\d.]+)", lambda power: power[1].translate(_RAISED), str(self))

    def at(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """The error at some n."""
        found: NDArray[np.float64] = self.factor * places**self.exponent + self.rest
        return found

    @classmethod
    def fitted(cls, places: Sequence[float], errors: Sequence[float]) -> Self | None:
        """The one that differs least from positive errors, by the squares of the differences over the errors.

        For each exponent factor and rest follow from linear equations; neither is below 0. None where there are fewer
        than four places, or the errors follow no such law.
        """
        n, error = np.asarray(places, np.float64), np.asarray(errors, np.float64)
        if len({*places}) < _FEWEST_OF_LAW or error.min() <= 0 or n.min() < 0:
            return None
        unit = float(n.max())
        sides = [1.0] if n.min() == 0 else [-1.0, 1.0]
        step = _STEEPEST / _STEPS
        tried = [side * step * number for side in sides for number in range(1, _STEPS + 1)]
        best = min((_linear(n / unit, error, exponent) for exponent in tried), key=lambda found: found[0])
        near = best[1] + np.linspace(-step, step, _STEPS)
        _, exponent, factor, rest = min(_linear(n / unit, error, each) for each in near if each * best[1] > 0)
        if not factor:
            return None
        return cls(factor / unit**exponent, exponent, rest, float(n.min()), float(n.max()))


def _linear(n: NDArray[np.float64], error: NDArray[np.float64], exponent: float) -> tuple[float, float, float, float]:
    """The sum of squares, the exponent, and the factor and the rest that are best for it."""
    power, whole = n**exponent / error, 1 / error
    factor, rest = np.linalg.lstsq(np.stack([power, whole], axis=1), np.ones_like(n), rcond=None)[0]
    if rest < 0:
        factor, rest = power.sum() / (power**2).sum(), 0.0
    if factor < 0:
        factor, rest = 0.0, whole.sum() / (whole**2).sum()
    return float(((factor * power + rest * whole - 1) ** 2).sum()), float(exponent), float(factor), float(rest)


@dataclass(frozen=True)
class Curve:
    """What becomes of a metric as one thing grows.

    Attributes:
        of: The option that varies.
        quantity: What is counted.
        measured: What stands beside the other axis.
        values: The error, or the metric, with each seed, by the quantity in ascending order.
        law: The power law of an error; None where there is none.
    """

    of: str
    quantity: str
    measured: str
    values: Mapping[float, Sequence[float]]
    law: PowerLaw | None

    @classmethod
    def of_sweep(cls, plan: Plan, axes: Sequence[Axis], groups: Sequence[Sequence[Progress]]) -> Self | None:
        """That of a sweep in which one option varies alone that is a number, or makes nets of different sizes.

        Args:
            plan: The sweep.
            axes: What varies in it.
            groups: What has finished, each choice of values as its jobs.
        """
        if len(axes) != 1 or len(groups) < _FEWEST:
            return None
        (axis,) = axes
        quantity, counts = _counts(plan, axis, groups)
        places = [float(each) for each in counts if is_number(each)]
        if len(places) < len(groups):
            return None
        measure = plan.measure
        share = measure.unit == PERCENT and measure.higher_is_better
        found: dict[float, list[float]] = {}
        for place, group in zip(places, groups, strict=True):
            scores = [measure.scaled(each.last.value or 0.0) for each in group]
            found.setdefault(place, []).extend(100 - score if share else score for score in scores)
        values = {place: found[place] for place in sorted(found)}
        pairs = [(place, value) for place, several in values.items() for value in several]
        is_error = share or not measure.higher_is_better
        law = PowerLaw.fitted(*zip(*pairs, strict=True)) if is_error else None
        return cls(axis.name, quantity, _measured(plan.metric, measure, is_error=share), values, law)

    def draw(self, axes: Axes) -> None:
        """Draw the means with their intervals, and the law as far as there are values."""
        places = [*self.values]
        means = [statistics.fmean(several) for several in self.values.values()]
        margins = [_margin(several) for several in self.values.values()]
        axes.errorbar(places, means, margins, fmt="o", color="C0", elinewidth=0.8, capsize=2, label=self._seeds)
        if places[0] > 0 and places[-1] > _FAR * places[0]:
            axes.set_xscale("log")
        if min(means) > 0 and max(means) > _HIGH * min(means):
            axes.set_yscale("log")
            axes.set_ylim(bottom=min(means) / 2)
        if self.law is not None:
            spaced = np.geomspace if axes.get_xscale() == "log" else np.linspace
            line = spaced(self.law.start, self.law.end, _DRAWN)
            axes.plot(line, self.law.at(line), color="C1", label=self.law.raised)
            axes.plot([], [], " ", label=self._method)
        axes.set(xlabel=self.quantity, ylabel=self.measured)
        for text in axes.legend().get_texts():
            text.set_fontsize("medium" if self.law and text.get_text() == self.law.raised else SMALL)

    def in_words(self) -> str:
        """The law in a line; nothing where there is none."""
        if self.law is None:
            return ""
        return f"Power law: {self.measured} = {self.law}, n {self.quantity}, {self._method}"

    @property
    def _method(self) -> str:
        law = self.law
        assert law is not None
        return f"least squares of relative errors, n from {in_letters(law.start)} to {in_letters(law.end)}"

    @property
    def _seeds(self) -> str:
        counts = sorted({len(several) for several in self.values.values()})
        if counts == [1]:
            return "one run each"
        many = f"{counts[0]} to {counted(counts[-1], 'seed')}" if len(counts) > 1 else counted(counts[0], "seed")
        return f"mean of {many}, 95 % by Student's t"


def _counts(plan: Plan, axis: Axis, groups: Sequence[Sequence[Progress]]) -> tuple[str, Sequence[object]]:
    """What is counted, and how much of it each choice of values has."""
    if axis.name == "data.train_size":
        runs = [Run.salvage(plan.run_folder(group[0].stem, group[0].last.user_attrs["seeds"][0])) for group in groups]
        return "training images", [run.number("train_images") for run in runs]
    sizes = [group[0].last.user_attrs.get("parameters") for group in groups]
    if len({*sizes}) == len(groups):
        return "parameters", sizes
    return axis.name, [group[0].point[axis.name] for group in groups]


def _measured(metric: str, measure: Measure, *, is_error: bool) -> str:
    """What stands beside the axis of a metric, or of what a share lacks of all."""
    split, _, _ = metric.partition("/")
    of = f"{SPLITS[split]} {measure.label}" if split in SPLITS else f"{metric}, {measure.unit}".removesuffix(", ")
    if not is_error:
        return of
    return of.replace(ACC.title, "error") if ACC.title in of else f"100 - {of}"


def _three_digits(number: float) -> str:
    """Three digits that count: `0.0148`, `14,800`; with a power of ten where these are far from 1."""
    digits, _, power = f"{number:.2e}".partition("e")
    return f"{float(f'{number:.3g}'):,.10g}" if abs(int(power)) <= _MOST_ZEROS else f"{digits}×10^{int(power)}"  # noqa: RUF001


def _margin(values: Sequence[float]) -> float:
    """Half of the 95 % interval of a mean; nothing of a single value."""
    if len(values) == 1:
        return 0.0
    return student_quantile(len(values) - 1) * statistics.stdev(values) / sqrt(len(values))
