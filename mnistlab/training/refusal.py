"""What is none of the classes that a net knows: a threshold on what it says about images that it has not learnt from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from mnistlab.checkpoints.reading import RECORD
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData

_BATCH = 256


@dataclass(frozen=True)
class Refusal:
    """Refuses an image."""

    below: float

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any]) -> Self | None:
        return None

    def refuses(self, logits: Tensor) -> Tensor:
        return score(logits) < self.below


def score(logits: Tensor) -> Tensor:
    return logits.logsumexp(1)


def logits_of(model: Classifier, data: ImageData, images: Tensor) -> dict[str, Tensor]:
    """The logits of each head for images (n, channels, height, width) uint8."""
    model.eval()
    with torch.inference_mode():
        batches = [model.by_head(model(data.normalize(some))) for some in images.split(_BATCH)]
    return {head: torch.cat([batch[head] for batch in batches]) for head in model.heads}
