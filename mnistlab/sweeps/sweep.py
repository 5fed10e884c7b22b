"""`mnistlab sweep` from its options to its summary."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mnistlab.catalogue.store import current_identity
from mnistlab.errors import LabError, tell, visible
from mnistlab.runs.metrics import KNOWN, measure_of
from mnistlab.sections.parts import Sweep
from mnistlab.sweeps.checking import checked_space
from mnistlab.sweeps.jobs import State
from mnistlab.sweeps.local_workers import default_size
from mnistlab.sweeps.plan import Plan, name_for, sampling
from mnistlab.sweeps.refusing import checked_name, refuse_metric, refuse_nothing
from mnistlab.sweeps.space import Space, content_of
from mnistlab.sweeps.start import (
    begun,
    refuse_devices,
    seeds_from,
    told_in_a_line,
)
from mnistlab.sweeps.summary import summary
from mnistlab.sweeps.trying import try_all
from mnistlab.sweeps.typed import Asked
from mnistlab.system.handing import hand_over
from mnistlab.text.layout import screen_width
from mnistlab.text.values import counted, from_here
from mnistlab.training.assemble import LabCLI


def sweep(asked: Asked, again: Sequence[str]) -> int:
    """Run a sweep; the exit code.

    Args:
        asked: The sweep.
        again: The command that goes on with it.

    Raises:
        LabError: For what a user can mend.
    """
    with told_in_a_line(debug=asked.debug):
        return _sweep(asked, Sweep(**asked.settings), again)


def _sweep(typed: Asked, asked: Sweep, again: Sequence[str]) -> int:
    space, made = checked_space("sweep", typed.checked, lambda each: _refuse(each, asked.metric), typed.faults)
    cli = made[0]
    seeds = seeds_from(space, typed.seed, cli, asked.seeds)
    refuse_nothing(space, asked.seeds)
    plan = replace(_plan(asked, space, typed.base, seeds, cli), debug=typed.debug)
    study = begun(plan, allow_drift=asked.allow_drift, retry_failed=asked.retry_failed)
    jobs = plan.jobs()
    study.add(jobs)
    hand_over(plan.folder)
    if asked.trials is not None and plan.trials < asked.trials:
        tell(f"note: trials are cut from {asked.trials} to {plan.trials}: there are no further choices of values.")
    workers = asked.workers or default_size(plan.threads, plan.arguments)
    trials = counted(len(jobs), "trial")
    print(visible(f"{plan.name}: {trials} by {plan.sampler}, {workers} at a time, kept in {from_here(plan.folder)}"))
    try_all(study, workers, asked.launcher, again, sys.stdout)
    print("\n".join(summary(study, screen_width())))
    return 0 if any(each.state in (State.FINISHED, State.PRUNED) for each in study.jobs().values()) else 1


def _plan(asked: Sweep, space: Space, base: Sequence[str], seeds: Sequence[int], cli: LabCLI) -> Plan:
    sampler, trials = sampling(space, asked.sampler, asked.trials)
    root = Path(cli.configuration.run.dir)
    what = {
        "arguments": sorted(each for each in base if not each.startswith("--run.")),
        "content": content_of(space),
        "how": [sampler, asked.pruner, asked.metric, asked.threads, asked.sampler_seed, list(seeds)],
    }
    title = "" if any(axis.name == "model" for axis in space.axes) else type(cli.model).__name__
    name = asked.name or name_for("sweep", title, what)
    epochs, measure = cli.trainer.max_epochs or 0, measure_of(asked.metric, cli.model.measures)
    return Plan(
        kind="sweep",
        name=checked_name(name),
        root=str(root),
        arguments=list(base),
        content=content_of(space),
        storage=asked.storage or "",
        sampler=sampler,
        pruner=asked.pruner,
        metric=asked.metric,
        epochs=epochs,
        trials=trials,
        seeds=seeds,
        threads=asked.threads,
        keep=asked.keep,
        sampler_seed=asked.sampler_seed,
        identity=current_identity(),
        described=None if measure in KNOWN else measure,
        folds=asked.folds or 0,
    )


def _refuse(cli: LabCLI, metric: str) -> None:
    """Refuse runs on several devices, and those that measure nothing to go by."""
    refuse_devices(cli)
    why = cli.datamodule.lacks("val") or ("" if cli.trainer.limit_val_batches else "trainer.limit_val_batches is 0")
    if why:
        raise LabError(f"a sweep compares by validation images, and there are none: {why}.")
    refuse_metric(metric, cli.model.columns("val"))
