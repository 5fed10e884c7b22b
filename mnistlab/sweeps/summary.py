"""What a sweep has found: the best trials, what mattered, what failed, and the command that does the best again."""

import shlex
import statistics
from collections.abc import Hashable, Sequence

from optuna.trial import FrozenTrial

from mnistlab.errors import visible
from mnistlab.runs.folder import RECORD, WEIGHTS
from mnistlab.runs.hints import command_for
from mnistlab.runs.ranking import Ranking
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import spread
from mnistlab.sweeps.jobs import Progress, State, ranked
from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.plots import curve_of, write_plots
from mnistlab.sweeps.space import Axis, Space
from mnistlab.sweeps.study import Study
from mnistlab.system.files import stands
from mnistlab.text.layout import paragraph, table
from mnistlab.text.values import four_digits, last_parts, percent

_BEST = 5
_FAILED = 5


def summary(study: Study, width: int) -> list[str]:
    """All of it, as lines.

    Args:
        study: A sweep that has come to an end.
        width: Columns of the screen.
    """
    plan, jobs = study.plan, study.jobs()
    done = [each for each in jobs.values() if each.state is State.FINISHED]
    failed = [each for each in jobs.values() if each.state is State.FAILED]
    pruned = sum(each.state is State.PRUNED for each in jobs.values())
    counts = [f"{len(done)} finished", *([f"{pruned} stopped early"] if pruned else [])]
    lines = ["", ", ".join([*counts, *([f"{len(failed)} failed"] if failed else [])])]
    lines += [visible(f"  {each.stem}: {each.error}") for each in failed[:_FAILED]]
    lines += [f"  and {len(failed) - _FAILED} more"] if len(failed) > _FAILED else []
    if not done:
        return [*lines, f"No trial has finished. Their output is in {plan.folder / 'logs'}."]
    groups = ranked(plan, jobs.values())
    if not groups:
        return [*lines, "No choice of values has finished with all its seeds."]
    lines += ["", *map(visible, _table(plan, groups[:_BEST], width)), ""]
    weights = importances([each.last for each in done], plan.space)
    if weights:
        shares = ", ".join(f"{name} {percent(share, 0)}" for name, share in weights.items())
        lines += [f"Of the differences each explains by itself: {shares}"]
    curve = curve_of(study)
    if curve and curve.law:
        lines += paragraph(curve.in_words(), width)
    plots = write_plots(study, plan.folder / "plots", weights)
    if plots:
        lines += [f"Plots: {plots[0].parent}"]
    return [*lines, *_commands(plan, groups[0])]


def _table(plan: Plan, groups: Sequence[Sequence[Progress]], width: int) -> list[str]:
    taken = [group[0].point for group in groups]
    points = [{name: point[option] for option, name in last_parts(point).items()} for point in taken]
    names = list(dict.fromkeys(name for point in points for name in point))
    head = ["trial", plan.metric, "train s", "parameters", *names]
    rows = [
        [
            group[0].stem,
            _value(plan, group),
            f"{_seconds(group):.1f}",
            f"{group[0].last.user_attrs.get('parameters') or 0:,}",
            *(four_digits(point[name]) if name in point else "" for name in names),
        ]
        for group, point in zip(groups, points, strict=True)
    ]
    figures = "0123456789.,-+e %±()n="
    numbers = [column for column in range(1, len(head)) if not any(row[column].strip(figures) for row in rows)]
    return table(head, rows, width, right=numbers)


def _value(plan: Plan, group: Sequence[Progress]) -> str:
    values = [each.last.value or 0.0 for each in group]
    many = f" (n={len(values)})" if len(values) > 1 else ""
    return f"{spread(values, plan.measure)}{many}"


def _seconds(group: Sequence[Progress]) -> float:
    timings = [each.last.user_attrs.get("timings") or {} for each in group]
    return statistics.fmean(float(timing.get("train_seconds", 0.0)) for timing in timings)


def _commands(plan: Plan, best: Sequence[Progress]) -> list[str]:
    trial = best[0].last
    seeds = [seed for each in best for seed in each.last.user_attrs["seeds"]]
    folders = plan.run_folders(best[0].stem, [*dict.fromkeys(seeds)])
    run = Ranking.of(plan.folder).best([Run.of(each) for each in folders if stands(each / RECORD)])
    seed, folder = (run.record.get("seed", seeds[0]), run.folder) if run else (seeds[0], folders[0])
    again = [*shlex.split(str(trial.user_attrs["command"]))[2:], f"--seed_everything={seed}"]
    line = shlex.join(["mnistlab", "fit", *again])
    lines = [f"Train the best again: {line} --threads={plan.threads}"]
    if (folder / WEIGHTS).is_file():
        lines.append(f"Test it:              {command_for('test', folder)}")
    return lines


_FEWEST = 10  # finished trials from which on it is said what mattered
_PARTS = 4  # into so many parts of equally many trials an interval is divided


def importances(trials: Sequence[FrozenTrial], space: Space) -> dict[str, float]:
    """The share of the variance between trials that each option explains by itself, from 0 to 1, the most first.

    That of a one-way analysis of variance, less what chance alone would give (epsilon squared). What is left to 1 is
    how options go together, and chance. Optuna's own measures that need no scikit-learn say something else: which
    options the best trials agree on.

    Source: Kelley (1935), Proceedings of the National Academy of Sciences 21, 554-559.

    Args:
        trials: The finished trials.
        space: Where the options come from; those count that every trial has.

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
