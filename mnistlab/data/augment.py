"""Random changes of the training images, a whole batch at once."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from mnistlab.options.numbers import ClosedUnitInterval, NonNegativeFloat

_KNOTS = 5  # of the elastic field along each side: on 28 pixels a bend is about as wide as half a digit


@dataclass(frozen=True)
class Augmentation(ABC):
    """Changes a batch of training images at random, each image in its own way.

    Randomness comes from torch's global generator of the images' device, so `torch.manual_seed` repeats it.
    """

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor:
        """Change a batch: (batch, channels, height, width) float -> the same shape, dtype and device."""


@dataclass(frozen=True)
class RandomDistortion(Augmentation):
    """Shifts, turns, scales, leans and bends each image, all in one interpolation.

    Every option is the largest change; each image draws uniformly up to it, in either direction. 0 leaves that change
    out, and with 0 everywhere the images are returned as they are.

    Source of the elastic field: Simard et al. (2003), "Best Practices for Convolutional Neural Networks Applied to
    Visual Document Analysis"; here the field is drawn on a coarse grid instead of being blurred.

    Shape: (batch, channels, height, width) float -> the same.

    Args:
        shift: Along each axis, as a fraction of that side of the image.
        rotation: In degrees, at most 180.
        scale: Of the size, as a fraction: 0.1 draws from 0.9 to 1.1. Less than 1.
        shear: Sideways for each pixel up, in pixels.
        elastic: Of a smooth random field that bends the image, in pixels along each axis.
        fill: The value outside the image; if not given, the smallest value of the batch, which is the background of
            white digits on black.

    Raises:
        ValueError: If a number is out of its range.
    """

    shift: ClosedUnitInterval = 0.08
    rotation: NonNegativeFloat = 10.0
    scale: ClosedUnitInterval = 0.12
    shear: NonNegativeFloat = 0.15
    elastic: NonNegativeFloat = 0.0
    fill: float | None = None

    def __post_init__(self) -> None:
        _check("shift", self.shift, most=1)
        _check("rotation", self.rotation, most=180)
        _check("scale", self.scale, below=1)
        _check("shear", self.shear)
        _check("elastic", self.elastic)

    def __call__(self, images: Tensor) -> Tensor:
        """Distort a batch."""
        if not any((self.shift, self.rotation, self.scale, self.shear, self.elastic)):
            return images
        draw = torch.rand(5, len(images), dtype=images.dtype, device=images.device).mul_(2).sub_(1)
        inverse = inverse_affine(
            rotation=draw[0] * self.rotation,
            scale=draw[1] * self.scale + 1,
            shear=draw[2] * self.shear,
            shift=draw[3:].T * self.shift,
            aspect=images.shape[3] / images.shape[2],
        )
        field = self._draw_field(images) if self.elastic else None
        return warp(images, inverse, field, self.fill)

    def _draw_field(self, images: Tensor) -> Tensor:
        shape = (len(images), 2, _KNOTS, _KNOTS)
        return torch.rand(shape, dtype=images.dtype, device=images.device).mul_(2).sub_(1).mul_(self.elastic)


def _check(name: str, value: float, *, most: float = math.inf, below: float = math.inf) -> None:
    """Refuse what is negative, too large, infinite or not a number."""
    if 0 <= value <= most and value < below:
        return
    upper = f"below {below}" if below < math.inf else f"at most {most}" if most < math.inf else "finite"
    raise ValueError(f"`{name}` must be at least 0 and {upper}, got {value}. Use 0 to leave it out.")


def inverse_affine(*, rotation: Tensor, scale: Tensor, shear: Tensor, shift: Tensor, aspect: float = 1.0) -> Tensor:
    """Find where each pixel comes from when an image is sheared, scaled, turned and shifted, in this order.

    Args:
        rotation: (n,) degrees, positive turns to the left.
        scale: (n,) the new size over the old, positive.
        shear: (n,) pixels to the right for each pixel up.
        shift: (n, 2) to the right and down, as fractions of the image's sides.
        aspect: Width of the image over its height.

    Returns:
        (n, 2, 3) matrices from places in the new image to places in the old one, both running from -1 to 1 along
        each side.
    """
    angle = torch.deg2rad(rotation)
    cos, sin = angle.cos() / scale, angle.sin() / scale
    # Turned back, then leaned back; x and y are measured in half sides, which differ in length by `aspect`.
    from_x = torch.stack([cos + shear * sin, sin * aspect], dim=-1)
    from_y = torch.stack([(shear * cos - sin) / aspect, cos], dim=-1)
    linear = torch.stack([from_x, from_y], dim=-1)
    return torch.cat([linear, linear @ (-2 * shift)[..., None]], dim=-1)


def warp(images: Tensor, inverse: Tensor, field: Tensor | None = None, fill: float | None = None) -> Tensor:
    """Draw images anew from the places that `inverse` names, by bilinear interpolation.

    Args:
        images: (n, channels, height, width).
        inverse: (n, 2, 3) as `inverse_affine` returns them.
        field: (n, 2, 5, 5) pixels to the right and down that these places are moved by, spread over the image and
            interpolated.
        fill: The value outside the images; if not given, their smallest value.

    Returns:
        (n, channels, height, width).
    """
    height, width = images.shape[2:]
    basis = _basis(height, width, images.dtype, images.device)
    if field is not None:
        to_right, down = field.flatten(2).unbind(1)
        inverse = torch.cat([inverse, torch.stack([to_right / (width / 2), down / (height / 2)], dim=1)], dim=2)
    # One product for all places: affine_grid and interpolate would take 5 times as long as the sampling itself.
    places = inverse.flatten(0, 1) @ basis[: inverse.shape[2]]
    grid = places.view(len(images), 2, height, width).permute(0, 2, 3, 1)
    # grid_sample knows no other value for outside than 0.
    outside = images.amin() if fill is None else fill
    return grid_sample(images - outside, grid, align_corners=False).add_(outside)


@lru_cache(maxsize=8)
def _basis(height: int, width: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """What a place is a linear function of: x, y, 1 and each knot's share; (3 + _KNOTS**2, height * width)."""
    y = (torch.arange(height, dtype=dtype, device=device) * 2 + 1) / height - 1
    x = (torch.arange(width, dtype=dtype, device=device) * 2 + 1) / width - 1
    plane = torch.stack([x.expand(height, -1), y[:, None].expand(-1, width), torch.ones_like(x).expand(height, -1)])
    knots = torch.eye(_KNOTS**2, dtype=dtype, device=device).view(-1, 1, _KNOTS, _KNOTS)
    shares = interpolate(knots, (height, width), mode="bicubic", align_corners=True)
    return torch.cat([plane.flatten(1), shares.flatten(1)])
