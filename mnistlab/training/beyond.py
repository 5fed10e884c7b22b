"""What somebody wrote for a time after the end of the run."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from mnistlab.data import ImageData
from mnistlab.errors import LabError
from mnistlab.options.building import build_arguments
from mnistlab.schedules import RunSchedule
from mnistlab.text.values import counted
from mnistlab.training.configured import Configured

_WAITS = ("patience", "step_size", "milestones", "T_max", "total_iters")
"""Options of torch's schedules that say how long nothing happens."""

_LENGTHS = ("T_max", "total_iters", "total_steps", "T_0", "milestones")
"""Options of torch's schedules that say when something happens, in epochs or steps."""


@dataclass(frozen=True)
class Length:
    """How long a training run is."""

    epochs: int  # the number of epochs, the last one perhaps a part
    steps: int
    steps_per_epoch: int  # those of a whole epoch
    validations: int  # how often it is validated
    validated_epochs: int  # in how many epochs


def beyond(configured: Configured, data: ImageData, trainer: Trainer) -> Iterator[str]:
    """What would happen only after the run's end, a sentence each.

    Args:
        configured: The command.
        data: Its data.
        trainer: Its trainer, which knows its optimizers already.

    Raises:
        LabError: If a schedule ends before the run does, or an average of the weights begins after it.
    """
    length = None if configured.configuration.budget else _length(data, trainer)
    if length is not None:
        _averages(configured, length)
        yield from _intervals(configured, trainer, length)
        yield from _early_stopping(configured, length)
        yield from _schedule(configured, trainer, length)


def validates(data: ImageData, trainer: Trainer) -> bool:
    """Whether there is anything to validate, and it is not left out."""
    return not data.lacks("val") and trainer.limit_val_batches != 0


def _length(data: ImageData, trainer: Trainer) -> Length | None:
    """How long the run is; None for one without an end, or one that only tries the code.

    To ask for it reads the data, if no schedule has done so before: a step that several processes make together, while
    this one is alone here.
    """
    if trainer.world_size > 1 and not math.isfinite(trainer.num_training_batches):
        return None
    steps = trainer.estimated_stepping_batches
    if not (math.isfinite(steps) and math.isfinite(trainer.num_training_batches)):
        return None  # no end, or data that nobody has looked at yet
    if getattr(trainer, "fast_dev_run", False):
        return None
    batches = int(trainer.num_training_batches)
    steps_per_epoch = max(1, math.ceil(batches / trainer.accumulate_grad_batches))
    epochs = math.ceil(int(steps) / steps_per_epoch)
    every, each = trainer.check_val_every_n_epoch, int(min(trainer.val_check_batch or 1, 2**31))
    if not validates(data, trainer):
        validations = validated = 0
    elif every is None:
        validations = epochs * batches // each
        validated = min(epochs, validations)
    else:
        validated = epochs // every
        validations = validated * (batches // each)
    return Length(epochs, int(steps), steps_per_epoch, validations, validated)


def _intervals(configured: Configured, trainer: Trainer, length: Length) -> Iterator[str]:
    """What would happen only after the run's end."""
    run = f"the run has {counted(length.epochs, 'epoch')} and {counted(length.steps, 'step')}"
    where = configured.chosen("run.checkpoint_every_n_steps")
    if where and (configured.configuration.run.checkpoint_every_n_steps or 0) >= length.steps:
        yield f"{where} has no effect: {run}."
    where = configured.chosen("trainer.check_val_every_n_epoch")
    if where and (configured.configuration.trainer["check_val_every_n_epoch"] or 0) > length.epochs:
        yield f"{where}: nothing is validated, {run}."
    if not (trainer.max_steps > 0 and trainer.max_epochs and trainer.max_epochs > 0):
        return
    by_epochs = trainer.max_epochs * length.steps_per_epoch
    if (where := configured.chosen("trainer.max_epochs")) and trainer.max_steps < by_epochs:
        yield f"{where} has no effect: max_steps={trainer.max_steps} ends the run first, in epoch {length.epochs}."
    if (where := configured.chosen("trainer.max_steps")) and trainer.max_steps > by_epochs:
        yield f"{where} has no effect: max_epochs={trainer.max_epochs} ends the run first, after {by_epochs} steps."


def _early_stopping(configured: Configured, length: Length) -> Iterator[str]:
    """The first validation always counts as an improvement, and to stop after the last one changes nothing."""
    for key, name, options in configured.callbacks():
        if name != "EarlyStopping" or "patience" not in options:
            continue
        others = options.get("stopping_threshold") is not None or options.get("divergence_threshold") is not None
        where = configured.chosen(f"{key}.patience") or configured.chosen(key)
        by_epoch = options.get("check_on_train_epoch_end") or not str(options["monitor"]).startswith("val/")
        checks = length.epochs if by_epoch else length.validations
        if where and not others and options["patience"] + 1 >= checks:
            times = counted(checks, "epoch" if by_epoch else "validation")
            yield f"{where}: {name} cannot end this run: its patience is {options['patience']}, the run has {times}."


def _averages(configured: Configured, length: Length) -> None:
    """Refuse an average of the weights that would never begin, or not when it is said to."""
    for key, name, options in configured.callbacks():
        if name != "EMAWeightAveraging":
            continue
        step, epoch = options["update_starting_at_step"], options["update_starting_at_epoch"]
        every = options["update_every_n_steps"]
        where = configured.chosen_below(key) or key
        if epoch is not None and every > 0 and step is None:
            option = f"--{key.rpartition('.')[0]}.update_starting_at_step={epoch * length.steps_per_epoch}"
            raise LabError(f"{where}: update_starting_at_epoch delays nothing, each step counts besides. Use {option}.")
        by_step = every > 0 and (step or 0) < length.steps
        if not by_step and (epoch is None or epoch >= length.epochs):
            run = f"{counted(length.epochs, 'epoch')} and {counted(length.steps, 'step')}"
            raise LabError(f"{where}: {name} would keep untrained weights: the run has {run}, and it never begins.")


def _schedule(configured: Configured, trainer: Trainer, length: Length) -> Iterator[str]:
    """A schedule that never changes the learning rate, or would go on after the run."""
    if not trainer.lr_scheduler_configs:
        return
    config = trainer.lr_scheduler_configs[0]
    name, options = type(config.scheduler).__name__, configured.options("scheduler")
    where = configured.chosen_below("model.scheduler")
    if isinstance(config.scheduler, RunSchedule):
        if limit := configured.chosen("trainer.max_time"):
            yield f"{limit}: {name} is as long as max_epochs or max_steps; where time is over first, it is cut off."
        if where and (options.get("warmup_epochs") or 0) >= length.epochs:
            yield f"{where}: the run does not leave its warm-up: it has {counted(length.epochs, 'epoch')}."
        return
    plateau = isinstance(config.scheduler, ReduceLROnPlateau)
    unit = "step" if config.interval == "step" else "validated epoch" if plateau else "epoch"
    units = {"step": length.steps, "epoch": length.epochs, "validated epoch": length.validated_epochs}[unit]
    total = getattr(config.scheduler, "total_steps", None)
    if total is not None and total < units:
        place = where or configured.chosen("trainer.max_epochs") or "model.scheduler"
        raise LabError(f"{place}: {name} ends after {counted(total, unit)}, but the run has {counted(units, unit)}.")
    if where is None:
        return
    if not _changes(config.scheduler, options, units):
        cause = next((f"{option} is {options[option]}, " for option in _WAITS if option in options), "")
        yield f"{where}: {name} never changes the learning rate: {cause}the run has {counted(units, unit)}."
        return
    for option in _LENGTHS:
        value = options.get(option)
        last = max(value) + 1 if isinstance(value, list) and value else value
        if isinstance(last, int) and last > units:
            place = configured.chosen(f"model.scheduler.{option}") or where
            yield f"{place}: {option} is {value}, but the run has {counted(units, unit)}: {name} is cut off."


def _changes(scheduler: LRScheduler, options: Mapping[str, Any], units: int) -> bool:
    """Whether a schedule of this kind sets a second learning rate before a run of so many units ends.

    A twin of it is stepped on an optimizer of one value; a metric that it watches never improves.
    """
    lr = float(scheduler.optimizer.param_groups[0].get("initial_lr", scheduler.optimizer.param_groups[0]["lr"]))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr or 1.0, momentum=0.9)
    arguments = build_arguments(type(scheduler), options, supplied=1)
    metric = (1.0,) if isinstance(scheduler, ReduceLROnPlateau) else ()
    build: Callable[..., Any] = type(scheduler)
    twin = build(optimizer, **arguments)
    first = optimizer.param_groups[0]["lr"]
    optimizer.step()
    for _ in range(units - 1):
        twin.step(*metric)
        if optimizer.param_groups[0]["lr"] != first:
            return True
    return False
