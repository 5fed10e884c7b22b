"""What is none of the classes that a net knows: unlike all of a thousand images that it was not trained with.

Of each image there are the net's logits and measures of the drawing itself: which way edges run in each of 4 x 4 parts,
and in how many rows and columns there are how many strokes. Each class is a normal distribution of them, with a
covariance that lies between its own and that of all. An image is refused that is less likely under every class than
nearly all of the validation images, turned and blurred as those on paper are. docs/design.md has what else was tried.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from mnistlab.checkpoints.reading import RECORD
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError

REFUSAL = "refusal"
"""Where a checkpoint has it."""

_BATCH = 256
_MOST = 2000  # images that are looked at
_FEWEST = 5  # for each class
_REFUSED = 0.015  # of the validation images
_SHARED = 0.3  # of a covariance is that of all classes
_LEAST = 1e-4  # of the mean variance is added to each
_DIRECTIONS, _PARTS, _RUNS = 8, 4, 5
_STROKE = 100  # levels of 255 from which a pixel belongs to a stroke
_SIZES = (0.5, 0.65, 0.8, 0.9, 1.0)  # of an image that is made coarse
_TURN = 10.0  # degrees at most


@dataclass(frozen=True)
class Refusal:
    """Tells images of the classes from others.

    Attributes:
        below: The likelihood, as a logarithm, below which an image is refused.
        scale: What logits are multiplied by, so that they weigh as much as the measures.
        means: (classes, measures).
        roots: (classes, measures, measures), lower triangles: of each inverse covariance the root.
    """

    below: float
    scale: float
    means: Tensor
    roots: Tensor

    def refuses(self, images: Tensor, logits: Tensor) -> Tensor:
        """Which images (n, channels, height, width) uint8 with logits (n, classes) are of none of the classes, (n,)."""
        return self.likelihood(images, logits) < self.below

    def likelihood(self, images: Tensor, logits: Tensor) -> Tensor:
        """How likely images are under the class that they suit best, (n,)."""
        measures = _measures(images, logits, self.scale)
        apart = measures[:, None] - self.means
        far = torch.einsum("nci,cij->ncj", apart, self.roots).square().sum(dim=2)
        size = self.roots.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        return (size - far / 2).amax(dim=1)

    def as_data(self) -> dict[str, object]:
        """As plain data for a checkpoint; roots as numbers of 16 bits, which is how they count too."""
        rows, columns = torch.tril_indices(*self.roots.shape[1:])
        packed = self.roots[:, rows, columns]
        return {
            "below": self.below,
            "scale": self.scale,
            "classes": len(self.means),
            "means": _packed(self.means, torch.float32),
            "roots": _packed(packed, torch.float16),
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
            means = _unpacked(data["means"], torch.float32).view(int(data["classes"]), -1)
            size = means.shape[1]
            rows, columns = torch.tril_indices(size, size)
            roots = torch.zeros(len(means), size, size, dtype=torch.float64)
            roots[:, rows, columns] = _unpacked(data["roots"], torch.float16).view(len(means), -1)
            return cls(float(data["below"]), float(data["scale"]), means, roots)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise LabError(f"{path} is damaged, or changed by hand: its {REFUSAL} cannot be read.") from error


def find_refusal(model: Classifier, data: ImageData) -> Refusal | None:
    """What refuses images of none of the classes, from images that the model was not trained with where there are some.

    The same images give the same; nothing random is drawn but from a generator of its own. None where they are too few.
    """
    images, target = data.unseen(_MOST)
    classes = model.heads[model.primary]
    if len(images) < _FEWEST * classes:
        return None
    likened = _as_on_paper(images, 0)
    tried = torch.arange(len(images)) % 4 == 3  # noqa: PLR2004 - every fourth is for the threshold
    known = torch.cat([images[~tried], likened[~tried]])
    logits = logits_of(model, data, torch.cat([known, likened[tried]]))[model.primary]
    scale = float(0.3 / logits[: len(known)].std().clamp(min=1e-6))
    measures = _measures(known, logits[: len(known)], scale)
    means, roots = _fitted(measures, torch.cat([target[~tried]] * 2), classes)
    rounded = Refusal(0.0, scale, means.float().double(), roots.half().double())
    likelihood = rounded.likelihood(likened[tried], logits[len(known) :])
    below = float(likelihood.quantile(_REFUSED))
    return Refusal(below, scale, rounded.means, rounded.roots) if torch.isfinite(likelihood).all() else None


def logits_of(model: Classifier, data: ImageData, images: Tensor) -> dict[str, Tensor]:
    """The logits of each head, on the CPU and in float64, for images (n, channels, height, width) uint8."""
    weight = next(model.parameters())
    model.eval()
    with torch.inference_mode():
        batches = [
            model.by_head(model(data.normalize(some).to(weight.device, weight.dtype))) for some in images.split(_BATCH)
        ]
    return {head: torch.cat([batch[head] for batch in batches]).cpu().double() for head in model.heads}


def _fitted(measures: Tensor, target: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """The mean of each class, and the root of its inverse covariance."""
    everything = measures.mean(dim=0)
    members = [measures[target == each] for each in range(classes)]
    means = torch.stack([some.mean(dim=0) if len(some) else everything for some in members])
    apart = measures - means[target]
    common = apart.T @ apart / len(apart)
    least = _LEAST * common.diagonal().mean().clamp(min=1e-9) * torch.eye(len(common), dtype=common.dtype)
    roots = []
    for each in range(classes):
        own = apart[target == each]
        share = _SHARED if len(own) > 1 else 1.0
        covariance = (1 - share) * own.T @ own / max(len(own), 1) + share * common + least
        roots.append(torch.linalg.cholesky(torch.linalg.inv(covariance)))
    return means, torch.stack(roots)


def _measures(images: Tensor, logits: Tensor, scale: float) -> Tensor:
    """(n, channels, height, width) uint8 and (n, classes) -> (n, measures) float64."""
    grey = images.cpu().float().mean(dim=1, keepdim=True)
    parts = [3 * _directions(grey / 255).double(), 0.05 * _runs(grey).double(), scale * logits.double()]
    return torch.cat(parts, dim=1)


def _directions(grey: Tensor) -> Tensor:
    """How much the edges in each part of an image run in each direction, (n, 128), of length 1 in all.

    Source: Dalal and Triggs (2005), Histograms of oriented gradients for human detection, CVPR.
    """
    soft = F.avg_pool2d(F.pad(grey, (1, 1, 1, 1)), 3, 1)
    across = F.pad(soft[..., 2:] - soft[..., :-2], (1, 1))
    down = F.pad(soft[..., 2:, :] - soft[..., :-2, :], (0, 0, 1, 1))
    angle = torch.atan2(down, across) / (2 * torch.pi) * _DIRECTIONS % _DIRECTIONS
    apart = (angle - torch.arange(_DIRECTIONS).view(1, -1, 1, 1)).abs()
    near = (1 - torch.minimum(apart, _DIRECTIONS - apart)).clamp(min=0) * torch.hypot(across, down)
    pooled = F.adaptive_avg_pool2d(F.avg_pool2d(F.pad(near, (2, 2, 2, 2)), 5, 1), _PARTS).flatten(1)
    return F.normalize(pooled).sqrt()


def _runs(grey: Tensor) -> Tensor:
    """In how many rows, and columns, there are one to five strokes, and how much ink there is; (n, 11)."""
    stroke = (grey[:, 0] > _STROKE).int()
    found = []
    for lines in (stroke, stroke.mT):
        begins = (F.pad(lines, (1, 0)).diff(dim=2) > 0).sum(dim=2)
        found += [(begins == number).sum(dim=1) for number in range(1, _RUNS + 1)]
    return torch.stack([*found, stroke.sum(dim=(1, 2)) / 50], dim=1)


def _as_on_paper(images: Tensor, seed: int) -> Tensor:
    """Images (n, channels, height, width) uint8 turned a little, most of them coarser, all with harder edges."""
    generator = torch.Generator().manual_seed(seed)
    turn = torch.deg2rad((torch.rand(len(images), generator=generator) * 2 - 1) * _TURN)
    rows = [torch.stack([turn.cos(), -turn.sin(), 0 * turn], 1), torch.stack([turn.sin(), turn.cos(), 0 * turn], 1)]
    exact = images.float() / 255
    grid = F.affine_grid(torch.stack(rows, 1), list(exact.shape), align_corners=False)
    turned = F.grid_sample(exact, grid, align_corners=False)
    side = turned.shape[2:]
    coarse = []
    for at, size in enumerate(_SIZES):
        some = turned[at :: len(_SIZES)]
        small = F.interpolate(some, (max(1, round(side[0] * size)), max(1, round(side[1] * size))), mode="area")
        coarse.append(F.interpolate(small, side, mode="bilinear"))
    found = torch.empty_like(exact)
    for at, some in enumerate(coarse):
        found[at :: len(_SIZES)] = some
    return (((found - 0.15) / 0.7).clamp(0, 1) * 255).to(torch.uint8)


def _packed(values: Tensor, kind: torch.dtype) -> str:
    return base64.b64encode(values.to(kind).contiguous().numpy().tobytes()).decode()


def _unpacked(text: str, kind: torch.dtype) -> Tensor:
    return torch.frombuffer(bytearray(base64.b64decode(text, validate=True)), dtype=kind).double()
