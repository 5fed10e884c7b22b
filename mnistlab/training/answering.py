"""Opens pictures, has the data prepare them, and asks the net."""

import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.data.own.decoding import Unreadable, as_seen, opened, understood
from mnistlab.data.pieces import Box
from mnistlab.errors import LabError, tell
from mnistlab.training.answers import names_by_head
from mnistlab.training.found import Found
from mnistlab.training.picture_files import STDIN
from mnistlab.training.refusal import Refusal, find_refusal, look

NO_INK = "there is no ink on it"
_SHOWN = 140  # pixels of the longer side of what is kept of a picture


@dataclass(frozen=True)
class Answered:
    """What the net says about one sign of a picture.

    Attributes:
        file: The file.
        number: Which of its signs, from 1 on in reading order.
        box: Where it is in the picture.
        original: That part of the picture, made small.
        image: What the net has seen, (channels, height, width) uint8; None where there was nothing.
        probs: The probability of each class, by head; empty where there was nothing.
        names: The names of the classes of each head that has some other than their numbers.
        refused: Why this is no answer; nothing where it is one.
    """

    file: str
    number: int
    box: Box
    original: Image.Image
    image: Tensor | None
    probs: Mapping[str, Tensor]
    names: Mapping[str, Sequence[str]]
    refused: str

    def best(self, head: str) -> list[tuple[int, float]]:
        """The classes with their probabilities, the most probable first; of equal ones the first class."""
        values = self.probs[head].tolist()
        return sorted(enumerate(values), key=lambda each: -each[1])

    def name(self, head: str, number: int) -> str:
        """What a class is called; where it has no name its number."""
        return self.names[head][number] if head in self.names else str(number)


def answer(
    pictures: Sequence[str | Image.Image], model: Classifier, data: ImageData, found: Found | None
) -> list[Answered]:
    """What the net says about each sign of each picture.

    Args:
        pictures: The pictures, or their files.
        model: The model, with its weights; it is on the CPU and in float32 afterwards.
        data: What it was trained on, which knows how a picture is prepared.
        found: Its checkpoint, which knows what is no sign.

    Raises:
        LabError: If a file is no picture.
    """
    waiting = [each for number, picture in enumerate(pictures, 1) for each in _read(picture, number, data)]
    images = [each.image for each in waiting if each.image is not None]
    if not images:
        return waiting
    if data.mean is None or data.std is None:  # of random weights nobody has measured it yet
        data.prepare_data()
        data.setup("predict")
    stacked = torch.stack(images)
    model.cpu().float()
    refusal = _refusal(model, data, found)
    seen = look(model, data, stacked)
    probs = {head: model.objective.of(head).probs(seen.logits[head]) for head in model.heads}
    names = names_by_head(model, data)
    unlike = refusal.refuses(stacked, seen, model.primary) if refusal else torch.zeros(len(images), dtype=torch.bool)
    answered: list[Answered] = []
    at = 0
    for each in waiting:
        if each.image is None:
            answered.append(each)
            continue
        own = {head: values[at] for head, values in probs.items()}
        why = "unlike all that it has learnt" if bool(unlike[at]) else ""
        answered.append(replace(each, probs=own, names=names, refused=why))
        at += 1
    return answered


def _refusal(model: Classifier, data: ImageData, found: Found | None) -> Refusal | None:
    """What the checkpoint that was tested says is none of its classes; of another one it is learnt from its data."""
    refusal = Refusal.of(found.contents, found.path) if found else None
    if refusal is None and data.handwriting:
        with suppress(LabError, OSError):
            data.setup("validate")  # nothing is fetched for it
            refusal = find_refusal(model, data)
    if refusal is None:
        why = "the checkpoint that fit has tested, or where the data are" if data.handwriting else "handwriting only"
        tell(f"note: every picture gets an answer: what is none of the classes is known of {why}.")
    return refusal


def _read(given: str | Image.Image, place: int, data: ImageData) -> list[Answered]:
    """The signs of a picture, without answers yet; one without an image where there is none."""
    picture = open_picture(given) if isinstance(given, str) else as_seen(given.copy())
    file = given if isinstance(given, str) else getattr(given, "filename", "") or f"picture {place}"
    parts = data.pictured(picture)
    if not parts:
        return [Answered(file, 1, Box(0, 0, *picture.size), _small(picture), None, {}, {}, NO_INK)]
    return [
        Answered(file, number, part.box, _around(picture, part.box), torch.from_numpy(part.image), {}, {}, "")
        for number, part in enumerate(parts, start=1)
    ]


def open_picture(file: str) -> Image.Image:
    """A picture file as a person sees it.

    Raises:
        LabError: If it is none, or a damaged one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata, and sizes that are large and no attack
            return understood(sys.stdin.buffer.read(), "standard input") if file == STDIN else opened(file)
    except Unreadable as error:
        name, why = str(error).split("\n", 1)
        raise LabError(f"{name} cannot be read as a picture: {why}.") from error


def _around(picture: Image.Image, box: Box) -> Image.Image:
    """A part of a picture with some of what is around it."""
    margin = max(2, round(0.15 * max(box.width, box.height)))
    left, top = max(box.left - margin, 0), max(box.top - margin, 0)
    right, bottom = min(box.right + margin, picture.width), min(box.bottom + margin, picture.height)
    return _small(picture.crop((left, top, right, bottom)))


def _small(picture: Image.Image) -> Image.Image:
    scale = _SHOWN / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
