"""`mnistlab sweep` from its options to its summary."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mnistlab.catalogue.store import current_identity
from mnistlab.errors import LabError, tell, visible
from mnistlab.options.written import Written
from mnistlab.runs.metrics import KNOWN, measure_of
from mnistlab.sections import Sweep
from mnistlab.sweeps.checking import checked_space
from mnistlab.sweeps.faults import Faults
from mnistlab.sweeps.jobs import State
from mnistlab.sweeps.local_workers import default_size
from mnistlab.sweeps.plan import Plan, content_of, name_for, sampling
from mnistlab.sweeps.settings import settings_from
from mnistlab.sweeps.space import Space
from mnistlab.sweeps.start import (
    begun,
    check_seed,
    checked_name,
    refuse_devices,
    seeds_from,
    told_in_a_line,
    without_debug,
    without_seed,
)
from mnistlab.sweeps.summary import summary
from mnistlab.sweeps.trying import try_all
from mnistlab.text.layout import screen_width
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import counted
from mnistlab.training.assemble import LabCLI


def sweep(values: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Run a sweep; the exit code.

    Args:
        values: Its own options.
        arguments: Those of `fit`, with domains.

    Raises:
        LabError: For what a user can mend.
    """
    said, debug = without_debug(arguments)
    with told_in_a_line(debug=debug):
        return _sweep(values, said, debug=debug)


def _sweep(values: Mapping[str, str], arguments: Sequence[str], *, debug: bool) -> int:
    base, typed_seed = without_seed(arguments)
    faults = Faults()
    asked = settings_from(_said_of_sweeping(base, faults), values, faults)
    with faults.noted():
        check_seed(typed_seed)
    with faults.noted():
        _refuse_settings(asked)
    checked = [*base, *(["--debug"] if debug else [])]
    space, cli = checked_space("sweep", checked, lambda each: _refuse(each, asked.metric), faults)
    seeds = seeds_from(space, typed_seed, cli, asked.seeds)
    if not space.axes and asked.seeds == 1:
        raise LabError("there is nothing to sweep. Write --model.hidden_dim=choice:128,256, or --seeds=5.")
    plan = replace(_plan(asked, space, base, seeds, cli), debug=debug)
    study = begun(plan, allow_drift=asked.allow_drift, retry_failed=asked.retry_failed)
    jobs = plan.jobs()
    study.add(jobs)
    if asked.trials is not None and plan.trials < asked.trials:
        tell(f"note: trials are cut from {asked.trials} to {plan.trials}: there are no further choices of values.")
    workers = asked.workers or default_size(plan.threads, plan.arguments)
    trials = counted(len(jobs), "trial")
    print(visible(f"{plan.name}: {trials} by {plan.sampler}, {workers} at a time, kept in {plan.folder}"))
    again = ["sweep", *arguments, *(f"--{name}={value}" for name, value in values.items())]
    try_all(study, workers, asked.launcher, again, sys.stdout)
    print("\n".join(summary(study, screen_width())))
    return 0 if any(each.state in (State.FINISHED, State.PRUNED) for each in study.jobs().values()) else 1


def _said_of_sweeping(base: Sequence[str], faults: Faults) -> Sequence[Written]:
    """What the presets among some arguments say of the way of sweeping."""
    presets = [word for word in base if word.startswith("--config=")]
    said: list[Written] = []
    with faults.noted():
        said += Space(presets).invocation.sweep
    return said


def _refuse_settings(asked: Sweep) -> None:
    if asked.name is not None:
        checked_name(asked.name)
    if asked.pruner != "none" and asked.seeds > 1:
        raise LabError(
            f"--pruner={asked.pruner}: with several seeds nothing is stopped early. Leave out one of the two."
        )


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
    )


def _refuse(cli: LabCLI, metric: str) -> None:
    """Refuse runs on several devices, and those that measure nothing to go by."""
    refuse_devices(cli)
    if not cli.datamodule.val_size or not cli.trainer.limit_val_batches:
        raise LabError("--data.val_size: a sweep compares by validation images, and there are none.")
    known = cli.model.columns("val")
    if metric not in known:
        test = " The test images are for the end." if metric.startswith("test/") else ""
        raise LabError(f"--metric={metric}: there are {', '.join(known)}.{suggestion(metric, known)}{test}")
