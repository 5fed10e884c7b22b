"""Which files lie at a path, and what tells that they are still the same."""

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from mnistlab.data.own.forms import belonging
from mnistlab.errors import LabError

_RESTS = 2_000_000_000  # nanoseconds: no file system has coarser times


@dataclass(frozen=True)
class Lying:
    """What lies at a path at one moment.

    Attributes:
        files: All files, in the order of names.
        seen: A hash of the path, and of their names, sizes and times.
        like: A hash of their names below the path and of their sizes.
        rests: Whether nothing has changed lately: a file could change once more and keep its size and its time.
    """

    files: Sequence[str]
    seen: str
    like: str
    rests: bool


def look(path: Path) -> Lying:
    """What lies at a path now."""
    digest, like = hashlib.sha256(str(path).encode(errors="surrogateescape")), hashlib.sha256()
    base, files, newest = len(str(path if path.is_dir() else path.parent)), [], 0
    for name, stat in (found for place in belonging(path) for found in _files(place)):
        # no file can be written without a new st_ctime, whatever becomes of its st_mtime
        about = f"\0{name[base:]}\0{stat.st_size}".encode(errors="surrogateescape")
        like.update(about)
        digest.update(b"%b %d %d" % (about, stat.st_mtime_ns, stat.st_ctime_ns))
        files.append(name)
        newest = max(newest, stat.st_ctime_ns)
    return Lying(files, digest.hexdigest(), like.hexdigest(), time.time_ns() - newest > _RESTS)


def _files(place: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Each file with what the system says of it, in the order of names; hidden ones are not read."""
    if not place.is_dir():
        yield str(place), place.stat()
        return
    folders = [str(place)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                shown = sorted((each for each in entries if each.name[0] != "."), key=lambda each: each.name)
        except OSError as error:
            raise LabError(f"{folder} cannot be read: {error.strerror}.") from error
        folders += [each.path for each in reversed(shown) if each.is_dir(follow_symlinks=False)]
        yield from ((each.path, each.stat()) for each in shown if each.is_file())


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
