"""What the records of runs say that a methods section has to say, and what of that several nets have in common."""

from collections.abc import Iterable, Mapping, Sequence

from mnistlab.catalogue import load_catalogue
from mnistlab.reports.screen.groups import Group, Options
from mnistlab.reports.settings import changed
from mnistlab.runs.length import Length
from mnistlab.runs.reading import class_counts
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import Student
from mnistlab.system.shapes import is_number
from mnistlab.text.values import class_name, four_digits, last_parts

Facts = Mapping[str, object]
"""What is known, by name; a list where runs that differ in nothing but their seed differ in it."""

_OPTIMIZER, _SCHEDULER = "model.optimizer", "model.scheduler"
_SPLIT = (
    "train_size",
    "val_size",
    "val_fraction",
    "folds",
    "fold",
    "partition",
    "partition_seed",
    "draw_seed",
    "test_size",
)
_TOLD = ("model", "data", "trainer.max_epochs", "data.batch_size", "budget")
"""What the sentences say anyway."""

_TOGETHER = (
    ("model", "parameters", "multiply_adds"),
    ("data", "train_images"),
    ("steps", "images", "epochs", "planned_epochs", "budget"),
    ("commit", "source_changed"),
    ("processor", "device", "threads", "platform"),
    ("settings",),
    ("split",),
    ("val_images",),
    ("data_fingerprint",),
    ("effective_batch_size",),
    ("optimizer",),
    ("schedule",),
    ("seeds",),
    ("versions",),
)
"""What nets may have in common: the facts of one clause are said of all of them or of each."""


def facts_of(groups: Sequence[Group], later: Sequence[Run]) -> list[Facts]:
    """The facts of nets.

    Args:
        groups: The runs of each, which differ in nothing but their seed.
        later: The runs that were tested when they had ended.
    """
    settings = [_settings(group.runs[0], group.options) for group in groups]
    short = last_parts(dict.fromkeys(name for each in settings for name in each))
    told = [{short[name]: value for name, value in each.items()} for each in settings]
    return [_facts(group, each, later) for group, each in zip(groups, told, strict=True)]


def in_common(every: Sequence[Facts]) -> Facts:
    """What all of several nets have in common; of what was chosen, and of the split, each value by itself."""
    first, *others = every
    found: dict[str, object] = {}
    for names in _TOGETHER if others else ():
        own = [{name: each.get(name) for name in names} for each in every]
        value = first.get(names[0])
        if all(each == own[0] for each in own):
            found |= {name: value for name, value in own[0].items() if value is not None}
        elif len(names) == 1 and isinstance(value, Mapping) and names[0] in ("settings", "split"):
            shared = [item for item in value.items() if all(_has(each.get(names[0]), item) for each in others)]
            found |= {names[0]: dict(shared)} if shared else {}
    return found


def without(facts: Facts, common: Facts) -> Facts:
    """The facts of a net but for those that are said of all; it is still called by its name."""
    kept: dict[str, object] = {}
    for name, value in facts.items():
        said = common.get(name)
        if name == "model" or name not in common:
            kept[name] = value
        elif isinstance(value, Mapping) and isinstance(said, Mapping):
            rest = {each: own for each, own in value.items() if each not in said}
            kept |= {name: rest} if rest else {}
    return kept


def listed(options: Options) -> str:
    """Options with their values, as they are typed."""
    return ", ".join(f"{name}={_shown(value)}" for name, value in options.items())


def _has(facts: object, item: tuple[str, object]) -> bool:
    return isinstance(facts, Mapping) and item[0] in facts and facts[item[0]] == item[1]


def _facts(group: Group, settings: Options, later: Sequence[Run]) -> Facts:
    runs, options = group.runs, group.options
    tested, validated = _tested(group), group.accuracy("val")
    facts: dict[str, object] = {
        "model": runs[0].architecture,
        "parameters": _same(run.parameters for run in runs),
        "multiply_adds": _same(run.multiply_adds for run in runs),
        "data": runs[0].data,
        "train_images": _same(run.number("train_images") for run in runs),
        "val_images": _same(sum(class_counts(run.said("class_counts"), "val")) or None for run in runs),
        "split": _split(options),
        "data_fingerprint": _same(run.fingerprint for run in runs),
        **_length(runs),
        "planned_epochs": _planned(runs, options),
        "budget": options.get("budget"),
        "effective_batch_size": _same(run.number("effective_batch_size") for run in runs),
        "optimizer": _chosen(options, _OPTIMIZER),
        "schedule": _chosen(options, _SCHEDULER),
        "settings": settings,
        "seeds": [run.record["seed"] for run in runs if run.said("seed") is not None],
        "versions": _same(run.part("versions") for run in runs),
        "commit": _same(run.part("git").get("commit") for run in runs),
        "source_changed": any(run.part("git").get("changed") for run in runs) or None,
        "processor": _same(run.part("machine").get("processor") for run in runs),
        "device": _same(run.said("device") for run in runs),
        "threads": _same(run.part("machine").get("threads") for run in runs),
        "platform": _same(run.part("machine").get("platform") for run in runs),
        "runs": [str(run.folder) for run in runs],
        "tested_weights": _same(run.said("metrics", "test", "checkpoint") for run in runs),
        "test_accuracy": tested and _figures(tested),
        "not_tested": sum(run.test_acc is None for run in runs) or None,
        "tested_later": sum(run in later for run in runs) or None,
        "val_accuracy": validated and _figures(validated),
    }
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}


def _figures(found: Student) -> dict[str, object]:
    return {"n": found.count, "mean": found.mean, "deviation": found.deviation}


def _tested(group: Group) -> Student | None:
    """The accuracy of those that were tested."""
    runs = [run for run in group.runs if run.test_acc is not None]
    return Group(group.options, runs).accuracy("test") if runs else None


def _length(runs: Sequence[Run]) -> dict[str, object]:
    """How long they were trained; in steps too where one of them has ended within an epoch."""
    lengths = [Length.of(run) for run in runs]
    if not any(lengths):
        return {"epochs": _same(run.epochs for run in runs)}
    ends = [run.number("metrics", "last", "step") for run in runs]
    epochs = [round(length.epochs, 4) if length else run.epochs for run, length in zip(runs, lengths, strict=True)]
    images = [
        length.images if length else (run.number("train_images") or 0) * (run.epochs or 0)
        for run, length in zip(runs, lengths, strict=True)
    ]
    return {"epochs": _same(epochs), "steps": _same(ends), "images": _same(images)}


def _planned(runs: Sequence[Run], options: Options) -> object:
    """How many epochs a schedule has reckoned with, where a run has ended sooner; with a budget there is no number."""
    most = options.get("trainer.max_epochs")
    if not is_number(most) or options.get("budget"):
        return None
    ended = [length.epochs if length else run.epochs for run in runs for length in [Length.of(run)]]
    return most if any(each is not None and each < most for each in ended) else None


def _chosen(options: Options, what: str) -> str | None:
    """A class with its numbers: AdamW (lr=0.001, weight_decay=0.01)."""
    if not isinstance(options.get(what), str):
        return None
    told = _numbers(options, what)
    return f"{class_name(str(options[what]))}{f' ({listed(told)})' if told else ''}"


def _numbers(options: Options, what: str) -> dict[str, object]:
    """The options of a class that are numbers or lists of them."""
    inner = {name.removeprefix(f"{what}."): value for name, value in options.items() if name.startswith(f"{what}.")}
    return {
        name: value for name, value in inner.items() if isinstance(value, int | float | list) and value is not False
    }


def _split(options: Options) -> dict[str, object]:
    """What says which images are in which split; how many folds there are only of a run of one."""
    found = {name: options[f"data.{name}"] for name in _SPLIT if options.get(f"data.{name}") is not None}
    return found if "fold" in found else {name: value for name, value in found.items() if name != "folds"}


def _settings(run: Run, options: Options) -> dict[str, object]:
    """What is not at its default and no sentence says anyway; of a class that was chosen all its numbers."""
    said = (*_TOLD, *(f"data.{name}" for name in _SPLIT))
    found = {
        each.key: each.value
        for each in changed(load_catalogue(), run.configuration)
        if each.name not in said and not each.name.startswith(("run.", "seed_everything", _OPTIMIZER, _SCHEDULER))
    }
    classes = {key: chosen for key in found if (chosen := _chosen(options, key)) and _numbers(options, key)}
    told = {f"{key}.{name}" for key in classes for name in _numbers(options, key)}
    return {key: classes.get(key, value) for key, value in found.items() if key not in told}


def _same(values: Iterable[object]) -> object:
    """What all have in common, or the list of what they have; None where nothing is known."""
    known = [value for value in values if value not in (None, "", {})]
    different = [value for number, value in enumerate(known) if value not in known[:number]]
    return None if not different else different[0] if len(different) == 1 else different


def _shown(value: object) -> str:
    return class_name(value) if isinstance(value, str) else four_digits(value)
