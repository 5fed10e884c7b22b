"""What is to be done in a sweep, and how far each of it is, worked out from its tries."""

from collections.abc import Collection, Iterable, Sequence
from enum import Enum
from statistics import fmean

from optuna.trial import FrozenTrial, TrialState

from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.space import Point

MOST_DEATHS = 3
"""After so many deaths of its worker a job counts as failed: it may be the job that kills it."""


class State(Enum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    PRUNED = "pruned"
    FAILED = "failed"
    LOST = "lost"


class Progress:
    """What is known of a job.

    Args:
        tries: Its trials.
        forgotten: Up to this number, how a trial has ended counts no more.
        crashed: The numbers of all trials whose worker died while at it.
    """

    def __init__(
        self, tries: Sequence[FrozenTrial], forgotten: int = -1, crashed: Collection[int] = frozenset()
    ) -> None:
        self.tries = sorted(tries, key=lambda trial: trial.number)
        self._crashed = crashed
        self._counting = [trial for trial in self.tries if trial.number > forgotten]

    @property
    def state(self) -> State:
        """How far it is."""
        states = {trial.state for trial in self._counting}
        for found, state in (
            (TrialState.COMPLETE, State.FINISHED),
            (TrialState.PRUNED, State.PRUNED),
        ):
            if found in states:
                return state
        if self.error:
            return State.FAILED
        if TrialState.RUNNING in states:
            return State.RUNNING
        return State.WAITING if TrialState.WAITING in states else State.LOST

    @property
    def error(self) -> str | None:
        """Why it has failed, if it has."""
        told = [trial.user_attrs["error"] for trial in self._counting if trial.user_attrs.get("error")]
        if told:
            return str(told[-1])
        deaths = sum(trial.number in self._crashed for trial in self._counting)
        return f"its process has died {deaths} times" if deaths >= MOST_DEATHS else None

    @property
    def died(self) -> bool:
        """Whether it has failed by the deaths of its workers, and may be gone on with."""
        return self.error is not None and not any(trial.user_attrs.get("error") for trial in self._counting)

    @property
    def last(self) -> FrozenTrial:
        """The try that counts: the one that has come to an end, else the latest."""
        ended = [trial for trial in self._counting if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        return (ended or self.tries)[-1]

    @property
    def point(self) -> Point:
        """The values of that try."""
        return self.last.user_attrs.get("point") or self.last.params

    @property
    def stem(self) -> str:
        """The name of the job."""
        return str(self.last.user_attrs["stem"])


def ranked(plan: Plan, jobs: Iterable[Progress]) -> list[list[Progress]]:
    """The choices of values that have finished with all their seeds, the best mean first; each as its jobs."""
    groups: dict[str, list[Progress]] = {}
    for each in jobs:
        groups.setdefault(each.stem, []).append(each)
    done = [group for group in groups.values() if all(each.state is State.FINISHED for each in group)]
    sign = 1 if plan.minimizes else -1
    return sorted(done, key=lambda group: sign * fmean(each.last.value or 0.0 for each in group))
