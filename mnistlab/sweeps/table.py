"""How models stand to each other: the table and the charts of a comparison."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from mnistlab.reports.charts import save
from mnistlab.runs.looks import many
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import student_quantile
from mnistlab.sweeps.jobs import Progress, State
from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.study import Study
from mnistlab.system.strict_json import as_json as json_of
from mnistlab.text.layout import as_csv as csv_of
from mnistlab.text.layout import screen_width, table
from mnistlab.text.values import counted, in_percent


@dataclass(frozen=True)
class Standing:
    """A model in a comparison, or a preset with its model."""

    model: str  # its class
    parameters: int
    seeds: Sequence[int]  # with which it has been trained
    accuracies: Sequence[float]  # the test accuracy with each, from 0 to 1
    seconds: float  # the training seconds, a mean over the seeds
    images_per_second: float  # training images, a mean over the seeds
    preset: str = ""  # the preset, where presets are compared
    looks: int | None = None  # how often the test images had been looked at before the last of these tests

    @property
    def title(self) -> str:
        """What it is called in the comparison."""
        return self.preset or self.model

    @property
    def mean(self) -> float:
        """The mean test accuracy."""
        return statistics.fmean(self.accuracies)

    @property
    def deviation(self) -> float | None:
        """The standard deviation over the seeds; None for one seed."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval of the mean, by Student's t; None for one seed."""
        if self.deviation is None:
            return None
        number = len(self.accuracies)
        half = student_quantile(number - 1) * self.deviation / sqrt(number)
        return self.mean - half, self.mean + half


def standings(study: Study, stems: Mapping[str, str], *, of_presets: bool = False) -> list[Standing]:
    """The models of a comparison that have finished with all or some seeds, the best first.

    Args:
        study: The comparison.
        stems: What each is called, by the beginning of the names of its runs.
        of_presets: Whether these are presets.
    """
    plan = study.plan
    done: dict[str, list[Progress]] = {}
    for each in study.jobs().values():
        if each.state is State.FINISHED and each.stem in stems:
            done.setdefault(each.stem, []).append(each)
    found = [_standing(plan, jobs, stems[stem] if of_presets else "") for stem, jobs in done.items()]
    return sorted((each for each in found if each), key=lambda each: -each.mean)


def front(found: Sequence[Standing], cost: Callable[[Standing], float]) -> list[Standing]:
    """Those that no other surpasses: as accurate for less, or more accurate for as much; the cheapest first."""
    return [
        each
        for each in sorted(found, key=cost)
        if not any(
            cost(other) <= cost(each)
            and other.mean >= each.mean
            and (cost(other), other.mean) != (cost(each), each.mean)
            for other in found
        )
    ]


def as_lines(found: Sequence[Standing], plan: Plan) -> list[str]:
    """The table for a screen, and how to read it."""
    if not found:
        return ["No model has finished."]
    best = {each.title for each in front(found, lambda each: each.parameters)}
    looks = many(max((each.looks for each in found if each.looks is not None), default=None))
    named, what = any(each.preset for each in found), "preset" if found[0].preset else "model"
    head = [
        what,
        *(["model"] if named else []),
        "parameters",
        "test acc, %",
        "95 % interval",
        "n",
        "seconds",
        "images/s",
    ]
    rows = [
        [
            f"{each.title}{' *' if each.title in best else ''}",
            *([each.model] if named else []),
            f"{each.parameters:,}",
            _accuracy(each),
            _interval(each),
            str(len(each.accuracies)),
            _short(each.seconds),
            f"{each.images_per_second:,.0f}",
        ]
        for each in found
    ]
    return [
        *table(head, rows, max(screen_width(), 80), right=range(1 + named, len(head))),
        "",
        f"* no {what} with as few parameters is better. Mean and standard deviation over n",
        "seeds, the interval of the mean by Student's t; seconds and images/s of training",
        f"alone, {counted(plan.threads, 'thread')} each.",
        *([f"The test images had been looked at {looks} times before the last of these."] if looks else []),
    ]


def as_json(found: Sequence[Standing]) -> str:
    """The table for machines."""
    return json_of([_plain(each) for each in found])


def as_csv(found: Sequence[Standing]) -> str:
    """The table for spreadsheets."""
    rows = [{**_plain(each), "accuracies": " ".join(map(str, each.accuracies))} for each in found]
    rows = [{**row, "seeds": " ".join(map(str, row["seeds"]))} for row in rows]
    return csv_of(rows)


def write_charts(found: Sequence[Standing], folder: Path) -> list[Path]:
    """Write accuracy against parameters and against seconds as SVG; nothing for a single model."""
    if len(found) < 2:  # noqa: PLR2004 - one has nothing beside it
        return []
    folder.mkdir(parents=True, exist_ok=True)
    costs: Mapping[str, Callable[[Standing], float]] = {
        "parameters": lambda each: each.parameters,
        "seconds": lambda each: each.seconds,
    }
    paths = []
    for name, cost in costs.items():
        path = folder / f"pareto-{name}.svg"
        save(partial(_pareto, found, name, cost), path)
        paths.append(path)
    return paths


def _pareto(found: Sequence[Standing], name: str, cost: Callable[[Standing], float], axes: Axes) -> None:
    best = front(found, cost)
    axes.set_xscale("log")
    places = [cost(each) for each in best], [100 * each.mean for each in best]
    axes.plot(*places, "o-", color="C1", markersize=9, fillstyle="none", label="no other is better for less")
    axes.errorbar(
        [cost(each) for each in found],
        [100 * each.mean for each in found],
        [100 * (each.deviation or 0.0) for each in found],
        fmt="o",
        color="C0",
        elinewidth=0.8,
        label="mean, standard deviation" if any(each.deviation for each in found) else "one run each",
    )
    for each in found:
        place = (cost(each), 100 * each.mean)
        axes.annotate(each.title, place, xytext=(4, 4), textcoords="offset points", fontsize=7)
    axes.set(xlabel=name if name == "parameters" else "training seconds", ylabel="test accuracy, %")
    axes.margins(x=0.15)
    axes.legend(loc="lower right")


def _standing(plan: Plan, jobs: Sequence[Progress], preset: str) -> Standing | None:
    tested: dict[int, tuple[Run, float]] = {}
    for job in jobs:
        seed = job.last.user_attrs["seeds"][0]
        run = Run.salvage(plan.run_folder(job.stem, seed))
        if seed in plan.seeds and run.test_acc is not None:
            tested[seed] = run, run.test_acc
    if not tested:
        return None
    kept = [tested[seed] for seed in sorted(tested)]
    return Standing(
        model=kept[0][0].model,
        preset=preset,
        parameters=int(kept[0][0].parameters or 0),
        seeds=sorted(tested),
        accuracies=[accuracy for _, accuracy in kept],
        seconds=statistics.fmean(run.seconds or 0.0 for run, _ in kept),
        images_per_second=statistics.fmean(_rate(run) for run, _ in kept),
        looks=max((run.looks for run, _ in kept if run.looks is not None), default=None),
    )


def _rate(run: Run) -> float:
    """Training images per second."""
    images = (run.number("train_images") or 0) * (run.epochs or 0)
    return images / run.seconds if run.seconds else 0.0


def _plain(each: Standing) -> dict[str, Any]:
    interval = each.interval or (None, None)
    said = asdict(each)
    preset = said.pop("preset")
    return {
        **({"preset": preset} if preset else {}),
        **said,
        "mean": each.mean,
        "deviation": each.deviation,
        "interval_low": interval[0],
        "interval_high": interval[1],
    }


def _accuracy(each: Standing) -> str:
    mean = in_percent(each.mean)
    return mean if each.deviation is None else f"{mean} ± {in_percent(each.deviation)}"


def _short(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2g}"


def _interval(each: Standing) -> str:
    """Within what an accuracy can be."""
    bounds = each.interval or ()
    return " to ".join(in_percent(min(max(bound, 0.0), 1.0)) for bound in bounds)
