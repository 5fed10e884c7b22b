"""Photographs of test digits, and of what is no digit: what a net says of them, by `predict`'s way and by others.

Letters that are written as a digit is are left out, since MNIST has them among its digits: O and D as 0, I, l and i as
1, Z as 2, S as 5, G and b as 6, B as 8, g and q as 9, and Y as a 4 that is open at the top.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms

from mnistlab.benchmark.figures import Figure, Mark, Result
from mnistlab.benchmark.fitting import fit
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.photographs import DOODLES, LETTERS, drawn, photograph
from mnistlab.checkpoints.reading import read_checkpoint
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.data.own.decoding import as_seen
from mnistlab.runs.folder import WEIGHTS
from mnistlab.training.refusal import Refusal, look
from mnistlab.training.running import check

_DIGITS, _LETTERS, _DOODLES, _EMPTY = 1000, 200, 200, 100
_SEED = 2026
_PRESET = "Quick99"
_SIDE = 28

Known = tuple[bool, Tensor]
"""Whether any sign of a picture got an answer, and the classes of all its signs."""


def pictures(ground: Ground) -> Iterator[Result]:
    """Accuracy and refusals on photographs, of the preset that trains fastest; its test digits, and drawings."""
    with tempfile.TemporaryDirectory() as folder:
        fit(ground.data, [f"--config={_PRESET}", "--run.test=true"], Path(folder))
        (path,) = Path(folder).glob(f"runs/*/*/{WEIGHTS}")
        model = Classifier.load_from_checkpoint(path)
        refusal = Refusal.of(read_checkpoint(path), path)
    data = check(list(ground.data)).datamodule
    data.prepare_data()
    data.setup("test")
    share = 10 if ground.quick else 1
    rng = np.random.default_rng(_SEED)
    tested = data.test_images()
    rows = torch.from_numpy(rng.permutation(len(tested))[: _DIGITS // share])
    clean, target = tested.images[rows], tested.primary[rows]
    photos = [as_seen(photograph(image[0].numpy() / 255, rng)) for image in clean]
    asked = _Asked(model, data, refusal)
    ours = [asked.say(photo) for photo in photos]
    right = [len(said) == 1 and int(said[0]) == int(truth) for (_, said), truth in zip(ours, target, strict=True)]
    accuracy = 100 * sum(right) / len(right)
    before = 100 * float((asked.classes(clean) == target).float().mean())
    others = {name: _by(asked, photos, target, way) for name, way in _OTHERS.items()}
    beside = ", ".join(f"{name} {value:.2f} %" for name, value in others.items())
    judged = Mark(1.0) if "--data=MNIST" in ground.data and not ground.quick else None
    yield Result(
        f"{_PRESET} on photographs of {len(rows):,} test digits, points below the clean images",
        before - accuracy,
        "points",
        f"{accuracy:.2f} % of {before:.2f} %; {beside}",
        judged,
        {"photographs": Figure([accuracy], "%"), "clean": Figure([before], "%")}
        | {name: Figure([value], "%") for name, value in others.items()},
    )
    kept = 100 * sum(answered for answered, _ in ours) / len(ours)
    most = Mark(98, at_least=True) if judged else None
    yield Result("photographs of digits that get an answer", kept, "%", f"{len(ours):,} digits", most)
    yield from _refused(asked, rng, share, judged=judged is not None)


class _Asked:
    """A net that is asked about pictures, as `predict` asks it."""

    def __init__(self, model: Classifier, data: ImageData, refusal: Refusal | None) -> None:
        self._model, self._data, self._refusal = model, data, refusal

    def classes(self, images: Tensor) -> Tensor:
        """The classes of images (n, 1, 28, 28) uint8."""
        return look(self._model, self._data, images).logits[self._model.primary].argmax(dim=1)

    def say(self, picture: Image.Image) -> Known:
        """What it says of a picture."""
        parts = self._data.pictured(picture)
        if not parts:
            return False, torch.zeros(0, dtype=torch.int64)
        images = torch.stack([torch.from_numpy(part.image) for part in parts])
        seen, head = look(self._model, self._data, images), self._model.primary
        answered = True if self._refusal is None else bool((~self._refusal.refuses(images, seen, head)).any())
        return answered, seen.logits[head].argmax(dim=1)


def _refused(asked: _Asked, rng: np.random.Generator, share: int, *, judged: bool) -> Iterator[Result]:
    """How much of what is no digit is refused."""
    letters = [drawn(LETTERS[name], rng) for name in islice(cycle(LETTERS), _LETTERS // share)]
    doodles = [drawn(DOODLES[name](rng), rng) for name in islice(cycle(DOODLES), _DOODLES // share)]
    empty = [np.zeros((_SIDE, _SIDE))] * (_EMPTY // share)
    kinds = {"letters": letters, "doodles": doodles, "empty paper": empty}
    refused = {
        name: [not asked.say(as_seen(photograph(ink, rng)))[0] for ink in drawings] for name, drawings in kinds.items()
    }
    every = [each for some in refused.values() for each in some]
    parts = {name: Figure([100 * sum(some) / len(some)], "%") for name, some in refused.items()}
    yield Result(
        f"photographs of {len(every)} that are no digits, refused",
        100 * sum(every) / len(every),
        "%",
        ", ".join(f"{name} {figure}" for name, figure in parts.items()),
        Mark(95, at_least=True) if judged else None,
        parts,
    )


def _plainly(picture: Image.Image) -> Tensor:
    """The picture as it is, resized, ink light."""
    return torch.from_numpy(255 - np.asarray(picture.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)))[None]


_USUAL = transforms.Compose(
    [transforms.Grayscale(), transforms.Resize(_SIDE), transforms.CenterCrop(_SIDE), transforms.ToTensor()]
)


def _usually(picture: Image.Image) -> Tensor:
    """The transform that most recipes have, ink light."""
    light: Tensor = 1 - _USUAL(picture)
    return (light * 255).to(torch.uint8)


_OTHERS = {"plain resizing": _plainly, "torchvision's usual transform": _usually}


def _by(asked: _Asked, photos: Sequence[Image.Image], target: Tensor, way: Callable[[Image.Image], Tensor]) -> float:
    """The accuracy in per cent where pictures are made images in another way."""
    return 100 * float((asked.classes(torch.stack([way(photo) for photo in photos])) == target).float().mean())
