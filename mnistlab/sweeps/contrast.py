"""What a judgement compares, in words: what differs between its two sides, and whether that is more than the net."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from mnistlab.catalogue import load_catalogue
from mnistlab.options.files import from_data
from mnistlab.reports.settings import changed
from mnistlab.runs.differences import ABSENT, Difference, differences
from mnistlab.runs.sheets import options_of
from mnistlab.sections.configuration import Configuration
from mnistlab.sweeps.sides import BASELINE, CHANGED
from mnistlab.text.values import class_name, shown

_OF_STEPS = ("batch_size", "augment", "mean", "std")
_NO_IMAGE = (*_OF_STEPS, "data_dir", "eval_batch_size", "test_size", "test_part", "handwriting")
"""Options of data on which no image depends that is learnt."""

_FEWER = ("trainer.limit_train_batches", "trainer.overfit_batches")
_LENGTH = ("trainer.max_epochs", "trainer.max_steps", "trainer.max_time", "budget")
"""Options of which a change of the net is not thought; so are those of data."""


@dataclass(frozen=True)
class Contrast:
    """What the two sides are.

    Attributes:
        baseline: The name of the baseline, where it has one, and what it has of that in which they differ.
        change: What the change has in its place.
        note: What to know before the net is thought to be the reason; empty where there is nothing.
    """

    baseline: str
    change: str
    note: str

    @classmethod
    def of(cls, name: str, baseline: Configuration, change: Configuration) -> Self:
        """Find out in what two configurations differ.

        Args:
            name: That of the preset or the run which is the baseline; empty where options make it.
            baseline: What is trained on one side.
            change: And on the other.
        """
        found = list(_differing(baseline, change))
        before, after = (_listed({each.name: getattr(each, side) for each in found}) for side in "ab")
        named = f"{name} ({before})" if name and before else name or before
        return cls(named, after or "as the baseline", _note({each.name: each.b for each in found}))

    def lines(self) -> list[str]:
        """What is said before anything is trained."""
        return [f"{BASELINE:<8}  {self.baseline}", f"{CHANGED:<8}  {self.change}", *filter(None, [self.note])]

    def plain(self) -> dict[str, str]:
        """For machines."""
        return {BASELINE: self.baseline, CHANGED: self.change, "note": self.note}


def _differing(baseline: Configuration, change: Configuration) -> Iterator[Difference]:
    """What both have with another value, or only one has, where it is not at its default."""
    written = [from_data(each.plain(), side) for each, side in ((baseline, BASELINE), (change, CHANGED))]
    chosen = {setting.key for each in written for setting in changed(load_catalogue(), each)}
    for each in differences(*map(options_of, written)):
        if each.name in chosen or (each.a is not ABSENT and each.b is not ABSENT):
            yield each


def _listed(options: Mapping[str, object]) -> str:
    told = {name: value for name, value in options.items() if value is not ABSENT}
    return ", ".join(f"{name}={class_name(shown(value))}" for name, value in told.items())


def _note(options: Mapping[str, object]) -> str:
    """That more than the net differs, and how to give both sides the same."""
    images = [name for name in options if _says_images(name)]
    beside = {name: value for name, value in options.items() if name in (*images, *_LENGTH)}
    if not beside or beside.keys() == options.keys():
        return ""  # just these are what is judged
    told = {name: value for name, value in beside.items() if value is not ABSENT}
    ways = [*(["on other data"] if images else []), *(["for another time"] if beside.keys() > {*images} else [])]
    both = " ".join(f"--{BASELINE}.{name}={class_name(shown(value))}" for name, value in told.items())
    return f"note: the change alone trains {' and '.join(ways)} ({_listed(told)}). For both sides: {both}"


def _says_images(name: str) -> bool:
    """Whether an option says on what is trained."""
    section, _, rest = name.partition(".")
    return name in _FEWER or (section == "data" and rest.partition(".")[0] not in _NO_IMAGE)
