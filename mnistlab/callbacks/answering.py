"""Keeps what a test says about each image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.data.likeness import fingerprint
from mnistlab.runs.folder import OUTCOMES
from mnistlab.runs.outcomes import Answers, Outcomes, joined, save_outcomes
from mnistlab.system.lightning_inside import Epochwise


class Answering(Epochwise, Callback):
    """Collects the answers of a test; a test that is shared by several processes has none as a whole."""

    abstract = True  # the lab adds it by itself

    def __init__(self) -> None:
        self._batches: list[Mapping[str, Answers]] = []
        self._shared = False

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin anew."""
        self._batches, self._shared = [], trainer.world_size > 1

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
            self._batches.append(outputs)

    def keep(self, folder: Path, model: Classifier, data: ImageData) -> None:
        """Write all answers of the test into the folder of a run, if there are any as a whole.

        Args:
            folder: The run.
            model: The model that has answered.
            data: What it has been tested on.
        """
        if not self._batches:
            return
        answers = joined(self._batches)
        tested, count = data.test_images(), len(answers[model.primary].prediction)
        target = answers[model.primary].target
        outcomes = Outcomes(answers, fingerprint(tested.images[:count], target), model.heads)
        save_outcomes(folder / OUTCOMES, outcomes)
