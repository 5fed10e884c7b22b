"""Plots of a sweep: how it went on, what each option did, how the best values go together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import log10
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from optuna.trial import FrozenTrial

from mnistlab.options.labels import Label, as_typed
from mnistlab.reports.charts import SIZE, Chart, Draw
from mnistlab.reports.placing import SMALL
from mnistlab.reports.several import caption_of
from mnistlab.sweeps.curves import Curve
from mnistlab.sweeps.jobs import State, ranked
from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.space import Axis
from mnistlab.sweeps.study import Study
from mnistlab.text.values import four_digits, in_letters

_FEWEST = 2
_WIDE, _LONG = (5.0, 3.0), ("curve-", "parallel")  # inches of those with much text in them


def write_plots(study: Study, folder: Path, importances: Mapping[str, float]) -> list[Path]:
    """Write what there is to see of a sweep as SVG files; nothing where fewer than two trials have finished.

    Args:
        study: The sweep.
        folder: Where; it is made.
        importances: How much each axis matters.
    """
    charts = plots_of(study, importances)
    if charts:
        folder.mkdir(parents=True, exist_ok=True)
    return [chart.save(folder / f"{chart.name}.svg") for chart in charts]


def plots_of(study: Study, importances: Mapping[str, float]) -> list[Chart]:
    """What there is to see of a sweep; nothing where fewer than two trials have finished.

    Args:
        study: The sweep.
        importances: How much each axis matters.
    """
    done = [each for each in study.jobs().values() if each.state is State.FINISHED]
    if len(done) < _FEWEST:
        return []
    curve = curve_of(study)
    drawn = [*_charts(study.plan, [each.last for each in done], importances)]
    drawn += [(f"curve-{curve.of}", curve.draw)] if curve else []
    return [Chart(name, draw, caption_of(name), _WIDE if name.startswith(_LONG) else SIZE) for name, draw in drawn]


def curve_of(study: Study) -> Curve | None:
    """Its learning curve; None where it is none."""
    groups = ranked(study.plan, study.jobs().values())
    return Curve.of_sweep(study.plan, _axes(study.plan, [each.last for group in groups for each in group]), groups)


def _charts(plan: Plan, trials: Sequence[FrozenTrial], importances: Mapping[str, float]) -> Iterator[tuple[str, Draw]]:
    yield "history", partial(_history, plan, trials)
    axes = [axis for axis in _axes(plan, trials) if sum(axis.name in trial.params for trial in trials) >= _FEWEST]
    for axis in axes:
        yield f"slice-{axis.name.replace('[', '-').replace(']', '')}", partial(_slice, plan, trials, axis)
    if len(axes) > 1:
        yield "parallel", partial(_parallel, plan, trials, axes)
    if importances:
        yield "importances", partial(_bars, importances)


def _axes(plan: Plan, trials: Sequence[FrozenTrial]) -> list[Axis]:
    """Every axis that a trial has had, the nested ones too."""
    found: dict[str, Axis] = {}
    for trial in trials:

        def note(axis: Axis, params: Mapping[str, Label] = trial.params) -> Label:
            found.setdefault(axis.name, axis)
            return params[axis.name]

        plan.space.assign(note)
    return list(found.values())


def _history(plan: Plan, trials: Sequence[FrozenTrial], axes: Axes) -> None:
    values = [_scaled(plan, trial.value) for trial in trials]
    best = [plan.measure.better(values[: end + 1]) for end in range(len(values))]
    axes.plot(range(1, len(values) + 1), values, "o", alpha=0.7, label="trial")
    axes.step(range(1, len(values) + 1), best, where="post", label="best so far")
    axes.set(xlabel="trials finished", ylabel=_label(plan))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()


def _slice(plan: Plan, trials: Sequence[FrozenTrial], axis: Axis, axes: Axes) -> None:
    having = [trial for trial in trials if axis.name in trial.params]
    values = [_scaled(plan, trial.value) for trial in having]
    axes.set(xlabel=axis.name, ylabel=_label(plan))
    if axis.domain.scale is None:
        axes.set_xticks(range(len(axis.domain.ends())), _marks(axis))
        axes.set_xlim(-0.5, len(axis.domain.ends()) - 0.5)
    else:
        axes.set_xscale(axis.domain.scale)
    axes.plot([axis.domain.place(trial.params[axis.name]) for trial in having], values, "o", alpha=0.7)


def _parallel(plan: Plan, trials: Sequence[FrozenTrial], columns: Sequence[Axis], axes: Axes) -> None:
    """A line for each trial through its values; the better, the darker."""
    values = [_scaled(plan, trial.value) for trial in trials]
    low, high = min(values), max(values)
    for trial, value in sorted(zip(trials, values, strict=True), key=lambda pair: pair[1], reverse=plan.minimizes):
        share = (value - low) / (high - low) if high > low else 1.0
        good = 1 - share if plan.minimizes else share
        heights = [_height(axis, trial.params[axis.name]) if axis.name in trial.params else None for axis in columns]
        there = [(place, height) for place, height in enumerate([*heights, share]) if height is not None]
        axes.plot(*zip(*there, strict=True), color="C0", alpha=0.08 + 0.85 * good**2, linewidth=1.2)
    for place, axis in enumerate(columns):
        for end, text in zip(axis.domain.ends(), _marks(axis), strict=True):
            height = _height(axis, end)
            axes.annotate(text, (place, height), xytext=(3, 2), textcoords="offset points", fontsize=SMALL)
    for height, number in ((0.0, low), (1.0, high)):
        axes.annotate(
            in_letters(number), (len(columns), height), xytext=(3, 2), textcoords="offset points", fontsize=SMALL
        )
    names = [axis.name.rpartition(".")[2] for axis in columns]
    axes.set_xticks(range(len(columns) + 1), [*names, _label(plan)])
    axes.set_yticks([])
    axes.set_xlim(-0.1, len(columns) + 0.4)


def _bars(importances: Mapping[str, float], axes: Axes) -> None:
    names = list(importances)[::-1]
    axes.barh([name.rpartition(".")[2] for name in names], [100 * importances[name] for name in names])
    axes.set(xlabel="explains of the differences by itself, %")


def _height(axis: Axis, value: Label) -> float:
    """Where a value stands on its column, from 0 to 1."""
    low, high, place = (axis.domain.place(each) for each in (axis.domain.ends()[0], axis.domain.ends()[-1], value))
    if axis.domain.scale == "log":
        return log10(place / low) / log10(high / low)
    return (place - low) / (high - low or 1)


def _marks(axis: Axis) -> list[str]:
    """What stands beside the ends of an axis, or all its values."""
    is_named = axis.domain.scale is None
    return [as_typed(end) if is_named else four_digits(axis.domain.place(end)) for end in axis.domain.ends()]


def _scaled(plan: Plan, value: float | None) -> float:
    assert value is not None
    return plan.measure.scaled(value)


def _label(plan: Plan) -> str:
    return replace(plan.measure, title=plan.metric).label
