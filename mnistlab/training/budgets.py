"""A run that is given a time in place of a number of epochs."""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch import Trainer

from mnistlab.callbacks.budget import Budget
from mnistlab.errors import LabError
from mnistlab.options.settling import Settled
from mnistlab.options.written import Source
from mnistlab.training.configured import Configured
from mnistlab.training.found import Found

_OF_A_LENGTH = ("OneCycleLR", "CosineAnnealingLR", "PolynomialLR")
"""Schedules of torch's that end where an option says, and not where the run does."""


def check_budget(configured: Configured, trainer: Trainer) -> None:
    """Refuse what a budget does not go with.

    Raises:
        LabError: Naming the way out.
    """
    if configured.configuration.budget is None:
        return
    where = configured.chosen("budget") or "budget"
    if trainer.world_size > 1:
        raise LabError(f"{where}: several processes would each go by their own clock. Use one, or count epochs.")
    scheduler = configured.configuration.model.init_args.get("scheduler")
    name = scheduler["class_path"].rpartition(".")[2] if isinstance(scheduler, Mapping) else ""
    if name in _OF_A_LENGTH:
        place = configured.chosen_below("model.scheduler") or f"--model.scheduler={name}"
        raise LabError(
            f"{place}: {name} ends after as many steps or epochs as it is told, and with a budget nobody knows how "
            "many. Use --model.scheduler=WarmupCosine, which ends where the run does, or count epochs."
        )


def build_budget(
    configured: Configured, settled: Settled, found: Found | None, begun: float, *, supervised: bool
) -> Budget | None:
    """What ends a run in time; None where epochs or steps are counted.

    Args:
        configured: The command.
        settled: Who said what.
        found: The run that goes on.
        begun: The clock when the command began.
        supervised: Whether it is one of several, which have all been given the same time.
    """
    text = configured.configuration.budget
    if text is None:
        return None
    anew = configured.continued and not supervised and settled.origins["budget"].source is not Source.CHECKPOINT
    step_s = _step_s(found.contents) if anew and found else None
    return Budget(text, begun, tests=configured.configuration.run.test, anew=anew, step_s=step_s)


def _step_s(contents: Mapping[str, Any]) -> float | None:
    """Seconds of a step, as long as they took until a checkpoint; None where there were none."""
    seconds = sum(contents["callbacks"].get("Recorder", {}).get("epoch_seconds", []))
    return seconds / contents["global_step"] if seconds and contents["global_step"] else None
