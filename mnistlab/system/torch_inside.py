"""All that leans on the inside of torch: the next version is read against this file and no other.

Seen in torch 2.14; beside each way stands the test that notices where it holds no more.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules import loss
from torch.optim.lr_scheduler import LRScheduler
from torch.utils import deterministic

BuiltinLoss = loss._Loss  # noqa: SLF001
"""The base of torch's losses. tests/losses/test_contracts.py"""


def spare_steps() -> None:
    """Let no step look for a GPU where there is none, nor fill memory that is about to be written.

    Adam asks for GPUs at each step. Lightning sets a variable so that a process can still fork after such a question,
    with which torch opens NVIDIA's library anew each time: a tenth of a step of a small net. Without a GPU there is
    nothing that a fork could break. tests/test_speed.py

    With deterministic algorithms torch fills all new memory, so that programs which read it unwritten do not differ:
    up to a tenth of a step. No operation of a net does. tests/test_determinism.py

    Both belong to the process, so a command sets them and no model does.
    """
    if not torch.cuda.is_available():
        os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


class _Unfetched(dict[str, object]):
    """Weights that nobody has fetched."""


@contextmanager
def unfetched() -> Iterator[None]:
    """Let torchvision make nets with `weights` as it makes them, but fetch and load none. tests/models/test_wrapped.py.

    They cannot be left out beforehand: with them GoogLeNet and Inception see images otherwise.
    """
    models = sys.modules.get("torchvision.models")
    if models is None:
        yield
        return
    weights_of, module = models.ResNet18_Weights.__base__, nn.Module
    fetch, load = weights_of.get_state_dict, module.load_state_dict

    def loaded(net: nn.Module, weights: Mapping[str, object], strict: bool = True, assign: bool = False) -> object:
        return None if isinstance(weights, _Unfetched) else load(net, weights, strict, assign)

    weights_of.get_state_dict = lambda *_, **__: _Unfetched()
    setattr(module, "load_state_dict", loaded)  # noqa: B010 - mypy refuses to assign to a method
    try:
        yield
    finally:
        weights_of.get_state_dict = fetch
        setattr(module, "load_state_dict", load)  # noqa: B010 - see above


class ShortSteps(LRScheduler):
    """A schedule that leaves out what torch does at each step besides, which takes longer than all the rest.

    tests/test_schedules.py compares it with torch's.
    """

    abstract = True  # only to be derived from

    def step(self, epoch: int | None = None) -> None:
        """Go on by one step of the optimizer."""
        if epoch is not None or self._step_count <= 1:  # torch warns where the first step comes before the optimizer's
            super().step(epoch)
            return
        self.stand_at(self.last_epoch + 1)

    def stand_at(self, step: int) -> None:
        """Take up a position and set its learning rates."""
        self.last_epoch = step
        self._step_count = step + 1  # torch counts the call in its constructor
        self.apply()

    def apply(self) -> None:
        """Set the learning rates of the present step."""
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            if isinstance(group["lr"], Tensor):  # a compiled or captured optimizer reads this very tensor
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]
