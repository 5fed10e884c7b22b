"""Several runs, or those of a sweep, as parts of a page."""

import base64
from collections import Counter
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
from mnistlab.runs.listing import short_ids
from mnistlab.runs.looks import many
from mnistlab.runs.metrics import ACC, KNOWN, PRIMARY, TESTED, Measure, measured, measures_of
from mnistlab.runs.ranking import Ranking, figure_of
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import spread
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
Told = Callable[[Sequence[Run]], str]
"""What a column says of runs, be it one or those of several seeds."""

_KINDS = {".svg": "image/svg+xml", ".png": "image/png"}


def trials_of(folder: Path) -> list[Run]:
    """The runs of a sweep, those of the best choice of values first."""
    found = [Run.salvage(each) for each in sorted(folder.iterdir()) if stands(each / RECORD)]
    return [run for choice in Ranking.of(folder).choices(found) for run in choice.runs]


def best_of(runs: Sequence[Run]) -> Run | None:
    """The one with the highest validation accuracy, of equal ones the first; None where none has any."""
    return max((run for run in runs if run.val_acc is not None), key=_merit, default=None)


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
            *(count(run.looks) for _ in looked),
            *(told([run]) for _, told in further),
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
    """What each run of a sweep is called: by the number of its trial; where that has several, by its folder."""
    runs_of = Counter(map(_called, trials))
    return {run: _called(run) if runs_of[_called(run)] == 1 else run.folder.name for run in trials}


def sweep(folder: Path, trials: Sequence[Run], trust: Trust, drawing: Drawing) -> Iterator[Markup]:
    """Its trials in a table, their curves, its plots, and the best run."""
    ranking = Ranking.of(folder)
    yield _part("Trials", _states(trials), _beside(ranking, trials))
    best, names = ranking.best(trials), trial_names(trials)
    yield _part("Curves", courses(trials, best, names))
    plots = list(_plots(folder))
    if plots:
        yield _part("Plots", *plots)
    if best is None:
        yield _part("Best trial", note(f"No trial has measured {ranking.metric} yet, so none is the best."))
    else:
        inner = (element("p", f"{best.title}, {about(best)}", class_="about"), headline(best, drawing))
        yield _part(f"Best trial: {names[best]}", *inner, *sections(best, trust, level=3))


def _beside(ranking: Ranking, trials: Sequence[Run]) -> Markup:
    """The choices of values beside each other; of several seeds mean and standard deviation."""
    choices = [choice.runs for choice in ranking.choices(trials)]
    several = [("n", lambda runs: str(len(runs)))] if len(choices) < len(trials) else []
    columns: list[tuple[str, Told]] = [
        *_options(trials),
        *several,
        *_ranked_by(ranking),
        ("Validation", partial(_mean, lambda run: run.val_acc, ACC)),
        ("Test", partial(_mean, lambda run: run.test_acc, ACC)),
        *(
            (heading, lambda runs: count(max((run.looks for run in runs if run.looks is not None), default=None)))
            for heading in _looked(trials)
        ),
        *_further(trials),
        ("Parameters", lambda runs: count(runs[0].parameters)),
        *((heading, lambda runs: count(runs[0].multiply_adds)) for heading in _costs(trials)),
        ("Training", _seconds),
        ("Status", _ended),
    ]
    rows = [(_called(runs[0]), *(told(runs) for _, told in columns)) for runs in choices]
    caption = f"The trials, the best first{'; mean and standard deviation over n runs' if several else ''}"
    headings = [heading for heading, _ in columns]
    return table(("Trial", *headings), rows, caption=caption, numeric=headings[:-1])


def _options(trials: Sequence[Run]) -> Iterator[tuple[str, Told]]:
    """The values that were chosen."""

    def told(runs: Sequence[Run], option: str) -> str:
        return four_digits(runs[0].point.get(option, UNKNOWN))

    every = list(dict.fromkeys(option for trial in trials for option in trial.point))
    names = last_parts([name for name in every if any(trial.point.get(name) != _called(trial) for trial in trials)])
    return ((name, partial(told, option=option)) for option, name in names.items())


def _ranked_by(ranking: Ranking) -> Iterator[tuple[str, Told]]:
    """What the sweep went by, where that is no accuracy: its best over the epochs."""
    if ranking.metric not in (PRIMARY, TESTED):
        value = partial(figure_of, metric=ranking.metric, measure=ranking.measure)
        yield f"Best {ranking.metric}", partial(_mean, value, ranking.measure)


def _further(runs: Sequence[Run]) -> list[tuple[str, Told]]:
    """What else was measured: the headings of columns, and what they say of runs."""
    found = [each for each in measures_of(*(run.record for run in runs)) if each not in KNOWN]
    return [
        (f"{word} {each.name}", partial(_mean, partial(_measured, f"{split}/{each.name}"), each))
        for each in found
        for split, word in (("val", "Val."), ("test", "Test"))
    ]


def _measured(column: str, run: Run) -> float | None:
    return measured(run.record, column)


def _mean(value: Callable[[Run], float | None], measure: Measure, runs: Sequence[Run]) -> str:
    """The mean over some runs, with the standard deviation of several, and how many have none."""
    known = [found for run in runs if (found := value(run)) is not None]
    lacking = f" ({len(known)} of {len(runs)})" if len(known) < len(runs) else ""
    return f"{spread(known, measure)}{lacking}" if known else UNKNOWN


def _seconds(runs: Sequence[Run]) -> str:
    known = [run.seconds for run in runs if run.seconds is not None]
    return duration(fmean(known)) if known else UNKNOWN


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


def _ended(runs: Sequence[Run]) -> str:
    states = [run.status or UNKNOWN for run in runs]
    return states[0] if len({*states}) == 1 else _counts(states)


def _states(trials: Sequence[Run]) -> Markup:
    states = [trial.status or UNKNOWN for trial in trials]
    return element("p", f"{len(trials)} runs: {_counts(states)}.") if trials else note("There are no trials in it yet.")


def _counts(states: Sequence[str]) -> str:
    """How many runs are in each state."""
    return ", ".join(f"{number} {state}" for state, number in Counter(states).items())


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
