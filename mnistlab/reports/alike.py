"""Curves of several runs, those together that differ in their seed alone."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mnistlab.runs.ranking import choice_of
from mnistlab.runs.run import Run
from mnistlab.runs.sheets import but_for_the_seed
from mnistlab.text.apart import told_apart
from mnistlab.text.values import counted

_LONGEST, _SHORTER = 28, 20  # characters of a name in a legend, and where there are many

FEW = 6
"""Groups of which a legend has room for whole words."""

Points = Sequence[tuple[float, float]]
"""Epochs, counted from 1, and what was measured at their ends."""


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone."""

    name: str
    lines: Mapping[Run, Points]  # the curve of each


def groups_of(lines: Mapping[Run, Points], names: Mapping[Run, str]) -> list[Group]:
    """The curves of runs in groups, in the order in which these begin; where all are one, each of a few is by itself.

    Args:
        lines: The curve of each run.
        names: What each run is called.
    """
    found: dict[str, dict[Run, Points]] = {}
    for run, points in lines.items():
        found.setdefault(_in_common(run), {})[run] = points
    groups = [*found.values()]
    if len(groups) == 1 and len(lines) <= FEW:  # else a chart of seeds would tell none from another
        groups = [{run: points} for run, points in lines.items()]
    called = _called([[*group] for group in groups], names)
    shown = told_apart(called, _LONGEST if len(called) <= FEW else _SHORTER)
    return [Group(shown[name], group) for name, group in zip(called, groups, strict=True)]


def told(groups: Sequence[Group]) -> str:
    """How many runs these are: `9 runs in 3 groups, each alike but for the seed`."""
    runs = counted(sum(len(group.lines) for group in groups), "run")
    several = any(len(group.lines) > 1 for group in groups)
    return f"{runs} in {counted(len(groups), 'group')}, each alike but for the seed" if several else runs


def _in_common(run: Run) -> str:
    """What runs have in common that differ in their seed alone; something of its own where that is not known."""
    if run.text("sweep"):
        return f"{run.folder.parent} {choice_of(run)}"
    options = but_for_the_seed(run.options)
    return json.dumps(options, sort_keys=True, default=str) if options else str(run.folder)


def _called(groups: Sequence[Sequence[Run]], names: Mapping[Run, str]) -> list[str]:
    """What groups are called: by what is common to the runs of each and to no two of them."""
    if all(len(group) == 1 for group in groups):
        return [names[run] for (run,) in groups]
    ways: tuple[Callable[[Run], str], ...] = (_trial, lambda run: run.name, lambda run: run.title)
    for way in ways:
        found = [{way(run) for run in group} for group in groups]
        if all(len(each) == 1 and "" not in each for each in found) and len(set.union(*found)) == len(groups):
            return [name for (name,) in found]
    return [names[group[0]] for group in groups]


def _trial(run: Run) -> str:
    said = run.said("trial")
    return "" if said is None else str(said)
