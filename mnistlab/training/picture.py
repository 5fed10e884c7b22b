"""Pictures of images and of what a net looked at in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont as FreeType
from torch import Tensor
from torch.nn import functional as F

from mnistlab.system.files import replacing

_TILE = 140  # pixels of an image on the picture, five for one of MNIST
_GAP = 12
_CAPTION = 20
_FONT = 14
_HEAD = 28  # height of the title
_SCALE = (90, 10)  # of the bar that explains the colours
_LEAST = 640  # width in which a title fits
_PAPER, _INK, _WRONG = (250, 250, 248), (40, 40, 40), (185, 30, 30)

_HEAT = ((0, 0, 4), (60, 9, 101), (135, 33, 107), (203, 65, 73), (246, 125, 21), (249, 201, 50), (252, 255, 164))
"""From nothing to much, evenly spaced: brightness grows all the way, so it reads without colours too (inferno)."""


@dataclass(frozen=True)
class Explained:
    """An image, what the net looked at, and what is written below."""

    image: Tensor  # (channels, height, width) uint8
    heat: Tensor  # (height, width), from 0 to 1
    caption: str
    wrong: bool  # whether the net was mistaken


def save_picture(explained: Sequence[Explained], path: Path, title: str) -> None:
    """Write a PNG: each image, beside it the same under the heat, below them the caption, red where it is wrong.

    Pillow draws it: what draws charts takes longer to import than all the rest of `mnistlab explain` but torch.

    Args:
        explained: What to show, at least one.
        path: The file.
        title: What stands above all, beside the scale of colours.
    """
    columns = min(4, ceil(len(explained) ** 0.5))
    rows = ceil(len(explained) / columns)
    width, height = 2 * _TILE + _GAP, _TILE + _CAPTION + _GAP
    picture = Image.new("RGB", (max(columns * width + _GAP, _LEAST), _HEAD + rows * height + _GAP), _PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(_FONT)
    draw.text((_GAP, _GAP // 2 + 2), title, fill=_INK, font=font)
    _draw_scale(picture, draw, font)
    for number, each in enumerate(explained):
        row, column = divmod(number, columns)
        left, top = _GAP + column * width, _HEAD + _GAP + row * height
        image = _enlarged(each.image.float() / 255, "nearest")
        grey = image.expand(3, -1, -1) if len(image) == 1 else image[:3]
        heat = _enlarged(each.heat[None], "bilinear")[0]
        picture.paste(_as_image(grey), (left, top))
        picture.paste(_as_image(0.65 * _colour(heat) + 0.35 * grey), (left + _TILE, top))
        draw.text((left, top + _TILE + 2), each.caption, fill=_WRONG if each.wrong else _INK, font=font)
    with replacing(path) as temporary:
        picture.save(temporary, format="PNG")


def _draw_scale(picture: Image.Image, draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | FreeType) -> None:
    """Say at the top right what the colours mean."""
    right, top, (width, height) = picture.width - _GAP, _GAP // 2 + 2, _SCALE
    much = right - int(draw.textlength("much", font=font))
    bar = much - width - _GAP // 2
    draw.text((much, top), "much", fill=_INK, font=font)
    draw.text((bar - _GAP // 2 - draw.textlength("little", font=font), top), "little", fill=_INK, font=font)
    picture.paste(_as_image(_colour(torch.linspace(0, 1, width).expand(height, width))), (bar, top + 4))


def _colour(heat: Tensor) -> Tensor:
    """(height, width) from 0 to 1 -> (3, height, width)."""
    anchors = torch.tensor(_HEAT, dtype=torch.float32) / 255
    place = heat.clamp(0, 1) * (len(anchors) - 1)
    below = place.floor().long().clamp(max=len(anchors) - 2)
    part = (place - below)[..., None]
    return (anchors[below] * (1 - part) + anchors[below + 1] * part).permute(2, 0, 1)


def _enlarged(image: Tensor, mode: str) -> Tensor:
    return F.interpolate(image[None].cpu(), (_TILE, _TILE), mode=mode)[0]


def _as_image(values: Tensor) -> Image.Image:
    pixels = (values.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    return Image.fromarray(pixels.numpy())
