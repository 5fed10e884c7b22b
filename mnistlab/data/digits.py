"""Handwriting-like digits, drawn on the spot: no file and no network."""

import contextlib
import hashlib
import io
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import platformdirs
import torch
from torch import Tensor

from mnistlab.data import glyphs
from mnistlab.data.images import ImageData
from mnistlab.data.imageset import ImageSet
from mnistlab.options.numbers import NonNegativeInt, PositiveInt
from mnistlab.system.files import clear_left_over, write_bytes
from mnistlab.system.processes import memory_size
from mnistlab.system.threads import threads

if TYPE_CHECKING:
    from PIL.Image import Image

    from mnistlab.data.pictures import Prepared

SIDE = 28
BOX = 20  # MNIST's digits fill a box of 20 x 20 pixels
CHUNK = 20  # images drawn at once: what they need stays in the processor's cache
_CHECKSUM_BYTES = hashlib.sha256().digest_size
_BYTES_WHILE_DRAWN = 3000
"""What an image takes of memory until it is in its file: 2,855 bytes each where 400,000 were drawn."""


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
    known = glyphs.pens()
    points = known.points[glyph]
    noise = torch.randn(points.shape, generator=generator).clamp_(-2, 2)
    points = _place(points + factors["jitter"][:, None, None] * noise, factors)
    distance = _distance(known.begins[glyph] @ points, known.ends[glyph] @ points)
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
        known = glyphs.pens()
        digit = torch.arange(size)[torch.randperm(size, generator=generator)] % 10
        ways = known.digit.bincount()
        way = (torch.rand(size, generator=generator) * ways[digit]).long()
        glyph = (ways.cumsum(0) - ways)[digit] + way
        factors = _draw_factors(size, generator)
        images = torch.empty(size, 1, SIDE, SIDE, dtype=torch.uint8)
        chunks = zip(*(torch.split(each, CHUNK) for each in (images, glyph, *factors.values())), strict=True)
        for into, part, *values in chunks:  # kept one by one, they would hold gigabytes between them
            into.copy_(_render(part, dict(zip(factors, values, strict=True)), generator))
    return ImageSet(images, {"digit": digit}, {**factors, "loops": known.loops[glyph]})


def cached_digits(split: str, size: int, seed: int) -> ImageSet:
    """Read digits from the user's cache folder, or draw them and put them there.

    The splits of one seed are drawn from independent random streams, so the size of one does not change the other. A
    file that cannot be read is drawn again and replaced; without a folder to write to, drawing is all that happens.

    Returns:
        As `draw_digits`.

    Raises:
        ValueError: If this machine has no memory for so many.
    """
    path = _file_of(split, size, seed)
    data = _load(path)
    if data is None:
        _check_memory(f"{split}_size", size)
        # The checksum keeps the streams of neighbouring seeds apart and fits every seed into the generator's 32 bits.
        data = draw_digits(size, zlib.crc32(f"{split} {seed}".encode()))
        _save(data, path)
    return data


def _check_memory(name: str, images: int) -> None:
    """Refuse more images than the memory of this machine holds: the system would end the program without a word."""
    there, needed = memory_size(), images * _BYTES_WHILE_DRAWN
    if there is not None and needed > there:
        raise ValueError(
            f"`{name}` must be at most {there // _BYTES_WHILE_DRAWN:,} on this machine: {images:,} images need "
            f"{needed / 1e9:,.0f} GB of memory while they are drawn and kept, and it has {there / 1e9:,.0f} GB."
        )


def _file_of(split: str, size: int, seed: int) -> Path:
    """Where they are kept."""
    return platformdirs.user_cache_path("mnistlab") / f"digits-{split}-{size}-seed{seed}-{_version()}.pt"


@cache
def _version() -> str:
    """What the drawing depends on: this source, and torch's random numbers."""
    source = b"".join(Path(file).read_bytes() for file in (__file__, glyphs.__file__))
    return hashlib.sha256(source + torch.__version__.encode()).hexdigest()[:12]


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

    handwriting = True

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

    def pictured(self, picture: "Image") -> "list[Prepared]":
        """Each digit, as MNIST has it: in a box of 20 x 20, by its centre of mass."""
        from mnistlab.data.pictures import handwriting  # noqa: PLC0415 - few runs look at pictures

        return handwriting(picture)
