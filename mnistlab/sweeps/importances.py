"""How much of the differences between trials each swept option explains."""

import statistics
from collections.abc import Hashable, Sequence

from optuna.trial import FrozenTrial

from mnistlab.sweeps.space import Axis, Space

_FEWEST = 10
"""Finished trials from which on it is said what mattered."""

_PARTS = 4
"""Into so many parts of equally many trials an interval is divided."""


def importances(trials: Sequence[FrozenTrial], space: Space) -> dict[str, float]:
    """The share of the variance between trials that each option explains by itself, from 0 to 1, the most first.

    That of a one-way analysis of variance, less what chance alone would give (epsilon squared). What is left to 1 is
    how options go together, and chance. Optuna's own measures that need no scikit-learn say something else: which
    options the best trials agree on.

    Source: Kelley (1935), Proceedings of the National Academy of Sciences 21, 554-559.

    Returns:
        The shares by name; nothing where there are too few trials, or all have the same value.
    """
    if len(trials) < _FEWEST or len({trial.value for trial in trials}) == 1:
        return {}
    common = [axis for axis in space.axes if all(axis.name in trial.params for trial in trials)]
    shares = {axis.name: _explained(trials, _groups(trials, axis)) for axis in common}
    return dict(sorted(shares.items(), key=lambda item: item[1], reverse=True))


def _groups(trials: Sequence[FrozenTrial], axis: Axis) -> list[Hashable]:
    """To which group each trial belongs: a value, or a part of an interval."""
    values = [trial.params[axis.name] for trial in trials]
    if axis.domain.scale is None or len(set(values)) <= _PARTS:
        return values
    bounds = statistics.quantiles(values, n=_PARTS)
    return [sum(value > bound for bound in bounds) for value in values]


def _explained(trials: Sequence[FrozenTrial], groups: Sequence[Hashable]) -> float:
    members: dict[Hashable, list[float]] = {}
    for trial, group in zip(trials, groups, strict=True):
        members.setdefault(group, []).append(trial.value or 0.0)
    total = _squares([value for values in members.values() for value in values])
    within = sum(map(_squares, members.values()))
    left = len(trials) - len(members)
    if left <= 0 or len(members) == 1:
        return 0.0
    return max(0.0, (total - within - (len(members) - 1) * within / left) / total)


def _squares(values: Sequence[float]) -> float:
    mean = statistics.fmean(values)
    return sum((value - mean) ** 2 for value in values)
