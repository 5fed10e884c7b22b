"""The facts of nets in the sentences of a methods section; what is not known is in none of them."""

from collections.abc import Callable, Iterator, Mapping

from mnistlab.options.budget import budget_in_words
from mnistlab.reports.screen.facts import Facts, listed, without
from mnistlab.system.shapes import is_number
from mnistlab.text.values import count, counted, in_percent

_DIGEST = 16  # characters of a fingerprint that stand in a text; JSON has all of them
_SOFTWARE = {"mnistlab": "mnistlab", "torch": "torch", "lightning": "lightning", "python": "Python"}


def of_one(facts: Facts, common: Facts | None = None) -> str:
    """What is to be said of a net, but for what was said of it and others in common."""
    own = without(facts, common or {})
    trained = _training(own) or (" as said above" if _training(common or {}) else "")
    opening = f"{own.get('model', 'The model')}{_size(own)} was trained{trained}"
    return _text([opening, *_conditions(own), *_accuracy(own), *_surroundings(own)])


def of_all(facts: Facts, number: int) -> str:
    """What so many nets have in common."""
    model, trained = facts.get("model"), _training(facts)
    opening = f"Each of these {number} nets was trained" if trained else f"These {number} nets have this in common"
    opening = f"{model}{_size(facts)} was trained in {number} ways" if model else opening
    return _text([f"{opening}{trained}", *_conditions(facts), *_surroundings(facts)])


def _text(sentences: list[str]) -> str:
    return " ".join(f"{sentence}." for sentence in sentences)


def _size(facts: Facts) -> str:
    costs = _put(facts, "multiply_adds", lambda value: f", {_number(value)} multiply-adds an image")
    return _put(facts, "parameters", lambda value: f" ({_number(value)} parameters{costs})")


def _training(facts: Facts) -> str:
    """On what, for how long and with what a net was trained, where anything of that is known."""
    data = _put(facts, "data", lambda value: f" on {value}")
    images = _put(facts, "train_images", lambda value: f" ({_number(value)} training images)")
    length = _put(
        facts,
        "steps",
        lambda value: f" for {_between(value)} step{'' if value == 1 else 's'} ({_between(facts['images'])} images, ",
    )
    planned = _put(facts, "planned_epochs", lambda value: f" of at most {_number(value)}")
    length += _put(facts, "epochs", lambda value: _epochs(value, planned, in_steps=bool(length)))
    length += _put(facts, "budget", lambda value: f", the time allowed being {budget_in_words(str(value))},")
    batch = _put(facts, "effective_batch_size", lambda value: f" in batches of {_number(value)}")
    schedule = _put(facts, "schedule", lambda value: f"the schedule {value}")
    means = " and ".join(filter(None, [_put(facts, "optimizer", str), schedule]))
    return f"{data}{images}{length}{batch}{f' with {means}' if means else ''}"


def _conditions(facts: Facts) -> Iterator[str]:
    settings, split, seeds = (facts.get(name) for name in ("settings", "split", "seeds"))
    if isinstance(settings, Mapping):
        yield f"Not at their defaults: {listed(settings)}"
    if isinstance(split, Mapping):
        yield f"Split: {listed(split)}"
    chosen = _put(
        facts, "val_images", lambda value: f"The best weights were chosen by {_number(value)} validation images"
    )
    if chosen:
        yield chosen
    yield from _of_fingerprint(facts.get("data_fingerprint"))
    if isinstance(seeds, list):
        yield f"{'Seed' if len(seeds) == 1 else 'Seeds'}: {', '.join(map(str, seeds))}"


def _of_fingerprint(found: object) -> Iterator[str]:
    if isinstance(found, Mapping):
        digests = [f"{split} {str(found[split])[:_DIGEST]}" for split in ("train", "test") if split in found]
        if digests:
            whole = "of all images and labels of the data set, whichever of them were used"
            yield f"SHA-256 {whole}, the first {_DIGEST} digits: {', '.join(digests)}"


def _accuracy(facts: Facts) -> Iterator[str]:
    tested, validated = facts.get("test_accuracy"), facts.get("val_accuracy")
    if isinstance(tested, Mapping):
        weights = _put(facts, "tested_weights", lambda value: f" of the {value} weights")
        yield f"The test accuracy{weights} is {_in_words(tested)}{_put(facts, 'not_tested', _untested)}"
    elif isinstance(validated, Mapping):
        since = "was tested later, by a command of its own" if "tested_later" in facts else "was not tested"
        yield f"The best validation accuracy is {_in_words(validated)}; it {since}"


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


def _in_words(found: Mapping[str, object]) -> str:
    number, mean, deviation = (found[name] for name in ("n", "mean", "deviation"))
    told = [in_percent(each) for each in (mean, deviation) if isinstance(each, float)]
    return f"{' ± '.join(told)} % ({f'mean and standard deviation, n = {number}' if len(told) > 1 else 'one run'})"


def _put(facts: Mapping[str, object], name: str, words: Callable[[object], str]) -> str:
    """A part of a sentence, where the fact is known; of runs that differ in it each of the values."""
    value = facts.get(name)
    if value is None:
        return ""
    return words(" and ".join(map(str, value)) if isinstance(value, list) else value)


def _epochs(value: object, planned: str, *, in_steps: bool) -> str:
    if in_steps:
        return f"{_between(value)} epochs{planned})"
    return f" for {_number(value)} epoch{'' if value == 1 else 's'}{planned}"


def _between(value: object) -> str:
    """A number, or of several the least and the largest."""
    numbers = [each for each in (value if isinstance(value, list) else [value]) if is_number(each)]
    ends = [min(numbers), max(numbers)] if numbers else []
    return " to ".join(dict.fromkeys(f"{each:.2f}" if each % 1 else count(each) for each in ends))


def _number(value: object) -> str:
    return count(value) if isinstance(value, int | float) else str(value)
