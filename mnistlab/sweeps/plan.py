"""What a sweep, a comparison, a judgement or a training of folds is: all that a worker must know, as plain data."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from itertools import islice, repeat, takewhile
from pathlib import Path
from typing import Any, Literal

from mnistlab.errors import LabError
from mnistlab.options.labels import Label
from mnistlab.runs.folder import SWEEP
from mnistlab.runs.metrics import MEASURE, Measure, measure_of
from mnistlab.runs.record import write_json
from mnistlab.runs.run import Run
from mnistlab.sweeps.drawing import at_random, identified, seed_of, unseen
from mnistlab.sweeps.presets import CONFIG, space_of
from mnistlab.sweeps.space import Assignment, Axis, Point, Space
from mnistlab.system.files import UnreadableError, read_text
from mnistlab.system.shapes import fields, listed, maybe, named, text, whole
from mnistlab.system.strict_json import spelt
from mnistlab.training.failures import RunFailedError

DATABASE = "sweep.db"

_LARGEST_GRID = 10_000
_SMALL_GRID = 256
_TRIALS = 20

_COMPARED = ("kind", "content", "sampler", "pruner", "metric", "epochs", "threads", "sampler_seed", "folds")

Kind = Literal["sweep", "compare", "judge", "folds"]

_MOST_BYTES = 16 << 20

_SHAPE = fields(
    {
        **dict.fromkeys(("kind", "name", "root", "content", "storage", "sampler", "pruner", "metric"), text),
        **dict.fromkeys(("epochs", "trials", "threads", "keep", "sampler_seed"), whole),
        "arguments": listed(text),
        "seeds": listed(whole),
        "identity": named(text),
    },
    {"described": maybe(MEASURE), "folds": whole},
)


@dataclass(frozen=True)
class Job:
    """One or several training runs with the same values: what a worker takes on as a whole.

    Attributes:
        key: What finds it again.
        stem: The beginning of the names of its runs' folders.
        point: Its values; None where they are taken when it begins.
        seeds: The seeds of its runs.
    """

    key: str
    stem: str
    point: Mapping[str, Label] | None
    seeds: Sequence[int]


@dataclass(frozen=True)
class Plan:
    """A sweep, a comparison, a judgement, or a training of folds.

    Attributes:
        kind: Which of the four.
        name: Its name, which is that of its folder.
        root: The folder of all runs.
        arguments: Those of `fit`, with domains.
        content: A hash of what the presets say that the arguments name.
        storage: The address of its database, empty for a file in its folder.
        sampler: `grid`, `random` or `tpe`.
        pruner: `none`, `median`, `halving` or `hyperband`.
        metric: What is to be best.
        epochs: The most epochs of a run.
        trials: The number of choices of values.
        seeds: The seeds of each choice.
        threads: The threads of a worker.
        keep: The number of the best trials whose weights are kept.
        sampler_seed: The seed of the sampler.
        identity: The state of the source and the versions that it was begun with.
        debug: Whether it is shown where the error of a trial comes from.
        described: What there is to know of the metric, unless its name says it.
        folds: How many folds each seed is trained with; 0 where there are none.
    """

    kind: Kind
    name: str
    root: str
    arguments: Sequence[str]
    content: str
    storage: str
    sampler: str
    pruner: str
    metric: str
    epochs: int
    trials: int
    seeds: Sequence[int]
    threads: int
    keep: int
    sampler_seed: int
    identity: Mapping[str, str]
    debug: bool = False
    described: Measure | None = None
    folds: int = 0

    @property
    def folder(self) -> Path:
        """Where its runs lie."""
        return Path(self.root) / self.name

    @property
    def address(self) -> str:
        """The address of its database."""
        return self.storage or f"sqlite:///{(self.folder / DATABASE).absolute()}"

    @property
    def measure(self) -> Measure:
        """What there is to know of the metric."""
        return self.described or measure_of(self.metric) or Measure(self.metric, self.metric)

    @property
    def minimizes(self) -> bool:
        """Whether less is better."""
        return not self.measure.higher_is_better

    @cached_property
    def space(self) -> Space:
        """What is tried."""
        return space_of(self.arguments)

    def jobs(self) -> list[Job]:
        """All that is to be done."""
        if self.sampler != "grid":
            points = self._drawn() if self.sampler == "random" else repeat(None, self.trials)
            return [Job(str(number), _stem(number), point, self.seeds) for number, point in enumerate(points)]
        every = islice(self.space.every(_grid), self.trials)
        return [self._job(number, each, seed) for number, each in enumerate(every) for seed in self.seeds]

    def run_folder(self, stem: str, seed: int, fold: int | None = None) -> Path:
        """The folder of a run."""
        several = self.kind in ("compare", "judge") or len(self.seeds) > 1
        part = "" if fold is None else f"-fold-{fold}"
        return self.folder / f"{stem}{f'-seed-{seed}' if several else ''}{part}"

    def parts(self, seeds: Sequence[int]) -> list[tuple[int, int | None]]:
        """The seed and the fold of each run with the same values."""
        return [(seed, fold) for seed in seeds for fold in (range(self.folds) if self.folds else [None])]

    def run_folders(self, stem: str, seeds: Sequence[int]) -> list[Path]:
        """The folders of these runs."""
        return [self.run_folder(stem, *part) for part in self.parts(seeds)]

    def as_text(self) -> str:
        """All of it as JSON."""
        return json.dumps({**asdict(self), "arguments": list(self.arguments)})

    def differences(self, other: "Plan") -> list[str]:
        """What would make the runs of another plan of this name something else: what they are."""
        words = sorted(set(_conditions(self)) ^ set(_conditions(other)))
        names = [name for name in _COMPARED if getattr(self, name) != getattr(other, name)]
        if self.kind in ("sweep", "folds") and list(self.seeds) != list(other.seeds):
            names.append("seeds")
        return [*words, *({"content": "its presets"}.get(name, name) for name in names)]

    def drift(self, other: "Plan") -> list[str]:
        """What would make the bits of their runs something else: versions, and our source."""
        names = [name for name in self.identity if self.identity[name] != other.identity.get(name)]
        return ["the source of mnistlab" if name == "source" else name for name in names]

    def _drawn(self) -> Iterator[Point]:
        """The values of a random search, no two the same."""
        taken: set[str] = set()
        for number in range(self.trials):
            point = unseen(self.space, seed_of(self.sampler_seed, number), taken)
            taken.add(identified(point))
            yield point

    def _job(self, number: int, assignment: Assignment, seed: int) -> Job:
        key = json.dumps({**assignment.point, "seed": seed}, sort_keys=True)
        named = {"compare": str(assignment.point.get("model")), "folds": f"fold-{number}"}
        stem = assignment.stem or named.get(self.kind, _stem(number))
        return Job(key, stem, assignment.point, [seed])


def plan_from(text: str) -> Plan:
    """The plan that `as_text` has written.

    Raises:
        ValueError: If it is none.
        TypeError: If it has something else than a plan has, or not all of it.
    """
    said = json.loads(text)
    problem = _SHAPE(said)
    if problem:
        raise ValueError(f"this is no plan: it{problem}")
    described = said.get("described")
    return Plan(**{**said, "described": described and Measure(**described)})


def read_plan(folder: Path) -> Plan | None:
    """The plan that is kept in a folder, None where there is none."""
    try:
        return plan_from(read_text(folder / SWEEP, _MOST_BYTES))
    except (FileNotFoundError, UnreadableError, ValueError, TypeError, RecursionError):
        return None


def keep_plan(plan: Plan) -> None:
    """Write a plan into its folder."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    write_json(plan.folder / SWEEP, json.loads(plan.as_text()))


def name_for(kind: Kind, title: str, parts: Mapping[str, Any]) -> str:
    """A name that follows from what is done, so that the same command finds it again."""
    digest = sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
    return f"{kind}-{title}-{digest[:8]}" if title else f"{kind}-{digest[:8]}"


def sampling(space: Space, sampler: str, trials: int | None) -> tuple[str, int]:
    """The sampler that counts, and the number of trials: no more than there are choices of values.

    Raises:
        LabError: If a grid is wanted of what has no end.
    """
    endless: list[Axis] = []

    def values(axis: Axis) -> Sequence[Label]:
        found = axis.domain.values()
        endless.extend([axis] if found is None else [])
        return axis.domain.ends() if found is None else found

    points = takewhile(lambda _: not endless, space.every(values))
    size = sum(1 for _ in islice(points, _LARGEST_GRID + 1))
    if sampler == "grid" and endless:
        axis = endless[0]
        raise LabError(
            f"{axis.entry.where}: a grid takes every value of {axis.name}, and there are too many. Write choice:..., "
            "or a step: float:0..0.5:0.1. Or search with --sampler=tpe."
        )
    all_of_it = not endless and size <= (_SMALL_GRID if trials is None else trials)
    if sampler == "grid" or (sampler == "auto" and all_of_it):
        if size > _LARGEST_GRID:
            raise LabError(f"this grid has more than {_LARGEST_GRID:,} points. Search with --sampler=tpe --trials=40.")
        return "grid", size if trials is None else min(trials, size)
    different = islice(space.every(lambda axis: at_random(axis, 0)), _TRIALS if trials is None else trials)
    return ("tpe" if sampler == "auto" else sampler), sum(1 for _ in different)


def finished(folder: Path, point: Point) -> Run | None:
    """A run that has come to its end; None for one that has not, or has not begun.

    Args:
        folder: The run.
        point: The values that it must have.

    Raises:
        RunFailedError: If there is a run with other values: its sweep's database has been removed.
        UnreadableError: If its record cannot be read.
    """
    run = Run.find(folder)
    if run is None:
        return None
    if run.said("point") != spelt(point):
        raise RunFailedError(f"{folder} holds a run with other values, {run.said('point')}. Move it away.")
    return run if run.status in ("finished", "pruned") else None


def _stem(number: int) -> str:
    return f"trial-{number:04}"


def _grid(axis: Axis) -> Sequence[Label]:
    values = axis.domain.values()
    assert values is not None
    return values


def _conditions(plan: Plan) -> list[str]:
    """What was typed, but for where runs are kept; a comparison may grow by models, and by presets."""
    free = {"compare": ("--model=choice:", CONFIG), "folds": ("--run.test",)}
    return [word for word in plan.arguments if not word.startswith(("--run.dir=", *free.get(plan.kind, ())))]
