"""Pictures of one's own, in whatever form they lie there."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from mnistlab.data.images import ImageData
from mnistlab.data.imageset import ImageSet
from mnistlab.data.likeness import Oddity, originals, shared
from mnistlab.errors import LabError, tell
from mnistlab.options.numbers import ClosedUnitInterval, PositiveInt
from mnistlab.options.specification import Specification
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import counted

if TYPE_CHECKING:
    from PIL.Image import Image

    from mnistlab.data.own.cache import Own
    from mnistlab.data.pictures import Prepared

HEAD = "label"
"""The name of the label."""

_TEST_SHARE = 0.15


class Images(ImageData):
    """Pictures of your own, from a folder or a file: `--data=Images --data.path=PATH`.

    A folder with a folder for each class (also below train, val and test), a folder of pictures with a CSV of
    file,label, a CSV of pixels, npz, tensors (.pt), MATLAB, parquet, idx or libsvm: which it is follows from what lies
    there. Read once, then kept in the user's cache folder.

    Args:
        path: The folder or the file.
        image_size: Height and width of every image, or one number for both, to which all are resized; if not given,
            what most of them have.
        channels: 1 for grey, 3 for colour; if not given, what most of them have.
        val_fraction: The share of the training images held out for validation, in place of `val_size`; if not given,
            the validation images of the data, if they have some.
        test_fraction: The share of all images held out for the test, where the data have no test images; 0.15 if not
            given.
        group: A column of a table or of parquet, such as the writer; what has the same in it stays on one side of each
            split.
        classes: The names of the classes in their order; if not given, those that the data have. A checkpoint says
            them, so that other images are told as it has learnt them.
        handwriting: Whether a picture that `predict` is given shows signs on paper, each of which becomes an image as
            MNIST's are, or is told to be none; else the whole picture is resized, as these images were.

    Raises:
        LabError: If nothing at `path` can be read.
        ValueError: If `image_size` is neither one number nor two.
    """

    def __init__(
        self,
        path: str | Path,
        image_size: PositiveInt | list[PositiveInt] | None = None,
        channels: Literal[1, 3] | None = None,
        val_fraction: ClosedUnitInterval | None = None,
        test_fraction: ClosedUnitInterval | None = None,
        group: str | None = None,
        classes: list[str] | None = None,
        handwriting: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(image_size, Sequence) and len(image_size) != 2:  # noqa: PLR2004 - height and width
            raise ValueError(f"`image_size` must be one number, or height and width, got {list(image_size)}.")
        self.path = Path(path).expanduser().absolute()
        self.image_size = image_size
        self.channels = channels
        self.val_fraction = val_fraction
        self.division.check(val_fraction, "val_fraction")
        self.test_fraction = test_fraction
        self.group = group
        self.classes = classes
        self.handwriting = handwriting
        self._is_told = False  # by whoever has read the images that it shares

    @property
    def own_heads(self) -> dict[str, int]:
        """One label."""
        return {HEAD: len(self.class_names[HEAD])}

    @property
    def class_names(self) -> dict[str, list[str]]:
        """The names of the classes."""
        if self.classes is not None:
            return {HEAD: list(self.classes)}
        if not self.is_labelled:
            raise LabError(
                f"{self.path} has no labels, so that nothing can be learnt from it. A checkpoint says what its classes "
                f"are: mnistlab predict --ckpt_path=best --data.path={self.path}"
            )
        return {HEAD: list(self._own.classes)}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        size = self.image_size
        if size is not None and self.channels is not None:  # as a checkpoint has it, whose images may be gone
            height, width = (size, size) if isinstance(size, int) else size
            return self.channels, height, width
        channels, height, width = self._own.images.shape[1:]
        return channels, height, width

    @property
    def num_images(self) -> dict[str, int]:
        """The number of images for training (validation included) and for the test."""
        count = len(self._own.images)
        test = self._own.parts["test"] if self._is_divided else self._tested(count)
        return {"train": count - test, "test": test}

    @property
    def is_labelled(self) -> bool:
        """Whether there is a class for each image."""
        return self._own.labelled

    @property
    def notes(self) -> Sequence[str]:
        """What was changed, and what was left out."""
        return self._own.notes

    @property
    def shapes(self) -> Mapping[tuple[int, int, int], int]:
        """Those of the files."""
        return self._own.shapes

    @property
    def is_pooled(self) -> bool:
        """Whether the test is drawn from all images: where the data are not divided, or it was asked for."""
        return not self._is_divided or super().is_pooled

    def lacks(self, split: Literal["train", "val", "test"]) -> str:
        """Why there are no images of a split; nothing where there are some."""
        if split == "val" and not self.num_images["train"]:
            return f"all images of {self.path} are the test"
        if split == "val" and self.val_fraction == 0 and self._val_size is None:
            return "data.val_fraction is 0"
        if split == "test" and self.test_fraction == 0 and not self.num_images["test"]:
            return "data.test_fraction is 0"
        return super().lacks(split)

    def held_out(self, images: int | None) -> int:
        """How many training images are for validation: their share, those of the data, or as usual."""
        if self.val_fraction is not None:
            return round(self.val_fraction * (self.num_images["train"] if images is None else images))
        return self._own.parts["val"] if self._has_val else super().held_out(images)

    def located(self) -> dict[str, str]:
        """Where the images are, valid from any folder."""
        return {"path": str(self.path)}

    def recorded(self) -> Specification:
        """What a checkpoint says: size, channels and classes too, so that other images become what it has learnt."""
        recorded, (channels, height, width) = super().recorded(), self.image_shape
        size = height if height == width else [height, width]
        classes = self.class_names[HEAD] if self.classes or self.is_labelled else None
        used = {"image_size": size, "channels": channels, "classes": classes}
        return Specification(recorded.class_path, {**recorded.init_args, **used})

    def share(self, other: ImageData) -> None:
        """Take what other data with the same options have read, so that nobody looks for the files again."""
        super().share(other)
        if isinstance(other, Images):
            self._own = other._own  # noqa: SLF001 - of this very class
            self._is_told = bool(other._rows)  # noqa: SLF001 - as above

    def prepare_data(self) -> None:
        """Read the images into the cache, where they are not there yet."""
        assert self._own is not None

    def setup(self, stage: str) -> None:
        """Load what `stage` needs; what was found odd is told once."""
        if stage == "fit" or not self._rows:
            self._check(stage)
        super().setup(stage)
        if stage == "fit" and not self._is_told and (self.trainer is None or self.trainer.is_global_zero):
            for note in [*self.notes, *self._shared()]:
                tell(f"note: {note}.")

    def read(self, split: Literal["train", "test"]) -> ImageSet:
        """The images that the data have for `split`, with those for validation."""
        names = ["test"] if split == "test" else [name for name in self._own.parts if name != "test"]
        return self._some(self._own.rows(*names) if names else slice(0))

    def pictured(self, picture: "Image") -> "list[Prepared]":
        """The whole picture, resized as these images were, or each sign that is written on it."""
        from mnistlab.data.own.decoding import pixels  # noqa: PLC0415 - few runs look at pictures
        from mnistlab.data.pictures import SIDE, Prepared, handwriting  # noqa: PLC0415 - as above
        from mnistlab.data.pieces import Box  # noqa: PLC0415 - as above

        shape = self.image_shape
        if not self.handwriting:
            image = np.frombuffer(bytearray(pixels(picture, shape)), np.uint8).reshape(shape)
            return [Prepared(image, Box(0, 0, *picture.size))]
        if shape != (1, SIDE, SIDE):
            channels, height, width = shape
            raise LabError(
                f"--data.handwriting=true makes grey images of {SIDE} x {SIDE}, and these have {height} x {width} and "
                f"{counted(channels, 'channel')}. Leave it out."
            )
        return handwriting(picture)

    def oddities(self, train: ImageSet, test: ImageSet) -> Iterator[Oddity]:
        """What is odd besides equal images, which are told of all splits."""
        return (oddity for oddity in super().oddities(train, test) if "stand among" not in oddity.text)

    @cached_property
    def _own(self) -> "Own":
        from mnistlab.data.own.cache import Wanted, read_own  # noqa: PLC0415 - only for such images

        size = tuple(self.image_size) if isinstance(self.image_size, Sequence) else self.image_size
        own = read_own(Wanted(self.path, size, self.channels, self.group))  # type: ignore[arg-type]  # of two numbers
        if self.test_fraction is not None and "test" in own.parts and (self.test_fraction, *own.parts) != (1, "test"):
            raise LabError(
                f"--data.test_fraction={self.test_fraction:g}: {self.path} has {own.parts['test']:,} test images of "
                "its own. Leave it out; --data.partition=pooled draws as many from all."
            )
        return own

    @property
    def _is_divided(self) -> bool:
        return "test" in self._own.parts

    @property
    def _has_val(self) -> bool:
        """Whether the data have images for validation, and nobody wants others."""
        mine = self.val_fraction is None and self._val_size is None and self.fold is None
        return mine and "val" in self._own.parts and not super().is_pooled

    def _tested(self, images: int) -> int:
        if not self._own.labelled:
            return images
        share = _TEST_SHARE if self.test_fraction is None else self.test_fraction
        return min(images, max(1, round(share * images))) if share else 0

    def _check(self, stage: str) -> None:
        """Refuse a stage for which there are no labels or no images."""
        if not self._own.labelled and stage != "predict":
            raise LabError(f"{self.path} has no labels: it can be predicted, and nothing else.")
        if stage in ("fit", "validate") and not self.num_images["train"]:
            count = counted(len(self._own.images), "image")
            if self.test_fraction is None:
                raise LabError(f"{self.path} has {count}, which is the test: nothing is left to train on.")
            raise LabError(
                f"nothing is left to train on: --data.test_fraction={self.test_fraction:g} takes all {count}."
            )

    def _some(self, rows: slice) -> ImageSet:
        """Some of the images, with their labels as the names of the classes have them."""
        own = self._own
        labels = own.labels[rows]
        if own.labelled and self.classes is not None and list(own.classes) != self.classes:
            labels = self._renamed(own.classes)[labels]
        return ImageSet(own.images[rows], {HEAD: labels}, groups=None if own.groups is None else own.groups[rows])

    def _renamed(self, names: Sequence[str]) -> Tensor:
        """The number of each of the data's classes among those that are wanted."""
        wanted = {name: number for number, name in enumerate(self.classes or [])}
        for name in names:
            if name not in wanted:
                guess = suggestion(name, wanted)
                shown = ", ".join(list(wanted)[:12])
                raise LabError(f"{self.path} has the class {name}, which is none of the classes {shown}.{guess}")
        return torch.tensor([wanted[name] for name in names])

    def _read_pool(self) -> tuple[ImageSet, int]:
        if self._is_divided:
            return super()._read_pool()
        data = self._some(slice(None))
        self._recognition.note(self._asked_for(), "train", data)
        return self._labelled(data), self._tested(len(data))

    def _divide(self, data: ImageSet, rows: Tensor) -> None:
        if not len(rows):  # all are tested, or predicted
            self._rows["train"] = self._rows["val"] = rows
        elif self._has_val:
            count = self._own.parts["train"]
            taken = self.division.taken(data, rows[:count], type(self).__name__)
            self._rows["train"], self._rows["val"] = taken, rows[count:]
        else:
            super()._divide(data, rows)

    def _shared(self) -> Iterator[str]:
        """How many images stand in two splits."""
        rows = {split: self.rows_of(split)[1].cpu() for split in ("train", "val", "test")}
        if not self.is_pooled:
            rows["test"] = rows["test"] + self.num_images["train"]
        for (one, other), many in shared(originals([self._own.images]), rows).items():
            if many:
                told = f"{counted(many, 'image')} of {other} {'stands' if many == 1 else 'stand'} in {one} too"
                yield f"{told}, pixel by pixel" + (": it was learnt by heart" if one == "train" else "")
