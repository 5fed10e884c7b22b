"""A run that is continued goes on as if it had never been interrupted."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import distributed as dist

from mnistlab.classifier import Classifier
from mnistlab.data.loader import TrainLoader
from mnistlab.errors import LabError, tell
from mnistlab.system.lightning_inside import Epochwise, callbacks_of, correct_counts, end_epoch_first


class Continuity(Epochwise, Callback):
    """Keeps in a checkpoint what Lightning does not, and sets it right when training goes on.

    These are the random number generators, without which dropout and augmentation would differ from those of an
    undisturbed run, and Lightning's count of batches. Their state is held as tensors, numbers and lists, which a
    checkpoint gives back with `weights_only=True`.
    """

    abstract = True  # the lab adds it by itself

    def __init__(self) -> None:
        self._waiting: Mapping[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        """The generators of this process, and those of the others, which may draw numbers of their own."""
        own = _generators()
        every: list[Any] = [own]
        if _is_one_of_several():
            every = [None] * dist.get_world_size()
            dist.all_gather_object(every, own)
        return {**own, "others": every[1:]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the state until training starts; what happens before may draw numbers."""
        every = [state_dict, *state_dict.get("others", ())]
        several = _is_one_of_several() and len(every) == dist.get_world_size()
        self._waiting = every[dist.get_rank() if several else 0]

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Let the callbacks of this run count, with their options: Lightning keeps a patience with what was counted."""
        end_epoch_first(checkpoint)
        states = checkpoint["callbacks"]
        here = {callback.state_key: callback for callback in callbacks_of(trainer)}
        for key in states.keys() - here.keys():
            if trainer.is_global_zero:
                name = key.partition("{")[0]
                tell(f"note: the run goes on without what {name} has kept: it is not here, or for another metric.")
        if "current_model_state" in checkpoint and not any(isinstance(each, WeightAveraging) for each in here.values()):
            pl_module.load_state_dict(checkpoint["current_model_state"])  # the run goes on without its average
        for callback in trainer.early_stopping_callbacks:
            states.get(callback.state_key, {}).update(patience=callback.patience)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Set the counts, the optimizer and the generators right, which Lightning has restored by now."""
        _correct_counts(trainer)
        if isinstance(pl_module, Classifier):
            pl_module.take_up()
        if self._waiting is not None:
            _set_generators(self._waiting)
            self._waiting = None
        if any(each.wait_count >= max(1, each.patience) for each in trainer.early_stopping_callbacks):
            trainer.should_stop = True  # it has ended the run before

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let early stopping pass over a part of an epoch, with which the run ends: nothing may be validated in it."""
        if not trainer.is_last_batch:
            for callback in trainer.early_stopping_callbacks:
                callback.strict = False


def _is_one_of_several() -> bool:
    return dist.is_available() and dist.is_initialized()


def _generators() -> dict[str, Any]:
    """The state of those of torch on every device, of Python and of NumPy."""
    version, numbers, gauss = random.getstate()
    _, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 - the global one is meant
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
        "python": [version, torch.tensor(numbers), gauss],  # a list would be pickled number by number
        "numpy": [torch.from_numpy(np.asarray(keys).astype(np.int64)), position, has_gauss, cached],
    }


def _set_generators(state: Mapping[str, Any]) -> None:
    torch.set_rng_state(state["torch"].cpu())
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([part.cpu() for part in state["cuda"]])
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers.tolist()), gauss))
    keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), position, has_gauss, cached))  # noqa: NPY002


def _correct_counts(trainer: Trainer) -> None:
    """Correct the count of batches, of which the loader knows how many it has given."""
    loader = trainer.train_dataloader
    seen = correct_counts(trainer, loader.batches_given if isinstance(loader, TrainLoader) else None)
    if seen:
        raise LabError(
            f"the run goes on within an epoch, of which it has seen {seen} batches, and an epoch has no more "
            f"than {trainer.num_training_batches} now. Finish that epoch first, and change its length after it."
        )
