"""A run that continues with other options: what was typed counts, the rest goes on bit for bit."""

from collections.abc import Mapping, MutableMapping
from typing import Any


def carry_over(checkpoint: MutableMapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Change the saved states of optimizer and schedule where their options have changed since.

    Torch keeps an optimizer's and a schedule's options in their states, so that loading them would undo in silence
    what the user has typed for the rest of the run. Only what differs is touched. The state of another class is of no
    use: such an optimizer or schedule starts anew.

    Args:
        checkpoint: As it is about to be restored.
        before: The model's options when it was saved, as plain data.
        now: The model's options for the rest of the run.
    """
    optimizers: list[dict[str, Any]] = checkpoint.get("optimizer_states", [])
    schedules: list[dict[str, Any]] = checkpoint.get("lr_schedulers", [])
    changed = _changed(before.get("optimizer"), now.get("optimizer"))
    if changed is None:
        optimizers.clear()
        schedules.clear()  # it holds learning rates of the optimizer that is gone
        return
    for group in (group for state in optimizers for group in state["param_groups"]):
        factor = _factor(group, changed)
        group.update({name: value for name, value in changed.items() if name != "lr"})
        _scale(group, "lr", factor)
        _scale(group, "initial_lr", factor)
        for schedule in schedules:
            _scale(schedule, "base_lrs", factor)
            _scale(schedule, "_last_lr", factor)
    changed = _changed(before.get("scheduler"), now.get("scheduler"))
    if changed is None:
        schedules.clear()
        return
    for schedule in schedules:
        schedule.update({name: value for name, value in changed.items() if name in schedule})


def _changed(before: Any, now: Any) -> dict[str, Any] | None:
    """The options that have another value now; None if it is another class."""
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return {} if before == now else None
    if before.get("class_path") != now.get("class_path"):
        return None
    old = before.get("init_args", {})
    return {name: value for name, value in now.get("init_args", {}).items() if old.get(name) != value}


def _factor(group: Mapping[str, Any], changed: Mapping[str, Any]) -> float | None:
    """By how much the learning rate has changed; None if it has not."""
    if "lr" not in changed:
        return None
    base = group.get("initial_lr", group["lr"])
    return float(changed["lr"]) / float(base) if base else None


def _scale(state: MutableMapping[str, Any], name: str, factor: float | None) -> None:
    if factor is None or name not in state:
        return
    value = state[name]
    state[name] = [entry * factor for entry in value] if isinstance(value, list) else value * factor
