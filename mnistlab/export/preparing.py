"""How the page prepares what is drawn: as the data would, wherever it knows how."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from mnistlab.data import ImageData
from mnistlab.data.own.decoding import pixels
from mnistlab.data.pictures import Prepared, character, handwriting, trimmed, whole
from mnistlab.data.pieces import Box

_Way = Callable[[Image.Image], Sequence[Prepared]]


def preparation_of(data: ImageData, shape: tuple[int, int, int]) -> Mapping[str, object]:
    """The way of `data.pictures` that does to some pictures what the data do; resizing where none does.

    Args:
        data: The data.
        shape: Channels, height and width of their images.
    """
    ways: list[tuple[Mapping[str, object], _Way]] = [
        ({"way": "handwriting", "box": 20, "byMass": True}, handwriting),
        ({"way": "handwriting", "box": 24, "byMass": False}, lambda picture: handwriting(picture, 24, by_mass=False)),
        ({"way": "character"}, character),
        ({"way": "trimmed"}, lambda picture: [trimmed(picture)]),
        ({"way": "stretched"}, lambda picture: [stretched(picture, shape)]),
    ]
    pictures = [_drawn(4, 40), _drawn(9, 15)]
    wanted = [data.pictured(each) for each in pictures]
    for told, way in ways:
        if all(_are_equal(way(each), parts) for each, parts in zip(pictures, wanted, strict=True)):
            return told
    resizes = all(_are_equal([whole(each, shape)], parts) for each, parts in zip(pictures, wanted, strict=True))
    return {"way": "whole", "same": resizes}


def stretched(picture: Image.Image, shape: tuple[int, int, int]) -> Prepared:
    """The whole picture, as images of one's own are resized."""
    image = np.frombuffer(pixels(picture, shape), np.uint8).reshape(shape)
    return Prepared(image, Box(0, 0, *picture.size))


def _drawn(width: int, shift: int) -> Image.Image:
    """Something that each way prepares otherwise."""
    picture = Image.new("L", (150, 110), 250)
    ImageDraw.Draw(picture).line([(shift + 5, 12), (shift + 60, 40), (shift + 20, 80), (shift + 21, 95)], 20, width)
    return picture


def _are_equal(one: Sequence[Prepared], other: Sequence[Prepared]) -> bool:
    same = zip(one, other, strict=False)
    return len(one) == len(other) and all(np.array_equal(mine.image, yours.image) for mine, yours in same)
