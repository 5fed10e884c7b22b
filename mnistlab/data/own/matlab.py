"""Files of MATLAB, version 5: EMNIST's, affNIST's, SVHN's.

Read here and not by scipy: where that is installed, torchmetrics imports it with every command, for half a second.

Source: MathWorks, MAT-File Format, chapter 1.
"""

import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from mnistlab.data.own.arrays import paired
from mnistlab.data.own.gathered import Array, Gathered, damaged

_HEADER = 128
_KINDS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_MATRIX, _COMPRESSED = 14, 15
_STRUCTURE = 2
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}

_Found = Mapping[str, "Array | _Found"]


def read_mat(path: Path) -> Gathered:
    """Read the images and the labels of plain arrays, or of structures as in `dataset.train.images`.

    Raises:
        LabError: If the file is broken or holds no images.
    """
    try:
        content = path.read_bytes()
        order = "<" if content[126:128] == b"IM" else ">"
        arrays = dict(_flattened(dict(_variables(content[_HEADER:], order)), ""))
    except (OSError, ValueError, KeyError, RecursionError, UnicodeDecodeError, struct.error, zlib.error) as error:
        raise damaged(path, error) from error
    return paired(arrays, path, by_column=True)


def _variables(data: bytes, order: str) -> Iterator[tuple[str, Array | _Found]]:
    """Each variable that is an array of numbers or a structure, by its name."""
    for kind, content in _elements(data, order):
        if kind == _COMPRESSED:
            yield from _variables(zlib.decompress(content), order)
        elif kind == _MATRIX and content:
            name, value = _matrix(content, order)
            if value is not None:
                yield name, value


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """The kind and the bytes of each element; those of four bytes at most stand within their tag."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        if kind >> 16:
            yield kind & 0xFFFF, data[at + 4 : at + 4 + (kind >> 16)]
            at += 8
            continue
        if at + 8 + size > len(data):
            raise ValueError(f"it ends within an element of {size:,} bytes")
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + (0 if kind == _COMPRESSED else -size % 8)


def _matrix(data: bytes, order: str) -> tuple[str, "Array | _Found | None"]:
    """The name of a variable and what it is; None for text, cells and what else is no picture."""
    (_, flags), (_, sizes), (_, name), *rest = _elements(data, order)
    kind, shape = struct.unpack_from(f"{order}I", flags)[0] & 0xFF, np.frombuffer(sizes, f"{order}i4").tolist()
    value: Array | _Found | None = None
    if kind == _STRUCTURE and math.prod(shape) == 1:
        (_, length), (_, names), *parts = rest
        width = struct.unpack(f"{order}i", length)[0]
        fields = [names[at : at + width].split(b"\0")[0].decode() for at in range(0, len(names), width)]
        read = [_matrix(part, order)[1] if part else None for _, part in parts]
        value = {field: each for field, each in zip(fields, read, strict=True) if each is not None}
    elif kind in _CLASSES:
        # Small whole numbers are kept in one byte each, whatever their class is: 255 + 1 would be 0.
        values = np.frombuffer(rest[0][1], f"{order}{_KINDS[rest[0][0]]}").astype(_CLASSES[kind])
        value = values.reshape(shape, order="F")
    return name.decode(), value


def _flattened(found: _Found, above: str) -> Iterator[tuple[str, Array]]:
    """The arrays of structures within structures, by their names with dots between."""
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
