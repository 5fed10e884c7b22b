"""Runs what was exported on every test image, beside the net itself."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistlab.errors import LabError

Images = NDArray[np.uint8]
Probabilities = NDArray[np.float32]
Runner = Callable[[Images], Sequence[Probabilities]]
"""Takes images (n, channels, height, width), and gives the probabilities of each head, (n, classes) each."""

CLOSE = 1e-5
"""How far a probability in float32 may be off."""

_BATCHES = (1, 256)
_PATIENCE_S = 0.3


@dataclass(frozen=True)
class Proof:
    """How an export answers beside the net.

    Attributes:
        images: How many were looked at.
        differing: How many are answered otherwise, by any head.
        largest: The largest difference of a probability.
        gap: The smallest gap between the two best probabilities of an image: what a difference must stay below.
        right: The share of images that the primary head answers rightly; None where nobody knows.
        micros: Microseconds an image, by the size of a batch.
    """

    images: int
    differing: int
    largest: float
    gap: float
    right: float | None
    micros: Mapping[int, float]


def batches(images: Images) -> list[Images]:
    """The images in the parts in which they are looked at."""
    return [images[start : start + _BATCHES[-1]] for start in range(0, len(images), _BATCHES[-1])]


def prove(
    run: Runner, images: Images, wanted: Sequence[Probabilities], target: NDArray[np.int64] | None,
    moved: Callable[[], None],
) -> Proof:  # fmt: skip
    """Compare the answers to all images, and take the time.

    Args:
        run: The export.
        images: The images.
        wanted: The probabilities by the net itself.
        target: The true classes of the primary head.
        moved: Called after each of the `batches`.
    """
    parts = []
    for part in batches(images):
        parts.append(run(part))
        moved()
    found = [np.concatenate(each) for each in zip(*parts, strict=True)]
    answers = [each.argmax(axis=1) for each in found]
    differing = np.zeros(len(images), bool)
    for answer, probs in zip(answers, wanted, strict=True):
        differing |= answer != probs.argmax(axis=1)
    largest = max(float(_apart(one, other)) for one, other in zip(found, wanted, strict=True))
    right = None if target is None else float((answers[0] == target).mean())
    micros = {batch: _micros(run, images, batch) for batch in _BATCHES}
    return Proof(len(images), int(differing.sum()), largest, min(map(_gap, wanted)), right, micros)


def refuse_other_answers(form: str, proof: Proof) -> None:
    """Refuse an export that is not the net.

    Args:
        form: What it is.
        proof: How it answers.

    Raises:
        LabError: With the numbers.
    """
    if proof.differing or not proof.largest <= CLOSE:
        raise LabError(
            f"{form}: {proof.differing:,} of {proof.images:,} images are answered otherwise than by the net, and "
            f"a probability is off by {proof.largest:.1e}, where {CLOSE:.0e} is allowed. Nothing was written."
        )


def _apart(one: Probabilities, other: Probabilities) -> np.float64:
    if not np.isfinite(one).all():
        return np.float64(np.nan)
    return np.abs(one.astype(np.float64) - other).max()  # type: ignore[no-any-return]  # of an array


def _gap(probs: Probabilities) -> float:
    best = np.sort(probs, axis=1)[:, -2:]
    return float((best[:, 1] - best[:, 0]).min())


def _micros(run: Runner, images: Images, batch: int) -> float:
    """The least time that a batch has taken, by image."""
    some = np.resize(images, (batch, *images.shape[1:]))
    run(some)
    begun, best = time.perf_counter(), float("inf")
    while time.perf_counter() - begun < _PATIENCE_S:
        start = time.perf_counter()
        run(some)
        best = min(best, time.perf_counter() - start)
    return 1e6 * best / batch
