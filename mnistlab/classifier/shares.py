"""What each of several processes has of an epoch and of a step, put together for a checkpoint and divided again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mnistlab.system.lightning_inside import has_stepped

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer


def gathered(trainer: "Trainer", sums: Tensor) -> Tensor:
    """The sums of all processes, a row each; of a single one as they are."""
    return trainer.strategy.all_gather(sums) if trainer.world_size > 1 else sums


def own_sums(trainer: "Trainer", saved: Tensor) -> Tensor:
    """Those of this process; where their number has changed the first one takes up all."""
    rows = saved.reshape(-1, saved.shape[-1])
    if len(rows) == trainer.world_size:
        return rows[trainer.global_rank]
    return rows.sum(dim=0) if trainer.global_rank == 0 else torch.zeros_like(rows[0])


def gathered_gradients(module: "LightningModule") -> dict[str, Tensor]:
    """What has been accumulated for the next step, of each process; nothing where a step has just been made."""
    trainer = module.trainer
    if trainer.state.fn != "fit" or has_stepped(trainer):
        return {}
    every = {
        name: trainer.strategy.all_gather(parameter.grad.detach()).reshape(trainer.world_size, *parameter.shape)
        for name, parameter in module.named_parameters()
        if parameter.grad is not None
    }
    return {name: gradients.clone() for name, gradients in every.items()}  # the next step adds to them


def take_gradients(module: "LightningModule", saved: Mapping[str, Tensor]) -> None:
    """Those of this process; the mean where the run goes on in another number of them."""
    trainer = module.trainer
    for name, parameter in module.named_parameters():
        if (gradients := saved.get(name)) is not None:
            same = len(gradients) == trainer.world_size
            own = gradients[trainer.global_rank] if same else gradients.mean(dim=0)
            parameter.grad = own.to(parameter)
