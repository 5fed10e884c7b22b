#!/usr/bin/env bash
# Guess: EMAWeightAveraging(update_starting_at_epoch=100) leaves a run of 4 epochs as it is, for it delays the average.
# What happens: it delays nothing: steps are averaged from the first on, as without the option, and the weights at the end
# are the average. update_starting_at_step=100 in a run of 16 steps delays for ever, and fit then puts the weights of
# before the training into the model: all that was learnt is lost.
# Whom it hurts: whoever means to let the average begin after the warm-up.
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


from lightning.pytorch.callbacks import EMAWeightAveraging

L.seed_everything(0, verbose=False)
start, plain = Line().layer.weight.item(), fit().layer.weight.item()
averaged = fit(EMAWeightAveraging(decay=0.5)).layer.weight.item()
later = fit(EMAWeightAveraging(decay=0.5, update_starting_at_epoch=100)).layer.weight.item()
never = fit(EMAWeightAveraging(decay=0.5, update_starting_at_step=100)).layer.weight.item()
print("from epoch 100 on: as without an average", later == plain, "- as one from the first step on", later == averaged)
print("from step 100 of 16 on: as without an average", never == plain, "- as before the training", never == start)
PYTHON
expect <<'SEEN'
from epoch 100 on: as without an average False - as one from the first step on True
from step 100 of 16 on: as without an average False - as before the training True
SEEN
