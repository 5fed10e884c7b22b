"""All that leans on the inside of Lightning: the next version is read against this file and no other.

Seen in Lightning 2.6.6; beside each way stands the test that notices where it holds no more. What Lightning documents
is no inside: it is used where it is wanted, that of clusters in `training/clusters.py`. Lightning is not imported.
"""

import inspect
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from mnistlab.system.shapes import both, count, fields, flag, listed, mapping

if TYPE_CHECKING:
    from lightning.pytorch import Callback, Trainer

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

# What a step costs. tests/test_speed.py knows what it must still do; `mnistlab bench` notices where it costs again.


class Epochwise:
    """A callback that Lightning does not ask at each step, but for the hooks that a subclass writes itself.

    Lightning asks every callback six times a step, which costs a hundredth of a step of a small net; it leaves out what
    cannot be called. To stand before `Callback` among the bases.
    """


for _hook in (
    "on_train_batch_start",
    "on_train_batch_end",
    "on_before_zero_grad",
    "on_before_backward",
    "on_after_backward",
    "on_before_optimizer_step",
    "on_validation_batch_start",
    "on_validation_batch_end",
):
    setattr(Epochwise, _hook, None)


class PlainAttributes:
    """A module that sets a plain value anew without asking whether it is a tensor; Lightning does so 40 times a step.

    To stand before `LightningModule` among the bases.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute."""
        own = self.__dict__
        if type(value) in (str, int, float, bool, type(None)) and name in own:
            own[name] = value
        else:
            super().__setattr__(name, value)


def with_signature(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Keep the signature of a function where `inspect` looks first; Lightning asks for that of a step at each step."""
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return function


class OwnOrder:
    """A loader that is told of a new epoch. tests/data/test_images.py trains with one; tests/runs/test_resume.py."""

    batch_sampler = None  # Lightning asks for it on every loader that has a `sampler`

    @property
    def sampler(self) -> "OwnOrder":
        """Where Lightning looks for `set_epoch`."""
        return self


# How far a training is. tests/runs/test_every_checkpoint.py goes on from each that a run has written.

_progress = fields(dict.fromkeys(("ready", "completed"), count), dict.fromkeys(("started", "processed"), count))
_tracked = fields(dict.fromkeys(("total", "current"), _progress))
_batches = both(_tracked, fields({"is_last_batch": flag}))
_steps = fields({"optimizer": fields(dict.fromkeys(("step", "zero_grad"), _tracked))})

LOOPS = fields(
    {"epoch_progress": _tracked, "epoch_loop.batch_progress": _batches},
    {
        "state_dict": fields({}, {"combined_loader": listed(mapping)}),
        "epoch_loop.state_dict": fields({}, {"_batches_that_stepped": count}),
        "epoch_loop.scheduler_progress": _tracked,
        "epoch_loop.automatic_optimization.optim_progress": _steps,
        "epoch_loop.manual_optimization.optim_step_progress": _tracked,
        "epoch_loop.val_loop.batch_progress": _batches,
    },
)
"""What a checkpoint has of the training loop."""


def progress_of(trainer: "Trainer") -> tuple[int, int]:
    """How many epochs are done, and how many batches are given of the one that goes on; its data are made ready."""
    loop = trainer.fit_loop
    loop.setup_data()
    epochs: Any = loop.epoch_progress.current
    batches: int = loop.epoch_loop.batch_progress.current.ready if epochs.started > epochs.processed else 0
    return epochs.processed, batches


def epochs_begun(checkpoint: Mapping[str, Any]) -> int:
    """How many epochs a checkpoint has come to. tests/runs/test_resume.py."""
    begun: int = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["started"]
    return begun


def epochs_ended(checkpoint: Mapping[str, Any]) -> int:
    """How many epochs a checkpoint has come to the end of. tests/runs/test_resume.py."""
    ended: int = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    return ended


def end_at(trainer: "Trainer", steps: int) -> None:
    """Let a training end after so many steps of the optimizer. tests/callbacks/test_budget.py."""
    trainer.fit_loop.epoch_loop.max_steps = steps


def has_stepped(trainer: "Trainer") -> bool:
    """Whether the batch that was given last has ended in a step of the optimizer."""
    batches = trainer.fit_loop.epoch_loop.batch_progress
    return bool(batches.is_last_batch or batches.current.ready % trainer.accumulate_grad_batches == 0)


def is_epoch_over(trainer: "Trainer") -> bool:
    """Whether no further batch of this epoch will be trained on."""
    return trainer.fit_loop.epoch_loop.done


def validates_after(trainer: "Trainer", batch_idx: int) -> bool:
    """Whether a validation may follow this batch: a run continued from a checkpoint before it would leave it out."""
    every, every_epoch = trainer.val_check_batch, trainer.check_val_every_n_epoch
    if not trainer.enable_validation or (every_epoch is not None and (trainer.current_epoch + 1) % every_epoch != 0):
        return False
    batches = trainer.fit_loop.total_batch_idx + 1 if every_epoch is None else batch_idx + 1
    on_time = isinstance(every, int) and batches % every == 0
    return on_time or (trainer.should_stop and is_epoch_over(trainer))


def end_epoch_first(checkpoint: Mapping[str, Any]) -> None:
    """Let an epoch be validated and ended of which a checkpoint was written right after the last batch.

    Lightning leaves both out. The state is turned into that of a validation which has just begun.
    """
    loop = checkpoint["loops"]["fit_loop"]
    epochs, batches = loop["epoch_progress"]["current"], loop["epoch_loop.batch_progress"]
    after_last = batches["is_last_batch"] and batches["current"]["completed"] < batches["current"]["processed"]
    if after_last and epochs["processed"] < epochs["started"]:
        batches["current"]["completed"] += 1
        batches["total"]["completed"] += 1
        begun = {"ready": 1, "started": 1, "processed": 0, "completed": 0}
        loop["epoch_loop.val_loop.batch_progress"]["total"].update(begun)


def correct_counts(trainer: "Trainer", given: int | None) -> int:
    """Correct Lightning's count of batches where a run goes on.

    Lightning counts batches and the loader counts images, which differs once the batch size has changed. And where
    `max_steps` is set, Lightning ends an epoch that is over a second time.

    Args:
        trainer: The trainer.
        given: How many batches the loader has given of the epoch, where it knows.

    Returns:
        How many batches have been seen of an epoch that should go on and has no more than those; else 0.
    """
    fit_loop, epoch_loop = trainer.fit_loop, trainer.fit_loop.epoch_loop
    if fit_loop.restarted_on_epoch_end:
        fit_loop.epoch_progress.increment_completed()
        fit_loop.reset_restart_stage()
        epoch_loop.restarting = False
        return 0
    seen: Any = epoch_loop.batch_progress.current
    if epoch_loop.restarting and given is not None:
        by = given - seen.ready
        seen.ready += by
        seen.started += by
        seen.processed += by
        seen.completed += by
    is_stuck = trainer.num_training_batches <= seen.ready and not epoch_loop.batch_progress.is_last_batch
    return int(seen.ready) if epoch_loop.restarting and is_stuck else 0


# Besides.


def refusals() -> tuple[type[Exception], ...]:
    """What Lightning raises where it does not take its options; nothing where it has not been imported."""
    if "lightning" not in sys.modules:
        return ()
    from lightning.fabric.utilities.exceptions import MisconfigurationException  # noqa: PLC0415 - see above

    return (MisconfigurationException,)


def callbacks_of(trainer: "Trainer") -> "list[Callback]":
    """All callbacks, in the order in which they are asked; mypy does not see them. Every test of `fit` notices."""
    return trainer.callbacks  # type: ignore[attr-defined, no-any-return]


def take_over_processes(trainer: "Trainer") -> list[subprocess.Popen[bytes]]:
    """Look after those that it has started in its place: it would end this one by SIGKILL. See tests/test_ddp.py."""
    started, taken = getattr(trainer.strategy.launcher, "procs", []), []
    while started and isinstance(started[0], subprocess.Popen):
        taken.append(started.pop(0))
    return taken


NOISE = (
    r".*does not have many workers.*",  # the whole set lies in memory, workers would only copy it
    r".*instantiate_classes.*deprecated.*",  # Lightning calls jsonargparse by an old name
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",  # Lightning calls torch by an old name
    r".*Checkpoint directory .* exists and is not empty.*",  # a run that is continued
    r"`ModelCheckpoint\(monitor=.*could not find the monitored key.*",  # a part of an epoch that is not validated
    r".*callbacks used to create the checkpoint need to be provided.*",  # said in a line of the lab's
    r".*IterableDataset.*has `__len__` defined.*",  # it is true for one process and for several
    r".*requested to overfit but enabled train dataloader shuffling.*",  # it gives the same batches in the same order
    r".*recommended to use `self.log\(.*sync_dist=True\)`.*",  # what is logged is summed over all processes already
    r".*Total length of `list` across ranks is zero.*",  # val_size=0: nothing is validated
    r".*Trying to infer the `batch_size`.*",  # nothing is averaged over it
    r".*The number of training batches.*log_every_n_steps.*",  # metrics are kept per epoch
)
"""What is said on every run and nobody can act on, each with its reason. tests/test_streams.py"""


def quiet() -> None:
    """Keep adverts and deprecations of Lightning off the screen; warnings that can be acted on stay."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning", "torch.distributed"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in NOISE:
        warnings.filterwarnings("ignore", message=message)
