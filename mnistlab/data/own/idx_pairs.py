"""Pairs of idx files of any name, as they are or packed with gzip."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from mnistlab.data.own.arrays import as_pixels
from mnistlab.data.own.gathered import Array, Gathered, Part, as_names, damaged, split_named
from mnistlab.errors import LabError

_KINDS = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_MAGIC = 4


def is_idx(head: bytes) -> bool:
    """Whether a file that begins so is an idx file: two zeros, a kind of number and how many dimensions."""
    return len(head) >= _MAGIC and head[:2] == b"\0\0" and head[2] in _KINDS and 1 <= head[3] <= _MAGIC


def read_idx_files(files: list[Path]) -> Gathered:
    """Read images and the labels that go with them by their names.

    Raises:
        LabError: If one is broken, or labels have no images.
    """
    arrays = {path: _read(path) for path in files}
    labels = {path: each for path, each in arrays.items() if each.ndim <= 2 and "image" not in path.name.lower()}  # noqa: PLR2004
    images = {path: each for path, each in arrays.items() if path not in labels}
    if not images:
        raise LabError(f"{files[0]} holds labels, and there are no images beside it.")
    several = len(images) > 1
    parts: dict[str, Array] = {}
    named: dict[str, list[str] | None] = {}
    for path, each in images.items():
        part = (split_named(path.name) if several else None) or "all"
        if part in parts:
            raise LabError(f"{path.parent} has several files of images. Name one of them: --data.path={path}")
        own = [label for label in labels if _stem(label) == _stem(path)] or (list(labels) if not several else [])
        parts[part], named[part] = each, None
        if own:
            values = labels[own[0]]
            if len(values) != len(each):
                raise LabError(f"{own[0]} holds {len(values):,} labels, but {path.name} holds {len(each):,} images.")
            named[part] = as_names(values if values.ndim == 1 else values[:, 0], own[0])
    pixels = as_pixels(parts, files[0].parent)
    return Gathered({part: Part(each, named[part]) for part, each in pixels.parts.items()}, notes=pixels.notes)


def beside(path: Path) -> list[Path]:
    """A file of images and the labels that lie beside it."""
    others = [each for each in path.parent.iterdir() if each != path and each.is_file() and _stem(each) == _stem(path)]
    return [path, *sorted(others)]


def _stem(path: Path) -> str:
    """What the names of images and labels share: `t10k` of `t10k-images-idx3-ubyte.gz`."""
    words = "".join(letter if letter.isalnum() else " " for letter in path.name.lower()).split()
    left = ("images", "image", "labels", "label", "ubyte", "idx", "idx1", "idx2", "idx3", "idx4", "gz", "int", "x", "y")
    return " ".join(word for word in words if word not in left)


def _read(path: Path) -> Array:
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, error) from error
    if not is_idx(content[:_MAGIC]):
        raise damaged(path, f"it is no idx file, since it begins with {content[:_MAGIC].hex(' ') or 'nothing'}")
    dimensions = content[3]
    begin = _MAGIC + 4 * dimensions
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(_MAGIC, begin, 4))
    kind = np.dtype(_KINDS[content[2]])
    wanted = begin + math.prod(shape) * kind.itemsize
    if len(content) != wanted:
        raise damaged(path, f"it is {len(content):,} bytes, and its header says {wanted:,}")
    return np.frombuffer(content, kind, offset=begin).reshape(shape)
