"""How a search takes its values: none that another trial has, as long as any are left."""

import json
from collections.abc import Callable, Collection, Iterator
from random import Random
from typing import Any

import optuna
from numpy.random import SeedSequence
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial

from mnistlab.options.labels import Label
from mnistlab.sweeps.space import Axis, Point, Space

_DRAWS = 10
"""So often TPE may draw what is taken already before chance decides: near the end of a small space it would insist."""

Decide = Callable[[optuna.Study, FrozenTrial], Point]
"""Takes the values of a trial, from what is known of the others."""


class Deciding(BaseSampler):
    """A sampler of Optuna for one trial, all of whose values are taken at once, when it begins."""

    def __init__(self, decide: Decide) -> None:
        self.point: Point = {}
        self._decide = decide

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Take the values."""
        self.point = self._decide(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Nothing is left to be drawn together."""
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing is left to be drawn together."""
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The value that has been taken."""
        return self.point[param_name]


def seed_of(sampler_seed: int, job: int) -> int:
    """The seed of a job's draws: they follow from the job, not from the worker that happens to take it."""
    return int(SeedSequence([sampler_seed, job]).generate_state(1)[0])


def identified(point: Point) -> str:
    """A text that is the same for the same values only."""
    return json.dumps(dict(point), sort_keys=True)


def by_tpe(space: Space, seed: int, taken: Collection[str]) -> Decide:
    """What TPE makes of the trials that have finished.

    Args:
        space: What is tried.
        seed: That of the job.
        taken: What other jobs have, as `identified` says it; fewer than all there are.
    """
    sampler = TPESampler(seed=seed)

    def decide(study: optuna.Study, trial: FrozenTrial) -> Point:
        for _ in range(_DRAWS):
            point = _drawn(sampler, space, study, trial)
            if identified(point) not in taken:
                return point
        return unseen(space, seed, taken)

    return decide


def unseen(space: Space, seed: int, taken: Collection[str]) -> Point:
    """Values at random; where these are taken, the next ones that are not, the innermost axis changed first.

    Args:
        space: What is tried.
        seed: That of the job.
        taken: What other jobs have, as `identified` says it; fewer than all there are.
    """
    every = (each.point for each in space.every(lambda axis: at_random(axis, seed)))
    return next(point for point in every if identified(point) not in taken)


def at_random(axis: Axis, seed: int) -> Iterator[Label]:
    """The values of an axis in a random order."""
    return axis.domain.shuffled(Random(f"{seed} {axis.name}"))  # noqa: S311 - no secret


def _drawn(sampler: BaseSampler, space: Space, study: optuna.Study, trial: FrozenTrial) -> Point:
    """What a sampler takes, as `Trial.suggest_float` and its like would ask it."""
    together = sampler.sample_relative(study, trial, sampler.infer_relative_search_space(study, trial))

    def choose(axis: Axis) -> Label:
        name, domain = axis.name, axis.domain
        alone = name not in together
        value = sampler.sample_independent(study, trial, name, domain.distribution()) if alone else together[name]
        return domain.exact(value)

    return space.assign(choose).point
