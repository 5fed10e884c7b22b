"""`mnistlab sweep` from its options to its summary."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from mnistlab.arguments import words
from mnistlab.discovery.layout import screen_width
from mnistlab.errors import LabError
from mnistlab.failures import Interrupted, check_place
from mnistlab.lab import LabCLI
from mnistlab.nearest import suggestion
from mnistlab.sections import Sweep
from mnistlab.sweeps.checking import checked_space
from mnistlab.sweeps.plan import Plan, identity, keep_plan, name_for, plan_from, read_plan, sampling
from mnistlab.sweeps.settings import settings_from
from mnistlab.sweeps.space import Space
from mnistlab.sweeps.study import Study
from mnistlab.sweeps.summary import summary
from mnistlab.sweeps.team import default_size
from mnistlab.sweeps.trying import try_all

_SEED = "--seed_everything="


def sweep(values: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Run a sweep; the exit code.

    Args:
        values: Its own options.
        arguments: Those of `fit`, with domains.

    Raises:
        LabError: For what a user can mend.
    """
    base, seed = without_seed(arguments)
    asked = settings_from(Space(base).invocation.sweep, values)
    space, cli = checked_space(base, lambda each: refuse(each, asked.metric))
    if not space.axes and asked.seeds == 1:
        raise LabError("there is nothing to sweep. Write --model.hidden_dim=choice:128,256, or --seeds=5.")
    plan = _plan(asked, space, base, seed, cli)
    study = begun(plan, allow_drift=asked.allow_drift)
    cli.datamodule.prepare_data()  # once, before the workers would each do it
    study.add(plan.jobs())
    workers = asked.workers or default_size(plan.threads, plan.arguments)
    print(f"{plan.name}: {len(plan.jobs())} trials by {plan.sampler}, {workers} at a time, kept in {plan.folder}")
    command = shlex.join(["mnistlab", "sweep", *arguments, *(f"--{name}={value}" for name, value in values.items())])
    try:
        try_all(study, workers, asked.launcher)
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted. What has finished is kept. Go on with: {command}") from error
    print("\n".join(summary(study, screen_width())))
    return 0 if any(each.last.value is not None for each in study.jobs().values()) else 1


def begun(plan: Plan, *, allow_drift: bool) -> Study:
    """The state of a sweep, new or gone on with.

    Raises:
        LabError: If it was begun with something else.
    """
    check_place(plan.folder, "--run.dir")
    known = read_plan(plan.folder)
    if not plan.storage:
        plan.folder.mkdir(parents=True, exist_ok=True)
    study = Study(plan)
    if known is None and study.known_plan is not None:
        known = plan_from(study.known_plan)
    changed = plan.differences(known) if known else []
    if changed and not allow_drift:
        raise LabError(
            f"{plan.folder} was begun with another state of {', '.join(changed)}: its trials would not be comparable. "
            "--name=... begins a new one; --allow_drift=true goes on all the same."
        )
    keep_plan(plan)
    study.keep_plan()
    return study


def _plan(asked: Sweep, space: Space, base: Sequence[str], seed: int, cli: LabCLI) -> Plan:
    sampler, trials = sampling(space, asked.sampler, asked.trials)
    root = Path(cli.resolved["run"]["dir"])
    seeds = [seed + number for number in range(asked.seeds)]
    what = {
        "arguments": [each for each in base if not each.startswith("--run.")],
        "how": [sampler, asked.pruner, asked.metric, asked.threads, asked.sampler_seed, seeds],
    }
    title = "" if any(axis.name == "model" for axis in space.axes) else type(cli.model).__name__
    name = asked.name or name_for("sweep", title, what)
    epochs = cli.trainer.max_epochs or 0
    return Plan(
        kind="sweep",
        name=checked_name(name),
        root=str(root),
        arguments=list(base),
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
        identity=identity(),
    )


def checked_name(name: str) -> str:
    """A name that can be that of a folder.

    Raises:
        LabError: If it cannot.
    """
    if not name or name.startswith(".") or any(char in name for char in "/\\\0") or not name.isprintable():
        raise LabError(f"--name={name}: a name for a folder is wanted, without slashes.")
    return name


def without_seed(arguments: Sequence[str]) -> tuple[list[str], int]:
    """The arguments with each option as one word and without the seed, and the seed.

    Raises:
        LabError: If the seed is no number.
    """
    every, seed = words(arguments), "0"
    for word in every:
        if word.startswith(_SEED):
            seed = word.removeprefix(_SEED)
            if not seed.isdecimal():
                raise LabError(f"{word}: a number is wanted to count seeds from. --seeds=5 takes five of them.")
    return [word for word in every if not word.startswith(_SEED)], int(seed)


def refuse(cli: LabCLI, metric: str) -> None:
    """Refuse what a sweep in particular cannot do.

    Raises:
        LabError: If a run would take several devices, or measures nothing to go by.
    """
    refuse_devices(cli)
    if not cli.datamodule.val_size or not cli.trainer.limit_val_batches:
        raise LabError("--data.val_size: a sweep compares by validation images, and there are none.")
    heads = cli.model.heads if len(cli.model.heads) > 1 else ()
    known = ["val/acc", "val/loss", *(f"val/{head}_{what}" for head in heads for what in ("acc", "loss"))]
    if metric not in known:
        test = " The test images are for the end." if metric.startswith("test/") else ""
        raise LabError(f"--metric={metric}: there are {', '.join(known)}.{suggestion(metric, known)}{test}")


def refuse_devices(cli: LabCLI) -> None:
    """Refuse runs on several devices.

    Raises:
        LabError: If a run would take them.
    """
    if cli.trainer.world_size > 1:
        raise LabError("--trainer.devices: a trial runs on one device; --workers=2 runs two at a time.")
