"""What was typed of many runs, and what is wrong in it, as far as that shows before torch is imported."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mnistlab.catalogue import Catalogue, load_catalogue
from mnistlab.errors import LabError
from mnistlab.options.arguments import words
from mnistlab.options.command_line import from_arguments
from mnistlab.options.settling import Settled
from mnistlab.options.written import Written
from mnistlab.presets.source import presets_tagged
from mnistlab.runs.metrics import SECONDS
from mnistlab.sweeps.faults import Faults
from mnistlab.sweeps.presets import CONFIG
from mnistlab.sweeps.probing import note_faults
from mnistlab.sweeps.refusing import (
    SEED,
    check_seed,
    fold_options,
    refuse_domains,
    refuse_metric_of,
    refuse_nothing,
    refuse_others,
    refuse_settings,
)
from mnistlab.sweeps.settings import settings_from
from mnistlab.sweeps.sides import CHANGE, changes
from mnistlab.sweeps.space import Space, UnsureError
from mnistlab.training.invocation import Invocation
from mnistlab.training.typed import checked, runs_python

DEBUG = "debug"
"""The switch that shows where an error comes from."""

ALL = "all"
"""All models of a size, in place of their names."""

_QUICK = ("--trainer.max_epochs=1", *(f"--trainer.limit_{split}_batches=10" for split in ("train", "val", "test")))
_OF_PRESETS = ("presets", "tag")


@dataclass(frozen=True)
class Asked:
    """A sweep, a comparison or a judgement as it was typed.

    Attributes:
        base: The arguments of `fit`, each as one word, without a seed and without `--debug`.
        seed: The seed, where one is typed.
        debug: Whether it is shown where an error comes from.
        settings: How it goes about, by name; of a comparison without the threads where they are not typed.
        faults: What is wrong, where that is to be told together with what only imported classes know.
        models: Those to compare, as they are listed, or `all`.
        presets: Those to compare in their place.
    """

    base: Sequence[str]
    seed: str | None
    debug: bool
    settings: Mapping[str, Any]
    faults: Faults
    models: Sequence[str] = ()
    presets: Sequence[str] = ()

    @property
    def checked(self) -> list[str]:
        """The arguments with which each `fit` is checked."""
        return [*self.base, *([f"--{DEBUG}"] if self.debug else [])]


def asked_sweep(values: Mapping[str, str], arguments: Sequence[str]) -> Asked:
    """Read what was typed of a sweep.

    Args:
        values: Its own options.
        arguments: Those of `fit`, with domains.

    Raises:
        LabError: With all that can be seen to be wrong, a line each; whatever only classes know is left to them.
    """
    catalogue, faults = load_catalogue(), Faults()
    said, debug = _without_debug(arguments)
    base, seed = _without_seed(said)
    settings = settings_from(_said_of_sweeping(base, faults), values, faults, catalogue)
    base = [*base, *_folds_of(settings, base)]
    with faults.noted():
        check_seed(seed)
    with faults.noted():
        refuse_settings(settings)
    found = _probed(base, faults, catalogue)
    if found is not None:
        for settled in found:
            with faults.noted():
                refuse_metric_of(settled, settings["metric"])
        faults.tell()
        refuse_nothing(Space(base), settings["seeds"])
    return Asked(base, seed, debug, settings, faults)


def asked_comparison(
    values: Mapping[str, str], arguments: Sequence[str], defaults: Mapping[str, str], *, quick: bool
) -> Asked:
    """Read what was typed of a comparison.

    Args:
        values: Its own options.
        arguments: Those of `fit`.
        defaults: What counts without some of its own options.
        quick: Whether each model sees ten batches of one epoch.

    Raises:
        LabError: With all that can be seen to be wrong, a line each; whatever only classes know is left to them.
    """
    catalogue, faults = load_catalogue(), Faults()
    said, debug = _without_debug(arguments)
    base, seed = _without_seed([*said, *(_QUICK if quick else ())])
    presets = _presets_in(values)
    refuse_others(base, catalogue, of_models=not presets)
    with faults.noted():
        refuse_domains(base)
    with faults.noted():
        check_seed(seed)
    own = {**defaults, **{name: value for name, value in values.items() if name not in ("models", *_OF_PRESETS)}}
    settings = settings_from([], own, faults, catalogue)
    settings = {name: value for name, value in settings.items() if name != "threads" or name in own}
    base = [*base, *_folds_of(settings, base)]
    if presets:
        named = [f"--config={name}" for name in presets]
        if _probed([*base, f"{CONFIG}{','.join(presets)}"], faults, catalogue, [*named, *base]) is not None:
            faults.tell()
        return Asked(base, seed, debug, settings, faults, presets=presets)
    known = {name.lower(): name for name in catalogue.kinds["model"].listed()}
    named = [name.strip() for name in values["models"].split(",") if name.strip()]
    models = list(dict.fromkeys(known.get(name.lower(), name) for name in named))
    if not models:
        faults.note(LabError(f"--models={values['models']}: no model is left to train. `mnistlab models` lists them."))
        faults.tell()
    if ALL not in models and _probed([*base, f"--model=choice:{','.join(models)}"], faults, catalogue) is not None:
        faults.tell()
    return Asked(base, seed, debug, settings, faults, models)


def asked_folds(folds: int, arguments: Sequence[str]) -> Asked:
    """Read what was typed of a training of several folds.

    Args:
        folds: How many.
        arguments: Those of `fit`.

    Raises:
        LabError: With all that can be seen to be wrong, a line each; whatever only classes know is left to them.
    """
    catalogue, faults = load_catalogue(), Faults()
    said, debug = _without_debug(arguments)
    base, seed = _without_seed(said)
    refuse_domains(base, "all folds are trained with the same value")
    with faults.noted():
        check_seed(seed)
    base = [*base, *fold_options(folds, f"choice:{','.join(map(str, range(folds)))}", base)]
    if _probed(base, faults, catalogue) is not None:
        faults.tell()
    return Asked(base, seed, debug, {}, faults)


def asked_judgement(values: Mapping[str, str], baseline: Sequence[str], arguments: Sequence[str]) -> Asked:
    """Read what was typed of a judgement.

    Args:
        values: Those of its own options that a sweep has too.
        baseline: The arguments of `fit` for the baseline.
        arguments: Those in which the change differs.

    Raises:
        LabError: With all that can be seen to be wrong, a line each; whatever only classes know is left to them.
    """
    catalogue, faults = load_catalogue(), Faults()
    said, debug = _without_debug(arguments)
    (first, usual), (change, seed) = _without_seed(baseline), _without_seed(said)
    base = [*first, CHANGE, *change]
    if not changes(base):
        raise LabError("there is nothing to judge. Write what is changed: --model.dropout=0.3")
    refuse_domains([*first, *change], "judge trains both with one value")
    settings = settings_from([], values, faults, catalogue)
    with faults.noted():
        check_seed(seed)
    with faults.noted():
        refuse_settings(settings)
    found = _probed(base, faults, catalogue, [*first, *change])
    if found is not None:
        for settled in found if settings["metric"] != SECONDS.name else ():
            with faults.noted():
                refuse_metric_of(settled, settings["metric"])
        faults.tell()
    return Asked(base, usual if seed is None else seed, debug, settings, faults)


def _folds_of(settings: Mapping[str, Any], typed: Sequence[str]) -> list[str]:
    """The options that make each training one of a fold, where several are wanted."""
    return fold_options(settings["folds"], "0", typed) if settings["folds"] else []


def _presets_in(values: Mapping[str, str]) -> list[str]:
    """The presets that are to be compared, by name or by tag.

    Raises:
        LabError: If no preset has the tag, or models are named too.
    """
    said = [name for name in _OF_PRESETS if name in values]
    if said and "models" in values:
        raise LabError(
            f"--models and --{said[0]} exclude each other: a preset has a model of its own. To give all models what a "
            "preset says: --config=NAME."
        )
    named = [name.strip() for name in values.get("presets", "").split(",") if name.strip()]
    tagged = [entry.name for entry in presets_tagged(values["tag"])] if "tag" in values else []
    if said and not (named or tagged):
        raise LabError(f"--presets={values['presets']}: no preset is left to train. `mnistlab presets` lists them.")
    return list(dict.fromkeys([*named, *tagged]))


def _probed(
    arguments: Sequence[str], faults: Faults, catalogue: Catalogue, presets: Sequence[str] | None = None
) -> list[Settled] | None:
    """The configurations that the catalogue takes for right, one for each choice of values.

    None where some of what is chosen must be imported first: then nothing is told before that.

    Args:
        arguments: Those of `fit`, with domains.
        faults: Is told of what is wrong.
        catalogue: What there is to choose from.
        presets: The arguments that name presets, where others than those do.
    """

    def check(typed: Sequence[str]) -> Settled:
        settled = checked(catalogue, Invocation("fit", typed))
        if settled is None:
            raise UnsureError
        return settled

    try:
        with suppress(LabError):  # which is met again below, with all others
            if runs_python(arguments if presets is None else presets):
                return None
        return [*note_faults(arguments, check, faults, catalogue).values()]
    except UnsureError:
        return None
    except LabError as error:
        faults.note(error)
        return []


def _said_of_sweeping(base: Sequence[str], faults: Faults) -> Sequence[Written]:
    """What the presets among some arguments say of the way of sweeping."""
    presets = [word for word in base if word.startswith("--config=")]
    said: list[Written] = []
    with faults.noted():
        said += Space(presets).invocation.sweep
    return said


def _without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The arguments, each option as one word, without `--debug`, which makes no other sweep; and whether it is on.

    Raises:
        LabError: If it is neither on nor off.
    """
    every = words(arguments)
    said = [word for word in every if word.partition("=")[0] == f"--{DEBUG}"]
    return [word for word in every if word not in said], Invocation("sweep", said).switches[DEBUG]


def _without_seed(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """The arguments with each option as one word and without the seed, and the seed where one is typed.

    Raises:
        LabError: If an argument is no option.
    """
    every = words(arguments)
    from_arguments(every)
    typed = [word.removeprefix(SEED) for word in every if word.startswith(SEED)]
    return [word for word in every if not word.startswith(SEED)], typed[-1] if typed else None
