"""A picture file as a person sees it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

_WHITE_IS_ZERO, _PHOTOMETRIC = 0, 262  # a tag of TIFF
_BYTE, _WORD = 255, 65535


def seen(picture: Image.Image) -> Image.Image:
    """The picture upright, 8 bits for each of one or three channels (mode L or RGB), on white where it is transparent.

    Pillow cuts 16 bits off at 255 and leaves a TIFF whose zero is white as it is; both are put right here.

    Args:
        picture: As Pillow has opened it.
    """
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I") or upright.mode == "F":
        values = _eight_bits(np.asarray(upright))
        if upright.mode.startswith("I;16") and _is_white_zero(picture):
            values = _BYTE - values
        return Image.fromarray(values)
    if "A" in upright.mode or "a" in upright.mode or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    if upright.mode in ("L", "RGB"):
        return upright
    return upright.convert("L" if upright.mode == "1" else "RGB")


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values of 16 bits or more as 0..255; fractions from 0 to 1 too."""
    exact = np.nan_to_num(values.astype(np.float64))
    top = exact.max(initial=0)
    usual = _WORD if values.dtype.kind != "f" else 1.0 if top <= 1 else _BYTE
    top = max(top, usual)
    levels: NDArray[np.uint8] = np.clip(exact * (_BYTE / top) + 0.5, 0, _BYTE).astype(np.uint8)
    return levels


def _is_white_zero(picture: Image.Image) -> bool:
    tags = getattr(picture, "tag_v2", {})
    return bool(tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO)
