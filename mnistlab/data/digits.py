"""Handwriting-like digits, drawn on the spot: no file and no network."""

import contextlib
import hashlib
import io
import zlib
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import platformdirs
import torch
from torch import Tensor

from mnistlab.data.images import ImageData
from mnistlab.data.imageset import ImageSet
from mnistlab.options.numbers import NonNegativeInt, PositiveInt
from mnistlab.system.files import clear_left_over, write_bytes
from mnistlab.system.threads import threads

SIDE = 28
BOX = 20  # MNIST's digits fill a box of 20 x 20 pixels
SEGMENTS = 24  # straight pieces a digit is drawn with; each costs the same, needed or not
CHUNK = 20  # images drawn at once: what they need stays in the processor's cache
_CHECKSUM_BYTES = hashlib.sha256().digest_size


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


class _Pens(NamedTuple):
    """All glyphs as tensors.

    Attributes:
        points: (glyphs, points, 2) x and y, padded with zeros.
        begins: (glyphs, SEGMENTS, points): a curve is a linear function of its points, and these are its coefficients.
        ends: The same for the other end of each segment.
        digit: (glyphs,) int64.
        loops: (glyphs,) float32.
    """

    points: Tensor
    begins: Tensor
    ends: Tensor
    digit: Tensor
    loops: Tensor


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
def _pens() -> _Pens:
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
    return _Pens(points, begins, ends, digit, torch.tensor([float(glyph.loops) for glyph in GLYPHS]))


def _draw_factors(size: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Draw what the images differ in; see `draw_digits` for names and units."""

    def normal(mean: float, std: float) -> Tensor:
        # Cut at two standard deviations: further out a digit would leave the image or turn into another.
        return mean + std * torch.randn(size, generator=generator).clamp_(-2, 2)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(size, generator=generator)

    return {
        "slant": normal(7.0, 13.0),
        "rotation": normal(0.0, 6.5),
        "scale": normal(0.9, 0.08),
        "aspect": normal(1.0, 0.15),
        "shift_x": normal(0.0, 1.1),
        "shift_y": normal(0.0, 1.1),
        "thickness": uniform(1.5, 3.8),
        "smoothness": uniform(0.8, 2.4),
        "jitter": uniform(0.03, 0.13),
    }


def _place(points: Tensor, factors: dict[str, Tensor]) -> Tensor:
    """Bring points (n, k, 2) of the glyphs' frame to pixels."""
    half = factors["scale"] * (BOX / 2)
    y = points[..., 1] * half[:, None]
    x = points[..., 0] * (half * factors["aspect"])[:, None] - y * torch.deg2rad(factors["slant"]).tan()[:, None]
    angle = torch.deg2rad(factors["rotation"])[:, None]
    cos, sin = angle.cos(), angle.sin()
    centre = (SIDE - 1) / 2
    turned_x = cos * x + sin * y + factors["shift_x"][:, None] + centre
    turned_y = cos * y - sin * x + factors["shift_y"][:, None] + centre
    return torch.stack([turned_x, turned_y], dim=-1)


def _distance(begin: Tensor, end: Tensor) -> Tensor:
    """Measure how far each pixel is from the nearest segment: two times (n, segments, 2) -> (n, SIDE, SIDE) pixels."""
    along = end - begin
    length = along.square().sum(-1).sqrt_()[..., None, None]
    unit = along / length.squeeze(-1).clamp(min=1e-6)
    middle = (begin + end) / 2
    cos, sin = unit[..., 0, None], unit[..., 1, None]
    axis = torch.arange(SIDE, dtype=torch.float32)
    dx, dy = axis - middle[..., 0, None], axis - middle[..., 1, None]
    # Both parts of the distance are sums of a row and a column: (n, segments, SIDE, SIDE) is built by one addition.
    past_end = (cos * dx)[..., None, :] + (sin * dy)[..., None]
    aside = (cos * dy)[..., None] - (sin * dx)[..., None, :]
    past_end.abs_().sub_(length / 2).clamp_(min=0)
    return past_end.square_().add_(aside.square_()).amin(1).sqrt_()


def _render(glyph: Tensor, factors: dict[str, Tensor], generator: torch.Generator) -> Tensor:
    """Draw one chunk: glyph (n,) int64 -> (n, 1, SIDE, SIDE) uint8."""
    pens = _pens()
    points = pens.points[glyph]
    noise = torch.randn(points.shape, generator=generator).clamp_(-2, 2)
    points = _place(points + factors["jitter"][:, None, None] * noise, factors)
    distance = _distance(pens.begins[glyph] @ points, pens.ends[glyph] @ points)
    thickness, smoothness = (factors[name][:, None, None] for name in ("thickness", "smoothness"))
    ink = ((thickness / 2 - distance) / smoothness + 0.5).clamp_(0, 1)
    return (ink * ink * (3 - 2 * ink)).mul_(255).round_().to(torch.uint8)[:, None]


def draw_digits(size: int, seed: int) -> ImageSet:
    """Draw digits, white ink on black.

    A function of its arguments: neither the global random state nor the number of threads matters, and both are left
    as they were.

    Args:
        size: Images to draw; the classes are balanced up to one.
        seed: Of everything that is random.

    Returns:
        Images (size, 1, 28, 28), the target "digit", and these factors:

        - slant: degrees, positive leans to the right
        - rotation: degrees, positive turns to the left
        - scale: height over MNIST's 20 pixels
        - aspect: width over the usual width
        - shift_x, shift_y: pixels to the right and down
        - thickness: width of the stroke in pixels
        - smoothness: width of the stroke's soft edge in pixels
        - jitter: standard deviation of the curves' points, as a fraction of half the height
        - loops: number of closed loops in the way it is written
    """
    generator = torch.Generator().manual_seed(seed)
    with threads(1):  # too small to share: two threads on two busy cores took 5 times as long as one
        pens = _pens()
        digit = torch.arange(size)[torch.randperm(size, generator=generator)] % 10
        ways = pens.digit.bincount()
        way = (torch.rand(size, generator=generator) * ways[digit]).long()
        glyph = (ways.cumsum(0) - ways)[digit] + way
        factors = _draw_factors(size, generator)
        chunks = zip(*(torch.split(each, CHUNK) for each in (glyph, *factors.values())), strict=True)
        images = [_render(part, dict(zip(factors, values, strict=True)), generator) for part, *values in chunks]
    return ImageSet(torch.cat(images), {"digit": digit}, {**factors, "loops": pens.loops[glyph]})


def cached_digits(split: str, size: int, seed: int) -> ImageSet:
    """Read digits from the user's cache folder, or draw them and put them there.

    The splits of one seed are drawn from independent random streams, so the size of one does not change the other. A
    file that cannot be read is drawn again and replaced; without a folder to write to, drawing is all that happens.

    Returns:
        As `draw_digits`.
    """
    path = _file_of(split, size, seed)
    data = _load(path)
    if data is None:
        # The checksum keeps the streams of neighbouring seeds apart and fits every seed into the generator's 32 bits.
        data = draw_digits(size, zlib.crc32(f"{split} {seed}".encode()))
        _save(data, path)
    return data


def _file_of(split: str, size: int, seed: int) -> Path:
    """Where they are kept."""
    return platformdirs.user_cache_path("mnistlab") / f"digits-{split}-{size}-seed{seed}-{_version()}.pt"


@cache
def _version() -> str:
    """What the drawing depends on: this source, and torch's random numbers."""
    return hashlib.sha256(Path(__file__).read_bytes() + torch.__version__.encode()).hexdigest()[:12]


def _load(path: Path) -> ImageSet | None:
    """Read what `_save` wrote, None if there is no such file or any of its bytes has changed."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    checksum, content = whole[:_CHECKSUM_BYTES], whole[_CHECKSUM_BYTES:]
    if hashlib.sha256(content).digest() != checksum:
        return None
    return ImageSet(**torch.load(io.BytesIO(content), weights_only=True))


def _save(data: ImageSet, path: Path) -> None:
    """Write a file that is there whole or not at all, if the folder allows it."""
    buffer = io.BytesIO()
    torch.save({"images": data.images, "targets": data.targets, "factors": data.factors}, buffer)
    content = buffer.getvalue()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_left_over(path.parent)
        write_bytes(path, hashlib.sha256(content).digest() + content)


class SyntheticDigits(ImageData):
    """Handwriting-like digits that this program draws, for when there is no file and no network.

    Drawn once in a few seconds, then kept in the user's cache folder. Figures compare with each other only, not with
    MNIST's.

    Args:
        train_size: Images in the training set, validation included.
        test_size: Images in the test set.
        draw_seed: Which digits are drawn, independent of the seed of the run.
    """

    def __init__(
        self,
        train_size: PositiveInt = 60_000,
        test_size: PositiveInt = 10_000,
        draw_seed: NonNegativeInt = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.train_size: int = train_size
        self.test_size = test_size
        self.draw_seed = draw_seed

    @property
    def own_heads(self) -> dict[str, int]:
        """One label, the digit."""
        return {"digit": 10}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Grey, 28 by 28."""
        return 1, SIDE, SIDE

    @property
    def num_images(self) -> dict[str, int]:
        """As many as were asked for."""
        return {"train": self.train_size, "test": self.test_size}

    def prepare_data(self) -> None:
        """Draw both sets into the cache, where they are not there yet."""
        for split, size in self.num_images.items():
            if not _file_of(split, size, self.draw_seed).is_file():
                cached_digits(split, size, self.draw_seed)

    def read(self, split: Literal["train", "test"]) -> ImageSet:
        """Read a set from the cache, or draw it."""
        return cached_digits(split, self.num_images[split], self.draw_seed)
