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
    """99 % in seconds. No accuracy has been measured yet."""

    model = config(
        CompactCNN62K,
        loss=config(LabelSmoothingLoss, smoothing=0.1),
        optimizer=config(AdamW, lr=6e-3, weight_decay=0.05),
        scheduler=config(WarmupCosine, warmup=0.25, start_factor=0.04),
        channels_last=True,
    )
    data = config(MNIST, batch_size=256, val_size=0, augment=config(RandomDistortion))
    trainer = config(Trainer, max_epochs=1, precision="bf16-mixed")
    run = config(Run, tags=["mnist", "record"])


class Best(Quick99):
    """99.6 % in a minute. No accuracy has been measured yet."""

    model = config(CompactCNN104K)
    trainer = Quick99.trainer.clone(max_epochs=10)
