"""Decodes pictures into a file of pixels; also a program of its own, several of which share the work.

It imports nothing of mnistlab, so that such a process starts in a moment.
"""

import hashlib
import io
import json
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "TIFF", "WEBP", "AVIF", "PPM", "TGA", "JPEG2000", "ICO")
"""What is read: pictures of dots. Others may start programs, as EPS does."""

_REPORT = 200  # pictures between two words about how far it is
_BYTE, _WORD = 255, 65_535
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # of TIFF
_GREY = ("L", "LA", "La", "1", "F", "I")

Size = tuple[int, int, int]
"""Channels, height and width."""


class Unreadable(Exception):  # noqa: N818 - one of two outcomes, which is told elsewhere
    """A picture that cannot be read: which, and why."""


class Job(NamedTuple):
    """Pictures to be decoded, and where to.

    Attributes:
        sources: File, first byte and number of bytes of each.
        target: The file of pixels.
        first: Which of all pictures the first one is.
        size: What each becomes.
    """

    sources: Sequence[Sequence[Any]]
    target: str
    first: int
    size: Size


class Decoded(NamedTuple):
    """What was found in pictures.

    Attributes:
        sizes: How many had which size.
        digests: SHA-256 of the bytes of each.
    """

    sizes: Counter[Size]
    digests: list[str]


def decode(job: Job, report: Callable[[int], object] = lambda _: None) -> Decoded:
    """Decode pictures into their places.

    Raises:
        Unreadable: If one is broken.
    """
    found, digests = Counter[Size](), list[str]()
    channels, height, width = job.size
    row = channels * height * width
    with open(job.target, "r+b") as target, warnings.catch_warnings():  # noqa: PTH123
        warnings.simplefilter("ignore")  # what a library says of odd pictures that it reads all the same
        target.seek(job.first * row)
        for number, (path, start, size) in enumerate(job.sources, start=1):
            content, where = contents(path, start, size)
            digests.append(hashlib.sha256(content).hexdigest())
            picture = understood(content, where)
            found[_size_of(picture)] += 1
            target.write(pixels(picture, job.size))
            if number % _REPORT == 0:
                report(_REPORT)
    return Decoded(found, digests)


def opened(path: str, start: int = 0, size: int = -1) -> Image.Image:
    """A picture file, or a part of a file, as `understood`.

    Raises:
        Unreadable: If it is broken.
    """
    return understood(*contents(path, start, size))


def contents(path: str, start: int = 0, size: int = -1) -> tuple[bytes, str]:
    """The bytes of a picture, and where they are for messages.

    Raises:
        Unreadable: If they cannot be read.
    """
    where = path if size < 0 else f"{path}, from byte {start:,}"
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            if start:
                file.seek(start)
            return (file.readall() if size < 0 else file.read(size)), where
    except OSError as error:
        raise Unreadable(f"{where}\n{error.strerror or error}") from error


def understood(content: bytes, where: str) -> Image.Image:
    """A picture as a person sees it, in grey (`L`) or in colour (`RGB`).

    Raises:
        Unreadable: If it is broken.
    """
    try:
        with Image.open(io.BytesIO(content), formats=_formats()) as picture:
            picture.load()
            return as_seen(picture)
    except UnidentifiedImageError:
        why = "it is no picture of a known format" if content else "it is empty"
    except Exception as error:  # noqa: BLE001 - a broken picture may bring anything up
        why = str(error) or type(error).__name__
    raise Unreadable(f"{where}\n{why}")


@cache
def _formats() -> list[str]:
    """Those that Pillow knows as it was built."""
    Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]


def as_seen(picture: Image.Image) -> Image.Image:
    """A decoded picture in grey or in colour of 8 bits, on white where it is transparent, the right way up."""
    if picture.info.get("exif") or picture.format in ("TIFF", "MPO", "JPEG"):
        ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode in ("L", "RGB") and "transparency" not in picture.info:
        return picture
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        return _of_many_levels(picture)
    if picture.mode == "1":
        return picture.convert("L")
    grey = picture.mode in _GREY or (picture.mode in ("P", "PA") and _is_grey(picture))
    if "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture)
    picture = picture.convert("RGB")
    return picture.convert("L") if grey else picture


def pixels(picture: Image.Image, size: Size) -> bytes:
    """The pixels of a picture as seen, (channels, height, width), in the size that is wanted."""
    channels, height, width = size
    mode = "RGB" if channels == 3 else "L"  # noqa: PLR2004
    if picture.mode != mode:
        picture = picture.convert(mode)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    if channels == 1:
        return picture.tobytes()
    return np.asarray(picture).transpose(2, 0, 1).tobytes()


def _size_of(picture: Image.Image) -> Size:
    return (1 if picture.mode == "L" else 3), picture.height, picture.width


def _is_grey(picture: Image.Image) -> bool:
    """Whether all colours of a palette are grey."""
    colours = np.asarray(picture.convert("RGB"))
    return bool((colours[..., 0] == colours[..., 1]).all() and (colours[..., 1] == colours[..., 2]).all())


def _of_many_levels(picture: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, or of fractions: white is 65,535 (of 16 bits), 255, or 1."""
    values = np.asarray(picture).astype(np.float64)
    if not np.isfinite(values).all() or values.min(initial=0) < 0 or values.max(initial=0) > _WORD:
        raise ValueError(f"its values go from {values.min():g} to {values.max():g}, and no one knows what is white")
    white = _WORD
    if picture.mode == "F":
        white = 1 if values.max() <= 1 else _BYTE if values.max() <= _BYTE else _WORD
    tags = getattr(picture, "tag_v2", {})
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and picture.mode != "F":
        values = white - values
    return Image.fromarray(np.round(values * (_BYTE / white)).astype(np.uint8))


def main() -> None:
    """Do the job that standard input describes; say how far it is, and at last what was found, a line each."""

    def say(what: object) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()

    try:
        found = decode(Job(*json.load(sys.stdin)), say)
    except Unreadable as error:
        say({"broken": str(error)})
    except OSError as error:
        say({"failed": error.strerror or str(error)})
    else:
        say({"found": [[*size, number] for size, number in found.sizes.items()], "digests": found.digests})


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):  # whoever asked has gone
        os._exit(1)
