"""`mnistlab compare` from its options to its table."""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mnistlab.catalogue.store import current_identity
from mnistlab.classifier import Classifier
from mnistlab.errors import LabError, tell, visible
from mnistlab.models import Assembled
from mnistlab.nets.operations import multiply_adds
from mnistlab.options.classes import candidates, listed
from mnistlab.runs.folder import RECORD
from mnistlab.runs.metrics import ACC, PRIMARY
from mnistlab.runs.record import write_json
from mnistlab.runs.run import Run
from mnistlab.sections.parts import Sweep
from mnistlab.sweeps.checking import checked_space
from mnistlab.sweeps.jobs import State
from mnistlab.sweeps.pareto import write_charts
from mnistlab.sweeps.plan import Plan, name_for
from mnistlab.sweeps.presets import CONFIG, title_of
from mnistlab.sweeps.refusing import checked_name
from mnistlab.sweeps.space import Space, content_of
from mnistlab.sweeps.start import (
    begun,
    refuse_devices,
    seeds_from,
    told_in_a_line,
)
from mnistlab.sweeps.study import Study
from mnistlab.sweeps.table import Standing, as_csv, as_json, as_lines, standings
from mnistlab.sweeps.trying import try_all
from mnistlab.sweeps.typed import ALL, Asked
from mnistlab.system.handing import hand_over
from mnistlab.text.values import counted, from_here
from mnistlab.training.assemble import LabCLI
from mnistlab.training.running import check


@dataclass(frozen=True)
class _Compared:
    """What is compared: the word with the choice, and what each is called by the beginning of its runs' names."""

    word: str
    stems: Mapping[str, str]
    multiply_adds: Mapping[str, int | None]  # for one image, by the same
    of_presets: bool = False


def compare(typed: Asked, switches: Collection[str], again: Sequence[str]) -> int:
    """Compare models, or presets; the exit code.

    Args:
        typed: The comparison.
        switches: `json` and `csv`, where they are on.
        again: The command that goes on with it.

    Raises:
        LabError: For what a user can mend.
    """
    with told_in_a_line(debug=typed.debug):
        return _compare(typed, Sweep(**{"threads": torch.get_num_threads(), **typed.settings}), switches, again)


def _compare(typed: Asked, asked: Sweep, switches: Collection[str], again: Sequence[str]) -> int:
    compared, cli = _checked(typed, refuse_devices if asked.folds else _refuse)
    plan = _plan(asked, compared, typed.base, seeds_from(Space(typed.base), typed.seed, cli, asked.seeds), cli)
    plan = replace(plan, debug=typed.debug)
    study = begun(plan, allow_drift=asked.allow_drift, retry_failed=asked.retry_failed)
    study.add(plan.jobs())
    machine = bool({"json", "csv"} & set(switches))
    stream = sys.stderr if machine else sys.stdout
    cells, at_a_time = len(compared.stems) * len(plan.parts(plan.seeds)), asked.workers or 1
    print(f"{plan.name}: {counted(cells, 'run')}, {at_a_time} at a time, kept in {from_here(plan.folder)}", file=stream)
    try_all(study, at_a_time, asked.launcher, again, stream)
    return _show(study, compared, switches)


def _show(study: Study, compared: _Compared, switches: Collection[str]) -> int:
    _note_costs(study, compared.multiply_adds)
    found = standings(study, compared.stems, of_presets=compared.of_presets)
    lines = [visible(line) for line in as_lines(found, study.plan)]
    hand_over(study.plan.folder, as_json(found), lines)
    if "json" in switches:
        print(as_json(found))
    elif "csv" in switches:
        print(as_csv(found), end="")
    else:
        print("\n".join(["", *lines, *map(visible, _charts(study.plan, found))]))
    failed = [each for each in study.jobs().values() if each.state is State.FAILED and each.stem in compared.stems]
    for each in failed:
        print(visible(f"{compared.stems[each.stem]} failed: {each.error}"), file=sys.stderr)
    return 1 if failed else 0


def _note_costs(study: Study, costs: Mapping[str, int | None]) -> None:
    """Add the multiply-adds to the records of what has finished: a training does not count them."""
    for job in study.jobs().values():
        if job.state is State.FINISHED and costs.get(job.stem) is not None:
            for folder in study.plan.run_folders(job.stem, [job.last.user_attrs["seeds"][0]]):
                run = Run.salvage(folder)
                if run.record and run.multiply_adds is None:
                    write_json(folder / RECORD, {**run.record, "multiply_adds": costs[job.stem]})


def _charts(plan: Plan, found: Sequence[Standing]) -> list[str]:
    paths = write_charts(found, plan.folder / "plots")
    return [f"Plots: {from_here(paths[0].parent)}"] if paths else []


def _checked(typed: Asked, also: Callable[[LabCLI], None]) -> tuple[_Compared, LabCLI]:
    """What is compared, and what the first of it makes.

    Args:
        typed: The comparison.
        also: Refuses what a comparison in particular cannot do.

    Raises:
        LabError: If some of it does not exist, or cannot be trained so; of `all` models those are left out.
    """
    if typed.presets:
        word = f"{CONFIG}{','.join(typed.presets)}"
        space, made = checked_space("compare", [*typed.checked, word], also, typed.faults)
        data = list(dict.fromkeys(each.configuration.data.name for each in made))
        if len(data) > 1:
            tell(f"note: they train on {' and '.join(data)}: their accuracies do not compare.")
        stems = {each.stem: title_of(str(each.point["config"])) for each in space.probes()}
        return _Compared(word, stems, _costs(stems, made), of_presets=True), made[0]
    models = _trainable(_sizes(), typed.checked) if ALL in typed.models else typed.models
    if not models:
        typed.faults.note(LabError(f"--models={ALL}: no model is left to train. `mnistlab models` lists them."))
        typed.faults.tell()
    word = f"--model=choice:{','.join(models)}"
    space, made = checked_space("compare", [*typed.checked, word], also, typed.faults)
    (axis,) = space.axes
    stems = {str(label): str(label) for label in axis.domain.ends()}
    return _Compared(word, stems, _costs(stems, made)), made[0]


def _costs(stems: Iterable[str], made: Sequence[LabCLI]) -> dict[str, int | None]:
    """The multiply-adds of each net for an image; None where the size of the images is not known beforehand."""
    shapes = [cli.datamodule.image_shape for cli in made]
    counts = [multiply_adds(cli.model.net, shape) if shape else None for cli, shape in zip(made, shapes, strict=True)]
    return dict(zip(stems, counts, strict=True))


def _refuse(cli: LabCLI) -> None:
    """Refuse runs on several devices, and those that are not tested."""
    refuse_devices(cli)
    if not cli.configuration.run.test or not cli.trainer.limit_test_batches:
        raise LabError("--run.test: models are compared by their test accuracy. Leave it out.")


def _sizes() -> list[str]:
    """The models of a size: not the families, of which any size can be had, nor what is put together by hand."""
    known = candidates((Classifier,))
    every = {name: known[name][0] for name in listed((Classifier,))}
    families = {parent for cls in every.values() for parent in cls.__mro__[1:]}
    return [name for name, cls in every.items() if cls not in families and cls is not Assembled]


def _trainable(models: Sequence[str], base: Sequence[str]) -> list[str]:
    kept = []
    for model in models:
        try:
            check([*base, f"--model={model}"], "compare")
        except LabError as error:
            print(f"note: {model} is left out. {error}", file=sys.stderr)
        else:
            kept.append(model)
    return kept


def _plan(asked: Sweep, compared: _Compared, base: Sequence[str], seeds: Sequence[int], cli: LabCLI) -> Plan:
    root = Path(cli.configuration.run.dir)
    content = content_of(Space(base))
    typed = [word for word in base if not word.startswith("--run.")]
    what = {"arguments": sorted(typed), "content": content, "threads": asked.threads}
    title = "presets" if compared.of_presets else cli.configuration.data.name  # each has data of its own
    name = checked_name(asked.name or name_for("compare", title, what))
    return Plan(
        kind="compare",
        name=name,
        root=str(root),
        arguments=[*base, compared.word],
        content=content,
        storage=asked.storage or "",
        sampler="grid",
        pruner="none",
        metric=PRIMARY if asked.folds else f"test/{ACC.name}",
        epochs=0 if compared.of_presets else cli.trainer.max_epochs or 0,
        trials=len(compared.stems),
        seeds=list(seeds),
        threads=asked.threads,
        keep=10**9,
        sampler_seed=0,
        identity=current_identity(),
        folds=asked.folds or 0,
    )
