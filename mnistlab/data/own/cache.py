"""Keeps what was read as uint8 in the user's cache folder, found again by what the files contain."""

import contextlib
import json
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import PIL
import platformdirs
import psutil
import torch
from torch import Tensor

from mnistlab.data.own import decoding
from mnistlab.data.own.decoding import Decoded, Size
from mnistlab.data.own.forms import gather
from mnistlab.data.own.gathered import Array, Gathered, Part, Stored
from mnistlab.data.own.lying import Lying, content_of, hashed, look
from mnistlab.data.own.pictures import commonest, decode_all
from mnistlab.errors import LabError
from mnistlab.system.files import NO_SPACE, write_text
from mnistlab.system.locks import locked

_ABOUT, _IMAGES, _LABELS, _GROUPS = "about.json", "images", "labels", "groups"
_ORDER = ("train", "val", "test", "all")
_DAY = 86_400  # seconds: what was used since then may be in use
_LONG, _MUCH = 30 * _DAY, 20_000_000_000  # bytes


@dataclass(frozen=True)
class Wanted:
    """What is read, and what becomes of it; the options of `Images` of the same names."""

    path: Path
    size: int | tuple[int, int] | None
    channels: int | None
    group: str | None


@dataclass(frozen=True)
class Own:
    """Pictures of one's own, those of a split side by side.

    Attributes:
        images: (n, channels, height, width) uint8.
        labels: (n,) int64, which of `classes`; -1 where nobody knows.
        groups: (n,) int64; None where nothing belongs together.
        parts: How many are of "train", "val" and "test", in this order, or of "all" where they are not divided.
        classes: The names of the classes.
        notes: What is to be told.
        shapes: How many had which channels, height and width, where they differed.
    """

    images: Tensor
    labels: Tensor
    groups: Tensor | None
    parts: Mapping[str, int]
    classes: Sequence[str]
    notes: Sequence[str]
    shapes: Mapping[Size, int]

    @property
    def labelled(self) -> bool:
        """Whether the classes of the pictures are known."""
        return bool(self.classes)

    def rows(self, *parts: str) -> slice:
        """Where pictures of neighbouring parts stand."""
        names = list(self.parts)
        begin = sum(self.parts[name] for name in names[: names.index(parts[0])])
        return slice(begin, begin + sum(self.parts[name] for name in parts))


def read_own(wanted: Wanted) -> Own:
    """Read pictures from the cache, or from where they lie and into the cache.

    What was read once is found by names, sizes and times of the files, or by what they contain.

    Raises:
        LabError: If nothing is there that can be read.
    """
    root = platformdirs.user_cache_path("mnistlab") / "own"
    try:
        root.mkdir(parents=True, exist_ok=True)
        writable = os.access(root, os.W_OK)
    except OSError:
        writable = False
    if not writable or not wanted.path.exists():
        with tempfile.TemporaryDirectory() as scratch:
            return _made(wanted, Path(scratch))[0]
    lying = look(wanted.path)
    kept = _kept(wanted, root, lying)
    if kept is not None:
        return kept
    waiting = f"Waiting for another process to read {wanted.path} ..."
    with locked(root / f".{lying.seen[:32]}.lock", waiting):
        return _kept(wanted, root, lying) or _keep(wanted, root, lying)


def _kept(wanted: Wanted, root: Path, lying: Lying) -> Own | None:
    """What the cache has: of these very files, or of others of these names and sizes that contain the same."""
    with contextlib.suppress(FileNotFoundError):
        return _loaded(root / _seen(wanted, root, lying).read_text())
    begin = _entry(wanted, lying)
    if not any(root.glob(f"{begin}-*")):
        return None
    entry = root / f"{begin}-{content_of(lying)}"
    try:
        own = _loaded(entry)
    except FileNotFoundError:
        return None
    _note(wanted, root, lying, entry)
    return own


def _note(wanted: Wanted, root: Path, lying: Lying, entry: Path) -> None:
    """Note what was made of files, so that nobody has to read them to find it."""
    if lying.rests:
        with contextlib.suppress(OSError):
            write_text(_seen(wanted, root, lying), entry.name)


def _seen(wanted: Wanted, root: Path, lying: Lying) -> Path:
    return root / f"seen-{hashed(lying.seen, *_becoming(wanted))}"


def _keep(wanted: Wanted, root: Path, lying: Lying) -> Own:
    """Read what is wanted into a folder of the cache, which is there whole or not at all.

    It is not there if some files lie elsewhere, or were changed meanwhile.
    """
    _clear(root)
    with tempfile.TemporaryDirectory(prefix=f".{os.getpid()}-", dir=root) as scratch:
        folder = Path(scratch, "entry")
        folder.mkdir()
        try:
            made, digests = _made(wanted, folder)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            raise LabError(f"there is no room for the pictures of {wanted.path} in {root}. Make some.") from error
        if digests.keys() - lying.files.keys() or look(wanted.path).seen != lying.seen:
            return made
        entry = root / f"{_entry(wanted, lying)}-{content_of(lying, digests)}"
        if not (entry / _ABOUT).is_file():  # or another process has read the same elsewhere
            shutil.rmtree(entry, ignore_errors=True)
            folder.rename(entry)
    _note(wanted, root, lying, entry)
    return _loaded(entry)


def _made(wanted: Wanted, folder: Path) -> tuple[Own, dict[str, str]]:
    """Read pictures from where they lie, and write them into a folder; with the SHA-256 of each file of one picture."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        gathered = gather(wanted.path, wanted.group, Path(scratch))
        parts = {name: gathered.parts[name] for name in _ORDER if name in gathered.parts}
        size, (seen, digests) = _write_images(list(parts.values()), folder / _IMAGES, wanted)
        stored = _stored(parts.values())
        whole = ((path, digest) for (path, _, size), digest in zip(stored, digests, strict=True) if size < 0)
        sums = {path: digest for path, digest in whole if not path.startswith(scratch)}
    classes = _classes(gathered)
    number = {name: at for at, name in enumerate(classes)}
    labels = [number[each] for part in parts.values() for each in part.labels or []]
    count = sum(len(part.images) for part in parts.values())
    np.array(labels or [-1] * count, dtype=np.int64).tofile(folder / _LABELS)
    if all(part.groups is not None for part in parts.values()):
        groups = [each for part in parts.values() for each in part.groups or []]
        np.unique(np.array(groups), return_inverse=True)[1].astype(np.int64).tofile(folder / _GROUPS)
    about = {
        "size": size,
        "parts": {name: len(part.images) for name, part in parts.items()},
        "classes": classes,
        "notes": [*gathered.notes, *_changed(seen, size, wanted)],
        "shapes": [[*shape, number] for shape, number in seen.most_common()] if len(seen) > 1 else [],
    }
    write_text(folder / _ABOUT, json.dumps(about))
    return _loaded(folder, mapped=False), sums


def _write_images(parts: Sequence[Part], target: Path, wanted: Wanted) -> tuple[Size, Decoded]:
    """Write pixels of one size; which that is, and what was found."""
    stored = _stored(parts)
    if stored:
        return decode_all(stored, target, wanted.size, wanted.channels)
    arrays = [part.images for part in parts if isinstance(part.images, np.ndarray)]
    seen = Counter[Size]()
    for each in arrays:
        seen[_size(each)] += len(each)
    size = commonest(seen, wanted.size, wanted.channels)
    with target.open("wb") as file:
        for each in arrays:
            if _size(each) == size:
                file.write(np.ascontiguousarray(each).data)
            else:
                file.writelines(decoding.pixels(_picture(image), size) for image in each)
    return size, Decoded(seen, [])


def _stored(parts: Iterable[Part]) -> list[Stored]:
    """All encoded pictures."""
    return [each for part in parts if not isinstance(part.images, np.ndarray) for each in part.images]


def _size(images: Array) -> Size:
    channels = 1 if images.ndim == 3 else images.shape[1]  # noqa: PLR2004
    return channels, images.shape[-2], images.shape[-1]


def _picture(image: Array) -> "PIL.Image.Image":
    from PIL import Image  # noqa: PLC0415 - only where an array is of another size than wanted

    return Image.fromarray(image if image.ndim == 2 else np.ascontiguousarray(image.transpose(1, 2, 0)))  # noqa: PLR2004


def _changed(seen: Counter[Size], size: Size, wanted: Wanted) -> list[str]:
    """What is to be told of pictures that differ, where nobody has asked for one size."""
    notes = []
    total = seen.total()
    shapes = sum(number for each, number in seen.items() if each[1:] != size[1:])
    if wanted.size is None and shapes:
        notes.append(
            f"{shapes:,} of {total:,} pictures are not {size[1]} x {size[2]} as most are: they are resized to it; "
            "--data.image_size says another size"
        )
    depths = sum(number for each, number in seen.items() if each[0] != size[0])
    if wanted.channels is None and depths:
        most, other = ("grey", "colour") if size[0] == 1 else ("in colour", "grey")
        notes.append(
            f"{depths:,} of {total:,} pictures are {other}, most are {most}: all are taken so; "
            f"--data.channels={4 - size[0]} takes them the other way"
        )
    return notes


def _classes(gathered: Gathered) -> list[str]:
    """The names of the classes: as a file says, else all that occur, numbers by their value."""
    found = {label for part in gathered.parts.values() for label in part.labels or []}
    if gathered.classes is not None and found <= set(gathered.classes):
        return list(gathered.classes)
    return sorted(found, key=natural)


def natural(name: str) -> list[tuple[int, int, str]]:
    """What names are ordered by so that 10 comes after 2, and `a10` after `a2`."""
    signed = re.fullmatch(r"-\d+", name)
    parts = [name] if signed else re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() or signed else (1, 0, part) for part in parts if part]


def _loaded(folder: Path, *, mapped: bool = True) -> Own:
    """What a folder holds; where it is larger than half of the free memory the file is its memory."""
    stamp = (folder / _ABOUT).stat().st_mtime_ns
    with contextlib.suppress(OSError):
        os.utime(folder)  # it was used
    return _load_kept(folder, stamp) if mapped else _load(folder, mapped=False)


@lru_cache(maxsize=2)
def _load_kept(folder: Path, stamp: int) -> Own:  # noqa: ARG001 - one that was made anew is another
    size = (folder / _IMAGES).stat().st_size
    return _load(folder, mapped=size > psutil.virtual_memory().available / 2)


def _load(folder: Path, *, mapped: bool) -> Own:
    about = json.loads((folder / _ABOUT).read_text())
    count, path = sum(about["parts"].values()), folder / _IMAGES
    total = count * int(np.prod(about["size"]))
    if mapped:
        images = torch.from_file(str(path), shared=False, size=total, dtype=torch.uint8)
    else:
        images = torch.from_numpy(np.fromfile(path, np.uint8))
    groups = folder / _GROUPS
    return Own(
        images.view(count, *about["size"]),
        torch.from_numpy(np.fromfile(folder / _LABELS, np.int64)),
        torch.from_numpy(np.fromfile(groups, np.int64)) if groups.is_file() else None,
        about["parts"],
        about["classes"],
        about["notes"],
        {(channels, height, width): number for channels, height, width, number in about["shapes"]},
    )


def _entry(wanted: Wanted, lying: Lying) -> str:
    """How the name of an entry begins, which ends with what the files contain."""
    return hashed(lying.like, *_becoming(wanted))


def _becoming(wanted: Wanted) -> tuple[str, ...]:
    """What the pixels depend on besides the files."""
    return str(wanted.size), str(wanted.channels), str(wanted.group), _version()


@cache
def _version() -> str:
    """What the pixels depend on besides: this source, and Pillow."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashed(PIL.__version__, *(each.read_text(encoding="utf-8") for each in sources))


def _clear(root: Path) -> None:
    """Remove what a process that is gone was reading, what nobody has used for a month, and the oldest of too much."""
    with contextlib.suppress(OSError):
        for path in root.glob(".*-*"):
            number = path.name[1:].partition("-")[0]
            if path.is_dir() and number.isdigit() and not psutil.pid_exists(int(number)):
                shutil.rmtree(path, ignore_errors=True)
        total, now = 0, time.time()
        kept = [path for path in root.iterdir() if not path.name.startswith(".")]
        for path in sorted(kept, key=lambda each: each.stat().st_mtime, reverse=True):
            age = now - path.stat().st_mtime
            total += sum(each.stat().st_size for each in path.iterdir()) if path.is_dir() else 0
            if age > _LONG or (total > _MUCH and age > _DAY):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
