"""What a net answers about images, beside the right answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mnistlab.errors import LabError

PARTS = ("prediction", "target", "confidence", "target_prob")


@dataclass(frozen=True)
class Answers:
    """What one head has said about images, in their order."""

    prediction: Tensor  # (images,) int64, the class with the largest logit
    target: Tensor  # (images,) int64, the right class
    confidence: Tensor  # (images,) float32, the probability of the prediction
    target_prob: Tensor  # (images,) float32, the probability of the right class

    @property
    def right(self) -> Tensor:
        """(images,) bool: where the prediction is the right class."""
        return self.prediction == self.target


def answers_of(logits: Tensor, probs: Tensor, target: Tensor) -> Answers:
    """What logits and probabilities, both (images, num_classes), say beside the right classes (images,)."""
    prediction = logits.detach().argmax(dim=1)
    probs = probs.detach().float()
    confidence, target_prob = (probs.gather(1, classes[:, None])[:, 0] for classes in (prediction, target))
    return Answers(prediction, target, confidence, target_prob)


def joined(batches: Sequence[Mapping[str, Answers]]) -> dict[str, Answers]:
    """The answers about several batches as those about all their images, on the CPU."""
    return {
        head: Answers(*(torch.cat([getattr(batch[head], part) for batch in batches]).cpu() for part in PARTS))
        for head in batches[0]
    }


def check_images(answers: Answers, num_classes: int) -> None:
    """Refuse answers that are not about the same images, or name classes that there are not."""
    parts: list[Tensor] = [getattr(answers, name) for name in PARTS]
    if len({part.shape for part in parts}) != 1 or parts[0].dim() != 1 or not len(parts[0]):
        raise LabError("they are not about the same images")
    named = torch.cat([answers.prediction, answers.target])
    if num_classes < 1 or int(named.min()) < 0 or int(named.max()) >= num_classes:
        raise LabError(f"they name classes that are not from 0 to {num_classes - 1}")
