"""`mnistlab fit --folds=5`: a run for each fold, what they answer of the images held out, and their ensemble."""

import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import torch

from mnistlab.catalogue.store import current_identity
from mnistlab.errors import LabError, say, visible
from mnistlab.options.trust import packages_in
from mnistlab.runs.finding import find_members
from mnistlab.runs.folder import weights_of
from mnistlab.runs.metrics import PRIMARY
from mnistlab.runs.out_of_fold import OUT_OF_FOLD, OutOfFold, load_out_of_fold, save_out_of_fold
from mnistlab.runs.run import Run, read_runs
from mnistlab.runs.statistics import student_quantile
from mnistlab.sweeps.checking import checked_space
from mnistlab.sweeps.jobs import State
from mnistlab.sweeps.plan import Plan, name_for
from mnistlab.sweeps.refusing import checked_name
from mnistlab.sweeps.space import Space, content_of
from mnistlab.sweeps.start import begun, refuse_devices, seeds_from, told_in_a_line
from mnistlab.sweeps.study import Study
from mnistlab.sweeps.trying import try_all
from mnistlab.sweeps.typed import Asked
from mnistlab.system.handing import hand_over
from mnistlab.text.layout import screen_width, table
from mnistlab.text.values import counted, from_here, in_percent, percent
from mnistlab.training.assemble import LabCLI
from mnistlab.training.directly import answer_held_out
from mnistlab.training.measuring import measuring

_SHARED = "The folds share training images, so that this interval is narrower than it should be."


def fit_folds(typed: Asked, again: Sequence[str]) -> int:
    """Train a net for each fold; the exit code.

    Args:
        typed: What is trained.
        again: The command that goes on with it.

    Raises:
        LabError: For what a user can mend.
    """
    with told_in_a_line(debug=typed.debug):
        return _fit_folds(typed, again)


def _fit_folds(typed: Asked, again: Sequence[str]) -> int:
    space, made = checked_space("fit", typed.checked, _refuse, typed.faults)
    cli = made[0]
    plan = replace(_plan(typed, space, cli, len(made)), debug=typed.debug)
    study = begun(plan, allow_drift=False, retry_failed=True)
    study.add(plan.jobs())
    hand_over(plan.folder)
    print(visible(f"{plan.name}: {counted(len(made), 'fold')}, one after the other, kept in {from_here(plan.folder)}"))
    try_all(study, 1, "processes", again, sys.stdout)
    failed = [each for each in study.jobs().values() if each.state is not State.FINISHED]
    for each in failed:
        print(visible(f"{each.stem} failed: {each.error}"), file=sys.stderr)
    if failed:
        return 1
    return _show(study, cli)


def _show(study: Study, cli: LabCLI) -> int:
    """Tell what the folds have come to, and test their ensemble; the exit code."""
    plan = study.plan
    runs = {str(job.stem): Run.of(plan.run_folder(job.stem, plan.seeds[0])) for job in plan.jobs()}
    trust = [f"--trust={','.join(names)}" for names in [packages_in(cli.configuration.plain())] if names]
    found = _out_of_fold(plan.folder / OUT_OF_FOLD, [run.folder for run in runs.values()], trust)
    say(["", *_lines(runs, found, plan.folder / OUT_OF_FOLD)])
    if not cli.configuration.run.test or cli.datamodule.lacks("test"):
        return 0
    print()
    tested = _tested(plan.folder, list(runs.values()), Path(plan.root))
    if tested is not None:
        print(visible(f"ensemble: test/acc {percent(tested.test_acc)}, kept in {tested.folder}"))
        return 0
    return measuring("test", [f"--ckpt_path={plan.folder}", f"--run.dir={plan.root}", *trust])()


def _lines(runs: Mapping[str, Run], found: OutOfFold, path: Path) -> list[str]:
    accuracies = [run.val_acc or 0.0 for run in runs.values()]
    rows = [
        [stem.removeprefix("fold-"), in_percent(run.val_acc), f"{run.seconds or 0.0:.1f}"] for stem, run in runs.items()
    ]
    mean, deviation = statistics.fmean(accuracies), statistics.stdev(accuracies)
    half = student_quantile(len(rows) - 1) * deviation / sqrt(len(rows))
    return [
        *table(["fold", "val acc, %", "seconds"], rows, screen_width(), right=range(3)),
        "",
        f"{in_percent(mean)} ± {in_percent(deviation)} over {counted(len(rows), 'fold')}: mean and standard deviation.",
        f"Mean by Student's t: {in_percent(mean - half)} to {in_percent(min(mean + half, 1.0))} (95 %). {_SHARED}",
        f"Out of fold {percent(float(found.right.mean()))} of {counted(len(found.rows), 'training image')} are right.",
        f"All probabilities are in {path}",
    ]


def _out_of_fold(path: Path, folders: Sequence[Path], trust: Sequence[str]) -> OutOfFold:
    """What each net says of the images that it has not learnt; worked out where that is older than a net."""
    weights = [each for folder in folders if (each := weights_of(folder))]
    if path.is_file() and path.stat().st_mtime > max(each.stat().st_mtime for each in weights):
        return load_out_of_fold(path)
    parts = [answer_held_out(folder, trust) for folder in folders]
    rows = torch.cat([part.rows for part in parts])
    order = rows.argsort()
    fold = torch.cat([torch.full_like(part.rows, number) for number, part in enumerate(parts)])
    found = OutOfFold(
        rows[order].numpy(),
        fold[order].numpy(),
        {head: torch.cat([part.probs[head] for part in parts])[order].numpy() for head in parts[0].probs},
        {head: torch.cat([part.target[head] for part in parts])[order].numpy() for head in parts[0].probs},
        parts[0].images,
    )
    assert len(np.unique(found.rows)) == len(found.rows)
    save_out_of_fold(path, found)
    return found


def _tested(folder: Path, runs: Sequence[Run], root: Path) -> Run | None:
    """The test of the ensemble that is there already: a second one would be a second look at the same figure."""
    members, _ = find_members(str(folder), root, where=str(folder))
    checkpoint = ",".join(str(each.resolve()) for each in members)
    ended = max(run.text("ended") for run in runs)
    tests = [each for each in read_runs(root).all if each.command == "test" and each.text("checkpoint") == checkpoint]
    after = [each for each in tests if each.started > ended and each.test_acc is not None]
    return max(after, key=lambda each: each.started, default=None)


def _plan(typed: Asked, space: Space, cli: LabCLI, folds: int) -> Plan:
    content, identity = content_of(space), current_identity()
    threads = cli.configuration.threads or torch.get_num_threads()
    seeds = seeds_from(space, typed.seed, cli, 1)
    arguments = [word for word in typed.base if not word.startswith("--run.")]
    what = {"arguments": sorted(arguments), "content": content, "how": [threads, seeds, identity]}
    return Plan(
        kind="folds",
        name=checked_name(cli.configuration.run.name or name_for("folds", type(cli.model).__name__, what)),
        root=str(cli.configuration.run.dir),
        arguments=[word for word in typed.base if not word.startswith("--run.name=")],
        content=content,
        storage="",
        sampler="grid",
        pruner="none",
        metric=PRIMARY,
        epochs=cli.trainer.max_epochs or 0,
        trials=folds,
        seeds=seeds,
        threads=threads,
        keep=10**9,
        sampler_seed=0,
        identity=identity,
    )


def _refuse(cli: LabCLI) -> None:
    """Refuse runs on several devices, and those that do not validate."""
    refuse_devices(cli)
    if not cli.trainer.limit_val_batches:
        raise LabError("folds are validated, and trainer.limit_val_batches is 0. Leave it out.")
