"""A page of sample images, a row for each class."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from mnistlab.system.files import replacing
from mnistlab.text.values import cut

_TILE = 56  # pixels of an image on the page, two for one of MNIST
_GAP, _CAPTION, _FONT = 4, 20, 14
_LONGEST = 90  # characters of a caption
_MOST = 500  # rows: a larger PNG is opened by few programs
_PAPER, _INK = (250, 250, 248), (40, 40, 40)


@dataclass(frozen=True)
class Row:
    """Some images, each (channels, height, width) uint8, and what is written above them."""

    caption: str
    images: Sequence[Tensor]


def save_sheet(rows: Sequence[Row], path: Path, title: str) -> None:
    """Write a PNG: a title, and row by row the caption and the images, whose shape is kept."""
    shown = rows[:_MOST]
    columns = max((len(row.images) for row in shown), default=0)
    height = sum(_height(row) for row in shown) + _CAPTION + 3 * _GAP
    picture = Image.new("RGB", (max(columns, 12) * (_TILE + _GAP) + 3 * _GAP, height), _PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(_FONT)
    left, top = 2 * _GAP, 2 * _GAP
    more = f", the first {len(shown):,} of {len(rows):,} classes" if len(shown) < len(rows) else ""
    draw.text((left, top), cut(f"{title}{more}", _LONGEST), fill=_INK, font=font)
    top += _CAPTION
    for row in shown:
        if row.caption:
            draw.text((left, top), cut(row.caption, _LONGEST), fill=_INK, font=font)
        below = top + (_CAPTION if row.caption else 0)
        for number, image in enumerate(row.images):
            tile = _tile(image)
            picture.paste(tile, (left + number * (_TILE + _GAP), below))
        top += _height(row)
    with replacing(path) as temporary:
        picture.save(temporary, format="PNG")


def _height(row: Row) -> int:
    return _TILE + 2 * _GAP + (_CAPTION if row.caption else 0)


def _tile(image: Tensor) -> Image.Image:
    """An image in the room that it has: a small one by whole pixels, so that each is to be seen."""
    pixels = image.cpu().numpy()
    picture = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels[:3].transpose(1, 2, 0).copy())
    scale = _TILE / max(picture.size)
    size = [max(1, round(side * scale)) for side in picture.size]
    way = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BILINEAR
    return picture.resize((size[0], size[1]), way)
