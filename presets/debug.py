"""Presets for finding faults: each makes a run short, small or talkative. They go with any model and any data.

For example `mnistlab fit --config=DryRun --model=SmallModel`.
"""

from lightning.pytorch import Trainer

from mnistlab import Preset, config
from mnistlab.callbacks import TimeTable
from mnistlab.sections import Run


class DryRun(Preset):
    """One batch of training, validation and test: does everything fit together? No checkpoint is written."""

    trainer = config(Trainer, fast_dev_run=True)


class LimitedRun(Preset):
    """Two epochs of 20 batches, with validation and test cut to 5: the whole course of a run in seconds.

    No accuracy is claimed.
    """

    trainer = config(Trainer, max_epochs=2, limit_train_batches=20, limit_val_batches=5, limit_test_batches=5)


class OverfitBatches(Preset):
    """The same 3 batches for 50 epochs: a model that cannot learn them by heart has a fault. The test is left out."""

    trainer = config(Trainer, max_epochs=50, overfit_batches=3)
    run = config(Run, test=False)


class ProfiledRun(LimitedRun):
    """A limited run that ends with a table of where the time went. The test is left out."""

    run = config(Run, test=False)
    trainer = config(Trainer, profiler=config(TimeTable))


class DetectAnomaly(LimitedRun):
    """A limited run that stops at the first operation whose gradient is no number, and names it."""

    trainer = config(Trainer, detect_anomaly=True)
