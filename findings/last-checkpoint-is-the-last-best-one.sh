#!/usr/bin/env bash
# Guess: save_last=True keeps the state after the last epoch as last.ckpt, to go on from.
# What happens: with a monitor, last.ckpt is written only when another checkpoint is: it is the last of the best ones. Here
# the loss is best after the second of four epochs, and last.ckpt is from then; without a monitor it is from the end.
# Whom it hurts: whoever resumes from last.ckpt: two epochs are trained again, after 50 epochs without a gain it is 50.
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


import os

from lightning.pytorch.callbacks import ModelCheckpoint

for name, monitor in {"with a monitor": "loss", "without": None}.items():
    fit(ModelCheckpoint(dirpath=name, monitor=monitor, save_top_k=1, save_last=True))
    last = torch.load(os.path.join(name, "last.ckpt"), weights_only=True)
    print(f"{name}: last.ckpt is of epoch {last['epoch']} of 0 to 3")
PYTHON
expect <<'SEEN'
with a monitor: last.ckpt is of epoch 1 of 0 to 3
without: last.ckpt is of epoch 3 of 0 to 3
SEEN
