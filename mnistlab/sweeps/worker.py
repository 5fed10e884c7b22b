"""A process that takes on one job after the other, until nothing is left."""

import gc
import json
import os
import shlex
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from traceback import format_exception

import torch
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.exceptions import StorageInternalError
from optuna.trial import Trial, TrialState

from mnistlab.checkpoints.continuing import check_continuable
from mnistlab.checkpoints.reading import read_checkpoint, record_of
from mnistlab.data import ImageData
from mnistlab.errors import LabError, tell
from mnistlab.options.labels import Label
from mnistlab.runs.folder import BEST, LAST, METRICS, WEIGHTS, is_run
from mnistlab.runs.ranking import figure_of
from mnistlab.runs.run import Run
from mnistlab.runs.supervision import Row, Supervision
from mnistlab.sweeps.jobs import State, ranked
from mnistlab.sweeps.plan import Plan, finished, plan_from
from mnistlab.sweeps.refusing import FOLD
from mnistlab.sweeps.space import Axis, Point
from mnistlab.sweeps.storage import HEARTBEAT_S, told_of_the_database
from mnistlab.sweeps.study import Study
from mnistlab.system.interruptions import ended_like_interrupted, was_interrupted
from mnistlab.system.strict_json import spelt
from mnistlab.system.threads import compute_with
from mnistlab.text.addresses import know, masked
from mnistlab.training.failures import Interrupted, RunFailedError
from mnistlab.training.running import run

POISONED = 3
"""The exit code of a process whose GPU answers no more; a new one can go on."""

_GOES_ON = (State.RUNNING, State.WAITING, State.LOST)
_IDLE_S = 0.5  # seconds between two looks for a job that has become free


class GivenUpError(RunFailedError):
    """Another process has taken the job over."""


def work(plan: Plan, launcher: Mapping[str, object] | None = None) -> None:
    """Take on jobs until all are done, by this process or another.

    Args:
        plan: The sweep.
        launcher: What `that_process` gives of the one that looks after this process, if one does.

    Raises:
        Interrupted: If this process is to end; what it was doing waits again.
    """
    compute_with(plan.threads)
    study, read = Study(plan, launcher), dict[str, ImageData]()
    while True:
        trial = study.claim()
        if trial is not None:
            _take_on(study, trial, read)
        elif any(each.state in _GOES_ON and study.is_planned(each) for each in study.jobs().values()):
            time.sleep(_IDLE_S)
        else:
            return


def _take_on(study: Study, trial: Trial, read: dict[str, ImageData]) -> None:
    """Do a job, and say how it has ended."""
    with _signs_of_life(study, trial):
        try:
            value, pruned = _Job(study, trial, read).done()
        except LabError as error:
            if isinstance(error, Interrupted) or was_interrupted():
                study.give_back(trial)
                raise Interrupted("interrupted.") from error
            if not isinstance(error, GivenUpError):
                _fail(study, trial, error)
        except KeyboardInterrupt as error:
            study.give_back(trial)
            raise Interrupted("interrupted.") from error
        else:
            study.tell(trial, None if pruned else value, TrialState.PRUNED if pruned else None)
    keep_weights(study)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _fail(study: Study, trial: Trial, error: LabError) -> None:
    trial.set_user_attr("error", masked(str(error)))
    if study.plan.debug:
        trial.set_user_attr("traceback", masked("".join(format_exception(error.__cause__ or error))))
    study.tell(trial, state=TrialState.FAIL)
    tell(f"trial {trial.user_attrs['stem']} failed: {error}")
    if "CUDA error" in str(error):
        sys.exit(POISONED)


class _Job:
    """One job in the hands of this process."""

    def __init__(self, study: Study, trial: Trial, read: dict[str, ImageData]) -> None:
        self._study, self._trial, self._plan, self._read = study, trial, study.plan, read
        point: Point = trial.user_attrs["point"]
        untold = study.plan.kind != "sweep"  # Optuna takes no model that is added later
        choose = (lambda axis: point[axis.name]) if untold else (lambda axis: _suggested(trial, axis))
        self._assignment = study.plan.space.assign(choose)
        self._parts = self._plan.parts(trial.user_attrs["seeds"])
        epochs = self._assignment.point.get("trainer.max_epochs", study.plan.epochs)
        self._epochs = epochs if isinstance(epochs, int) else study.plan.epochs
        trial.set_user_attr("command", shlex.join(["mnistlab", "fit", *self._assignment.arguments]))

    def done(self) -> tuple[float, bool]:
        """Train with each seed and fold; the mean of the metric, and whether it was stopped early."""
        values = []
        for seed, fold in self._parts:
            folder = self._plan.run_folder(self._trial.user_attrs["stem"], seed, fold)
            # its run may have come to its end before the process died that was to tell the database
            kept = finished(folder, self._assignment.point) or self._trained(folder, seed, fold)
            self._note(kept)
            values.append(value_of(kept, self._plan))
            if kept.status == "pruned":
                return values[-1], True
        return statistics.fmean(values), False

    def _trained(self, folder: Path, seed: int, fold: int | None) -> Run:
        """Train, or go on where a process has died."""
        begun = [f"--ckpt_path={folder}"] if is_run(folder) else []
        _remove_broken(folder)
        said = [word for word in self._assignment.arguments if fold is None or not word.startswith(FOLD)]
        part = [] if fold is None else [f"{FOLD}{fold}"]
        arguments = [*said, *part, f"--seed_everything={seed}", *begun]
        tests = self._plan.kind == "compare" or self._plan.space.says("run.test")
        if self._plan.kind == "folds" or self._plan.folds or not tests:
            arguments.append("--run.test=false")  # the test images are for the end, when one has been chosen
        stem = self._trial.user_attrs["stem"]
        noted = {"sweep": self._plan.name, "trial": stem, "point": spelt(self._assignment.point)}
        run(arguments, supervision=Supervision(folder, noted, self._goes_on, read=self._read))
        (folder / LAST).unlink(missing_ok=True)  # nobody goes on with it, and a sweep has many
        return Run.of(folder)

    def _goes_on(self, row: Row) -> bool:
        with told_of_the_database():
            if not self._study.is_ours(self._trial):
                raise GivenUpError("others have given this trial up: it gave no sign of life.")
            if self._plan.metric not in row or len(self._parts) > 1:
                return True
            epoch = int(row["epoch"]) + 1
            self._trial.report(row[self._plan.metric], epoch)
            return 0 < self._epochs <= epoch or not self._trial.should_prune()  # nothing is saved after the last one

    def _note(self, kept: Run) -> None:
        """Tell the database of what an earlier process could not tell any more, and of what is in the record."""
        told = self._study.seen(self._trial).intermediate_values
        for row in _rows(kept) if len(self._parts) == 1 else ():
            epoch = int(row["epoch"]) + 1
            if epoch not in told and self._plan.metric in row:
                self._trial.report(row[self._plan.metric], epoch)
        self._trial.set_user_attr("parameters", kept.said("parameters"))
        self._trial.set_user_attr("timings", kept.said("timings"))


def _suggested(trial: Trial, axis: Axis) -> Label:
    """The value of an axis, as Optuna is told of it."""
    domain = axis.domain.distribution()
    if isinstance(domain, CategoricalDistribution):
        label: Label = trial.suggest_categorical(axis.name, domain.choices)
        return label
    if isinstance(domain, IntDistribution):
        return trial.suggest_int(axis.name, domain.low, domain.high, step=domain.step, log=domain.log)
    return trial.suggest_float(axis.name, domain.low, domain.high, step=domain.step, log=domain.log)


def keep_weights(study: Study) -> None:
    """Remove the weights of all trials but the best ones, and the checkpoints of all that have ended."""
    jobs = study.jobs().values()
    ended = [each for each in jobs if each.state in (State.FINISHED, State.PRUNED, State.FAILED) and not each.died]
    best = {each.stem for group in ranked(study.plan, jobs)[: study.plan.keep] for each in group}
    best |= {each.stem for each in jobs if each.state in (State.WAITING, State.RUNNING, State.LOST)}  # not yet known
    for each in ended:
        for folder in study.plan.run_folders(each.stem, each.last.user_attrs["seeds"]):
            for name in (LAST, BEST) if each.stem in best and (folder / WEIGHTS).is_file() else (LAST, BEST, WEIGHTS):
                (folder / name).unlink(missing_ok=True)


def value_of(kept: Run, plan: Plan) -> float:
    """What a run is ranked by: the best of its epochs; of a comparison the test; or how long it has trained.

    Raises:
        RunFailedError: If it has not measured that, or its table is none.
    """
    _rows(kept)
    value = figure_of(kept, plan.metric, plan.measure)
    if value is None:
        raise RunFailedError(f"no {plan.metric} was measured.")
    return value


def _remove_broken(folder: Path) -> None:
    """Remove checkpoints that cannot be read, so that the run begins anew."""
    for name in (LAST, BEST):
        if (folder / name).is_file():
            try:
                contents = read_checkpoint(folder / name)
                record_of(contents, folder / name)
                check_continuable(contents, folder / name)
            except LabError as error:
                print(f"note: {error} It is removed.", file=sys.stderr)
                (folder / name).unlink()


def _rows(kept: Run) -> list[dict[str, float]]:
    """What was measured after each epoch."""
    try:
        return [{name: float(value) for name, value in row.items() if value} for row in kept.read_table()]
    except ValueError as error:
        raise RunFailedError(f"{kept.folder / METRICS} is no table of numbers: {error}.") from error


@contextmanager
def _signs_of_life(study: Study, trial: Trial) -> Iterator[None]:
    """Tell the others again and again that the trial is running."""
    ended = threading.Event()

    def beat() -> None:
        while True:
            with suppress(StorageInternalError):  # the next one may come through
                study.sign_of_life(trial)
            if ended.wait(HEARTBEAT_S):
                return

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def main() -> None:
    """Run as a process of its own: the plan, its passwords and who launched it come by standard input.

    Its end means that the parent is gone.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and passes it on
    with ended_like_interrupted():
        _work_for_parent()


def _work_for_parent() -> None:
    plan = plan_from(sys.stdin.readline())
    know(json.loads(sys.stdin.readline()))
    launcher = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()  # what was imported is no garbage; after each job it would be searched for some
    try:
        with told_of_the_database():
            work(plan, launcher)
    except (Interrupted, KeyboardInterrupt):
        sys.exit(Interrupted.exit_code)
    except LabError as error:
        tell(f"mnistlab: {error}")
        sys.exit(error.exit_code)


def _end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)
