"""What is none of the classes that a net knows: unlike the images that it should know, or like a drawing of anything.

Of each image there are the net's last maps and features, and measures of the drawing itself: which way edges run in
each of 4 x 4 parts, and where strokes end and meet. In the directions in which they differ most each class is a normal
distribution, and drawings made up on the spot are another. An image is refused that is less likely as the class that
the net takes it for, and less so in comparison with drawings, than nearly all of the validation images, turned and
blurred as those on paper are. docs/design.md has what else was tried.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from mnistlab.checkpoints.reading import RECORD
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.data.strokes import as_on_paper, draw, inked, shapes
from mnistlab.errors import LabError
from mnistlab.nets import Net

REFUSAL = "refusal"
"""Where a checkpoint has it."""

_BATCH = 100
_MOST, _DRAWN = 800, 200  # images that are looked at, and drawings
_FEWEST = 5  # for each class
_REFUSED = 0.017  # of the validation images
_FOLDS = 4  # each part is judged by what the others have told
_DIRECTIONS = 32
_SHARED = 0.3  # of a covariance is that of all classes
_LEAST = 1e-3  # of the mean variance is added to each
_BESIDE = 0.25  # what counts of the distance from all directions
_FAR = -8.0  # deviations at most that one of two scores can take away
_WIDEST = 256  # numbers of maps and of features; of more the means of neighbours
_STEPS = 127  # of a number of 8 bits


class Seen(NamedTuple):
    """What a net makes of images, on the CPU."""

    logits: dict[str, Tensor]  # (n, classes) for each head
    inner: list[Tensor]  # (n, numbers) each: its last maps, where there are some, and what the heads have been given


@dataclass(frozen=True)
class Refusal:
    """Tells images of the classes from others.

    Attributes:
        below: The score below which an image is refused.
        usual: The mean and the deviation of both scores.
        scales: What maps and features are multiplied by.
        middle: The mean of all measures, (measures,).
        basis: The directions in which they differ most, (measures, directions), each of length 1.
        rest: The mean variance in all other directions.
        means: (classes + 1, directions), the last one of drawings.
        roots: (classes + 1, directions, directions), lower triangles: of each inverse covariance the root.
    """

    below: float
    usual: Sequence[Sequence[float]]
    scales: Sequence[float]
    middle: Tensor
    basis: Tensor
    rest: float
    means: Tensor
    roots: Tensor

    def refuses(self, images: Tensor, seen: Seen, head: str) -> Tensor:
        """Which images (n, channels, height, width) uint8 are of none of the classes of a head, (n,)."""
        measures = _measures(images, seen, self.scales)
        return self.score(self.scores(measures, seen.logits[head].argmax(dim=1))) < self.below

    def scores(self, measures: Tensor, answer: Tensor) -> Tensor:
        """How likely each image is as its class, and how much more so than as a drawing, (2, n) logarithms."""
        apart = measures - self.middle
        along = apart @ self.basis
        beside = (apart.square().sum(dim=1) - along.square().sum(dim=1)).clamp(min=0) / self.rest
        far = torch.einsum("nci,cij->ncj", along[:, None] - self.means, self.roots).square().sum(dim=2)
        likelihood = self.roots.diagonal(dim1=1, dim2=2).log().sum(dim=1) - far / 2
        own = likelihood.gather(1, answer[:, None])[:, 0]
        return torch.stack([own - _BESIDE * beside, own - likelihood[:, -1]])

    def score(self, scores: Tensor) -> Tensor:
        """Both as one, (2, n) -> (n,), each counted in deviations from what is usual."""
        mean, deviation = torch.tensor(self.usual, dtype=scores.dtype).unbind(dim=1)
        return ((scores - mean[:, None]) / deviation[:, None]).clamp(min=_FAR).sum(dim=0)

    def as_data(self) -> dict[str, object]:
        """As plain data for a checkpoint."""
        rows, columns = torch.tril_indices(*self.roots.shape[1:])
        unit = float(self.basis.abs().max()) / _STEPS
        return {
            "below": self.below,
            "usual": [list(each) for each in self.usual],
            "scales": list(self.scales),
            "middle": _packed(self.middle, torch.float16),
            "unit": unit,
            "basis": _packed((self.basis / unit).round(), torch.int8),
            "rest": self.rest,
            "means": _packed(self.means, torch.float16),
            "roots": _packed(self.roots[:, rows, columns], torch.float16),
        }

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any], path: object = "the checkpoint") -> Self | None:
        """That of a checkpoint; None where it has none.

        Raises:
            LabError: If it is damaged.
        """
        record = checkpoint.get(RECORD)
        data = record.get(REFUSAL) if isinstance(record, Mapping) else None
        if data is None:
            return None
        try:
            middle = _unpacked(data["middle"], torch.float16)
            basis = _unpacked(data["basis"], torch.int8).view(len(middle), -1) * float(data["unit"])
            size = basis.shape[1]
            means = _unpacked(data["means"], torch.float16).view(-1, size)
            rows, columns = torch.tril_indices(size, size)
            roots = torch.zeros(len(means), size, size, dtype=torch.float64)
            roots[:, rows, columns] = _unpacked(data["roots"], torch.float16).view(len(means), -1)
            usual = [(float(mean), float(deviation)) for mean, deviation in data["usual"]]
            scales = [float(each) for each in data["scales"]]
            return cls(float(data["below"]), usual, scales, middle, basis, float(data["rest"]), means, roots)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise LabError(f"{path} is damaged, or changed by hand: its {REFUSAL} cannot be read.") from error


def find_refusal(
    model: Classifier, data: ImageData, within: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Refusal | None:
    """What refuses images of none of the classes, from images that the model was not trained with where there are some.

    The same images give the same; nothing random is drawn but from generators of its own. None where they are too few,
    or no handwriting: what makes strokes look as if on paper makes other pictures look like nothing that there is.

    Args:
        model: The model, as it was tested.
        data: Its data.
        within: Within what the model computes, such as another precision.
    """
    if not data.handwriting:
        return None
    some = data.unseen(_MOST)
    images, target = some.images, some.targets.get(model.primary, some.primary)
    classes = model.heads[model.primary]
    if len(images) < _FEWEST * classes:
        return None
    known, drawings = as_on_paper(images, 0), as_on_paper(draw(images[:_DRAWN], 0), 1)
    with within():
        seen, others = look(model, data, known), look(model, data, drawings)
    if not all(torch.isfinite(each).all() for each in (*seen.inner, *others.inner)):
        return None
    scales = [1 / max(float(each.std()), 1e-9) for each in seen.inner]
    measures, unlike = _measures(known, seen, scales), _measures(drawings, others, scales)
    begun = _spread(measures, scales)
    folds = torch.arange(len(images)) % _FOLDS
    scores = torch.zeros(2, len(images), dtype=torch.float64)
    for fold in range(_FOLDS):
        rest, own = folds != fold, folds == fold
        fitted = _fitted(begun, measures[rest], target[rest], unlike, classes)
        scores[:, own] = fitted.scores(measures[own], target[own])
    if not torch.isfinite(scores).all():
        return None
    usual = list(zip(scores.mean(dim=1).tolist(), scores.std(dim=1).clamp(min=1e-9).tolist(), strict=True))
    found = replace(_fitted(begun, measures, target, unlike, classes), usual=usual)
    return replace(found, below=float(found.score(scores).quantile(_REFUSED)))


def look(model: Classifier, data: ImageData, images: Tensor) -> Seen:
    """What a net makes of images (n, channels, height, width) uint8."""
    weight = next(model.parameters())
    model.eval()
    with torch.inference_mode():
        batches = [_look(model, data.normalize(some).to(weight.device, weight.dtype)) for some in images.split(_BATCH)]
    logits = {head: torch.cat([each.logits[head] for each in batches]).cpu().double() for head in model.heads}
    inner = zip(*(each.inner for each in batches), strict=True)
    return Seen(logits, [torch.cat(each).cpu().double() for each in inner])


def _look(model: Classifier, images: Tensor) -> Seen:
    """The same of normalized images; of a net that is not the lab's the logits are all that is known."""
    if not isinstance(model.net, Net):
        logits = model.by_head(model(images))
        return Seen(logits, [logits[model.primary]])
    if model.channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    *_, features = stages = list(model.net.backbone.features(images).values())
    maps = [each for each in stages if each.dim() == 4 and min(each.shape[2:]) > 1][-1:]  # noqa: PLR2004 - as images
    inner = [*(F.adaptive_avg_pool2d(each, 2).flatten(1) for each in maps), features]
    return Seen({name: head(features) for name, head in model.net.heads.items()}, [_narrowed(each) for each in inner])


def _narrowed(values: Tensor) -> Tensor:
    return F.adaptive_avg_pool1d(values, _WIDEST) if values.shape[1] > _WIDEST else values


def _measures(images: Tensor, seen: Seen, scales: Sequence[float]) -> Tensor:
    """All measures of images, (n, measures)."""
    drawn = torch.cat([shapes(inked(some)) for some in images.split(_BATCH)]).double()
    return torch.cat([drawn, *(scale * each for scale, each in zip(scales, seen.inner, strict=True))], dim=1)


def _spread(measures: Tensor, scales: Sequence[float]) -> Refusal:
    """The directions in which measures differ most, without anything in them yet."""
    values, vectors = _directions(measures.T.cov())
    basis = vectors[:, -_DIRECTIONS:].double()
    unit = basis.abs().max() / _STEPS
    rest = max(float(values[:-_DIRECTIONS].mean()), 1e-9)
    nothing = torch.zeros(0)
    middle = measures.mean(dim=0).half().double()
    return Refusal(0.0, [], scales, middle, (basis / unit).round() * unit, rest, nothing, nothing)


def _directions(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Variances, the least first, and their directions as columns.

    Single precision takes a quarter of the time; for some matrices of less than full rank MKL has no number in it.
    """
    values, vectors = torch.linalg.eigh(covariance.float())
    if not torch.isfinite(vectors).all():
        values, vectors = torch.linalg.eigh(covariance)
    return values, vectors


def _fitted(begun: Refusal, measures: Tensor, target: Tensor, unlike: Tensor, classes: int) -> Refusal:
    """With a distribution for each class, whose covariance lies between its own and that of all, and for drawings."""
    along, drawn = ((each - begun.middle) @ begun.basis for each in (measures, unlike))
    members = [along[target == each] for each in range(classes)]
    means = torch.stack(
        [*(some.mean(dim=0) if len(some) else along.mean(dim=0) for some in members), drawn.mean(dim=0)]
    )
    apart = along - means[target]
    common = apart.T @ apart / len(apart)
    own = [
        (some - mean).T @ (some - mean) / len(some) if len(some) > 1 else common
        for some, mean in zip(members, means, strict=False)
    ]
    covariances = torch.stack([*((1 - _SHARED) * each + _SHARED * common for each in own), drawn.T.cov()])
    least = _LEAST * covariances.diagonal(dim1=1, dim2=2).mean(dim=1).clamp(min=1e-9)
    eye = torch.eye(len(common), dtype=common.dtype)
    roots = torch.linalg.cholesky(torch.linalg.inv(covariances + least[:, None, None] * eye))
    return replace(begun, means=means.half().double(), roots=roots.half().double())


def _packed(values: Tensor, kind: torch.dtype) -> str:
    return base64.b85encode(values.to(kind).contiguous().numpy().tobytes()).decode()


def _unpacked(text: str, kind: torch.dtype) -> Tensor:
    return torch.frombuffer(bytearray(base64.b85decode(text)), dtype=kind).double()
