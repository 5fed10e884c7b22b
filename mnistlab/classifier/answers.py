"""What a net answers about the images of a batch, where they lie; of a whole test, as it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mnistlab.runs.outcomes import PARTS, Answers


@dataclass(frozen=True)
class BatchAnswers:
    """What one head says about the images of a batch, in their order."""

    prediction: Tensor  # (images,) int64, the class with the largest logit
    target: Tensor  # (images,) int64, the right class
    confidence: Tensor  # (images,) float32, the probability of the prediction
    target_prob: Tensor  # (images,) float32, the probability of the right class

    @property
    def right(self) -> Tensor:
        """(images,) bool: where the prediction is the right class."""
        return self.prediction == self.target


def answers_of(logits: Tensor, probs: Tensor, target: Tensor) -> BatchAnswers:
    """What logits and probabilities, both (images, num_classes), say beside the right classes (images,)."""
    prediction = logits.detach().argmax(dim=1)
    probs = probs.detach().float()
    confidence, target_prob = (probs.gather(1, classes[:, None])[:, 0] for classes in (prediction, target))
    return BatchAnswers(prediction, target, confidence, target_prob)


def joined(batches: Sequence[Mapping[str, BatchAnswers]]) -> dict[str, Answers]:
    """The answers about several batches as those about all their images."""
    return {
        head: Answers(*(torch.cat([getattr(batch[head], part) for batch in batches]).cpu().numpy() for part in PARTS))
        for head in batches[0]
    }
