"""What is wrong in what was typed of many runs, each a check by itself."""

import string
from collections.abc import Mapping, Sequence
from typing import Any

from mnistlab.catalogue import Catalogue
from mnistlab.errors import LabError
from mnistlab.options.settling import Settled
from mnistlab.runs.metrics import KNOWN
from mnistlab.sweeps.space import Space
from mnistlab.text.nearest import suggestion

FOLD, FOLDS = "--data.fold=", "--data.folds="
"""How the options begin that make a training one of a fold."""

SEED = "--seed_everything="
"""How the option of the seed begins."""

_LONGEST = 100
_MOST_FOLDS = 100
_IN_NAMES = f"{string.ascii_letters}{string.digits}._=+,@-"


def checked_name(name: str) -> str:
    """A name that can be that of a folder, of a database, and of a file's address.

    Raises:
        LabError: If it cannot.
    """
    if not name or name.startswith(".") or len(name) > _LONGEST or not set(name) <= set(_IN_NAMES):
        raise LabError(
            f"--name={name[:_LONGEST]}: a name for a folder is wanted, of at most {_LONGEST} letters, digits and "
            "any of ._=+,@-"
        )
    return name


def refuse_metric(metric: str, known: Sequence[str]) -> None:
    """Refuse a metric that is none of those `known`.

    Raises:
        LabError: If it is none.
    """
    if metric not in known:
        test = " The test images are for the end." if metric.startswith("test/") else ""
        raise LabError(f"--metric={metric}: there are {', '.join(known)}.{suggestion(metric, known)}{test}")


def refuse_nothing(space: Space, seeds: int) -> None:
    """Refuse a sweep of one choice of values.

    Args:
        space: What is swept.
        seeds: How many seeds each choice has.

    Raises:
        LabError: If nothing else is swept than one seed.
    """
    if not space.axes and seeds == 1:
        raise LabError("there is nothing to sweep. Write --model.hidden_dim=choice:128,256, or --seeds=5.")


def fold_options(folds: int, of: str, typed: Sequence[str]) -> list[str]:
    """The options that train a fold.

    Args:
        folds: How many there are.
        of: Which of them.
        typed: What was typed besides.

    Raises:
        LabError: If a fold was typed, or that is no number of folds.
    """
    one = next((word for word in typed if word.startswith((FOLD, FOLDS))), None)
    if one is not None:
        raise LabError(f"{one}: --folds={folds} trains all of them. Leave out one of the two.")
    if not 1 < folds <= _MOST_FOLDS:
        raise LabError(f"--folds={folds}: a number from 2 to {_MOST_FOLDS} is needed.")
    return [f"{FOLDS}{folds}", f"{FOLD}{of}"]


def refuse_settings(settings: Mapping[str, Any]) -> None:
    """Refuse a name that cannot be a folder's, and to stop early what has several seeds or folds.

    Args:
        settings: How a sweep goes about, by name.

    Raises:
        LabError: If they do not go together.
    """
    name, pruner = settings["name"], settings["pruner"]
    if name is not None:
        checked_name(name)
    several = "seeds" if settings["seeds"] > 1 else "folds" if settings["folds"] else ""
    if pruner != "none" and several:
        raise LabError(f"--pruner={pruner}: with several {several} nothing is stopped early. Leave out one of the two.")


def refuse_metric_of(settled: Settled, metric: str) -> None:
    """Refuse one where only loss and accuracy of a single label are measured; more is known once there is a model.

    Args:
        settled: The configuration of a run.
        metric: What its runs are compared by.

    Raises:
        LabError: If the run does not measure it.
    """
    places = settled.places
    data, model = places["data"].chosen, places["model"].chosen
    alone = data is not None and len(data.labels) == 1 and model is not None and not model.data
    more = [places.get(key) for key in ("data.labels", "model.metrics")]
    if alone and not any(place and place.value for place in more):
        refuse_metric(metric, [f"val/{each.name}" for each in KNOWN])


def refuse_others(base: Sequence[str], catalogue: Catalogue, *, of_models: bool) -> None:
    """Refuse options of a sweep, and a model beside the models.

    Args:
        base: What was typed of a comparison.
        catalogue: What there is to choose from.
        of_models: Whether models are compared, and not presets.

    Raises:
        LabError: If one is there.
    """
    for word in base:
        name = word.removeprefix("--").partition("=")[0]
        if name == "model" and of_models:
            raise LabError(f"{word}: compare takes --models=A,B.")
        if name in catalogue.sweep.by_name:
            raise LabError(f"{word}: --{name} is an option of `mnistlab sweep`; compare has none of that name.")


def refuse_domains(base: Sequence[str], what: str = "compare trains all models with the same value") -> None:
    """Refuse several values of an option.

    Args:
        base: What was typed.
        what: Why there is one.

    Raises:
        LabError: If there is a domain in it.
    """
    for axis in Space(base).axes:
        raise LabError(f"{axis.entry.where}: {what}. `mnistlab sweep` tries several.")


def check_seed(typed: str | None) -> None:
    """Refuse a seed that is no number.

    Raises:
        LabError: If it is none.
    """
    if typed is not None and not typed.isdecimal():
        raise LabError(f"{SEED}{typed}: a number is wanted to count seeds from. --seeds=5 takes five of them.")
