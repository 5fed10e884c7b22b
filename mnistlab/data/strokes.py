"""Strokes of a pen: what they are like in an image, and drawings of nothing in particular."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_SIDE = 28  # to which images are brought
_INK = 0.4  # from which a pixel belongs to a stroke
_DIRECTIONS, _PARTS, _THIRDS = 8, 4, 3
_RING = 4  # pixels from the middle of a stroke, at which it is looked what leads away
_AROUND = 32  # places at which a ring is looked at
_EVEN = 1.7  # so that shapes count about as much as what a net makes of them
_SIZES = (0.5, 0.65, 0.8, 0.9, 1.0)  # of an image that is made coarse
_TURN = 10.0  # degrees at most
_KNOTS, _POINTS, _ROUND = 9, 80, 15  # that a drawing goes through, that are inked, over which a line is rounded
_LIFTED, _ROUNDED, _ANYWHERE = 0.2, 0.4, 0.3  # parts of lines that are not inked, of drawings that are round, and free
_BLOCK = 100  # images at a time


def inked(images: Tensor) -> Tensor:
    """Images (n, channels, height, width) uint8 as ink from 0 to 1 on empty paper, (n, 28, 28)."""
    grey = images.float().mean(dim=1, keepdim=True) / 255
    if grey.shape[2:] != (_SIDE, _SIDE):
        grey = F.interpolate(grey, (_SIDE, _SIDE), mode="area")
    grey = grey[:, 0]
    edge = (grey[:, 0] + grey[:, -1] + grey[:, :, 0] + grey[:, :, -1]).mean(dim=1) / 4
    return torch.where((edge > 1 / 2)[:, None, None], 1 - grey, grey)


def shapes(ink: Tensor) -> Tensor:
    """Which way edges run in each of 4 x 4 parts, and where strokes end, fork and cross in 3 x 3.

    Shape: ink (n, 28, 28) -> (n, 155).
    """
    return _EVEN * torch.cat([3 * _edges(ink), 10 * _ends(ink)], dim=1)


def _edges(ink: Tensor) -> Tensor:
    """How much the edges in each part run in each direction, (n, 128), of length 1 in all, and its root.

    Source: Dalal and Triggs (2005), Histograms of oriented gradients for human detection, CVPR.
    """
    soft = F.avg_pool2d(F.pad(ink[:, None], (1, 1, 1, 1)), 3, 1)
    across = F.pad(soft[..., 2:] - soft[..., :-2], (1, 1))
    down = F.pad(soft[..., 2:, :] - soft[..., :-2, :], (0, 0, 1, 1))
    angle = (torch.arange(_DIRECTIONS) * (2 * math.pi / _DIRECTIONS)).view(1, -1, 1, 1)
    along = across * angle.cos() + down * angle.sin()
    near = (along - math.cos(math.pi / 4) * (across.square() + down.square()).sqrt()).clamp(min=0)
    return F.normalize(_pooled(near, _PARTS)).sqrt()


def _ends(ink: Tensor) -> Tensor:
    """How much ink there is from which one stroke leads away, or three, or more; (n, 27)."""
    stroke = F.pad(ink > _INK, (_RING,) * 4)
    width = stroke.shape[2]
    angles = [at * 2 * math.pi / _AROUND for at in range(_AROUND)]
    places = dict.fromkeys((round(_RING * math.sin(each)), round(_RING * math.cos(each))) for each in angles)
    whole = stroke.to(torch.uint8).flatten()  # in one piece, where a place lies at a fixed distance
    ring = [whole.roll(-width * y - x) for y, x in places]
    leading = torch.zeros_like(whole)
    for before, place in zip([ring[-1], *ring], ring, strict=False):
        leading += place > before
    leading = leading.view(stroke.shape)
    kinds = torch.stack([leading == 1, leading == 3, leading > 3], dim=1) & stroke[:, None]  # noqa: PLR2004 - a fork
    return _pooled(kinds[..., _RING:-_RING, _RING:-_RING].float(), _THIRDS)


def _pooled(maps: Tensor, parts: int) -> Tensor:
    """Means over parts that overlap, (n, maps, 28, 28) -> (n, maps * parts * parts)."""
    middle = (torch.arange(parts) + 0.5) * (_SIDE / parts) - 0.5
    weights = (1 - (torch.arange(_SIDE)[:, None] - middle).abs() / (_SIDE / parts + 2)).clamp(min=0)
    weights = weights / weights.sum(dim=0)
    return (maps.flatten(2) @ torch.kron(weights, weights)).flatten(1)


def draw(like: Tensor, seed: int) -> Tensor:
    """A drawing of straight and of round lines in the place of each image, (n, channels, height, width) uint8.

    Lines go through places of a grid of 3 x 3, or anywhere; the pen is lifted now and then.
    """
    generator = torch.Generator().manual_seed(seed)
    blocks = [_draw(inked(some), generator) for some in like.split(_BLOCK)]
    ink = torch.cat(blocks)[:, None]
    if like[:, :, 0].float().mean() > 255 / 2:
        ink = 1 - ink
    sized = ink if ink.shape[2:] == like.shape[2:] else F.interpolate(ink, like.shape[2:], mode="bilinear")
    return (255 * sized).to(torch.uint8).expand(-1, like.shape[1], -1, -1)


def _draw(ink: Tensor, generator: torch.Generator) -> Tensor:
    """(n, 28, 28) -> (n, 28, 28)."""
    count = len(ink)

    def random(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator)

    on_grid = (random(_KNOTS, 2) * 3).floor() / 2 + (random(_KNOTS, 2) - 0.5) * 0.3
    knots = torch.where(random(1, 1) < _ANYWHERE, random(_KNOTS, 2), on_grid)
    lines = (4 + random(1) * (_KNOTS - 4)).floor()
    along = torch.linspace(0, 0.999, _POINTS) * lines
    first = along.long()
    part = (along - first)[..., None]
    begin, end = (knots.gather(1, at[..., None].expand(-1, -1, 2)) for at in (first, first + 1))
    straight = begin * (1 - part) + end * part
    half = _ROUND // 2
    rounded = F.avg_pool1d(F.pad(straight.mT, (half, half), mode="replicate"), _ROUND, 1).mT
    points = torch.where(random(1, 1) < _ROUNDED, rounded, straight)
    lifted = (random(_KNOTS) < _LIFTED).gather(1, first)
    lifted &= ~lifted.all(dim=1, keepdim=True)
    return _pen(_fitted(points, ~lifted, ink, random(1) < 1 / 2), ~lifted, 0.6 + 0.9 * random(1))


def _fitted(points: Tensor, down: Tensor, ink: Tensor, keeps: Tensor) -> Tensor:
    """Points fitted into the boxes of ink, with their proportions where these shall be kept, (n, points, 2)."""
    low = torch.where(down[..., None], points, torch.inf).amin(dim=1, keepdim=True)
    size = torch.where(down[..., None], points, -torch.inf).amax(dim=1, keepdim=True) - low
    size = size.clamp(min=0.15)
    corner, room = _boxes(ink)
    own = room.amax(dim=2, keepdim=True) * size / size.amax(dim=2, keepdim=True)
    taken = (torch.where(keeps[..., None], own, room) - 3).clamp(min=1)  # for the width of the pen
    return (points - low - size / 2) / size * taken + corner + room / 2


def _boxes(ink: Tensor) -> tuple[Tensor, Tensor]:
    """The corner and the size of what ink takes up, x and y, (n, 1, 2) each."""
    taken = [(ink > _INK / 2).any(dim=axis).float() for axis in (1, 2)]
    low = torch.stack([each.argmax(dim=1) for each in taken], dim=1)
    high = torch.stack([_SIDE - each.flip(1).argmax(dim=1) for each in taken], dim=1)
    return low[:, None].float(), (high - low)[:, None].float()


def _pen(points: Tensor, down: Tensor, width: Tensor) -> Tensor:
    """Ink along points, as dense as they are, (n, 28, 28): the sum of soft dots."""
    step = F.pad((points[:, 1:] - points[:, :-1]).norm(dim=2), (0, 1)) * down
    places = torch.arange(_SIDE) + 0.5
    across, below = ((-((places - points[..., [at]]) / width[..., None]).square() / 2).exp() for at in (0, 1))
    dots = (below * step[..., None]).mT @ across
    return (0.88 * dots / width[..., None] - 0.3).clamp(0, 1)


def as_on_paper(images: Tensor, seed: int) -> Tensor:
    """Images (n, channels, height, width) uint8 turned a little, most of them coarser, all with harder edges."""
    generator = torch.Generator().manual_seed(seed)
    return torch.cat([_as_on_paper(some, generator) for some in images.split(_BLOCK)])


def _as_on_paper(images: Tensor, generator: torch.Generator) -> Tensor:
    turn = torch.deg2rad((torch.rand(len(images), generator=generator) * 2 - 1) * _TURN)
    rows = [torch.stack([turn.cos(), -turn.sin(), 0 * turn], 1), torch.stack([turn.sin(), turn.cos(), 0 * turn], 1)]
    exact = images.float() / 255
    grid = F.affine_grid(torch.stack(rows, 1), list(exact.shape), align_corners=False)
    turned = F.grid_sample(exact, grid, align_corners=False)
    side = turned.shape[2:]
    found = torch.empty_like(exact)
    for at, size in enumerate(_SIZES):
        some = turned[at :: len(_SIZES)]
        if len(some):
            small = F.interpolate(some, (max(1, round(side[0] * size)), max(1, round(side[1] * size))), mode="area")
            found[at :: len(_SIZES)] = F.interpolate(small, side, mode="bilinear")
    return (((found - 0.15) / 0.7).clamp(0, 1) * 255).to(torch.uint8)
