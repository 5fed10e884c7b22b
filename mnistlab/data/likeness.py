"""Whether images are those that they are taken for: known again, as many as there should be, and kept apart."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import combinations
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from mnistlab.data.imageset import ImageSet
from mnistlab.errors import LabError

_ROWS = 1000  # images looked at at once: what they need stays in the processor's cache
_SHARED = 0.01  # of the test images; below that they are twins that a good set may have
_ENOUGH = 10  # images for each class: with fewer one may be missing by chance


class Oddity(NamedTuple):
    """What is odd about a data set."""

    state: Literal["note", "bad"]  # `note` where it may be meant so, or `bad`
    text: str  # what it is, a sentence without its end


def fingerprint(images: Tensor, target: Tensor) -> str:
    """SHA-256 of images and their classes."""
    digest = sha256(str(tuple(images.shape)).encode())
    for values in (images, target):
        digest.update(values.detach().cpu().contiguous().view(-1).numpy().data)
    return digest.hexdigest()


def oddities(
    name: str, train: ImageSet, test: ImageSet, known: Mapping[str, int], num_classes: int
) -> Iterator[Oddity]:
    """What is odd about the official images of a data set.

    Args:
        name: What the data set is called.
        train: Its training images.
        test: Its test images.
        known: How many "train" and "test" images it has in the original, where that is known.
        num_classes: The number of classes of the primary label.
    """
    sizes = {"train": len(train), "test": len(test)}
    if any(known.get(split, size) != size for split, size in sizes.items()):
        yield Oddity("note", f"{name} has {_counted(sizes)} here, and {_counted(known)} in the original")
    shared = equal_images(train.images, test.images)
    if shared >= max(1, _SHARED * len(test)):
        text = f"{shared:,} of the {len(test):,} test images of {name} stand among its training images too"
        yield Oddity("bad", f"{text}: what is tested was learnt by heart")
    present, tested = (set(each.primary.unique().tolist()) for each in (train, test))
    missing = sorted(tested - present)
    if len(train) < _ENOUGH * num_classes:
        return
    if len(present) == 1 < num_classes:
        yield Oddity("bad", f"all {len(train):,} training images of {name} are of class {present.pop()}")
    elif missing:
        many = int(torch.isin(test.primary, torch.tensor(missing)).sum())
        which = f"class{'es' * (len(missing) > 1)} {', '.join(map(str, missing))}"
        yield Oddity("bad", f"no training image of {name} is of {which}, but {many:,} test images are")


def equal_images(some: Tensor, others: Tensor) -> int:
    """How many of the `others` stand among `some`, to the bit; both (n, channels, height, width) uint8."""
    if some.shape[1:] != others.shape[1:] or not len(some):
        return 0
    known, sought = _marks(some), _marks(others)
    alike = torch.isin(sought, known).nonzero().flatten()
    if not len(alike):
        return 0
    known, place = known.sort()
    places = place[torch.searchsorted(known, sought[alike])]
    pairs = zip(places.split(_ROWS), alike.split(_ROWS), strict=True)
    return sum(int((some[one] == others[other]).flatten(1).all(dim=1).sum()) for one, other in pairs)


def originals(parts: Sequence[Tensor]) -> Tensor:
    """Of each image the number of the first one that is the same to the bit, which may be itself.

    Args:
        parts: Images (n, channels, height, width) uint8 of one size; they are numbered one part after the other.
    """
    marks = torch.cat([_marks(part) for part in parts])
    number = torch.arange(len(marks))
    _, kind = marks.unique(return_inverse=True)
    first = number.scatter_reduce(0, kind, number, "amin", include_self=False)[kind]
    for at in (first != number).nonzero().flatten().tolist():
        if not torch.equal(image_of(parts, at), image_of(parts, int(first[at]))):
            first[at] = at
    return first


def image_of(parts: Sequence[Tensor], number: int) -> Tensor:
    """The image of a number, where parts are numbered one after the other."""
    for part in parts:
        if number < len(part):
            return part[number]
        number -= len(part)
    raise IndexError(number)


def shared(first: Tensor, splits: Mapping[str, Tensor]) -> dict[tuple[str, str], int]:
    """How many images of each split stand in an earlier one too.

    Args:
        first: What `originals` says.
        splits: The numbers of the images of each.
    """
    return {
        (one, other): int(torch.isin(first[others], first[rows]).sum())
        for (one, rows), (other, others) in combinations(splits.items(), 2)
    }


def _marks(images: Tensor) -> Tensor:
    """A number for each image, (n,) int64: equal images have the same, and others hardly ever."""
    rows = images.flatten(1)
    if over := rows.shape[1] % 8:
        rows = torch.nn.functional.pad(rows, (0, 8 - over))
    rows = rows.view(torch.int64)
    factors = torch.randint(2**62, (rows.shape[1],), generator=torch.Generator().manual_seed(0)) * 2 + 1
    return torch.cat([(some * factors).sum(dim=1) for some in rows.split(_ROWS)])


def _counted(sizes: Mapping[str, int]) -> str:
    return " and ".join(f"{size:,} {split}" for split, size in sizes.items()) + " images"


class Recognition:
    """What is known of the official images of a data set by having read them."""

    def __init__(self) -> None:
        self.fingerprint: dict[str, str] = {}  # that of each split that was read, and under `of` what was asked for
        self._expected: dict[str, str] = {}
        self._whose = self._way_out = ""
        self._odd: list[Oddity] = []

    def expect(self, fingerprint: Mapping[str, str], whose: str, way_out: str) -> None:
        """Compare what is read with what a run has read; see `ImageData.expect`."""
        self._expected, self._whose, self._way_out = dict(fingerprint), whose, way_out

    def note(self, of: str, split: Literal["train", "test"], data: ImageSet) -> None:
        """Note which images were read, for which data set."""
        self.fingerprint |= {"of": of, split: fingerprint(data.images, data.primary)}

    def doubt(self, oddities: Iterator[Oddity]) -> None:
        """Note what is odd about them."""
        self._odd = list(oddities)

    def notes(self, stage: str, name: str) -> list[str]:
        """What is to be told of the images that were read, once each.

        Args:
            stage: "fit", "validate", "test" or "predict".
            name: The data set, and where it lies.

        Raises:
            LabError: If a run would be trained with others than its own.
        """
        notes, self._odd = [f"{oddity.text}." for oddity in self._odd], []
        for split, kind in (("train", "training"), ("test", "test")):
            needless = {"validate": "test", "predict": "train"}.get(stage)
            if split not in self.fingerprint or split == needless:
                continue
            if self._expected.pop(split, self.fingerprint[split]) != self.fingerprint[split]:
                other = f"the {kind} images of {name} are not those of {self._whose}"
                if stage == "fit":
                    raise LabError(f"{other}. {self._way_out}")
                notes.append(f"{other}: their figures do not compare.")
        return notes
