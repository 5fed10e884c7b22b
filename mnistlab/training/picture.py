"""Pictures of images and of what a net looked at in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, linspace

from mnistlab.system.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 100
_TILE = 140  # pixels of an image on the picture, five for one of MNIST
_GAP, _CAPTION, _HEAD = 12, 20, 28
_SCALE = (90, 10)  # of the bar that explains the colours
_LEAST = 640  # width in which a title fits
_PAPER, _INK, _WRONG = "#fafaf8", "#282828", "#b91e1e"


@dataclass(frozen=True)
class Explained:
    """An image, what the net looked at, and what is written below."""

    image: Tensor  # (channels, height, width) uint8
    heat: Tensor  # (height, width), from 0 to 1
    caption: str
    wrong: bool  # whether the net was mistaken


def save_picture(explained: Sequence[Explained], path: Path, title: str) -> None:
    """Write a PNG: each image, beside it the same under the heat, below them the caption, red where it is wrong.

    Args:
        explained: What to show, at least one.
        path: The file.
        title: What stands above all, beside the scale of colours.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - few commands draw

    columns = min(4, ceil(len(explained) ** 0.5))
    across, down = 2 * _TILE + _GAP, _TILE + _CAPTION + _GAP
    width = max(columns * across + _GAP, _LEAST)
    height = _HEAD + ceil(len(explained) / columns) * down + _GAP
    figure = Figure((width / _DPI, height / _DPI), dpi=_DPI, facecolor=_PAPER)

    def part(left: int, top: int, size: tuple[int, int]) -> "Axes":
        axes = figure.add_axes((left / width, 1 - (top + size[1]) / height, size[0] / width, size[1] / height))
        axes.axis("off")
        return axes

    def write(left: int, top: int, text: str, color: str = _INK, ha: str = "left") -> None:
        place = {"x": left / width, "y": 1 - top / height, "va": "top", "ha": ha}
        figure.text(**place, s=text, color=color, fontsize=8.5, parse_math=False)

    right = width - _GAP - 3 * _GAP
    write(_GAP, _GAP // 2, title)
    write(right, _GAP // 2, "much")
    write(right - _SCALE[0] - _GAP, _GAP // 2, "little", ha="right")
    part(right - _SCALE[0] - _GAP // 2, _GAP // 2 + 3, _SCALE).imshow(
        linspace(0, 1, _SCALE[0])[None].numpy(), "inferno", aspect="auto"
    )
    for number, each in enumerate(explained):
        row, column = divmod(number, columns)
        left, top = _GAP + column * across, _HEAD + _GAP + row * down
        pixels = each.image[0] if len(each.image) < 3 else each.image[:3].permute(1, 2, 0)  # noqa: PLR2004 - colours
        for place in (left, left + _TILE):
            axes = part(place, top, (_TILE, _TILE))
            axes.imshow(pixels.numpy(), "gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
        axes.imshow(
            each.heat.cpu().numpy(), "inferno", vmin=0, vmax=1, alpha=0.65, interpolation="bilinear", aspect="auto"
        )
        write(left, top + _TILE + 2, each.caption, _WRONG if each.wrong else _INK)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", facecolor=_PAPER, metadata={"Software": None})
