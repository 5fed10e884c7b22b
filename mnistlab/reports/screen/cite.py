"""`mnistlab runs cite`: what a methods section has to say of some runs, as text, as BibTeX or as JSON.

Nothing is said that does not stand in the records and configurations of the runs; what is not there is left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnistlab.catalogue import load_catalogue
from mnistlab.errors import LabError, say, tell
from mnistlab.options.arguments import Arguments
from mnistlab.options.budget import budget_in_words
from mnistlab.reports.screen.bibtex import Entry, as_entry, of_software
from mnistlab.reports.screen.groups import Group, Options, alike, tested_later
from mnistlab.reports.settings import changed
from mnistlab.runs.folder import RECORD
from mnistlab.runs.length import Length
from mnistlab.runs.listing import find_run, sweep_called
from mnistlab.runs.reading import class_counts
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import Student
from mnistlab.system.files import stands
from mnistlab.system.shapes import is_number
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import paragraph, screen_width
from mnistlab.text.values import class_name, count, counted, four_digits, in_percent, last_parts

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
_DIGEST = 16  # characters of a fingerprint that stand in a text; JSON has all of them
_SOFTWARE = {"mnistlab": "mnistlab", "torch": "torch", "lightning": "lightning", "python": "Python"}
_TOLD = ("model", "data", "trainer.max_epochs", "data.batch_size", "budget")
"""What the sentences say anyway."""


def cite(asked: Arguments) -> int:
    """Print what is to be said of the runs that are named; the exit code.

    Raises:
        LabError: If there is no such run, or none of them is a training that has finished.
    """
    if {"json", "bibtex"} <= asked.switches:
        raise LabError("--json and --bibtex exclude each other: --json has both.")
    if not asked.names:
        raise LabError(
            "runs cite takes runs, got none. Name some: mnistlab runs cite last. `mnistlab runs` lists them."
        )
    named = dict.fromkeys(folder for name in asked.names for folder in _folders(name, asked.root))
    groups = alike(_trained([Run.of(folder) for folder in named]))
    if not groups:
        raise LabError("none of these runs is a training that has finished: there is nothing to cite yet.")
    later = tested_later([run for group in groups for run in group.runs], asked.root)
    parts = [Part.of(group, later) for group in groups]
    entries = _entries(groups)
    if "json" in asked.switches:
        print(as_json({"runs": [part.as_dict() for part in parts], "bibtex": [str(entry) for entry in entries]}))
    elif "bibtex" in asked.switches:
        print("\n\n".join(map(str, entries)))
    else:
        width = screen_width()
        texts = ["\n".join(paragraph(part.text, width)) for part in parts]
        cited = f"To cite: {'; '.join(entry.words for entry in entries)}. As BibTeX: --bibtex"
        say("\n\n".join([*texts, "\n".join(paragraph(cited, width))]).splitlines())
    return 0


def _folders(name: str, root: Path) -> list[Path]:
    """The run that a name means, or all runs of a sweep or a comparison."""
    sweep = sweep_called(name, root)
    if sweep:
        return sorted(each for each in sweep.iterdir() if stands(each / RECORD))
    return [find_run(name, root)]


def _trained(runs: Sequence[Run]) -> list[Run]:
    found = [run for run in runs if run.command == "fit" and run.status == "finished"]
    if len(found) < len(runs):
        tell(f"note: {counted(len(runs) - len(found), 'run')} left out: no training, or one that has not finished.")
    return found


@dataclass(frozen=True)
class Part:
    """What is to be said of runs that differ in nothing but their seed.

    Attributes:
        facts: What stands in their records, by name; a list where they differ.
        text: The same as sentences.
    """

    facts: Mapping[str, object]
    text: str

    @classmethod
    def of(cls, group: Group, later: Sequence[Run]) -> "Part":
        """Gather it; `later` are the runs that were tested when they had ended."""
        runs, options = group.runs, group.options
        with_test = [run for run in runs if run.test_acc is not None]
        tested = Group(options, with_test).accuracy("test") if with_test else None
        validated = group.accuracy("val")
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
            "budget": options.get("budget"),
            "effective_batch_size": _same(run.number("effective_batch_size") for run in runs),
            "optimizer": _chosen(options, _OPTIMIZER),
            "schedule": _chosen(options, _SCHEDULER),
            "settings": _settings(runs[0], options),
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
            "not_tested": (len(runs) - len(with_test)) or None,
            "tested_later": sum(run in later for run in runs) or None,
            "val_accuracy": validated and _figures(validated),
        }
        known = {name: value for name, value in facts.items() if value not in (None, "", [], {})}
        return cls(known, " ".join(f"{sentence}." for sentence in _sentences(known, tested, validated)))

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {**self.facts, "text": self.text}


def _sentences(facts: Mapping[str, object], tested: Student | None, validated: Student | None) -> Iterator[str]:
    """The text, a sentence each; what is not known is in none of them."""
    costs = _put(facts, "multiply_adds", lambda value: f", {_number(value)} multiply-adds an image")
    size = _put(facts, "parameters", lambda value: f" ({_number(value)} parameters{costs})")
    data = _put(facts, "data", lambda value: f" on {value}")
    images = _put(facts, "train_images", lambda value: f" ({_number(value)} training images)")
    length = _put(
        facts,
        "steps",
        lambda value: f" for {_between(value)} step{'' if value == 1 else 's'} ({_between(facts['images'])} images, ",
    )
    length += _put(facts, "epochs", lambda value: _epochs(value, in_steps=bool(length)))
    length += _put(facts, "budget", lambda value: f", the time allowed being {budget_in_words(str(value))},")
    batch = _put(facts, "effective_batch_size", lambda value: f" in batches of {_number(value)}")
    optimizer = _put(facts, "optimizer", lambda value: f" with {value}")
    schedule = _put(facts, "schedule", lambda value: f" and the schedule {value}")
    yield f"{facts.get('model', 'The model')}{size} was trained{data}{images}{length}{batch}{optimizer}{schedule}"
    settings = facts.get("settings")
    if isinstance(settings, Mapping):
        yield f"Not at their defaults: {_listed(settings)}"
    split = facts.get("split")
    if isinstance(split, Mapping):
        yield f"Split: {_listed(split)}"
    chosen = _put(
        facts, "val_images", lambda value: f"The best weights were chosen by {_number(value)} validation images"
    )
    if chosen:
        yield chosen
    yield from _of_fingerprint(facts.get("data_fingerprint"))
    seeds = facts.get("seeds")
    if isinstance(seeds, list):
        yield f"{'Seed' if len(seeds) == 1 else 'Seeds'}: {', '.join(map(str, seeds))}"
    if tested:
        weights = _put(facts, "tested_weights", lambda value: f" of the {value} weights")
        yield f"The test accuracy{weights} is {_in_words(tested)}{_put(facts, 'not_tested', _untested)}"
    elif validated:
        since = "was tested later, by a command of its own" if "tested_later" in facts else "was not tested"
        yield f"The best validation accuracy is {_in_words(validated)}; it {since}"
    yield from _surroundings(facts)


def _of_fingerprint(found: object) -> Iterator[str]:
    if isinstance(found, Mapping):
        digests = [f"{split} {str(found[split])[:_DIGEST]}" for split in ("train", "test") if split in found]
        if digests:
            whole = "of all images and labels of the data set, whichever of them were used"
            yield f"SHA-256 {whole}, the first {_DIGEST} digits: {', '.join(digests)}"


def _surroundings(facts: Mapping[str, object]) -> Iterator[str]:
    versions = facts.get("versions")
    for each in versions if isinstance(versions, list) else [versions]:
        if isinstance(each, Mapping):
            said = [f"{called} {each[name]}" for name, called in _SOFTWARE.items() if name in each]
            yield f"Software: {', '.join(said)}"
    since = ", with changes that were not committed" if facts.get("source_changed") else ""
    commit = _put(facts, "commit", lambda value: f"Commit of mnistlab: {value}{since}")
    if commit:
        yield commit
    hardware = [
        _put(facts, "processor", str),
        _put(facts, "device", str),
        _put(facts, "threads", lambda value: f"{value} thread{'' if value == 1 else 's'}"),
        _put(facts, "platform", str),
    ]
    if any(hardware):
        yield f"Hardware: {', '.join(filter(None, hardware))}"


def _untested(number: object) -> str:
    return f"; {counted(int(str(number)), 'further run')} {'was' if number == 1 else 'were'} not tested"


def _in_words(found: Student) -> str:
    if found.deviation is None:
        return f"{in_percent(found.mean)} % (one run)"
    return (
        f"{in_percent(found.mean)} ± {in_percent(found.deviation)} % (mean and standard deviation, n = {found.count})"
    )


def _figures(found: Student) -> dict[str, object]:
    return {"n": found.count, "mean": found.mean, "deviation": found.deviation}


def _put(facts: Mapping[str, object], name: str, words: Callable[[object], str]) -> str:
    """A part of a sentence, where the fact is known; of runs that differ in it each of the values."""
    value = facts.get(name)
    if value is None:
        return ""
    return words(" and ".join(map(str, value)) if isinstance(value, list) else value)


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


def _epochs(value: object, *, in_steps: bool) -> str:
    if in_steps:
        return f"{_between(value)} epochs)"
    return f" for {_number(value)} epoch{'' if value == 1 else 's'}"


def _between(value: object) -> str:
    """A number, or of several the least and the largest."""
    numbers = [each for each in (value if isinstance(value, list) else [value]) if is_number(each)]
    ends = [min(numbers), max(numbers)] if numbers else []
    return " to ".join(dict.fromkeys(f"{each:.2f}" if each % 1 else count(each) for each in ends))


def _number(value: object) -> str:
    return count(value) if isinstance(value, int | float) else str(value)


def _listed(options: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={_shown(value)}" for name, value in options.items())


def _shown(value: object) -> str:
    return class_name(value) if isinstance(value, str) else four_digits(value)


def _chosen(options: Options, what: str) -> str | None:
    """A class with its numbers: AdamW (lr=0.001, weight_decay=0.01)."""
    if not isinstance(options.get(what), str):
        return None
    told = _numbers(options, what)
    return f"{class_name(str(options[what]))}{f' ({_listed(told)})' if told else ''}"


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
    kept = {key: classes.get(key, value) for key, value in found.items() if key not in told}
    return {short: kept[name] for name, short in last_parts(kept).items()}


def _same(values: Iterable[object]) -> object:
    """What all have in common, or the list of what they have; None where nothing is known."""
    known = [value for value in values if value not in (None, "", {})]
    different = [value for number, value in enumerate(known) if value not in known[:number]]
    return None if not different else different[0] if len(different) == 1 else different


def _entries(groups: Sequence[Group]) -> list[Entry]:
    """mnistlab, the data sets, the methods: each once."""
    catalogue = load_catalogue()
    runs = [run for group in groups for run in group.runs]
    found = [of_software(str(version)) for version in _versions(runs)]
    for kind, names in {"data": [run.data for run in runs], "model": [run.architecture for run in runs]}.items():
        for name in dict.fromkeys(names):
            entry = catalogue.kinds[kind].classes.get(name)
            if entry and entry.source:
                found.append(as_entry(entry.source, name))
    return list({entry.key: entry for entry in found}.values())


def _versions(runs: Sequence[Run]) -> list[object]:
    return [*dict.fromkeys(run.part("versions")["mnistlab"] for run in runs if "mnistlab" in run.part("versions"))]
