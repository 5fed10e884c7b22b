"""Random number generators continue where a checkpoint left them."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer


class RandomState(Callback):
    """Keeps the state of all random number generators in the checkpoint.

    Lightning does not, so that dropout and augmentation of a resumed run would differ from those of an undisturbed one.
    The state is held as tensors, numbers and lists, which a checkpoint gives back with `weights_only=True`.
    """

    abstract = True  # the lab adds it by itself

    def __init__(self) -> None:
        self._waiting: Mapping[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        """The generators of torch on every device, of Python and of NumPy."""
        version, numbers, gauss = random.getstate()
        _, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 - the global one is meant
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
            "python": [version, list(numbers), gauss],
            "numpy": [torch.from_numpy(np.asarray(keys).astype(np.int64)), position, has_gauss, cached],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the state until training starts; what happens before may draw numbers."""
        self._waiting = state_dict

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Set the generators."""
        del trainer, pl_module
        if self._waiting is None:
            return
        state, self._waiting = self._waiting, None
        torch.set_rng_state(state["torch"].cpu())
        if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all([part.cpu() for part in state["cuda"]])
        version, numbers, gauss = state["python"]
        random.setstate((version, tuple(numbers), gauss))
        keys, position, has_gauss, cached = state["numpy"]
        np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), position, has_gauss, cached))  # noqa: NPY002
