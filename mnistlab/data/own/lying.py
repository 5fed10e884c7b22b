"""Which files lie at a path, and what tells that they are still the same."""

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType

from mnistlab.data.own.forms import belonging
from mnistlab.errors import LabError

_RESTS = 2_000_000_000  # nanoseconds: no file system has coarser times


@dataclass(frozen=True)
class Lying:
    """What lies at a path at one moment.

    Attributes:
        base: The folder below which all files are.
        files: All files with their sizes, in the order of names.
        seen: A hash of the path, and of their names, sizes and times.
        rests: Whether nothing has changed lately: a file could change once more and keep its size and its time.
    """

    base: str
    files: Mapping[str, int]
    seen: str
    rests: bool

    @cached_property
    def like(self) -> str:
        """A hash of their names below the base and of their sizes."""
        return hashed(*(f"{name[len(self.base) :]}\0{size}" for name, size in self.files.items()))


def look(path: Path) -> Lying:
    """What lies at a path now."""
    digest, files, newest = hashlib.sha256(str(path).encode(errors="surrogateescape")), dict[str, int](), 0
    for found in (some for place in belonging(path) for some in _files(place)):
        # no file can be written without a new st_ctime, whatever becomes of its st_mtime
        about = [f"\0{name}\0{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}" for name, stat in found]
        digest.update("".join(about).encode(errors="surrogateescape"))
        files.update([(name, stat.st_size) for name, stat in found])
        newest = max(newest, *[stat.st_ctime_ns for _, stat in found], 0)
    base = str(path if path.is_dir() else path.parent)
    return Lying(base, files, digest.hexdigest(), time.time_ns() - newest > _RESTS)


def _files(place: Path) -> Iterator[list[tuple[str, os.stat_result]]]:
    """The files of each folder with what the system says of them, in the order of names; hidden ones are not read."""
    if not place.is_dir():
        yield [(str(place), place.stat())]
        return
    folders = [str(place)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                shown = sorted((each for each in entries if each.name[0] != "."), key=attrgetter("name"))
        except OSError as error:
            raise LabError(f"{folder} cannot be read: {error.strerror}.") from error
        folders += [each.path for each in reversed(shown) if each.is_dir(follow_symlinks=False)]
        yield [(each.path, each.stat()) for each in shown if each.is_file()]


def content_of(lying: Lying, known: Mapping[str, str] = MappingProxyType({})) -> str:
    """SHA-256 of all files with their names below the path.

    Args:
        lying: The files.
        known: SHA-256 of some of them, in hexadecimal digits.

    Raises:
        LabError: If one cannot be read.
    """
    digest = hashlib.sha256(lying.like.encode())
    for name in lying.files:
        digest.update((known.get(name) or _digest(name)).encode())
    return digest.hexdigest()


def _digest(name: str) -> str:
    try:
        with open(name, "rb", buffering=0) as file:  # noqa: PTH123 - of 60,000
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LabError(f"{name} cannot be read: {error.strerror}.") from error


def hashed(*texts: str) -> str:
    """A short hash of texts."""
    return hashlib.sha256("\0".join(texts).encode(errors="surrogateescape")).hexdigest()[:32]
