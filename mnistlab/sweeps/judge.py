"""`mnistlab judge` from its options to its verdict."""

import json
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from mnistlab.catalogue.store import current_identity
from mnistlab.errors import LabError, visible
from mnistlab.runs.metrics import KNOWN, SECONDS, measure_of
from mnistlab.runs.record import config_hash, environment
from mnistlab.runs.run import Run, read_runs
from mnistlab.sections.parts import Sweep
from mnistlab.sweeps.checking import checked_space
from mnistlab.sweeps.contrast import Contrast
from mnistlab.sweeps.judgement import METHOD, Verdict, in_words
from mnistlab.sweeps.local_workers import default_size
from mnistlab.sweeps.pairs import Cell, Pairs, Terms, seed_of
from mnistlab.sweeps.plan import Job, Plan, name_for
from mnistlab.sweeps.refusing import checked_name, refuse_metric
from mnistlab.sweeps.sides import BASELINE, CHANGED
from mnistlab.sweeps.space import Space, content_of
from mnistlab.sweeps.start import begun, refuse_devices, seeds_from, told_in_a_line
from mnistlab.sweeps.study import Study
from mnistlab.sweeps.trying import try_all
from mnistlab.sweeps.typed import Asked
from mnistlab.system.handing import hand_over
from mnistlab.system.strict_json import as_json
from mnistlab.text.values import counted, duration, from_here
from mnistlab.training.assemble import LabCLI

_OWN = re.compile(r'"class_path": "(?!mnistlab\.|torch\.|lightning\.)')
"""In a configuration: a class of which the commit of the lab says nothing."""


def judge(typed: Asked, terms: Terms, switches: Collection[str], again: Sequence[str], baseline: str = "") -> int:
    """Judge a change; the exit code.

    Args:
        typed: The judgement.
        terms: When it ends.
        switches: `json`, where it is on.
        again: The command that goes on with it.
        baseline: What the preset or the run is called that is the baseline, if it is one.

    Raises:
        LabError: For what a user can mend.
    """
    with told_in_a_line(debug=typed.debug):
        return _judge(typed, Sweep(**typed.settings), terms, switches, again, baseline)


def _judge(
    typed: Asked, asked: Sweep, terms: Terms, switches: Collection[str], again: Sequence[str], baseline: str
) -> int:
    space, made = checked_space("judge", typed.checked, lambda each: _refuse(each, asked.metric), typed.faults)
    seeds = seeds_from(space, typed.seed, made[0], terms.pairs)
    plan = replace(_plan(asked, space, typed.base, seeds, made), debug=typed.debug)
    study = begun(plan, allow_drift=asked.allow_drift, retry_failed=asked.retry_failed)
    kept = {} if asked.metric == SECONDS.name else _runs_alike(plan, dict(zip((BASELINE, CHANGED), made, strict=True)))
    stream = sys.stderr if "json" in switches else sys.stdout
    study.add([job for job in _in_turn(plan) if (job.stem, job.seeds[0]) not in kept])
    workers = asked.workers or (1 if asked.metric == SECONDS.name else default_size(plan.threads, plan.arguments))
    contrast = Contrast.of(baseline, *(cli.configuration for cli in made))
    pairs = Pairs(plan, kept, terms, contrast, at_once=workers > 1)
    how = [f"at most {counted(len(seeds), 'pair')}", f"{counted(workers, 'run')} at a time"]
    how += [f"{counted(len(kept), 'run')} there already"] if kept else []
    print(visible(f"{plan.name}: {', '.join(how)}, kept in {from_here(plan.folder)}"), file=stream)
    print(*map(visible, contrast.lines()), sep="\n", file=stream)
    print(f"In brackets: 95 %, {METHOD}.", file=stream)
    news, enough = pairs.watch(study.jobs())
    print("".join(f"{line}\n" for line in news), end="", file=stream)
    if not enough:
        try_all(study, workers, asked.launcher, again, stream, pairs.watch)
    return _show(pairs, study, terms, switches)


def _in_turn(plan: Plan) -> list[Job]:
    """The runs pair by pair, each side first as often as the other."""
    jobs = sorted(plan.jobs(), key=lambda job: job.seeds[0])
    pairs = [jobs[at : at + 2] for at in range(0, len(jobs), 2)]
    return [job for number, pair in enumerate(pairs) for job in (reversed(pair) if number % 2 else pair)]


def _show(pairs: Pairs, study: Study, terms: Terms, switches: Collection[str]) -> int:
    """Tell the verdict; the exit code."""
    jobs, plan = study.jobs(), study.plan
    judged, failed = pairs.judgement(jobs), pairs.failed(jobs)
    in_time = len(judged.gains) == len(plan.seeds) or terms.budget_s is None
    why = f"with --max_pairs={len(plan.seeds)}" if in_time else f"in {duration(terms.budget_s, 0)}"
    words = visible(in_words(judged, plan.measure, plan.metric, why))
    plain = as_json(pairs.plain(jobs))
    hand_over(plan.folder, plain, words)
    if "json" in switches:
        print(plain)
    else:
        print("", *filter(None, [visible(pairs.contrast.note)]), words, sep="\n")
    if judged.verdict is not Verdict.UNDECIDED:
        pairs.drop_begun(jobs)
        return judged.verdict.exit_code
    for each in failed:
        print(visible(f"{each.stem} failed with seed {seed_of(each)}: {each.error}"), file=sys.stderr)
    return 1 if failed else judged.verdict.exit_code


def _runs_alike(plan: Plan, sides: Mapping[str, LabCLI]) -> dict[Cell, Run]:
    """Runs elsewhere of the same configuration, commit and data, as far as that can be known; the newest of several."""
    here = environment()
    wanted = {
        config_hash(cli.configuration.with_seed(seed).plain()): (side, seed)
        for side, cli in sides.items()
        for seed in plan.seeds
        if not _OWN.search(json.dumps(cli.configuration.plain(), default=str))
    }
    changed = here["git"] is not None and here["git"]["changed"]
    found: dict[Cell, Run] = {}
    for run in () if changed else sorted(read_runs(Path(plan.root)).all, key=lambda run: run.started):
        cell = wanted.get(run.text("config_hash"))
        same = all(run.record.get(name) == here[name] for name in ("versions", "git"))
        ended = run.command == "fit" and run.status == "finished" and len(run.segments) == 1
        if cell and same and ended and run.folder.parent != plan.folder:
            found[cell] = run
    images = {side: _fingerprint(cli) for side, cli in sides.items() if any(side == own for own, _ in found)}
    return {cell: run for cell, run in found.items() if run.fingerprint == images[cell[0]]}


def _fingerprint(cli: LabCLI) -> Mapping[str, str]:
    data = deepcopy(cli.datamodule)
    data.setup("fit")
    fingerprint: Mapping[str, str] = data.fingerprint
    return fingerprint


def _plan(asked: Sweep, space: Space, arguments: Sequence[str], seeds: Sequence[int], made: Sequence[LabCLI]) -> Plan:
    content = content_of(space)
    what = {
        "arguments": [word for word in arguments if not word.startswith("--run.")],
        "content": content,
        "how": [asked.metric, asked.threads, seeds[0]],
    }
    measure = SECONDS if asked.metric == SECONDS.name else measure_of(asked.metric, made[0].model.measures)
    return Plan(
        kind="judge",
        name=checked_name(asked.name or name_for("judge", type(made[1].model).__name__, what)),
        root=str(made[0].configuration.run.dir),
        arguments=list(arguments),
        content=content,
        storage=asked.storage or "",
        sampler="grid",
        pruner="none",
        metric=asked.metric,
        epochs=made[0].trainer.max_epochs or 0,
        trials=2,
        seeds=seeds,
        threads=asked.threads,
        keep=10**9,
        sampler_seed=0,
        identity=current_identity(),
        described=None if measure in KNOWN else measure,
    )


def _refuse(cli: LabCLI, metric: str) -> None:
    """Refuse runs on several devices, and those that measure nothing to go by."""
    refuse_devices(cli)
    if metric == SECONDS.name:
        return
    why = cli.datamodule.lacks("val") or ("" if cli.trainer.limit_val_batches else "trainer.limit_val_batches is 0")
    if why:
        raise LabError(
            f"judge goes by validation images, and there are none: {why}. For both: --baseline.data.val_size=5000"
        )
    refuse_metric(metric, [*cli.model.columns("val"), SECONDS.name])
