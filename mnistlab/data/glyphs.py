"""The ways to write a digit."""

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

SEGMENTS = 24  # straight pieces a digit is drawn with; each costs the same, needed or not


class Glyph(NamedTuple):
    """One way to write a digit.

    Each stroke is a smooth curve through its points, straight with two, closed where it ends at its beginning. A point
    is x,y in percent of half the height, from the centre to the right and down. Points at one place are one point, so
    that strokes which meet there still meet when the hand is unsteady.
    """

    digit: int
    loops: int
    strokes: tuple[str, ...]


GLYPHS = (
    Glyph(0, 1, ("0,-100 -42,-75 -58,0 -42,75 0,100 42,75 58,0 42,-75 0,-100",)),
    # With a tail that crosses over.
    Glyph(0, 1, ("28,-98 -42,-75 -58,0 -42,75 0,100 42,75 58,0 42,-75 10,-100 -22,-72",)),
    Glyph(1, 0, ("0,-100 0,0 0,100",)),
    # With a flag.
    Glyph(1, 0, ("-38,-55 5,-100", "5,-100 5,100")),
    # With a flag and a foot.
    Glyph(1, 0, ("-38,-60 0,-100", "0,-100 0,100", "-42,100 0,100 42,100")),
    Glyph(2, 0, ("-50,-55 -30,-92 15,-98 48,-60 32,-5 -12,50 -55,95", "-55,95 60,95")),
    # With a looped foot.
    Glyph(2, 1, ("-48,-65 -10,-100 42,-75 35,-20 -5,45 -42,90 -68,72 -42,50 5,85 62,90",)),
    Glyph(3, 0, ("-48,-72 -5,-100 40,-70 25,-22 -12,-5", "-12,-5 35,12 50,55 8,98 -55,75")),
    # With a flat top.
    Glyph(3, 0, ("-48,-95 42,-95", "42,-95 -8,-18", "-8,-18 40,5 48,60 5,100 -52,78")),
    # Open.
    Glyph(4, 0, ("-38,-95 -50,-40 -45,10 60,5", "38,-95 30,0 25,100")),
    # Closed.
    Glyph(4, 1, ("25,-100 -60,30", "-60,30 25,32 62,30", "25,-100 25,32", "25,32 22,100")),
    Glyph(5, 0, ("52,-95 -35,-95", "-35,-95 -42,-12", "-42,-12 5,-30 48,5 42,68 0,98 -55,75")),
    # The bar put on last.
    Glyph(5, 0, ("-30,-80 -40,-15 20,-15 48,35 15,92 -50,85", "-28,-88 58,-100")),
    Glyph(6, 1, ("32,-100 -22,-55 -50,15 -35,82 8,98 45,60 28,12 -15,15 -46,50",)),
    # A straighter stem, a smaller loop.
    Glyph(6, 1, ("-8,-100 -38,-30 -42,50 -8,98 40,80 40,35 2,22 -40,62",)),
    Glyph(7, 0, ("-52,-92 50,-95", "50,-95 12,0 -12,100")),
    # With a bar.
    Glyph(7, 0, ("-52,-92 50,-95", "50,-95 10,5 -15,100", "-28,5 10,5 45,2")),
    # With a hook.
    Glyph(7, 0, ("-50,-60 -50,-95", "-50,-95 48,-95", "48,-95 5,0 0,100")),
    # One line that crosses itself.
    Glyph(8, 2, ("5,-100 -40,-65 0,-8 46,52 0,100 -46,52 0,-8 42,-68 5,-100",)),
    # Two rings.
    Glyph(8, 2, ("0,-100 -36,-58 0,-12 36,-58 0,-100", "0,-12 -46,42 0,100 46,42 0,-12")),
    Glyph(9, 1, ("40,-70 -5,-100 -45,-60 -25,-10 20,-20 40,-70", "40,-70 38,10 30,100")),
    # With a curved tail.
    Glyph(9, 1, ("42,-62 5,-100 -42,-62 -15,-12 42,-62", "42,-62 42,20 10,90 -42,92")),
)


class Pens(NamedTuple):
    """All glyphs as tensors."""

    points: Tensor  # (glyphs, points, 2) x and y, padded with zeros
    begins: Tensor
    """(glyphs, SEGMENTS, points): a curve is a linear function of its points, and these are its coefficients."""
    ends: Tensor  # the same for the other end of each segment
    digit: Tensor  # (glyphs,) int64
    loops: Tensor  # (glyphs,) float32


def _flatten(knots: Tensor, steps: int, *, closed: bool) -> Tensor:
    """Sample a Catmull-Rom spline: knots (n, d) -> ((n - 1) * steps + 1, d), each knot among them."""
    before = knots[-2] if closed else 2 * knots[0] - knots[1]
    after = knots[1] if closed else 2 * knots[-1] - knots[-2]
    windows = torch.cat([before[None], knots, after[None]]).unfold(0, 4, 1)
    t = torch.arange(steps)[:, None] / steps
    powers = torch.cat([t**0, t, t**2, t**3], dim=1)
    basis = 0.5 * torch.tensor([[0.0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])
    curve = torch.einsum("ndk,sk->nsd", windows, powers @ basis)
    return torch.cat([curve.flatten(0, 1), knots[-1:]])


@cache
def pens() -> Pens:
    """All glyphs, each divided into so many straight pieces."""
    places = [list(dict.fromkeys(" ".join(glyph.strokes).split())) for glyph in GLYPHS]
    width = max(map(len, places))
    points = torch.zeros(len(GLYPHS), width, 2)
    begins, ends = torch.zeros(2, len(GLYPHS), SEGMENTS, width)
    for row, (glyph, place) in enumerate(zip(GLYPHS, places, strict=True)):
        points[row, : len(place)] = torch.tensor([[float(x) / 100 for x in point.split(",")] for point in place])
        strokes = [[place.index(point) for point in stroke.split()] for stroke in glyph.strokes]
        steps = SEGMENTS // sum(len(stroke) - 1 for stroke in strokes)
        curves = [_flatten(torch.eye(width)[stroke], steps, closed=stroke[0] == stroke[-1]) for stroke in strokes]
        # What is left over repeats the last segment, which draws nothing new.
        spread = torch.arange(SEGMENTS).clamp(max=sum(map(len, curves)) - len(curves) - 1)
        begins[row] = torch.cat([curve[:-1] for curve in curves])[spread]
        ends[row] = torch.cat([curve[1:] for curve in curves])[spread]
    digit = torch.tensor([glyph.digit for glyph in GLYPHS])
    return Pens(points, begins, ends, digit, torch.tensor([float(glyph.loops) for glyph in GLYPHS]))
