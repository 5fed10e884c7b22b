"""From a picture of handwriting to images as MNIST has them: ink found, cut into single signs, framed.

MNIST's definition, from its first page (LeCun, Cortes and Burges, yann.lecun.com/exdb/mnist): the digits "were size
normalized to fit in a 20x20 pixel box while preserving their aspect ratio. The resulting images contain grey levels as
a result of the anti-aliasing technique used by the normalization algorithm. The images were centered in a 28x28 image
by computing the center of mass of the pixels, and translating the image so as to position this point at the center of
the 28x28 field." Measured on the 60,000: the long side is 20 in 99.98 %, the centre of mass lies within 13.50 to 14.50
counted from 0, so that it is moved by whole pixels to 14.

The steps, each a function of plain arithmetic over rows and columns:

1. `grey`: one brightness for each pixel, 0 to 255; more than `WORKED` pixels a side are averaged down.
2. `ink_in`: the light of the whole is taken away, a surface of the second degree; then it is seen how much darker than
   the paper around it each pixel is, or lighter, whichever is rarer in the picture.
3. `cut`: touching pixels of ink are one piece; pieces that lie close together are one sign; signs are put in the order
   in which they are read.
4. `framed`: a sign's box fitted into 20 x 20, moved into 28 x 28.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistlab.data.pieces import Box, numbered, signs

Grey = NDArray[np.float64]
"""(height, width) brightness or ink."""

Image8 = NDArray[np.uint8]
"""An image as a data set has it."""

SIDE, BOX = 28, 20
WORKED = 1600  # pixels of the longer side at most that are looked at
_COARSE = 96  # pixels of the longer side at which the paper is looked at
_STILL = 0.2  # levels by which half of a picture differs that was drawn and not taken
_DRAWN, _TAKEN = 0.05, 0.2  # of the ink; what is fainter is no ink, in a picture that was drawn, or taken
_ROUNDS = 10  # how often the mean of the ink is taken of what is nearer to it than to the paper
_FITS = 8  # how often the light of a picture is fitted
_STROKE = 0.3  # part of the shorter side that a stroke may be wide
_FAINT = 14.0  # levels of 255 by which ink differs from paper at least
_NOISES = 5.0  # and how many times the noise of the paper
_TOUCHED, _SURE = 0.2, 0.5  # ink that belongs to a piece, and of which each piece has some
_GROUND = 0.05  # of black to white; what differs less from the corners of a picture is its ground
_FRINGE = 0.08  # ink that the box of a sign takes in
_HALF = 0.5 + 1e-6  # of a pixel; what lies just between two goes the same way however its sum was rounded
_EDGE = 2  # pixels around a piece in which its soft edge may lie


@dataclass(frozen=True)
class Prepared:
    """What a net is to see of a picture, or of a part of it."""

    image: Image8  # (channels, height, width)
    box: Box  # the part, in pixels of the picture


@dataclass(frozen=True)
class Sign:
    """A single sign of a picture."""

    box: Box  # in the picture as it was looked at
    ink: Grey  # (height, width) of the box, from 0 for paper to 1 for ink


def grey(picture: Image.Image) -> Grey:
    """The brightness of a picture of mode L or RGB, by the usual weights of red, green and blue."""
    values = np.asarray(picture, dtype=np.float64)
    if picture.mode == "RGB":
        values = 0.299 * values[..., 0] + 0.587 * values[..., 1] + 0.114 * values[..., 2]
    most = max(values.shape)
    return resized(values, _scaled(values.shape, WORKED / most)) if most > WORKED else values


def resized(values: Grey, shape: tuple[int, int]) -> Grey:
    """Values on another grid: means over the area of each new pixel; between the old ones where there are more."""
    return _along(_along(values, shape[0]).T, shape[1]).T


def _along(values: Grey, size: int) -> Grey:
    """(old, n) -> (size, n)."""
    old = len(values)
    if size == old:
        return values
    if size < old:  # what the sum up to the end of each new pixel has more than that up to its beginning
        sums = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])
        edges = np.arange(size + 1) * (old / size)
        return np.diff(_between(sums, edges), axis=0) * (size / old)
    return _between(values, (np.arange(size) + 0.5) * (old / size) - 0.5)


def _between(rows: Grey, places: NDArray[np.floating]) -> Grey:
    """The rows at places between them, by straight lines."""
    places = places.clip(0, len(rows) - 1)
    below = np.minimum(places.astype(int), max(len(rows) - 2, 0))
    part = (places - below)[:, None]
    found: Grey = rows[below] * (1 - part) + rows[np.minimum(below + 1, len(rows) - 1)] * part
    return found


def _scaled(shape: Sequence[int], scale: float) -> tuple[int, int]:
    height, width = (max(1, round(side * scale)) for side in shape)
    return height, width


def ink_in(values: Grey) -> Grey:
    """How much ink each pixel has, from 0 to 1; all 0 where there is none.

    The paper is what is left where everything narrower than a stroke may be is filled up with what is around it: the
    smallest of the largest values around. For ink that is lighter than its ground all is turned.
    """
    raised = _raised(_unlit(values))
    paper = float(np.median(raised))
    noise = 1.4826 * float(np.median(np.abs(raised - paper)))
    above = raised - paper
    soft = _blurred(above, 3)
    level = float(soft.max(initial=0.0))
    for _ in range(_ROUNDS):
        near = (above >= level / 2) & (soft >= level / 4)  # more than half way to it, and no single pixel
        level = float(above[near].mean()) if near.any() else 0.0
    if level < max(_FAINT, _NOISES * noise):
        return np.zeros_like(values)
    floor = (_DRAWN if _is_drawn(values) else _TAKEN) * level
    ink: Grey = np.clip((above - floor) / (level - floor), 0, 1)
    return ink


def _coarse(values: Grey) -> Grey:
    """The picture small enough to look at as a whole."""
    return resized(values, _scaled(values.shape, min(1.0, _COARSE / max(values.shape))))


def _unlit(values: Grey) -> Grey:
    """What a picture has besides the light of the whole, ink below 0: it is rare, so it differs most from the light."""
    differences = values - (np.median(values) if _is_drawn(values) else _light(values))
    return differences if (_coarse(differences) ** 3).sum() <= 0 else -differences


def _is_drawn(values: Grey) -> bool:
    """Whether a picture was drawn and not taken: half of it is of one brightness."""
    return float(np.median(np.abs(values - np.median(values)))) <= _STILL


def _light(values: Grey) -> Grey:
    """A surface of the second degree, fitted so that few large differences count little."""
    coarse = _coarse(values)
    wanted = coarse.ravel()
    terms = np.stack([each.ravel() for each in np.broadcast_arrays(*_surfaces(_size(coarse)))], axis=1)
    weights = np.zeros(terms.shape[1])
    differences = wanted - np.median(wanted)
    for _ in range(_FITS):
        weighted = terms / (np.abs(differences) + 1)[:, None]
        weights = np.linalg.solve(weighted.T @ terms + 1e-6 * np.eye(len(weights)), weighted.T @ wanted)
        differences = wanted - terms @ weights
    light = np.zeros_like(values)
    for weight, each in zip(weights, _surfaces(_size(values)), strict=True):
        light += weight * each
    return light


def _surfaces(shape: tuple[int, int]) -> list[Grey]:
    """1, x, y, xx, xy and yy for each pixel, x and y from -1 to 1, as arrays that broadcast to (height, width)."""
    y, x = ((np.arange(size) + 0.5) * (2 / size) - 1 for size in shape)
    down, right = y[:, None], x[None]
    return [np.ones((1, 1)), right, down, right * right, right * down, down * down]


def _raised(values: Grey) -> Grey:
    """How much darker each pixel is than its paper, (height, width)."""
    coarse = _coarse(values)
    width = max(3, int(_STROKE * min(coarse.shape)))
    paper = -_largest(-_largest(coarse, width), width)
    return np.maximum(resized(_blurred(paper, width // 2), _size(values)) - values, 0)


def _size(values: Grey) -> tuple[int, int]:
    return values.shape[0], values.shape[1]


def _windows(values: Grey, width: int) -> NDArray[np.float64]:
    """(height, width) -> (height, width, odd): the values around each one in its column, as at the edge beyond it."""
    half = width // 2
    padded = np.pad(values, ((half, half), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0)


def _largest(values: Grey, width: int) -> Grey:
    """The largest value of the square around each pixel."""
    columns: Grey = _windows(values, width).max(axis=-1)
    found: Grey = _windows(columns.T, width).max(axis=-1)
    return found.T


def _blurred(values: Grey, width: int) -> Grey:
    """The mean of the square around each pixel."""
    columns: Grey = _windows(values, width).mean(axis=-1)
    found: Grey = _windows(columns.T, width).mean(axis=-1)
    return found.T


def cut(ink: Grey) -> list[Sign]:
    """The signs of a picture in reading order."""
    numbers, count = numbered(ink >= _TOUCHED)
    most = np.zeros(count + 1)
    np.maximum.at(most, numbers.ravel(), ink.ravel())
    sure = most >= _SURE
    sure[0] = False
    order = np.where(sure, sure.cumsum(), 0)
    numbers = order[numbers]
    return [_sign(ink, numbers, group.box, group.pieces) for group in signs(numbers, int(sure.sum()))]


def _sign(ink: Grey, numbers: NDArray[np.int64], box: Box, pieces: frozenset[int]) -> Sign:
    """The ink of some pieces with their soft edges, and without what else lies in their box."""
    top, left = max(box.top - _EDGE, 0), max(box.left - _EDGE, 0)
    place = slice(top, box.bottom + _EDGE), slice(left, box.right + _EDGE)
    own = np.isin(numbers[place], list(pieces)).astype(np.float64)
    kept = np.where(_largest(own, 2 * _EDGE + 1) > 0, ink[place], 0)
    rows, columns = (np.flatnonzero((kept >= _FRINGE).any(axis=axis)) for axis in (1, 0))
    first, last, begin, end = (int(each) for each in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    return Sign(Box(left + begin, top + first, left + end, top + last), kept[first:last, begin:end])


def framed(ink: Grey, box: int = BOX, *, by_mass: bool = True) -> Image8:
    """Ink of any size as an image of MNIST: its box fitted into 20 x 20, its centre of mass moved to the middle.

    Shape: (height, width), from 0 to 1 -> (28, 28) uint8, white ink on black.

    Args:
        ink: The ink of one sign, without paper around it.
        box: Pixels of the longer side.
        by_mass: Whether the centre of mass comes to the middle, or else that of the box.
    """
    fitted = resized(ink, _scaled(ink.shape, box / max(ink.shape)))
    fitted = fitted / max(float(fitted.max(initial=0.0)), 1e-9)
    image = np.zeros((SIDE, SIDE))
    place = tuple(_place(fitted.sum(axis=1 - axis), by_mass=by_mass) for axis in (0, 1))
    image[place] = fitted
    return _whole_numbers(image * 255)


def _place(ink: Grey, *, by_mass: bool) -> slice:
    """Where rows or columns of so much ink, (n,), stand in the image; no further out than its edge."""
    size = len(ink)
    middle = float((ink * np.arange(size)).sum() / max(ink.sum(), 1e-9)) if by_mass else size / 2
    begin = min(max(int(np.floor(SIDE / 2 - middle + _HALF)), 0), SIDE - size)
    return slice(begin, begin + size)


def _whole_numbers(values: NDArray[np.float64]) -> Image8:
    return np.floor(values.clip(0, 255) + 0.5).astype(np.uint8)


def handwriting(picture: Image.Image, box: int = BOX, *, by_mass: bool = True) -> list[Prepared]:
    """Each sign that is written on a picture, in reading order, as an image of 28 x 28; none where there is no ink.

    Args:
        picture: As `as_seen` gives it.
        box: As in `framed`.
        by_mass: As in `framed`.
    """
    values = grey(picture)
    scale = max(picture.size) / max(values.shape)
    found = []
    for sign in cut(ink_in(values)):
        left, top, right, bottom = (round(side * scale) for side in sign.box)
        found.append(Prepared(framed(sign.ink, box, by_mass=by_mass)[None], Box(left, top, right, bottom)))
    return found


def character(picture: Image.Image) -> list[Prepared]:
    """All that is written on a picture as one character that fills an image of 28 x 28; none where there is no ink."""
    values = grey(picture)
    scale = max(picture.size) / max(values.shape)
    ink = ink_in(values)
    boxes = [sign.box for sign in cut(ink)]
    if not boxes:
        return []
    box = reduce(Box.with_box, boxes)
    image = framed(ink[box.top : box.bottom, box.left : box.right], SIDE, by_mass=False)
    return [Prepared(image[None], Box(*(round(side * scale) for side in box)))]


def trimmed(picture: Image.Image) -> Prepared:
    """A thing before a plain ground, as Fashion-MNIST has it: light on dark, its longer side 28, in the middle.

    Source: Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747, section 2: what is within 5 % of the corners' colour is
    trimmed, the longer side resized to 28, the shorter one extended, the intensities negated.
    """
    values = grey(picture)
    corners = [values[row, column] for row in (0, -1) for column in (0, -1)]
    ground = float(np.median(corners))
    apart = np.abs(values - ground) > _GROUND * 255
    if not apart.any():
        apart = np.ones_like(apart)
    rows, columns = (np.flatnonzero(apart.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = (int(each) for each in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    thing = values[top:bottom, left:right]
    light = 255 - thing if ground > 255 / 2 else thing
    image = np.zeros((SIDE, SIDE))
    fitted = resized(light, _scaled(light.shape, SIDE / max(light.shape)))
    image[tuple(_place(fitted.sum(axis=1 - axis), by_mass=False) for axis in (0, 1))] = fitted
    scale = max(picture.size) / max(values.shape)
    box = Box(*(round(side * scale) for side in (left, top, right, bottom)))
    return Prepared(_whole_numbers(image)[None], box)


def whole(picture: Image.Image, shape: tuple[int, int, int]) -> Prepared:
    """The whole picture fitted into images of this shape (channels, height, width), on what its edge is like."""
    channels, height, width = shape
    values = np.asarray(picture.convert("L" if channels == 1 else "RGB"), dtype=np.float64)
    planes = values[None] if channels == 1 else values.transpose(2, 0, 1)
    size = _scaled(planes[0].shape, min(height / planes.shape[1], width / planes.shape[2]))
    image = np.empty(shape)
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    for plane, target in zip(planes, image, strict=True):
        target[:] = np.median(np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]]))
        target[top : top + size[0], left : left + size[1]] = resized(plane, size)
    return Prepared(_whole_numbers(image), Box(0, 0, *picture.size))
