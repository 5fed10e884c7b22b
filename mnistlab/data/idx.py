"""The idx format of MNIST and its family: a header of big-endian integers, then the values."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from mnistlab.errors import LabError

# The kinds that the family uses: bytes of a value (uint8 or int32) and number of dimensions.
_KINDS = {b"\0\0\x08\x01": (1, 1), b"\0\0\x08\x03": (1, 3), b"\0\0\x0c\x02": (4, 2)}


@dataclass(frozen=True)
class Header:
    """What the first bytes of an idx file say."""

    value_bytes: int  # 1 for uint8, 4 for big-endian int32
    shape: tuple[int, ...]  # the length of each dimension; the first one counts the examples

    @property
    def header_bytes(self) -> int:
        """Where the values begin."""
        return 4 + 4 * len(self.shape)

    @property
    def row_bytes(self) -> int:
        """The size of one example."""
        return self.value_bytes * math.prod(self.shape[1:])

    @property
    def file_bytes(self) -> int:
        """The size that the whole file must have."""
        return self.header_bytes + self.row_bytes * self.shape[0]

    def __str__(self) -> str:
        sizes = " x ".join(f"{size:,}" for size in self.shape)
        return f"{sizes} {'uint8' if self.value_bytes == 1 else 'int32'}"


def broken(path: Path, problem: str) -> LabError:
    """The error for a file that is present but cannot be right."""
    return LabError(f"{path} {problem}. Delete it and run again: it will be fetched anew.")


def read_header(path: Path) -> Header:
    """Read and check the header of an idx file against the size of the file, without reading the values.

    Raises:
        LabError: If the file cannot be read, is no idx file, is empty, or is longer or shorter than it says.
    """
    try:
        with path.open("rb") as file:
            return _header(file, path)
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}.") from error


def read_values(path: Path, start: int = 0, stop: int | None = None) -> Tensor:
    """Read the examples from `start` to `stop` of an idx file, all of them unless told otherwise.

    Shape: (stop - start, ...) uint8; int32 values become a last dimension of 4 bytes, the highest first.

    Raises:
        LabError: As `read_header`.
    """
    try:
        with path.open("rb") as file:
            header = _header(file, path)
            first, last, _ = slice(start, stop).indices(header.shape[0])
            file.seek(header.header_bytes + first * header.row_bytes)
            # The file is read straight into the tensor: the values are in memory once, and the tensor owns them.
            payload = torch.empty(max(0, last - first) * header.row_bytes, dtype=torch.uint8)
            if file.readinto(payload.numpy().data) != len(payload):
                raise broken(path, "became shorter while it was read")
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}.") from error
    value = () if header.value_bytes == 1 else (header.value_bytes,)
    return payload.view(-1, *header.shape[1:], *value)


def _header(file: BinaryIO, path: Path) -> Header:
    magic = file.read(4)
    if magic not in _KINDS:
        raise broken(path, f"is no idx file of the MNIST family: it begins with {magic.hex(' ') or 'nothing'}")
    value_bytes, dimensions = _KINDS[magic]
    sizes = file.read(4 * dimensions)
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    header = Header(value_bytes, shape)
    size = file.seek(0, 2)
    if len(sizes) < 4 * dimensions:
        raise broken(path, f"is {size:,} bytes and ends within its header")
    if size != header.file_bytes:
        raise broken(path, f"is {size:,} bytes, its header says {header.file_bytes:,}")
    if 0 in shape:
        raise broken(path, "holds nothing")
    return header
