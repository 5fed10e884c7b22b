"""How models stand to each other: the table of a comparison."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mnistlab.runs.looks import many
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import Student
from mnistlab.sweeps.apart import DIFFERENCES, Apart, Gap, tell_apart
from mnistlab.sweeps.jobs import Progress, State
from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.study import Study
from mnistlab.system.strict_json import as_json as json_of
from mnistlab.text.layout import as_csv as csv_of
from mnistlab.text.layout import paragraph, screen_width, table
from mnistlab.text.values import UNKNOWN, counted, in_letters, in_percent


@dataclass(frozen=True)
class Standing:
    """A model in a comparison, or a preset with its model."""

    model: str  # its class
    parameters: int
    seeds: Sequence[int]  # with which it has been trained
    accuracies: Sequence[float]  # the test accuracy with each, from 0 to 1; of folds that of validation, a mean
    seconds: float  # the training seconds, a mean over the seeds
    images_per_second: float  # training images, a mean over the seeds
    preset: str = ""  # the preset, where presets are compared
    multiply_adds: int | None = None  # for one image; None where its net cannot be asked
    looks: int | None = None  # how often the test images had been looked at before the last of these tests
    split: str = "test"  # of which images the accuracies are: `val` where there are folds

    @property
    def title(self) -> str:
        """What it is called in the comparison."""
        return self.preset or self.model

    @property
    def found(self) -> Student:
        """The test accuracies, added up."""
        return Student.of(self.accuracies)

    @property
    def mean(self) -> float:
        """The mean accuracy."""
        return self.found.mean

    @property
    def deviation(self) -> float | None:
        """The standard deviation over the seeds; None for one seed."""
        return self.found.deviation

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval of the mean, by Student's t; None for one seed."""
        return self.found.interval

    @property
    def by_seed(self) -> dict[int, float]:
        """The test accuracy with each seed."""
        return dict(zip(self.seeds, self.accuracies, strict=True))


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
    apart = tell_apart([each.by_seed for each in found])
    named, what = any(each.preset for each in found), "preset" if found[0].preset else "model"
    costs = any(each.multiply_adds is not None for each in found)
    head = [
        what,
        *(["model"] if named else []),
        "parameters",
        *(["MACs"] if costs else []),
        f"{plan.metric.replace('/', ' ')}, %",
        *(["="] if apart.gaps else []),
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
            *([UNKNOWN if each.multiply_adds is None else in_letters(each.multiply_adds)] if costs else []),
            _accuracy(each),
            *([letters] if apart.gaps else []),
            _interval(each),
            str(len(each.accuracies)),
            _short(each.seconds),
            f"{each.images_per_second:,.0f}",
        ]
        for each, letters in zip(found, apart.letters, strict=True)
    ]
    width = max(screen_width(), 80)
    right = [column for column in range(1 + named, len(head)) if head[column] != "="]
    widths = [max(map(len, column)) + 2 for column in zip(head, *rows, strict=True)]
    # what has no room is left out from the right: it would stand below each row
    shown = next((count for count in range(len(head), head.index("n"), -1) if sum(widths[:count]) <= width), len(head))
    timed = " and ".join(name for name in ("seconds", "images/s") if name in head[:shown])
    trained = f"; {timed} of training alone, {counted(plan.threads, 'thread')} each" if timed else ""
    legend = (
        f"* no {what} with as few parameters is better. Mean and standard deviation over n seeds, the interval of the "
        f"mean by Student's t{trained}.{' MACs are the multiply-adds for an image.' if costs else ''}"
    )
    return [
        *table(head[:shown], [row[:shown] for row in rows], width, right),
        "",
        *paragraph(legend, width),
        *([f"Each seed's accuracy is the mean over {plan.folds} folds, on validation images."] if plan.folds else []),
        *([f"The test images had been looked at {looks} times before the last of these."] if looks else []),
        *_told_apart(found, apart, what, width),
    ]


def _told_apart(found: Sequence[Standing], apart: Apart, what: str, width: int) -> Iterator[str]:
    """Which of them differ by more than chance, and how small a difference would have shown."""
    if apart.smallest is None:
        yield from ["", "Nothing can be told of one run each: --seeds=3 trains three."] if len(found) > 1 else ()
        return
    behind = [(found[b].title, gap) for (a, b), gap in apart.gaps.items() if not a]
    head = [f"behind {found[0].title}", "points", "95 % interval", "p"]
    yield ""
    yield from table(head, [[title, *_gap(gap)] for title, gap in behind], width, (1, 2)) if behind else ()
    yield ""
    text = (
        f"{what.capitalize()}s with a letter in common (=) cannot be told apart: paired by seed, Student's t at 5 %, p "
        f"corrected for {counted(len(apart.gaps), 'pair')} by Holm; each interval by itself. With {apart.seeds} seeds "
        f"a difference of less than {_points(apart.smallest)} points could not be told (80 % power, no correction, the "
        "deviation of the middle pair)."
    )
    yield from paragraph(text, width)


def _gap(gap: Gap) -> list[str]:
    low, high = gap.found.interval or (0.0, 0.0)
    return [_points(gap.found.mean), f"{_points(low)} to {_points(high)}", f"{gap.p_value:.2g}"]


def _points(share: float) -> str:
    return f"{round(100 * share, 2) + 0.0:.2f}"


def as_json(found: Sequence[Standing]) -> str:
    """The table for machines."""
    return json_of(_plain(found))


def as_csv(found: Sequence[Standing]) -> str:
    """The table for spreadsheets."""
    lists = ("seeds", "accuracies")
    return csv_of([{**row, **{name: " ".join(map(str, row[name])) for name in lists}} for row in _plain(found)])


def _standing(plan: Plan, jobs: Sequence[Progress], preset: str) -> Standing | None:
    tested: dict[int, float] = {}
    kept: list[Run] = []
    for job in sorted(jobs, key=lambda job: int(job.last.user_attrs["seeds"][0])):
        seed = job.last.user_attrs["seeds"][0]
        runs = [Run.salvage(folder) for folder in plan.run_folders(job.stem, [seed])]
        known = [value for run in runs if (value := run.val_acc if plan.folds else run.test_acc) is not None]
        if seed in plan.seeds and len(known) == len(runs):
            tested[seed] = statistics.fmean(known)
            kept += runs
    if not tested:
        return None
    return Standing(
        model=kept[0].architecture,
        preset=preset,
        parameters=int(kept[0].parameters or 0),
        multiply_adds=None if kept[0].multiply_adds is None else int(kept[0].multiply_adds),
        seeds=list(tested),
        accuracies=list(tested.values()),
        seconds=statistics.fmean(run.seconds or 0.0 for run in kept),
        images_per_second=statistics.fmean(_rate(run) for run in kept),
        looks=max((run.looks for run in kept if run.looks is not None), default=None),
        split="val" if plan.folds else "test",
    )


def _rate(run: Run) -> float:
    """Training images per second."""
    images = (run.number("train_images") or 0) * (run.epochs or 0)
    return images / run.seconds if run.seconds else 0.0


def _plain(found: Sequence[Standing]) -> list[dict[str, Any]]:
    apart = tell_apart([each.by_seed for each in found])
    return [_plain_row(each, apart, number) for number, each in enumerate(found)]


def _plain_row(each: Standing, apart: Apart, number: int) -> dict[str, Any]:
    interval = each.interval or (None, None)
    gap = apart.gaps.get((0, number))
    behind = (gap and gap.found.interval) or (None, None)
    said = asdict(each)
    preset = said.pop("preset")
    return {
        **({"preset": preset} if preset else {}),
        **said,
        "mean": each.mean,
        "deviation": each.deviation,
        "interval_low": interval[0],
        "interval_high": interval[1],
        "interval_method": "95 %, Student's t",
        "group": apart.letters[number] if apart.gaps else None,
        "behind_best": gap and gap.found.mean,
        "behind_best_low": behind[0],
        "behind_best_high": behind[1],
        "behind_best_p": gap and gap.p_value,
        "smallest_difference": apart.smallest,
        "differences_method": DIFFERENCES,
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
