"""Keeps what a test says about each image."""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from mnistlab.classifier.answers import BatchAnswers
from mnistlab.system.lightning_inside import Epochwise


class Answering(Epochwise, Callback):
    """Collects the answers of a test; a test that is shared by several processes has none as a whole."""

    abstract = True  # the lab adds it by itself

    def __init__(self) -> None:
        self.batches: list[Mapping[str, BatchAnswers]] = []  # of each head to each batch
        self._shared = False

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin anew."""
        self.batches, self._shared = [], trainer.world_size > 1

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the answers to a batch where they are: nothing here waits for the device."""
        if isinstance(outputs, Mapping) and not self._shared:
            self.batches.append(outputs)
