"""`mnistlab data`: what images there are, in numbers and as a page of samples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from mnistlab.data import ImageData, ImageSet
from mnistlab.data.likeness import image_of, originals, shared
from mnistlab.errors import say
from mnistlab.options.building import build
from mnistlab.options.trust import set_import_policy, vouch_for
from mnistlab.sections.configuration import Configuration
from mnistlab.system.files import telling
from mnistlab.system.interruptions import ended_like_interrupted
from mnistlab.system.lightning_inside import quiet
from mnistlab.system.purpose import only_measure
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import screen_width, table
from mnistlab.text.values import counted
from mnistlab.training.contact_sheet import Row, save_sheet
from mnistlab.training.data_asked import DataAsked
from mnistlab.training.failures import explaining, refusing
from mnistlab.training.invocation import Invocation
from mnistlab.training.settled import known_settled, say_notes, settled_from
from mnistlab.training.suited import is_enough

Split = Literal["train", "val", "test"]

_SPLITS: tuple[Split, ...] = ("train", "val", "test")
_SAMPLES = 12  # of a class


@dataclass(frozen=True)
class Summary:
    """What images there are.

    Attributes:
        name: The data set.
        place: Where it lies, by the option that says so.
        images: How many are in each split that has some.
        shape: Channels, height and width.
        shapes: How many had which before, where they differed.
        classes: For each label how many of each class are in each split.
        mean: Of the training images, from 0 to 1.
        std: Likewise.
        copies: How many of a split are copies of others in it, pixel by pixel.
        shared: How many of a split stand in an earlier one too.
        contradictory: How many have an equal one of another class.
        notes: What was found when they were read.
    """

    name: str
    place: Mapping[str, str]
    images: Mapping[str, int]
    shape: Sequence[int]
    shapes: Mapping[tuple[int, int, int], int]
    classes: Mapping[str, Mapping[str, Mapping[str, int]]]
    mean: float
    std: float
    copies: Mapping[str, int]
    shared: Mapping[tuple[str, str], int]
    contradictory: int
    notes: Sequence[str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "data": self.name,
            **self.place,
            "images": self.images,
            **dict(zip(("channels", "height", "width"), self.shape, strict=True)),
            "shapes": [
                dict(zip(("channels", "height", "width", "images"), (*shape, number), strict=True))
                for shape, number in self.shapes.items()
            ],
            "classes": self.classes,
            "mean": self.mean,
            "std": self.std,
            "copies": self.copies,
            "shared": [{"in": one, "of": other, "images": many} for (one, other), many in self.shared.items()],
            "contradictory": self.contradictory,
            "notes": self.notes,
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        where = "".join(f" in {place}" for place in self.place.values())
        yield f"{self.name}{where}: {counted(sum(self.images.values()), 'image')} of {_size(self.shape)}"
        if self.shapes:
            yield f"as they lie there: {', '.join(f'{n:,} of {_size(shape)}' for shape, n in self.shapes.items())}"
        of = "training" if "train" in self.images else "all"
        yield f"mean {self.mean:.4f}, deviation {self.std:.4f} of {of} images, from 0 to 1"
        for head, classes in self.classes.items():
            numbers = {"all": self.images} if head == next(iter(self.classes)) else {}
            rows = [
                [name, *(f"{counts[split]:,}" for split in self.images), f"{sum(counts.values()):,}", ""]
                for name, counts in {**classes, **numbers}.items()
            ]
            head_row = [head, *self.images, "all", ""]
            yield from (line.rstrip() for line in table(head_row, rows, screen_width(), right=range(1, len(head_row))))
        if not self.classes:
            yield "no labels: they can be predicted, and nothing else"
        yield from self._equal_ones()

    def _equal_ones(self) -> Iterator[str]:
        for split, many in self.copies.items():
            if many:
                copies = "is a copy of another" if many == 1 else "are copies of others"
                yield f"{counted(many, 'image')} of {split} {copies} in it"
        for (one, other), many in self.shared.items():
            if many:
                yield f"{counted(many, 'image')} of {other} {'stands' if many == 1 else 'stand'} in {one} too"
        if self.contradictory:
            yield f"{counted(self.contradictory, 'image')} with an equal one of another class"
        if not any((*self.copies.values(), *self.shared.values())):
            yield "no image is there twice"


def summarize(wanted: DataAsked, *, for_machines: bool) -> int:
    """Print what images there are, and write the page of samples; the exit code.

    Raises:
        LabError: If they cannot be read, or the page cannot be written.
    """
    invocation = Invocation("fit", wanted.arguments)
    quiet()
    with ended_like_interrupted(), explaining({}, debug=False):
        data = _read(invocation)
        summary, rows = _summary(data)
        with telling(wanted.page, "Name a file with --output=..."):
            save_sheet(rows, wanted.page, f"{wanted.name}, {counted(sum(summary.images.values()), 'image')}")
    if for_machines:
        print(as_json({**summary.as_dict(), "page": str(wanted.page)}))
    else:
        say([*(f"note: {note}" for note in summary.notes), *summary.lines(), f"samples are in {wanted.page}"])
    return 0


def _read(invocation: Invocation) -> ImageData:
    """The images, as `fit` would have them."""
    set_import_policy(invocation.vouching.importable)
    vouch_for(invocation.vouching.importable)
    known = known_settled(invocation, None)
    if known is not None and is_enough(known):
        only_measure()
    settled = settled_from(invocation, None, known)
    say_notes(invocation, settled)
    with explaining(settled.origins, debug=False), refusing(settled.origins):
        configuration = Configuration.of(settled)
        data = build(ImageData, configuration.data)
        data.specification = configuration.data
        data.prepare_data()
        for split in _SPLITS:
            data.rows_of(split)  # what is odd about them is known once all are read
        data.setup("predict")
    return data


def _summary(data: ImageData) -> tuple[Summary, Sequence[Row]]:
    parts = {split: data.rows_of(split) for split in _SPLITS}
    sets: list[ImageSet] = []
    numbers: dict[str, Tensor] = {}
    for split, (images, rows) in parts.items():
        if not any(images is each for each in sets):
            sets.append(images)
        before = sets[: next(at for at, each in enumerate(sets) if each is images)]
        if len(rows):
            numbers[split] = rows + sum(map(len, before))
    first = originals([each.images for each in sets])
    labels = torch.cat([each.primary for each in sets])
    assert data.mean is not None
    assert data.std is not None
    classes = _classes(data) if data.is_labelled else {}
    summary = Summary(
        type(data).__name__,
        data.located(),
        {split: len(some) for split, some in numbers.items()},
        tuple(sets[0].images.shape[1:]),
        data.shapes,
        {head: _counts(data, head, names, numbers) for head, names in classes.items()},
        data.mean,
        data.std,
        {split: len(some) - len(first[some].unique()) for split, some in numbers.items()},
        shared(first, numbers),
        _contradictory(torch.cat([*numbers.values()]), first, labels),
        data.notes,
    )
    names = next(iter(classes.values()), [])
    return summary, [*_samples(torch.cat([*numbers.values()]), sets, labels, names)]


def _classes(data: ImageData) -> dict[str, list[str]]:
    """The names of the classes of each label."""
    return {head: data.class_names.get(head) or [*map(str, range(size))] for head, size in data.heads.items()}


def _counts(
    data: ImageData, head: str, names: Sequence[str], splits: Mapping[str, Tensor]
) -> dict[str, dict[str, int]]:
    by_split: dict[str, list[int]] = {split: data.class_counts(split)[head] for split in _SPLITS if split in splits}
    return {name: {split: by_split[split][at] for split in splits} for at, name in enumerate(names)}


def _contradictory(numbers: Tensor, first: Tensor, labels: Tensor) -> int:
    """How many of some images have an equal one of another class."""
    kinds = torch.stack([first[numbers], labels[numbers]]).unique(dim=1)[0]
    image, classes = kinds.unique(return_counts=True)
    return int(torch.isin(first[numbers], image[classes > 1]).sum())


def _samples(numbers: Tensor, sets: Sequence[ImageSet], labels: Tensor, names: Sequence[str]) -> Iterator[Row]:
    """Some of each class, evenly from all that there are; without classes some of all."""
    images = [each.images for each in sets]
    for label, name in enumerate(names):
        own = numbers[labels[numbers] == label]
        yield Row(f"{name}: {len(own):,}", [image_of(images, at) for at in _evenly(own, _SAMPLES)])
    if not names:
        chosen = _evenly(numbers, _SAMPLES * _SAMPLES)
        for start in range(0, len(chosen), _SAMPLES):
            yield Row("", [image_of(images, at) for at in chosen[start : start + _SAMPLES]])


def _evenly(numbers: Tensor, most: int) -> list[int]:
    chosen: list[int] = numbers[torch.linspace(0, len(numbers) - 1, min(most, len(numbers))).round().long()].tolist()
    return chosen


def _size(shape: Sequence[int]) -> str:
    channels, height, width = shape
    return f"{height} x {width}, {'grey' if channels == 1 else 'colour'}"
