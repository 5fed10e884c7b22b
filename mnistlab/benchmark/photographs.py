"""Photographs of digits, letters and doodles on paper, drawn on the spot."""

import io
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Ink = NDArray[np.float64]
"""(height, width) from 0 for paper to 1 for ink."""

Points = Sequence[tuple[float, float]]
"""Places that a pen goes through, from -1 to 1, right and down."""

_FINE = 8  # pixels of a drawing for one of MNIST
_SAMPLES = 3  # a side, of each pixel of a photograph
_SIDE = 28
_QUALITY = 40  # of JPEG

LETTERS: Mapping[str, Sequence[Points]] = {
    "A": (((-0.7, 1), (0, -1), (0.7, 1)), ((-0.4, 0.3), (0.4, 0.3))),
    "E": (((0.6, -1), (-0.6, -1), (-0.6, 1), (0.6, 1)), ((-0.6, 0), (0.4, 0))),
    "F": (((0.6, -1), (-0.6, -1), (-0.6, 1)), ((-0.6, 0), (0.4, 0))),
    "H": (((-0.7, -1), (-0.7, 1)), ((0.7, -1), (0.7, 1)), ((-0.7, 0), (0.7, 0))),
    "K": (((-0.6, -1), (-0.6, 1)), ((0.6, -1), (-0.6, 0.1), (0.7, 1))),
    "M": (((-0.9, 1), (-0.7, -1), (0, 0.5), (0.7, -1), (0.9, 1)),),
    "N": (((-0.7, 1), (-0.7, -1), (0.7, 1), (0.7, -1)),),
    "R": (((-0.6, 1), (-0.6, -1), (0.4, -1), (0.6, -0.5), (0.4, 0), (-0.6, 0)), ((-0.1, 0), (0.7, 1))),
    "T": (((-0.8, -1), (0.8, -1)), ((0, -1), (0, 1))),
    "W": (((-1, -1), (-0.5, 1), (0, -0.4), (0.5, 1), (1, -1)),),
    "X": (((-0.7, -1), (0.7, 1)), ((0.7, -1), (-0.7, 1))),
    "k": (((-0.5, -1), (-0.5, 1)), ((0.4, -0.2), (-0.5, 0.4), (0.5, 1))),
    "m": (((-1, 0.8), (-1, -0.6), (-0.5, -0.7), (0, -0.4), (0, 0.8)), ((0, -0.4), (0.5, -0.7), (1, -0.4), (1, 0.8))),
}
"""Letters that are written as no digit is, by their strokes; Y is left out, an open 4."""


def _ring(corners: int, turn: float = 0.0, radius: float = 1.0) -> Points:
    angles = np.arange(corners + 1) * 2 * np.pi / corners + turn
    return [(radius * np.sin(angle), -radius * np.cos(angle)) for angle in angles]


_STAR = _ring(5)

DOODLES: Mapping[str, Callable[[np.random.Generator], Sequence[Points]]] = {
    "zigzag": lambda rng: [[(x, (-1) ** n * 0.6) for n, x in enumerate(np.linspace(-1, 1, rng.integers(6, 10)))]],
    "star": lambda _: [[_STAR[(2 * n) % 5] for n in range(6)]],
    "scribble": lambda rng: [[(x, y) for x, y in rng.uniform(-1, 1, (rng.integers(9, 16), 2))]],
    "grid": lambda _: [((-0.4, -1), (-0.4, 1)), ((0.4, -1), (0.4, 1)), ((-1, -0.4), (1, -0.4)), ((-1, 0.4), (1, 0.4))],
    "house": lambda _: [
        ((-0.7, 1), (-0.7, -0.1), (0, -1), (0.7, -0.1), (0.7, 1), (-0.7, 1)),
        ((-0.7, -0.1), (0.7, -0.1)),
    ],
    "window": lambda _: [_ring(4, np.pi / 4), ((0, -0.7), (0, 0.7)), ((-0.7, 0), (0.7, 0))],
    "sun": lambda _: [_ring(8, 0.0, 0.5), *([(0.6 * x, 0.6 * y), (x, y)] for x, y in _ring(8)[:8])],
    "face": lambda _: [
        _ring(12),
        ((-0.4, -0.4), (-0.4, -0.2)),
        ((0.4, -0.4), (0.4, -0.2)),
        ((-0.5, 0.3), (0, 0.6), (0.5, 0.3)),
    ],
    "tree": lambda _: [((0, -1), (0, 1)), ((-0.8, 0), (0, -0.7), (0.8, 0)), ((-0.9, 0.6), (0, -0.1), (0.9, 0.6))],
    "spiral": lambda _: [[(0.05 * n * np.sin(n / 1.6), -0.05 * n * np.cos(n / 1.6)) for n in range(21)]],
}
"""Things that a hand draws and that are no digit, by their strokes."""


def drawn(strokes: Sequence[Points], rng: np.random.Generator) -> Ink:
    """A drawing by hand: leaning, uneven, of a pen as thick as those of MNIST."""
    lean, wide, thick = rng.normal(0, 0.15), rng.uniform(0.8, 1.1), rng.uniform(1.5, 3.0) * _FINE / 2
    place = np.mgrid[0 : _SIDE * _FINE, 0 : _SIDE * _FINE]
    ink = np.zeros(place.shape[1:])
    for stroke in strokes:
        points = np.array(stroke, dtype=np.float64) + rng.normal(0, 0.05, (len(stroke), 2))
        points[:, 0] = points[:, 0] * wide - points[:, 1] * lean
        pixels = (points * 9 + _SIDE / 2) * _FINE
        for begin, end in pairwise(pixels):
            along = end - begin
            across = place[::-1].transpose(1, 2, 0) - begin
            part = np.clip(across @ along / max(float(along @ along), 1e-9), 0, 1)
            far = np.hypot(*(across - part[..., None] * along).transpose(2, 0, 1))
            ink = np.maximum(ink, np.clip(thick - far + 0.5, 0, 1))
    return ink


def photograph(ink: Ink, rng: np.random.Generator) -> Image.Image:
    """Ink on paper, taken in uneven light: 0.5 to 3 times as large, off centre, turned up to 10 degrees, JPEG 40.

    Args:
        ink: A square of 28 pixels a side, or a multiple of it; all 0 is empty paper.
        rng: Of everything that is random.
    """
    scale, turn = float(np.exp(rng.uniform(np.log(0.5), np.log(3)))), np.deg2rad(rng.uniform(-10, 10))
    side = int(rng.integers(110, 200))
    sheet = Image.fromarray((ink * 255).astype(np.uint8))
    fine = sheet.resize((_SIDE * _FINE, _SIDE * _FINE), Image.Resampling.BICUBIC)
    reach = 0.6 * _SIDE * scale
    x, y = rng.uniform(reach, side - reach, 2)
    right, down = np.cos(turn) / scale, np.sin(turn) / scale
    step = _FINE / _SAMPLES
    middle = _SIDE / 2
    across = (right * step, down * step, _FINE * (middle - right * x - down * y))
    along = (-down * step, right * step, _FINE * (middle + down * x - right * y))
    large = fine.transform(
        (side * _SAMPLES, side * _SAMPLES), Image.Transform.AFFINE, (*across, *along), Image.Resampling.BICUBIC
    )
    covered = np.asarray(large, dtype=np.float64).reshape(side, _SAMPLES, side, _SAMPLES).mean(axis=(1, 3)) / 255
    values = rng.uniform(200, 250) * (1 - covered) + rng.uniform(20, 90) * covered
    taken = values * _light(side, rng) + rng.normal(0, rng.uniform(1, 6), values.shape)  # and the grain of the paper
    packed = io.BytesIO()
    Image.fromarray(taken.clip(0, 255).astype(np.uint8)).save(packed, "JPEG", quality=_QUALITY)
    return Image.open(packed)


def _light(side: int, rng: np.random.Generator) -> Ink:
    """Light that falls off to one side, and away from a lamp."""
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    towards = rng.uniform(0, 2 * np.pi)
    lamp = rng.uniform(-0.5, 0.5, 2)
    slope = 1 - rng.uniform(0.1, 0.5) * (np.cos(towards) * x + np.sin(towards) * y + 0.5)
    away = (x - lamp[0]) ** 2 + (y - lamp[1]) ** 2
    light: Ink = slope * (1 - rng.uniform(0, 0.3) * away)
    return light
