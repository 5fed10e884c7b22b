"""Images as a person has them, made what a net was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from mnistlab.errors import LabError

Shape = tuple[int, int, int]
"""Channels, height and width."""

_IMAGE, _IMAGES, _WITH_CHANNELS = 2, 3, 4  # axes of what is given


@dataclass(frozen=True)
class Pixels:
    """What the images of a net are: as many channels, rows and columns as it has learnt from, and how they are scaled.

    Attributes:
        mean: Subtracted from images scaled to 0..1.
        std: Divides them after that.
        shape: Of each image; None where it is not known.
    """

    mean: float
    std: float
    shape: Shape | None = None

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self | None:
        """Those that a checkpoint tells of; None where it does not say how its images were scaled."""
        data = record.get("data")
        mean, std = (data["init_args"].get(name) for name in ("mean", "std")) if data else (None, None)
        shape = record.get("image_shape")
        if not isinstance(mean, int | float) or not isinstance(std, int | float):
            return None
        return cls(float(mean), float(std), None if shape is None else (shape[0], shape[1], shape[2]))

    def normalized(self, images: Tensor) -> Tensor:
        """uint8 images to float32 with mean 0 and standard deviation 1 over those that were learnt from, any shape."""
        return images.to(torch.float32).mul_(1 / (255 * self.std)).sub_(self.mean / self.std)

    def batch(self, given: object) -> Tensor:
        """One image or several, with or without an axis for a single channel: (n, channels, height, width) uint8.

        Args:
            given: An array of any library, or a tensor.

        Raises:
            LabError: If its values are no pixels, or it is of another shape.
        """
        values = given if isinstance(given, Tensor) else _tensor(given)
        _check_values(values)
        found = self._shaped(values)
        if found is None:
            raise LabError(f"{tuple(values.shape)} is not the shape of such images: {self._wanted()}")
        return found

    def _shaped(self, values: Tensor) -> Tensor | None:
        """With all four axes; None where they do not fit."""
        if self.shape is None:
            if values.dim() == _IMAGE:
                return values[None, None]
            return values[:, None] if values.dim() == _IMAGES else values if values.dim() == _WITH_CHANNELS else None
        channels, height, width = self.shape
        for several in (values, values[None]):
            sides = tuple(several.shape[1:])
            if sides == self.shape:
                return several
            if sides == (height, width) and channels == 1:
                return several[:, None]
            if sides == (height, width, channels):
                return several.movedim(3, 1)
        return None

    def _wanted(self) -> str:
        """What may be given."""
        if self.shape is None:
            return "give (height, width), (n, height, width) or (n, channels, height, width)."
        channels, height, width = self.shape
        one = f"{height}, {width}" if channels == 1 else f"{channels}, {height}, {width}"
        more = f", (n, {one}) or (n, 1, {one})" if channels == 1 else f" or (n, {one})"
        rows = f" x.reshape(-1, {height}, {width}) makes images of rows of {height * width}." if channels == 1 else ""
        return f"give ({one}){more}.{rows}"


def _tensor(given: object) -> Tensor:
    """An array of any library as a tensor, which no later change of it changes."""
    try:
        array = np.array(given)
        return torch.from_numpy(array)
    except (TypeError, ValueError) as error:
        raise LabError(f"a {type(given).__name__} holds no images: give an array or a tensor of uint8.") from error


def _check_values(values: Tensor) -> None:
    """Refuse what is no pixel from 0 to 255.

    Raises:
        LabError: With what would make pixels of it.
    """
    is_of_numbers = values.numel() > 0 and not values.is_complex()
    low, high = (float(values.min()), float(values.max())) if is_of_numbers else (0.0, 0.0)
    if not values.numel():
        raise LabError(f"there are no images in {tuple(values.shape)}.")
    if values.dtype == torch.uint8:
        if high == 1:
            raise LabError("the largest pixel is 1, and white is 255: x * 255 makes images of these.")
        return
    kind = str(values.dtype).removeprefix("torch.")
    if low >= 0 and high <= 1:
        way_out = "(x * 255).round().astype('uint8'), of a tensor (x * 255).round().byte(), makes pixels of them"
    elif low >= 0 and high <= 255:  # noqa: PLR2004 - white
        way_out = "x.astype('uint8'), of a tensor x.byte(), makes pixels of them"
    else:
        way_out = "give the images as they were before they were scaled"
    raise LabError(f"pixels are uint8 from 0 to 255, these are {kind} from {low:.4g} to {high:.4g}: {way_out}.")
