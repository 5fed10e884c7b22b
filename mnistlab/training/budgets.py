"""A run that is given a time in place of a number of epochs."""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch import Trainer

from mnistlab.callbacks.budget import ENDLESS, Budget, read_budget
from mnistlab.errors import LabError
from mnistlab.options.settling import Settled
from mnistlab.options.written import Source, Written
from mnistlab.training.configured import Configured
from mnistlab.training.found import Found

_ENDS = ("trainer.max_epochs", "trainer.max_steps", "trainer.max_time", "trainer.fast_dev_run")

_OF_A_LENGTH = ("OneCycleLR", "CosineAnnealingLR", "PolynomialLR")
"""Schedules of torch's that end where an option says, and not where the run does."""

UNCOUNTED: Mapping[str, object] = {
    "max_epochs": -1,
    "max_steps": ENDLESS,
    "max_time": None,
    "min_epochs": None,
    "min_steps": None,
}
"""What a trainer is told where the time ends the run."""


def settle_budget(settled: Settled) -> None:
    """Let a budget count, unless a length was typed that is stronger.

    Raises:
        LabError: If it is no time, or both were typed.
    """
    origin = settled.origins.get("budget")
    if origin is None or settled.values.get("budget") is None:
        return
    try:
        read_budget(str(settled.values["budget"]))
    except ValueError as error:
        raise LabError(f"{origin.where}: {error}") from error
    typed = [other for name in _ENDS if (other := settled.origins.get(name)) and _is_typed(other)]
    if typed and _is_typed(origin):
        raise LabError(
            f"{origin.where} and {typed[0].where} exclude each other: a budget is as many epochs as it lasts."
        )
    if typed:
        settled.values["budget"] = None
        del settled.origins["budget"]


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


def _is_typed(entry: Written) -> bool:
    return entry.source is Source.COMMAND_LINE and str(entry.data) not in ("None", "-1", "False")


def _step_s(contents: Mapping[str, Any]) -> float | None:
    """Seconds of a step, as long as they took until a checkpoint; None where there were none."""
    seconds = sum(contents["callbacks"].get("Recorder", {}).get("epoch_seconds", []))
    return seconds / contents["global_step"] if seconds and contents["global_step"] else None
