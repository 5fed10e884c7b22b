"""What a net answers about each image, and a test whose answers are kept with the run, to be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from mnistlab.errors import LabError
from mnistlab.system.files import UnreadableError, check_file, write_bytes

PARTS = ("prediction", "target", "confidence", "target_prob")
_MOST_BYTES = 1 << 30


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
    """Refuse answers that are not about the same images, or name classes that there are not.

    Raises:
        LabError: If they do.
    """
    parts: list[Tensor] = [getattr(answers, name) for name in PARTS]
    if len({part.shape for part in parts}) != 1 or parts[0].dim() != 1 or not len(parts[0]):
        raise LabError("they are not about the same images")
    named = torch.cat([answers.prediction, answers.target])
    if num_classes < 1 or int(named.min()) < 0 or int(named.max()) >= num_classes:
        raise LabError(f"they name classes that are not from 0 to {num_classes - 1}")


@dataclass(frozen=True)
class Outcomes:
    """A test, image by image."""

    answers: Mapping[str, Answers]  # those of each head, the primary one first
    images: str  # the fingerprint of the images and their primary classes: only tests of the same ones can be compared
    num_classes: Mapping[str, int]  # the number of classes of each head


def save_outcomes(path: Path, outcomes: Outcomes) -> None:
    """Write a safetensors file, whole or not at all."""
    tensors = {}
    for head, answers in outcomes.answers.items():
        for part in PARTS:
            values: Tensor = getattr(answers, part)
            tensors[f"{head}.{part}"] = (values.to(torch.int16) if values.dtype == torch.int64 else values).contiguous()
    sizes = ",".join(f"{head}={size}" for head, size in outcomes.num_classes.items())
    write_bytes(path, save(tensors, {"format": "1", "images": outcomes.images, "heads": sizes}))


def load_outcomes(path: Path) -> Outcomes:
    """Read what `save_outcomes` has written.

    Raises:
        LabError: If it is not there, or something else.
    """
    try:
        check_file(path, _MOST_BYTES)
        tensors = load_file(path)
        with safe_open(path, framework="pt") as file:
            said = file.metadata() or {}
        sizes = {head: int(size) for head, _, size in (part.partition("=") for part in said["heads"].split(","))}
        answers = {}
        for head, size in sizes.items():
            prediction, target, confidence, target_prob = (tensors[f"{head}.{part}"] for part in PARTS)
            answers[head] = Answers(prediction.long(), target.long(), confidence, target_prob)
            check_images(answers[head], size)
        return Outcomes(answers, said["images"], sizes)
    except FileNotFoundError as error:
        raise LabError(f"{path.parent} has no test outcomes: {path.name} is not there.") from error
    except UnreadableError:
        raise
    except LabError as error:
        raise LabError(f"{path} does not hold the answers of a test: {error}.") from error
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise LabError(f"{path} does not hold the outcomes of a test: {error}.") from error
