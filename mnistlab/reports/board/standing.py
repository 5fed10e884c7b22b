"""Who stands where: the best run of each, and the best so far, by validation accuracy."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from mnistlab.runs.looks import looks_at
from mnistlab.runs.run import Run

NOBODY = "unknown"
"""Who has run what an older version has made."""


@dataclass(frozen=True)
class Place:
    """The best run of somebody."""

    who: str
    best: Run
    accuracy: float  # its validation accuracy, from 0 to 1
    runs: int  # how many they have
    looks: int  # how often they have looked at the test images; of a name, how many of its runs were tested
    rank: int = 1  # one more than how many are better: who are equally good share it


@dataclass(frozen=True)
class Standing:
    """All that a board shows."""

    data: str  # the data set that all runs are of
    runs: Sequence[Run]  # those of training that were validated, the oldest first
    places: Sequence[Place]  # the best first, of equal ones the earlier
    looks: int  # how often the test images have been looked at in this folder
    others: Mapping[str, int]  # how many runs there are of other data
    missing: str = ""  # why there is none, where runs there are

    @cached_property
    def course(self) -> list[tuple[Run, float]]:
        """The runs that were the best when they ended, each with its accuracy."""
        found: list[tuple[Run, float]] = []
        for run in self.runs:
            accuracy = run.val_acc or 0.0
            if not found or accuracy > found[-1][1]:
                found.append((run, accuracy))
        return found


def standing(runs: Sequence[Run], by: str, root: Path) -> Standing:
    """Who stands where on the data of which there are most runs.

    Args:
        runs: The runs that may count.
        by: `user` or `name`.
        root: The folder of all runs, which knows the looks at test images.
    """
    counting = [run for run in runs if run.command == "fit" and run.val_acc is not None]
    sizes: dict[str, int] = {}
    for run in counting:
        sizes[run.data] = sizes.get(run.data, 0) + 1
    data = max(sizes, key=sizes.__getitem__, default="")
    shown = sorted((run for run in counting if run.data == data), key=ended)
    people: dict[str, list[Run]] = {}
    for run in shown:
        people.setdefault(whose(run, by), []).append(run)
    images = {each for run in shown if isinstance(each := run.said("data_fingerprint", "test"), str)}
    looks: Counter[str] = Counter()
    for (image, who), number in looks_at(root).items():
        looks[who] += number if image in images else 0
    places = [_place(who, own, looks[who] if by == "user" and who != NOBODY else 0) for who, own in people.items()]
    others = {name: number for name, number in sizes.items() if name != data}
    return Standing(data, shown, _ranked(places), looks.total(), others)


def whose(run: Run, by: str) -> str:
    """Under whom a run counts, by `user` or `name`."""
    return (run.name or run.folder.name) if by == "name" else (run.user or NOBODY)


def ended(run: Run) -> str:
    """When a run ended; of one that is running, when it was started."""
    return run.text("ended") or run.started


def _place(who: str, runs: Sequence[Run], looks: int) -> Place:
    """The place of somebody of whom so many looks are noted: each run that was tested is one, noted or not."""
    best = max(runs, key=lambda run: run.val_acc or 0.0)
    return Place(who, best, best.val_acc or 0.0, len(runs), max(looks, sum(run.looks is not None for run in runs)))


def _ranked(places: Sequence[Place]) -> list[Place]:
    found: list[Place] = []
    for number, each in enumerate(sorted(places, key=lambda each: (-each.accuracy, ended(each.best))), 1):
        same = found and found[-1].accuracy == each.accuracy
        found.append(replace(each, rank=found[-1].rank if same else number))
    return found
