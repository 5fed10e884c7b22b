"""Values that are accepted and then change nothing about what is measured."""

from collections.abc import Iterator, Sequence

from mnistlab.options.written import Source, Written
from mnistlab.training.configured import Configured

_OF_TRAINING = {
    "run": ("test", "checkpoint_every_n_steps", "stop_when_nan"),
    "model": ("optimizer", "scheduler", "scheduler_interval", "init_from", "freeze"),
    "data": ("batch_size", "augment"),
    "trainer": (
        "max_epochs", "min_epochs", "max_steps", "min_steps", "max_time", "limit_train_batches", "val_check_interval",
        "check_val_every_n_epoch", "num_sanity_val_steps", "accumulate_grad_batches", "gradient_clip_val",
        "gradient_clip_algorithm", "overfit_batches", "detect_anomaly",
    ),
}  # fmt: skip
"""Options that only training looks at."""


def notes_on_measuring(configured: Configured) -> list[str]:
    """What was written and has no effect on a command that does not train, a sentence each."""
    return [*overwritten(configured.typed), *_only_for_training(configured)]


def overwritten(typed: Sequence[Written]) -> Iterator[str]:
    """Options of the command line that a later one of the same name replaces."""
    for number, entry in enumerate(typed):
        if entry.source is not Source.COMMAND_LINE:
            continue  # it stands in a file for a part of the configuration
        for other in typed[number + 1 :]:
            if other.append and entry.key[: len(other.key)] == other.key:
                break  # a list goes on: what follows is said of its next entry
            if other.key == entry.key and not other.append and other.value != entry.value:
                yield f"{entry.where} has no effect: {other.where} comes after it."
                break


def _only_for_training(configured: Configured) -> Iterator[str]:
    for entry in configured.typed:
        section, *rest = entry.key
        if section in ("logger", "budget") or (rest and rest[0] in _OF_TRAINING.get(section, ())):
            yield f"{entry.where} has no effect: {configured.command} does not train."
