"""Several runs, or those of a sweep, as parts of a page."""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean

from mnistlab.reports.behind import Trust
from mnistlab.reports.curves import courses
from mnistlab.reports.drawing import Drawing
from mnistlab.reports.markup import Markup, element, folded, joined, note, table
from mnistlab.reports.one_run import about, headline, sections
from mnistlab.reports.tested import interval
from mnistlab.runs.folder import RECORD
from mnistlab.runs.listing import metric_of, short_ids
from mnistlab.runs.looks import many
from mnistlab.runs.metrics import KNOWN, PRIMARY, Measure, measure_of, measured, measures_of
from mnistlab.runs.run import Run
from mnistlab.system.files import is_file, read_file, stands
from mnistlab.text.values import UNKNOWN, count, duration, four_digits, last_parts, moment, percent

_PLOTS = "plots"
_MOST_BYTES = 16 << 20
_CAPTIONS = {
    "history": "the trials in the order in which they finished, and the best so far",
    "parallel": "each trial as a line through its values",
    "importances": "how much of the differences each option explains by itself",
    "pareto-parameters": "accuracy against parameters",
    "pareto-seconds": "accuracy against training seconds",
}
_KINDS = {".svg": "image/svg+xml", ".png": "image/png"}


def trials_of(folder: Path) -> list[Run]:
    """The trials of a sweep, those with the highest validation accuracy first, those without one last."""
    found = [Run.salvage(each) for each in sorted(folder.iterdir()) if stands(each / RECORD)]
    return sorted(found, key=_merit, reverse=True)


def best_of(runs: Sequence[Run]) -> Run | None:
    """The one with the highest validation accuracy, of equal ones the first; None where none has any."""
    return max((run for run in runs if run.val_acc is not None), key=_merit, default=None)


def best_trial(trials: Sequence[Run], metric: str) -> Run | None:
    """The best run of the choice of values whose mean over its seeds is best; None where none was validated.

    A choice with a run that has not finished does not count, unless there is no other.

    Args:
        trials: The runs of a sweep.
        metric: What they are ranked by; of what is none of validation, the validation accuracy in its place.
    """
    measure = measure_of(metric) if metric.startswith("val/") else None
    sign = 1 if measure is None or measure.higher_is_better else -1
    groups: dict[str, list[tuple[float, Run]]] = {}
    lacking: set[str] = set()
    for run in sorted(trials, key=lambda run: str(run.folder)):
        choice, value = (
            json.dumps(dict(run.point), sort_keys=True),
            measured(run.record, metric if measure else PRIMARY),
        )
        if value is not None:
            groups.setdefault(choice, []).append((sign * value, run))
        if value is None or run.status != "finished":
            lacking.add(choice)
    whole = [group for choice, group in groups.items() if choice not in lacking]
    best = max(whole or groups.values(), key=lambda group: fmean(value for value, _ in group), default=[])
    return max(best, key=lambda pair: pair[0])[1] if best else None


def runs_side_by_side(runs: Sequence[Run], trust: Trust, drawing: Drawing) -> Iterator[Markup]:
    """A table, the curves, and each run by itself."""
    further, looked, costs = _further(runs), _looked(runs), _costs(runs)
    columns = (
        "Run",
        "Model",
        "Data",
        "Parameters",
        *costs,
        "Val.",
        "Test",
        "95 % of it (Wilson)",
        *looked,
        *(heading for heading, _ in further),
        "Training",
        "Started (UTC)",
        "Status",
    )
    names = names_of(runs)
    links = [drawing.link(run, "Draw") for run in runs]
    rows = [
        (
            element("a", names[run], href=f"#run-{number}"),
            run.title,
            (run.data or UNKNOWN),
            count(run.parameters),
            *(count(run.multiply_adds) for _ in costs),
            percent(run.val_acc),
            percent(run.test_acc),
            interval(run) or UNKNOWN,
            *(many(run.looks) for _ in looked),
            *(said(run) for _, said in further),
            duration(run.seconds),
            moment(run.started, "minutes") or UNKNOWN,
            run.status or UNKNOWN,
            *([links[number] or UNKNOWN] if any(links) else []),
        )
        for number, run in enumerate(runs)
    ]
    groups = {
        kind: [run for run in runs if (run.data or UNKNOWN) == kind] for kind in ((run.data or UNKNOWN) for run in runs)
    }
    mixed = len(groups) > 1
    warning = (
        [note(f"They are of different data ({', '.join(groups)}): these figures do not compare.")] if mixed else []
    )
    headings = (*columns, "Net") if any(links) else columns
    beside = table(headings, rows, caption="The runs side by side", numeric=columns[3:-2])
    yield _part("Side by side", *warning, beside)
    charts = [courses(group, best_of(group), names, kind if mixed else "") for kind, group in groups.items()]
    yield _part("Curves", *charts)
    each = [_folded(run, names[run], trust, drawing, f"run-{number}") for number, run in enumerate(runs)]
    yield _part("Each run", *each)


def _looked(runs: Sequence[Run]) -> list[str]:
    """The heading of how often the test images had been looked at before, where that was often."""
    return ["Looks before"] if any(many(run.looks) for run in runs) else []


def _costs(runs: Sequence[Run]) -> list[str]:
    """The heading of the multiply-adds for an image, where they were counted."""
    return ["Multiply-adds"] if any(run.multiply_adds is not None for run in runs) else []


def names_of(runs: Sequence[Run]) -> dict[Run, str]:
    """What each of several runs is called: the name that the user gave to no other of them, or else its short id."""
    given = [run.name for run in runs]
    ids = short_ids([run.folder for run in runs], {*given})
    return {
        run: name if name and given.count(name) == 1 else ids[run.folder] for run, name in zip(runs, given, strict=True)
    }


def trial_names(trials: Sequence[Run]) -> dict[Run, str]:
    """What each trial of a sweep is called: by its number."""
    return {trial: _called(trial) for trial in trials}


def sweep(folder: Path, trials: Sequence[Run], trust: Trust, drawing: Drawing) -> Iterator[Markup]:
    """Its trials in a table, their curves, its plots, and the best run."""
    options = list(dict.fromkeys(option for trial in trials for option in trial.point))
    names = list(last_parts(options).values())
    further = _further(trials)
    looked, costs = _looked(trials), _costs(trials)
    more = [*looked, *(heading for heading, _ in further)]
    columns = ("Trial", *names, "Validation", "Test", *more, "Parameters", *costs, "Training", "Status")
    rows = [
        (
            _called(trial),
            *(four_digits(trial.point.get(option, UNKNOWN)) for option in options),
            percent(trial.val_acc),
            percent(trial.test_acc),
            *(many(trial.looks) for _ in looked),
            *(said(trial) for _, said in further),
            count(trial.parameters),
            *(count(trial.multiply_adds) for _ in costs),
            duration(trial.seconds),
            trial.status or UNKNOWN,
        )
        for trial in trials
    ]
    beside = table(columns, rows, caption="The trials, the best first", numeric=columns[1:-1])
    yield _part("Trials", _states(trials), beside)
    best = best_trial(trials, metric_of(folder))
    yield _part("Curves", courses(trials, best, trial_names(trials)))
    plots = list(_plots(folder))
    if plots:
        yield _part("Plots", *plots)
    if best is None:
        yield _part("Best trial", note("No trial has been validated yet, so none is the best."))
    else:
        inner = (element("p", f"{best.title}, {about(best)}", class_="about"), headline(best, drawing))
        yield _part(f"Best trial: {_called(best)}", *inner, *sections(best, trust, level=3))


def _further(runs: Sequence[Run]) -> list[tuple[str, Callable[[Run], str]]]:
    """What else was measured: the headings of columns, and what they say of a run."""

    def said(run: Run, column: str, measure: Measure) -> str:
        value = measured(run.record, column)
        return UNKNOWN if value is None else measure.figure(value)

    found = [each for each in measures_of(*(run.record for run in runs)) if each not in KNOWN]
    return [
        (f"{word} {each.name}", partial(said, column=f"{split}/{each.name}", measure=each))
        for each in found
        for split, word in (("val", "Val."), ("test", "Test"))
    ]


def _called(trial: Run) -> str:
    """What it is called among those of its sweep: by its number."""
    number = trial.said("trial")
    return trial.name or trial.folder.name if number is None else str(number)


def _merit(run: Run) -> float:
    accuracy = run.val_acc
    return -1.0 if accuracy is None else accuracy


def _part(heading: str, *inner: Markup) -> Markup:
    return element("section", element("h2", heading), *inner)


def _folded(run: Run, called: str, trust: Trust, drawing: Drawing, name: str) -> Markup:
    summary = joined([element("strong", called), " ", element("span", f"{run.title}, {percent(run.test_acc)}")])
    opening = element("p", about(run), class_="about", id=name)  # a link to what is inside opens it
    return folded(summary, opening, headline(run, drawing), *sections(run, trust, level=3), class_="run")


def _states(trials: Sequence[Run]) -> Markup:
    states = [trial.status or UNKNOWN for trial in trials]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return element("p", f"{len(trials)} trials: {counts}.") if trials else note("There are no trials in it yet.")


def _plots(folder: Path) -> Iterator[Markup]:
    """The pictures of a sweep; as images, for whatever is in such a file does nothing then."""
    for path in sorted((folder / _PLOTS).glob("*")):
        kind = _KINDS.get(path.suffix.lower())
        if kind and is_file(path):
            data = base64.b64encode(read_file(path, _MOST_BYTES)).decode()
            caption = caption_of(path.stem)
            image = element("img", src=f"data:{kind};base64,{data}", alt=caption, class_="plot")
            yield element("figure", image, element("figcaption", caption))


def caption_of(stem: str) -> str:
    """What a plot shows, in words."""
    what, _, of = stem.partition("-")
    if what == "curve":
        return f"learning curve of {of}"
    return f"slice of {of}" if what == "slice" else _CAPTIONS.get(stem, stem.replace("_", " "))
