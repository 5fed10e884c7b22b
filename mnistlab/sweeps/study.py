"""The state of a sweep, in Optuna's database: what is waiting, running, finished, failed or lost.

A job is what is to be done; a trial of Optuna is one try at it. A try whose process dies fails, and the job gets
another one with the same values. All that is known is worked out from the tries each time, so a process may be killed
between any two steps: a job that has no live try gets a new one, and of several waiting ones only the first is taken.
"""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.storages import RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from mnistlab.sweeps.drawing import Decide, Deciding, by_tpe, identified, seed_of
from mnistlab.sweeps.jobs import Progress, State
from mnistlab.sweeps.plan import Job, Plan
from mnistlab.sweeps.space import Point
from mnistlab.sweeps.storage import GRACE_S, alone, open_storage
from mnistlab.system.processes import is_elsewhere, is_gone, is_same, this_process

_PLAN = "plan"
_FORGOTTEN = "forgotten"
_CRASHED = "crashed:"  # followed by the number of a trial that was broken off by the death of its worker
_OF_JOB = ("job", "stem", "point", "seeds")


class Study:
    """A sweep's state.

    Args:
        plan: The sweep; its database is made where there is none.
        launcher: What `that_process` gives of the one that looks after this process, if one does.

    Raises:
        LabError: If the database cannot be used.
    """

    def __init__(self, plan: Plan, launcher: Mapping[str, object] | None = None) -> None:
        self.plan = plan
        self._launcher = launcher
        self.storage = open_storage(plan.address)
        direction = StudyDirection.MINIMIZE if plan.minimizes else StudyDirection.MAXIMIZE
        self.optuna = optuna.create_study(
            study_name=plan.name,
            storage=self.storage,
            direction=direction,
            pruner=_pruner(plan),
            load_if_exists=True,
        )
        self._id = self.storage.get_study_id_from_name(plan.name)

    @property
    def known_plan(self) -> str | None:
        """The plan that was written down first, as text."""
        text = self.optuna.user_attrs.get(_PLAN)
        return None if text is None else str(text)

    def keep_plan(self) -> None:
        """Write the plan down, for other machines."""
        self.optuna.set_user_attr(_PLAN, self.plan.as_text())

    def jobs(self) -> dict[str, Progress]:
        """All jobs by key."""
        said = self.optuna.user_attrs
        forgotten = said.get(_FORGOTTEN, {})
        crashed = {int(name.removeprefix(_CRASHED)) for name in said if name.startswith(_CRASHED)}
        tries: dict[str, list[FrozenTrial]] = {}
        for trial in self.optuna.get_trials(deepcopy=False):
            if "job" in trial.user_attrs:
                tries.setdefault(str(trial.user_attrs["job"]), []).append(trial)
        return {key: Progress(trials, forgotten.get(key, -1), crashed) for key, trials in tries.items()}

    def add(self, jobs: Sequence[Job]) -> None:
        """Add jobs that are not there yet."""
        known = self.jobs()
        for job in jobs:
            if job.key not in known:
                attributes = {"job": job.key, "stem": job.stem, "point": job.point, "seeds": list(job.seeds)}
                self.optuna.enqueue_trial({}, user_attrs=attributes)

    def forget(self, keys: Collection[str]) -> None:
        """Let how some jobs have ended count no more: they are done again."""
        last = {key: each.tries[-1].number for key, each in self.jobs().items() if key in keys}
        if last:
            self.optuna.set_user_attr(_FORGOTTEN, {**self.optuna.user_attrs.get(_FORGOTTEN, {}), **last})

    def note_crash(self, process: Mapping[str, object]) -> bool:
        """Note that a worker has died, and say whether it was at a trial, which then may be what has killed it.

        Another worker may have given the trial up by now, and what has ended can no longer be written to: so this is
        said of the study.

        Args:
            process: What `this_process` gives in that worker.
        """
        every = [trial for each in self.jobs().values() for trial in each.tries]
        own = [trial for trial in every if is_same(trial.user_attrs.get("process") or {}, process)]
        last = max(own, key=lambda trial: (trial.datetime_start, trial.number), default=None)
        if last is None or not _was_broken_off(last):
            return False
        self.optuna.set_user_attr(f"{_CRASHED}{last.number}", True)
        return True

    def claim(self) -> Trial | None:
        """Take on the first job of this plan that waits, those of dead processes too; None where none does."""
        waiting = [each for each in self.free().values() if each.state is State.WAITING and self.is_planned(each)]
        for job in sorted(waiting, key=lambda each: each.tries[0].number):
            frozen = next(trial for trial in job.tries if trial.state == TrialState.WAITING)
            draws = frozen.user_attrs["point"] is None  # TPE: two that draw at once would draw the same
            with alone(self.plan.address, self.storage) if draws else nullcontext():
                trial = self._taken(frozen)
            if trial is not None:
                return trial
        return None

    def _taken(self, frozen: FrozenTrial) -> Trial | None:
        """A waiting try as this process has it; None if another one was faster."""
        number = self._trial_id(frozen)
        with suppress(UpdateFinishedTrialError):
            if self.storage.set_trial_state_values(number, TrialState.RUNNING):  # true for one process only
                try:
                    return self._begun(frozen)
                except KeyboardInterrupt:
                    self.give_back(frozen)
                    raise
        return None

    def _begun(self, frozen: FrozenTrial) -> Trial:
        """A try that this process has, with the values that are taken for it."""
        number = self._trial_id(frozen)
        self.storage.set_trial_user_attr(number, "launcher", self._launcher)
        self.storage.set_trial_user_attr(number, "process", this_process())
        self.optuna.sampler = sampler = Deciding(self._decision(frozen))
        trial = Trial(self.optuna, number)
        if frozen.user_attrs["point"] is None:
            trial.set_user_attr("point", dict(sampler.point))
        return trial

    def _decision(self, frozen: FrozenTrial) -> Decide:
        """What takes the values of a try: those that its job has, or new ones that no other job has."""
        known: Point | None = frozen.user_attrs["point"]
        if known is not None:
            return lambda *_: known
        tries = [trial for each in self.jobs().values() for trial in each.tries]
        points = [trial.user_attrs["point"] for trial in tries]
        taken = {identified(point) for point in points if point is not None}
        return by_tpe(self.plan.space, seed_of(self.plan.sampler_seed, int(frozen.user_attrs["job"])), taken)

    def is_planned(self, job: Progress) -> bool:
        """Whether a job is of this plan, and not of another one that goes on in the same study."""
        return self.plan.space.has(job.point)

    def give_back(self, trial: Trial | FrozenTrial) -> None:
        """Let the job of a running trial wait for another process."""
        self.storage.set_trial_user_attr(self._trial_id(trial), "interrupted", True)
        self.tell(trial, state=TrialState.FAIL)
        self.free()

    def is_ours(self, trial: Trial) -> bool:
        """Whether a trial is still running for all others too: one that gave no sign of life for long is not."""
        return self.seen(trial).state == TrialState.RUNNING

    def seen(self, trial: Trial) -> FrozenTrial:
        """A trial as all others see it now; to read all of them takes as long as a step for each that waits."""
        return self.storage.get_trial(self._trial_id(trial))

    def sign_of_life(self, trial: Trial) -> None:
        """Say that a trial is running."""
        self.storage.record_heartbeat(self._trial_id(trial))

    def tell(self, trial: Trial | FrozenTrial, value: float | None = None, state: TrialState | None = None) -> None:
        """Say how a trial has ended; for one that others have given up it is too late."""
        with suppress(ValueError, UpdateFinishedTrialError):
            self.optuna.tell(trial.number, value, state=state)

    def free(self) -> dict[str, Progress]:
        """Give up the tries whose process is dead, and let their jobs wait again; all jobs as they are then.

        Those of a process that another one looks after are left to that one, while it is there: it knows what the
        process died of, and a job that had it die too often is not to begin once more before that is said.
        """
        jobs = self.jobs()
        if any(is_elsewhere(trial.user_attrs.get("process") or {}) for trial in _running(jobs)):
            with _experimental():
                fail_stale_trials(self.optuna)  # here it is known who is alive; a suspended process is
            jobs = self.jobs()
        dead = [trial for trial in _running(jobs) if _is_dead(trial)]
        for trial in dead:
            with suppress(ValueError, UpdateFinishedTrialError):
                self.optuna.tell(trial.number, state=TrialState.FAIL)
        jobs = self.jobs() if dead else jobs
        lost = [progress for progress in jobs.values() if progress.state is State.LOST]
        if not lost:
            return jobs
        with _experimental():
            retry = RetryHeartbeatStaleTrialCallback(inherit_intermediate_values=True)
        for progress in lost:
            self._again(progress.tries[-1], retry)
        return self.jobs()

    def _again(self, trial: FrozenTrial, retry: Callable[[optuna.Study, FrozenTrial], None]) -> None:
        again = deepcopy(trial)  # what else the try has said, such as its process and its error, is of that try alone
        again.user_attrs = {name: trial.user_attrs[name] for name in _OF_JOB}
        retry(self.optuna, again)

    def _trial_id(self, trial: Trial | FrozenTrial) -> int:
        return self.storage.get_trial_id_from_study_id_trial_number(self._id, trial.number)


def _running(jobs: Mapping[str, Progress]) -> list[FrozenTrial]:
    """All tries that run."""
    return [trial for each in jobs.values() for trial in each.tries if trial.state == TrialState.RUNNING]


@contextmanager
def _experimental() -> Iterator[None]:
    """Use what Optuna calls experimental without being told so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


def _was_broken_off(trial: FrozenTrial) -> bool:
    """Whether a trial has not come to an end by itself; its worker is known to be dead."""
    given_up = trial.state == TrialState.FAIL and not {"error", "interrupted"} & trial.user_attrs.keys()
    return given_up or trial.state == TrialState.RUNNING


def _is_dead(trial: FrozenTrial) -> bool:
    """Whether the process of a running trial is gone; one that has not said which it is has some time for that."""
    process: dict[str, Any] | None = trial.user_attrs.get("process")
    if process is not None:
        return is_gone(process) and not _is_left_to_launcher(trial)
    started = trial.datetime_start
    return started is not None and datetime.now() - started > timedelta(seconds=GRACE_S)  # noqa: DTZ005 - as Optuna's


def _is_left_to_launcher(trial: FrozenTrial) -> bool:
    launcher: dict[str, Any] | None = trial.user_attrs.get("launcher")
    return launcher is not None and not is_gone(launcher) and not is_same(launcher, this_process())


def _pruner(plan: Plan) -> BasePruner:
    if plan.pruner == "median":
        return MedianPruner(n_startup_trials=5)
    if plan.pruner == "halving":
        return SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    if plan.pruner == "hyperband":
        return HyperbandPruner(min_resource=1, max_resource=max(plan.epochs, 1), reduction_factor=3)
    return NopPruner()
