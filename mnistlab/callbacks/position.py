"""A run that is continued goes on at the right batch."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from mnistlab.data.loader import TrainLoader


class Position(Callback):
    """Corrects Lightning's count of batches where it does not say how much of the epoch is left.

    Lightning counts batches and the loader counts images, which differs once the batch size has changed. And where
    `max_steps` is set, Lightning 2.6 ends an epoch that is over a second time.
    """

    abstract = True  # the lab adds it by itself

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Correct the counts, which have been restored by now."""
        del pl_module
        fit_loop, epoch_loop = trainer.fit_loop, trainer.fit_loop.epoch_loop
        if fit_loop.restarted_on_epoch_end:
            fit_loop.epoch_progress.increment_completed()
            fit_loop.reset_restart_stage()
            epoch_loop.restarting = False
            return
        loader = trainer.train_dataloader
        count: Any = epoch_loop.batch_progress.current
        if epoch_loop.restarting and isinstance(loader, TrainLoader):
            by = loader.batches_given - count.ready
            count.ready += by
            count.started += by
            count.processed += by
            count.completed += by
