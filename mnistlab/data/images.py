"""The common part of every data set: splits, loaders, normalization."""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Never

import torch
from torch import Tensor

from mnistlab.data.augment import Augmentation
from mnistlab.data.division import FOLDS, Division
from mnistlab.data.imageset import ImageSet
from mnistlab.data.labels import LabelScheme
from mnistlab.data.likeness import Oddity, Recognition, oddities
from mnistlab.data.loader import EvalLoader, Shard, TrainLoader
from mnistlab.data.pixels import Pixels
from mnistlab.errors import tell
from mnistlab.options.numbers import ClosedUnitInterval, NonNegativeInt, PositiveFloat, PositiveInt
from mnistlab.options.signatures import refuse_unknown
from mnistlab.options.specification import Specification, describe, init_arguments
from mnistlab.system.bases import LightningDataModule

if TYPE_CHECKING:
    from PIL.Image import Image

    from mnistlab.data.pictures import Prepared

_PARTS = {"train": "training", "val": "validation", "test": "test"}


class ImageData(LightningDataModule):
    """Images with named labels, held in memory as uint8 and given out in whole batches.

    The official test images are the test set; validation is a seeded part of the training images in which every class
    has its share. Normalization and augmentation happen batch by batch on the device of the model.

    To add a data set, say what labels it has in `own_heads`, fetch it in `prepare_data`, and return its parts from
    `read`.

    Args:
        batch_size: Images in a training batch.
        eval_batch_size: Images in a batch of validation, test and prediction; 128 to 256 suit convolutions on a CPU.
        train_size: How many training images are taken, those for validation included; every class keeps its share;
            null for all.
        val_size: Images held out of the training images for validation; null for 5,000, or for a sixth of them where
            there are fewer than 30,000.
        folds: Into how many parts `fold` divides the training images.
        fold: Which part, from 0 on, is for validation, in place of `val_size`. Classes keep their shares, and groups
            stay together.
        partition: `official` keeps the official test set; `pooled` draws all splits from all images together, as some
            publications do, and its figures do not compare with official ones.
        partition_seed: Which images are taken, held out and mislabelled, whatever the run's seed.
        label_noise: The share of the training images of each class that get another label, each other class as likely;
            validation and test images keep theirs.
        labels: What gives images further labels, each a head of the model; null for none.
        augment: Random changes of the training images, drawn anew in each epoch.
        mean: Subtracted from the images scaled to 0..1; if not given, measured on the training split.
        std: Divides the images after that; if not given, that of the training split.

    Raises:
        ValueError: If there is no such fold, or `val_size` is given too.
    """

    handwriting: bool = False
    """Whether its images are signs that somebody has written; of these it can be told what is none of them."""

    def __init__(
        self,
        batch_size: PositiveInt = 128,
        eval_batch_size: PositiveInt = 256,
        train_size: PositiveInt | None = None,
        val_size: NonNegativeInt | None = None,
        folds: PositiveInt = FOLDS,
        fold: NonNegativeInt | None = None,
        partition: Literal["official", "pooled"] = "official",
        partition_seed: NonNegativeInt = 0,
        label_noise: ClosedUnitInterval = 0.0,
        labels: LabelScheme | None = None,
        augment: Augmentation | None = None,
        mean: float | None = None,
        std: PositiveFloat | None = None,
        **unknown: Never,
    ) -> None:
        refuse_unknown(self, unknown)
        super().__init__()
        self.arguments = init_arguments(self)
        self.batch_size = batch_size
        self.eval_batch_size = eval_batch_size
        self.train_size = train_size
        self._val_size = val_size
        self.folds, self.fold = folds, fold
        self.partition = partition
        self.partition_seed = partition_seed
        self.division.check(val_size, "val_size")
        self.label_noise = label_noise
        self.labels = labels
        self.augment = augment
        self.mean = mean
        self.std = std
        self.planted = torch.empty(0, dtype=torch.int64)  # the rows whose labels `label_noise` has changed
        self.specification: Specification | None = None
        self._recognition = Recognition()
        self._sets: dict[str, ImageSet] = {}
        self._rows: dict[str, Tensor] = {}
        self._train_loader: TrainLoader | None = None
        self._position: dict[str, int] | None = None  # that the next training loader takes up

    @property
    def own_heads(self) -> dict[str, int]:
        """The number of classes of each label that the data have by themselves, the primary label first."""
        raise AssertionError(f"{type(self).__name__} does not say what heads it has")

    @property
    def class_names(self) -> dict[str, list[str]]:
        """The names of the classes of each label that have some other than their numbers."""
        return {}

    @property
    def heads(self) -> dict[str, int]:
        """The number of classes of each label, the primary label first, those of `labels` included.

        Raises:
            LabError: If these labels do not suit the data.
        """
        own = self.own_heads
        if self.labels is None:
            return own
        self.labels.check(type(self).__name__, own)
        return {**own, **self.labels.heads}

    @property
    def val_size(self) -> int:
        """The number of images held out for validation; of data that nobody has read yet as far as it is known."""
        if self._val_size is not None:
            return self._val_size
        if self.fold is not None and "val" in self._rows:
            return len(self._rows["val"])
        known = len(self._rows["train"]) + len(self._rows["val"]) if "train" in self._rows else None
        return self.held_out(known or self.train_size or self.num_images.get("train"))

    @val_size.setter
    def val_size(self, size: int | None) -> None:
        self._val_size = size

    @property
    def is_labelled(self) -> bool:
        """Whether the classes of the images are known."""
        return True

    @property
    def notes(self) -> Sequence[str]:
        """What was found when the images were read that is worth knowing, each without a full stop."""
        return ()

    @property
    def shapes(self) -> Mapping[tuple[int, int, int], int]:
        """How many images had which channels, height and width before they became of one size, where they differed."""
        return {}

    def lacks(self, split: Literal["train", "val", "test"]) -> str:
        """Why there are no images of a split; nothing where there are some."""
        return "data.val_size is 0" if split == "val" and not self.val_size else ""

    def held_out(self, images: int | None) -> int:
        """How many of so many training images are for validation where nobody says it."""
        return self.division.usual(images)

    @property
    def division(self) -> Division:
        """How the images that are not for the test are divided."""
        return Division(self.train_size, self._val_size, self.folds, self.fold, self.partition_seed)

    @property
    def is_pooled(self) -> bool:
        """Whether training, validation and test are drawn from all images together."""
        return self.partition == "pooled"

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """Channels, height and width of every image, where they are known before the images are read."""
        return None

    @property
    def num_images(self) -> dict[str, int]:
        """The number of official "train" and "test" images, where it is known before they are read."""
        return {}

    def read(self, split: Literal["train", "test"]) -> ImageSet:
        """The official training or test images, from files that `prepare_data` has made sure of."""
        raise AssertionError(f"{type(self).__name__} does not read its {split} split")

    def recorded(self) -> Specification:
        """What a checkpoint says about this data: the class, its options, and the normalization in use."""
        specification = describe(self, self.arguments) if self.specification is None else self.specification
        measured = {"mean": self.mean, "std": self.std, **self.located()}
        return Specification(specification.class_path, {**specification.init_args, **measured})

    @classmethod
    def not_here(cls, written: Mapping[str, object]) -> list[str]:
        """Of options that another machine may have written the names of those whose places are not on this one.

        Then the default counts, and nothing is fetched into such a place.
        """
        return []

    def located(self) -> dict[str, str]:
        """The options that say where the files were found, valid from any folder."""
        return {}

    def class_counts(self, split: Literal["train", "val", "test"]) -> dict[str, list[int]]:
        """The number of images of each class in a split, for each label."""
        data, rows = self.rows_of(split)
        return {head: data.targets[head][rows].bincount(minlength=size).tolist() for head, size in self.heads.items()}

    @property
    def fingerprint(self) -> dict[str, str]:
        """That of each split that was read, and under `of` what was asked for; empty before."""
        return self._recognition.fingerprint

    def expect(self, fingerprint: Mapping[str, str], whose: str, way_out: str) -> None:
        """Compare the images that are read with those that a run has read, unless others are asked for.

        Those of `fit` are refused where they differ, before anything is trained; of others it is told.

        Args:
            fingerprint: That of the run; of an older one it is empty.
            whose: The run, for messages.
            way_out: What to do where its training would go on with others.
        """
        if fingerprint.get("of") == self._asked_for():
            self._recognition.expect(fingerprint, whose, way_out)

    def share(self, other: "ImageData") -> None:
        """Take the images that other data with the same options have read."""
        self._sets, self._rows = other._sets, other._rows  # noqa: SLF001 - of this very class
        self.planted = other.planted
        self._recognition.fingerprint = other.fingerprint
        self.mean, self.std = other.mean, other.std

    def oddities(self, train: ImageSet, test: ImageSet) -> Iterator[Oddity]:
        """What is odd about the official images: their number, equal ones in both, classes that nobody trains."""
        classes = next(iter(self.own_heads.values()))
        return oddities(type(self).__name__, train, test, self.num_images, classes)

    def majority(self, split: Literal["train", "val", "test"]) -> dict[str, float]:
        """The share of the largest class in a split, from 0 to 1, for each label: what always naming it would reach."""
        return {head: max(counts) / sum(counts) for head, counts in self.class_counts(split).items()}

    def rows_of(self, split: str) -> tuple[ImageSet, Tensor]:
        """The set that holds "train", "val" or "test", on the device of the model, and the rows of the split in it."""
        part = "pool" if self.is_pooled else "test" if split == "test" else "train"
        if part not in self._sets:
            self._load(part)
        return self._on_device(part), self._rows[split]

    def in_parts(self, count: int) -> list[Tensor]:
        """The rows of all images that are not for the test in parts of one size, every class in proportion."""
        rows = torch.cat([self.rows_of("train")[1], self._rows["val"]]).sort().values
        parts = self.rows_of("train")[0].folds(rows, count, self.partition_seed)
        return [rows[parts == number] for number in range(count)]

    def hold_out(self, rows: Tensor) -> None:
        """Hold these images out for validation, and train on all others that are not for the test."""
        every = torch.cat([self.rows_of("train")[1], self._rows["val"]]).sort().values
        self._rows = {**self._rows, "train": every[~torch.isin(every, rows)], "val": rows}
        self.val_size = len(rows)

    def test_images(self) -> ImageSet:
        """The test images with all their labels, in the order in which they are tested."""
        data, rows = self.rows_of("test")
        return ImageSet(data.images[rows], {head: target[rows] for head, target in data.targets.items()})

    def unseen(self, most: int) -> ImageSet:
        """Some of the validation images, or of the training images where nothing is held out, on the CPU.

        Args:
            most: How many, where there are so many.
        """
        return self._some_of("train" if self.lacks("val") else "val", most)

    def seen(self, most: int) -> ImageSet:
        """Some of the training images, on the CPU."""
        return self._some_of("train", most)

    def _some_of(self, split: str, most: int) -> ImageSet:
        data, rows = self.rows_of(split)
        some = rows[:: max(1, len(rows) // most)][:most].to(data.images.device)
        return ImageSet(data.images[some].cpu(), {head: target[some].cpu() for head, target in data.targets.items()})

    def setup(self, stage: str) -> None:
        """Load what `stage` needs: "fit", "validate", "test" or "predict"."""
        wanted = {"fit": "train", "validate": "val"}.get(stage, "test")
        self.rows_of(wanted)
        where = "".join(f" in {place}" for place in self.located().values())
        for note in self._recognition.notes(stage, f"{type(self).__name__}{where}"):
            if self.trainer is None or self.trainer.is_global_zero:
                tell(f"note: {note}")
        if self.mean is None or self.std is None:
            data, rows = self.rows_of("train")
            data = data if len(data) else self.rows_of("test")[0]
            mean, std = data.statistics(rows if len(rows) else torch.arange(len(data)))
            self.mean = mean if self.mean is None else self.mean
            self.std = std if self.std is None else self.std

    def state_dict(self) -> dict[str, Any]:
        """How far the training images have been given out.

        Lightning keeps the position of a loader too, but does not restore it where the length of the run was asked for
        before, as a schedule does that follows it.
        """
        return {} if self._train_loader is None else self._train_loader.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue there with the next training loader."""
        self._position = state_dict

    def train_dataloader(self) -> TrainLoader:
        """The training images in an order of their own for each epoch."""
        data, rows = self.rows_of("train")
        overfit = getattr(self.trainer, "overfit_batches", 0) > 0
        seed = torch.initial_seed()
        loader = TrainLoader(data, rows, self.batch_size, seed, shuffle=not overfit, shard=self._shard())
        if self._position:
            loader.load_state_dict(self._position)
            self._position = None
        self._train_loader = loader
        return loader

    def val_dataloader(self) -> EvalLoader | Sequence[EvalLoader]:
        """The images held out, none if `val_size` is 0."""
        return [] if self.lacks("val") else self._eval_loader("val")

    def test_dataloader(self) -> EvalLoader:
        """The test images."""
        return self._eval_loader("test")

    predict_dataloader = test_dataloader

    def transfer_batch_to_device(self, batch: object, device: torch.device, dataloader_idx: int) -> object:
        """Leave a batch of the lab where it is, on the device already; Lightning would look into each of its parts."""
        if isinstance(batch, tuple) and isinstance(batch[0], Tensor) and batch[0].device == device:
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def on_after_batch_transfer(self, batch: object, dataloader_idx: int) -> object:
        """Normalize a batch, and augment it while training.

        Shape: (batch, channels, height, width) uint8 -> the same in float32, mean 0 and standard deviation 1 over the
        training split. What is not uint8 is left alone: it does not come from here.
        """
        images, targets = batch if isinstance(batch, (tuple, list)) else (batch, None)
        if not isinstance(images, Tensor) or images.dtype != torch.uint8:
            return batch
        images = self.normalize(images)
        if self.augment is not None and self.trainer is not None and self.trainer.training:
            images = self.augment(images)
        if self.trainer is not None:  # 64-true and its like have nets of another type
            images = self.trainer.precision_plugin.convert_input(images)
        return images, targets

    def pictured(self, picture: "Image") -> "list[Prepared]":
        """What these data would have of a picture of any size: images like their own, such as one for each digit.

        The whole picture, unless the class says otherwise.

        Args:
            picture: Upright, 8 bits, of mode L or RGB, as `as_seen` gives it.
        """
        from mnistlab.data.pictures import whole  # noqa: PLC0415 - few runs look at pictures

        if self.image_shape is not None:
            return [whole(picture, self.image_shape)]
        channels, height, width = self.test_images().images.shape[1:]
        return [whole(picture, (channels, height, width))]

    def normalize(self, images: Tensor) -> Tensor:
        """uint8 images to float32 with mean 0 and standard deviation 1, any shape."""
        assert self.mean is not None
        assert self.std is not None
        return Pixels(self.mean, self.std).normalized(images)

    @property
    def pixels(self) -> Pixels | None:
        """What its images are to a net; None as long as nobody knows how they are scaled."""
        return None if self.mean is None or self.std is None else Pixels(self.mean, self.std, self.image_shape)

    def __repr__(self) -> str:
        """What it is, in a line: the images of each part, and where they are."""
        counts = {name: f"{number:,} {word}" for name, word in _PARTS.items() if (number := self._count(name))}
        of = f" images of {' x '.join(map(str, self.image_shape))}" if self.image_shape else " images"
        labels = ", ".join(f"{size} classes of {head}" for head, size in self.heads.items())
        places = "".join(f", in {place}" for place in self.located().values())
        return f"{type(self).__name__}({', '.join(counts.values())}{of}, {labels}{places})".replace("( ", "(")

    __str__ = __repr__  # Lightning's asks for the loaders

    def _count(self, split: str) -> int | None:
        """How many images a split has, as far as it is known without reading them."""
        if split in self._rows:
            return len(self._rows[split])
        if split == "test":
            return self.num_images.get("test")
        train = self.train_size or self.num_images.get("train")
        return self.val_size if split == "val" or train is None else train - self.val_size

    def _eval_loader(self, split: str) -> EvalLoader:
        data, rows = self.rows_of(split)
        return EvalLoader(data, rows, self.eval_batch_size, self._shard())

    def _shard(self) -> Shard:
        return Shard() if self.trainer is None else Shard(self.trainer.global_rank, self.trainer.world_size)

    def _load(self, part: str) -> None:
        if part == "test":
            data = self._read("test")
            self._rows["test"] = torch.arange(len(data))
        elif part == "train":
            data = self._read("train")
            self._divide(data, torch.arange(len(data)))
        else:
            data, size = self._read_pool()
            rest, self._rows["test"] = data.split_off(torch.arange(len(data)), size, self.partition_seed)
            self._divide(data, rest)
        self._sets[part] = data if part == "test" else self._mislabelled(data, self._rows["train"])

    def _mislabelled(self, data: ImageSet, rows: Tensor) -> ImageSet:
        """The images with the wrong labels that `label_noise` asks for."""
        if not self.label_noise or not len(rows):
            return data
        noisy = data.mislabelled(rows, self.label_noise, next(iter(self.own_heads.values())), self.partition_seed)
        self.planted = (noisy.primary != data.primary).nonzero().flatten()
        return noisy

    def _read_pool(self) -> tuple[ImageSet, int]:
        """All images together, and how many of them are for the test."""
        train, test = self._read("train"), self._read("test")
        return train.joined(test), len(test)

    def _divide(self, data: ImageSet, rows: Tensor) -> None:
        """Take from the rows as many as are wanted, and hold some of these out."""
        division, name = self.division, type(self).__name__
        rows = division.taken(data, rows, name)
        self._rows["train"], self._rows["val"] = division.divided(data, rows, self.held_out(len(rows)), name)

    def _read(self, split: Literal["train", "test"]) -> ImageSet:
        """The official images with all their labels."""
        data = self.read(split)
        self._note(split, data)
        return self._labelled(data)

    def _labelled(self, data: ImageSet) -> ImageSet:
        """Images with the further labels that were asked for."""
        if self.labels is None:
            return data
        return replace(data, targets={**data.targets, **self.labels.checked(data.images, data.primary)})

    def _note(self, split: Literal["train", "test"], data: ImageSet) -> None:
        """Note which images were read, and with those for training what is odd about them."""
        self._recognition.note(self._asked_for(), split, data)
        if split == "train" and "test" in self.num_images:  # others may have none, and need none
            test = self.read("test")
            self._note("test", test)
            self._recognition.doubt(self.oddities(data, test))

    def _asked_for(self) -> str:
        """The class and its own options, which say what is read; those of every data set say what becomes of it."""
        line = type(self).__mro__
        classes = [cls for cls in line[: line.index(ImageData)] if "__init__" in vars(cls)]
        own = {name for cls in classes for name in inspect.signature(cls).parameters} - self.located().keys()
        recorded = self.recorded()
        chosen = {name: recorded.init_args[name] for name in sorted(own & recorded.init_args.keys())}
        return f"{recorded.class_path} {json.dumps(chosen, default=str)}"

    def _on_device(self, part: str) -> ImageSet:
        """Move the set once; from then on no batch crosses to the device."""
        data = self._sets[part]
        device = torch.device("cpu") if self.trainer is None else self.trainer.strategy.root_device
        if data.images.device != device:
            data = self._sets[part] = data.to(device)
        return data
