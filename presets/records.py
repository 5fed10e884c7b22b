"""The highest accuracy in the least time on a CPU: a compact net, distorted images, bfloat16.

All 60,000 training images are used; nothing is held out, and the final weights are those that are tested.
"""

from lightning.pytorch import Trainer
from torch.optim import AdamW

from mnistlab import MNIST, CompactCNN62K, CompactCNN104K, Preset, config
from mnistlab.data import RandomDistortion
from mnistlab.losses import LabelSmoothingLoss
from mnistlab.schedules import WarmupCosine
from mnistlab.sections import Run


class Quick99(Preset):
    """99.25 ± 0.07 % (n = 5) after 0.7 epochs, in 6 s on two cores.

    Measured: official test set, final weights, seeds 0 to 4; 6.3 ± 0.4 s of training; 2 virtual EPYC cores, torch
    2.14.1, 30 November 2026. docs/results.md has each run.
    """

    model = config(
        CompactCNN62K,
        loss=config(LabelSmoothingLoss, smoothing=0.1),
        optimizer=config(AdamW, lr=2e-2, weight_decay=0.05),
        scheduler=config(WarmupCosine, warmup=0.25, start_factor=0.04),
        channels_last=True,
    )
    data = config(MNIST, batch_size=192, val_size=0, augment=config(RandomDistortion))
    trainer = config(Trainer, max_epochs=1, limit_train_batches=0.7, precision="bf16-mixed")
    run = config(Run, tags=["mnist", "record"])


class Best(Quick99):
    """99.61 ± 0.05 % (n = 5) after ten epochs, in 71 s on two busy cores (36 s scaled to quiet ones).

    Measured: official test set, final weights, seeds 0 to 4; 71.0 ± 6.9 s of training, 36.1 s scaled to a quiet
    machine; 2 virtual Xeon cores, torch 2.14.1, commit 5a43086, November 2026. docs/results.md has each run.
    """

    model = config(CompactCNN104K, optimizer=config(AdamW, lr=6e-3, weight_decay=0.05))
    data = Quick99.data.clone(batch_size=256)
    trainer = Quick99.trainer.clone(max_epochs=10, limit_train_batches=None)
