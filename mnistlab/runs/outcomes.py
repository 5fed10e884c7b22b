"""What a test said about each image: kept with the run, so that runs can be compared image by image."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from mnistlab.errors import LabError
from mnistlab.runs.predictions import PARTS, Answers, check_images
from mnistlab.system.files import UnreadableError, check_file, write_bytes

_MOST_BYTES = 1 << 30


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
    """Read what `save_outcomes` has written."""
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
