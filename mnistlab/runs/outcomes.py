"""A test whose answers are kept with the run, image by image, to be compared and shown; without torch."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mnistlab.errors import LabError
from mnistlab.system.files import UnreadableError, check_file, write_bytes
from mnistlab.text.values import cut

MISTAKES = 24
"""Of so many wrong answers the images are kept, at most."""

PARTS = ("prediction", "target", "confidence", "target_prob")
_MOST_BYTES = 1 << 30
_LARGEST = 1 << 20  # bytes of an image that is kept: what a page has room for
_LONGEST = 30  # characters of a class's name that are shown
_AXES = 4  # image, channel, row, column
_MISTAKEN = ("mistakes.rows", "mistakes.images")


@dataclass(frozen=True)
class Answers:
    """What one head has said about images, in their order."""

    prediction: NDArray[np.int64]  # (images,) the class with the largest logit
    target: NDArray[np.int64]  # (images,) the right class
    confidence: NDArray[np.float32]  # (images,) the probability of the prediction
    target_prob: NDArray[np.float32]  # (images,) the probability of the right class

    @property
    def right(self) -> NDArray[np.bool_]:
        """(images,): where the prediction is the right class."""
        right: NDArray[np.bool_] = self.prediction == self.target
        return right

    def worst(self, most: int = MISTAKES) -> NDArray[np.int64]:
        """The rows of wrong answers, those with the highest confidence first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")][:most]


def check_images(answers: Answers, num_classes: int) -> None:
    """Refuse answers that are not about the same images, or name classes that there are not.

    Raises:
        LabError: If they do.
    """
    shapes = {getattr(answers, name).shape for name in PARTS}
    if shapes != {(answers.target.size,)} or not answers.target.size:
        raise LabError("they are not about the same images")
    named = np.concatenate([answers.prediction, answers.target])
    if num_classes < 1 or named.min() < 0 or named.max() >= num_classes:
        raise LabError(f"they name classes that are not from 0 to {num_classes - 1}")


@dataclass(frozen=True)
class Mistakes:
    """The images of the worst mistakes of a test."""

    rows: NDArray[np.int64]  # (mistakes,) their numbers among the test images, as `Answers.worst` has them
    images: NDArray[np.uint8]  # (mistakes, channels, height, width)

    def are_of(self, answers: Answers) -> bool:
        """Whether these are the images of its worst mistakes, and a page has room for them."""
        images, rows = self.images, answers.worst()
        of_pixels = images.dtype == np.dtype(np.uint8) and images.ndim == _AXES
        fit = of_pixels and len(images) == len(rows) and 0 < images.size <= len(rows) * _LARGEST
        return fit and np.array_equal(self.rows, rows)


@dataclass(frozen=True)
class Outcomes:
    """A test, image by image."""

    answers: Mapping[str, Answers]  # those of each head, the primary one first
    images: str  # the fingerprint of the images and their primary classes: only tests of the same ones can be compared
    num_classes: Mapping[str, int]  # the number of classes of each head
    mistakes: Mistakes | None = None  # those of the primary head; older runs have none
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)  # of heads whose data have some

    @property
    def primary(self) -> Answers:
        """The answers of the primary head."""
        return next(iter(self.answers.values()))

    def head(self, name: str | None) -> str:
        """The head of this name, the primary one where none is given.

        Raises:
            LabError: If there is no such head.
        """
        if name is not None and name not in self.answers:
            raise LabError(f"there is no head {name!r}: the test has {', '.join(self.answers)}.")
        return next(iter(self.answers)) if name is None else name

    def names(self, head: str) -> list[str]:
        """What the classes of a head are called: by their names where they have some, else by their numbers."""
        named = self.class_names.get(head, ())
        size = self.num_classes[head]
        return [cut(name, _LONGEST) for name in named] if len(named) == size else [str(each) for each in range(size)]


def save_outcomes(path: Path, outcomes: Outcomes) -> None:
    """Write a safetensors file, whole or not at all; images that are too large for a page are left out."""
    tensors: dict[str, NDArray[Any]] = {}
    for head, answers in outcomes.answers.items():
        for part in PARTS:
            values: NDArray[Any] = getattr(answers, part)
            tensors[f"{head}.{part}"] = values.astype(np.int16) if values.dtype.kind == "i" else values
    mistakes = outcomes.mistakes
    if mistakes is not None and mistakes.are_of(outcomes.primary):
        tensors |= dict(zip(_MISTAKEN, (mistakes.rows, mistakes.images), strict=True))
    sizes = ",".join(f"{head}={size}" for head, size in outcomes.num_classes.items())
    content = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    said = {"format": "1", "images": outcomes.images, "heads": sizes}
    if outcomes.class_names:
        said["names"] = json.dumps({head: list(names) for head, names in outcomes.class_names.items()})
    write_bytes(path, save(content, said))


def load_outcomes(path: Path) -> Outcomes:
    """Read what `save_outcomes` has written.

    Raises:
        LabError: If it is not there, or something else.
    """
    try:
        check_file(path, _MOST_BYTES)
        with safe_open(path, framework="np") as file:
            said = file.metadata() or {}
            sizes = {head: int(size) for head, _, size in (part.partition("=") for part in said["heads"].split(","))}
            answers = {head: _answers(file, head, size) for head, size in sizes.items()}
            mistakes = _mistakes(file, next(iter(answers.values())))
            return Outcomes(answers, said["images"], sizes, mistakes, _class_names(said.get("names")))
    except FileNotFoundError as error:
        raise LabError(f"{path.parent} has no test outcomes: {path.name} is not there.") from error
    except UnreadableError:
        raise
    except LabError as error:
        raise LabError(f"{path} does not hold the answers of a test: {error}.") from error
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        # the last two: numpy does not know all kinds of numbers that such a file may have
        raise LabError(f"{path} does not hold the outcomes of a test: {error}.") from error


def _answers(file: safe_open, head: str, num_classes: int) -> Answers:
    """The answers of a head.

    Raises:
        LabError: If they are those of no test.
    """
    prediction, target, *probs = (np.asarray(file.get_tensor(f"{head}.{part}")) for part in PARTS)
    if {prediction.dtype.kind, target.dtype.kind} - {"i"} or {each.dtype.kind for each in probs} - {"f"}:
        raise LabError("they are numbers of another kind")
    answers = Answers(prediction.astype(np.int64), target.astype(np.int64), *probs)
    check_images(answers, num_classes)
    return answers


def _class_names(said: str | None) -> dict[str, list[str]]:
    """The names of the classes of each head; none where something else stands there."""
    if said is None:
        return {}
    found = json.loads(said)
    named = found.items() if isinstance(found, dict) else ()
    return {head: [str(name) for name in names] for head, names in named if isinstance(names, list)}


def _mistakes(file: safe_open, answers: Answers) -> Mistakes | None:
    """The images of the worst mistakes; None where there are none, or something else is there."""
    with suppress(SafetensorError, TypeError, AttributeError):
        mistakes = Mistakes(*(np.asarray(file.get_tensor(name)) for name in _MISTAKEN))
        return mistakes if mistakes.are_of(answers) else None
    return None
