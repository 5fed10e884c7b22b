"""What a sweep and a comparison begin with: their seeds, their name, their state."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from mnistlab.errors import LabError
from mnistlab.runs.folder import RECORD
from mnistlab.sections.parts import prepare
from mnistlab.sweeps.jobs import State
from mnistlab.sweeps.plan import Plan, keep_plan, plan_from, read_plan
from mnistlab.sweeps.space import Space
from mnistlab.sweeps.storage import told_of_the_database
from mnistlab.sweeps.study import Study
from mnistlab.system.files import stands
from mnistlab.text.values import counted, from_here
from mnistlab.training.assemble import LabCLI
from mnistlab.training.failures import check_place, explained


@contextmanager
def told_in_a_line(*, debug: bool) -> Iterator[None]:
    """Make the process ready for reading configurations, and tell whatever goes wrong in a line.

    Args:
        debug: Whether to let it pass.
    """
    prepare()
    try:
        with nullcontext() if debug else told_of_the_database():
            yield
    except (LabError, BrokenPipeError):
        raise
    except Exception as error:
        if debug:
            raise
        raise explained(error, {}) from error


def begun(plan: Plan, *, allow_drift: bool, retry_failed: bool) -> Study:
    """The state of a sweep, new or gone on with; jobs whose runs have been removed wait again.

    Args:
        plan: The sweep.
        allow_drift: Whether it goes on although versions or our source have changed.
        retry_failed: Whether jobs that have failed wait again.

    Raises:
        LabError: If it was begun with something else, or by another user who keeps it closed.
    """
    known = read_plan(plan.folder)
    if known is not None and not os.access(plan.folder, os.W_OK):
        raise LabError(
            f"{from_here(plan.folder)} is another user's. --name=... begins one of your own; "
            f"mnistlab report {plan.name} --output=FILE shows this one."
        )
    check_place(plan.folder, "--run.dir")
    if not plan.storage:
        plan.folder.mkdir(parents=True, exist_ok=True)
    study = Study(plan)
    if known is None and study.known_plan is not None:
        known = plan_from(study.known_plan)
    if known is not None:
        _refuse_changes(plan, known, allow_drift=allow_drift)
    keep_plan(plan)
    study.keep_plan()
    study.forget([key for key, each in study.jobs().items() if _is_to_be_done_again(plan, study, key, retry_failed)])
    return study


def seeds_from(space: Space, typed: str | None, cli: LabCLI, count: int) -> list[int]:
    """The seeds of each choice of values, counted from the one that was typed, or from a preset's.

    Raises:
        LabError: If that is no number.
    """
    swept = next((axis.entry for axis in space.axes if axis.entry.key == ("seed_everything",)), None)
    if swept is not None:
        raise LabError(f"{swept.where}: seeds are not swept. --seeds=5 trains each choice of values with five.")
    first = cli.configuration.seed_everything if typed is None else int(typed)
    if isinstance(first, bool) or not isinstance(first, int):
        raise LabError(f"seed_everything: a number is wanted to count seeds from, got {first}.")
    return [first + number for number in range(count)]


def refuse_devices(cli: LabCLI) -> None:
    """Refuse runs on several devices.

    Raises:
        LabError: If a run would take them.
    """
    if cli.trainer.world_size > 1:
        raise LabError("--trainer.devices: a trial runs on one device; --workers=2 runs two at a time.")


def _refuse_changes(plan: Plan, known: Plan, *, allow_drift: bool) -> None:
    changed, drift = plan.differences(known), plan.drift(known)
    if changed:
        raise LabError(
            f"{plan.folder} began with {'; '.join(_then_and_now(changed, plan, known))}: its trials would not be "
            "comparable. Begin another one with --name=..."
        )
    if drift and not allow_drift:
        raise LabError(
            f"{plan.folder} was begun with another state of {', '.join(drift)}: its trials may not be comparable. "
            "--name=... begins another one; --allow_drift=true goes on all the same."
        )


def _then_and_now(changed: Sequence[str], plan: Plan, known: Plan) -> Iterator[str]:
    """What has changed since a sweep began: options as they were typed, or settings."""
    now = {word.partition("=")[0]: word for word in plan.arguments}
    then = {word.partition("=")[0]: word for word in known.arguments}
    for what in changed:
        name = what.partition("=")[0]
        if what == "seeds":
            yield f"{_seeds(known, plan)}, now {_seeds(plan, known)}"
        elif hasattr(plan, what):
            yield f"{what} {getattr(known, what)}, now {getattr(plan, what)}"
        elif not what.startswith("--"):
            yield f"other {what.removeprefix('its ')}"
        elif what in known.arguments:
            yield f"{what}, now {now[name].partition('=')[2]}" if name in now else f"{what}, now without"
        elif name not in then:
            yield f"no {what}"


def _seeds(plan: Plan, other: Plan) -> str:
    """How many seeds there are, or which, where that is what differs."""
    many = counted(len(plan.seeds), "seed")
    return many if len(plan.seeds) != len(other.seeds) else f"seeds {', '.join(map(str, plan.seeds))}"


def _is_to_be_done_again(plan: Plan, study: Study, key: str, retry_failed: bool) -> bool:
    job = study.jobs()[key]
    if job.state is State.FAILED:
        return retry_failed
    if job.state not in (State.FINISHED, State.PRUNED):
        return False
    seeds = job.last.user_attrs["seeds"] if job.state is State.FINISHED else []
    return not all(stands(folder / RECORD) for folder in plan.run_folders(job.stem, seeds))
