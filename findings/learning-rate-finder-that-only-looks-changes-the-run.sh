#!/usr/bin/env bash
# Guess: LearningRateFinder(update_attr=False) only looks: it restores the weights, and the run then is as without it.
# What happens: weights and learning rate are restored, the state of the random numbers is not: the images come in another
# order, dropout and augmentation draw something else, and the run has other weights.
# Whom it hurts: whoever compares a run with the finder to one without it under the same seed.
set -euo pipefail
source "$(dirname "$0")/packages" torch==2.14.1 lightning==2.6.6

run <<'PYTHON'
import logging

import lightning as L
import torch
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Line(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer, self.lr, self.order = torch.nn.Linear(1, 1), 0.01, []

    def training_step(self, batch, index):
        self.order += batch[0].flatten().int().tolist()
        return (self.layer(batch[0]) - 1).square().mean()

    def validation_step(self, batch, index):
        self.log("loss", [3.0, 1.0, 2.0, 4.0][self.current_epoch])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.lr)


def fit(*callbacks, **options):
    L.seed_everything(0, verbose=False)
    model = Line()
    data = DataLoader(TensorDataset(torch.arange(8.0)[:, None]), batch_size=2, shuffle=True)
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
    keeps = any("Checkpoint" in type(callback).__name__ for callback in callbacks)
    trainer = L.Trainer(callbacks=[*callbacks], max_epochs=4, accelerator="cpu", enable_checkpointing=keeps, **quiet)
    trainer.fit(model, data, data)
    return model


from lightning.pytorch.callbacks import LearningRateFinder

plain, looked = fit(), fit(LearningRateFinder(update_attr=False, num_training_steps=5))
print("same learning rate", plain.lr == looked.lr)
print("same order of the images", plain.order[-32:] == looked.order[-32:])
print("same weights", plain.layer.weight.item() == looked.layer.weight.item())
PYTHON
expect <<'SEEN'
same learning rate True
same order of the images False
same weights False
SEEN
