"""A plain `LightningDataModule` of images and labels, taken as it is."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import new_class
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor

from mnistlab.data.images import ImageData
from mnistlab.data.imageset import ImageSet
from mnistlab.errors import LabError, tell
from mnistlab.options.functions import take_foreign
from mnistlab.options.specification import Specification, describe

if TYPE_CHECKING:
    from lightning.pytorch import LightningDataModule

Split = Literal["train", "val", "test"]

_LIGHTNING = "lightning.pytorch.LightningDataModule"


@dataclass(frozen=True)
class _Look:
    """What the loaders of a module say before anything is trained."""

    shape: tuple[int, int, int]
    batch_size: int
    classes: int
    names: Sequence[str]
    counted: bool  # the classes are those of the training labels, nobody has said their number
    splits: frozenset[str]


class Foreign(ImageData):
    """Images and labels from the loaders of a `LightningDataModule`, which has the options and does all else.

    Shape: batches of images (n, channels, height, width) or (n, height, width), floating point as the net takes them or
    uint8, and labels (n,) of whole numbers.
    """

    abstract = True  # a class of its own stands for each module
    made_by: ClassVar[type["LightningDataModule"]]
    looks: ClassVar[dict[str, _Look]]  # by the options
    told: ClassVar[set[str]]

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = options
        self._module = self.made_by(**options)
        self.prepare_data_per_node = self._module.prepare_data_per_node
        self._levels: tuple[Tensor, Tensor] | None = None
        self._tested: ImageSet | None = None

    @property
    def batch_size(self) -> int:
        """That of the first batch, whatever the module calls it."""
        return self._look.batch_size

    @batch_size.setter
    def batch_size(self, size: int) -> None:
        """Leave it to the module."""

    @property
    def own_heads(self) -> dict[str, int]:
        """The classes that the module or its data set has, by `num_classes` or `classes`; else those of its labels."""
        return {"label": self._look.classes}

    @property
    def class_names(self) -> dict[str, list[str]]:
        """Those in `classes`."""
        return {"label": list(self._look.names)} if self._look.names else {}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """That of the first batch."""
        return self._look.shape

    def lacks(self, split: Split) -> str:
        """Which loader there is not."""
        return "" if split in self._look.splits else f"{type(self).__name__} has no {split}_dataloader"

    def recorded(self) -> Specification:
        """The module and its options."""
        return describe(self, self.arguments) if self.specification is None else self.specification

    def class_counts(self, split: Split) -> dict[str, list[int]]:
        """Nothing: nobody has counted them."""
        return {}

    def share(self, other: ImageData) -> None:
        """Take nothing: each run has a module of its own."""

    def prepare_data(self) -> None:
        """Fetch what is missing."""
        self._module.prepare_data()

    def setup(self, stage: str) -> None:
        """Set the module up, and say once what is not known of its data."""
        self._module.trainer = self.trainer
        self._module.setup(stage)
        note = " ".join(self._unknown())
        if stage == "fit" and note not in self.told and (self.trainer is None or self.trainer.is_global_zero):
            self.told.add(note)
            tell(f"note: {note}")

    def state_dict(self) -> dict[str, Any]:
        """That of the module."""
        return self._module.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Give it back to the module."""
        self._module.load_state_dict(state_dict)

    def train_dataloader(self) -> Any:
        """The module's."""
        return self._loader("train")

    def val_dataloader(self) -> Any:
        """The module's, none if it has none."""
        return [] if self.lacks("val") else self._loader("val")

    def test_dataloader(self) -> Any:
        """The module's."""
        return self._loader("test")

    def predict_dataloader(self) -> Any:
        """The same, behind something that Lightning makes no other loader of, which it cannot do of each."""
        return _Given(self._loader("test"))

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """As the module does it."""
        return self._module.on_before_batch_transfer(batch, dataloader_idx)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """As the module does it."""
        return self._module.transfer_batch_to_device(batch, device, dataloader_idx)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> tuple[Tensor, Tensor]:
        """Let the module do what it does, and see that images are numbers such as the net takes."""
        images, labels = self._pair(self._module.on_after_batch_transfer(batch, dataloader_idx))
        if self.trainer is not None:
            images = self.trainer.precision_plugin.convert_input(images)
        return images, labels

    def normalize(self, images: Tensor) -> Tensor:
        """uint8 images as the module would give them: its darkest is 0, its brightest 255."""
        low, high = (level.to(images.device) for level in self._range())
        return images / 255 * (high - low) + low

    def test_images(self) -> ImageSet:
        """The test images as uint8 from the darkest to the brightest, in the order of the loader."""
        if self._tested is None:
            self._tested = self._read("test")
        return self._tested

    def unseen(self, most: int) -> ImageSet:
        """The first validation images, or the first of a training epoch where there are none."""
        return self._read("train" if self.lacks("val") else "val", most)

    def seen(self, most: int) -> ImageSet:
        """The first images of a training epoch."""
        return self._read("train", most)

    @property
    def _look(self) -> _Look:
        """Taken once for the same module with the same options."""
        key = str(self._options)
        if key not in self.looks:
            from lightning.pytorch.utilities.seed import isolate_rng  # noqa: PLC0415 - not where nothing is trained

            with isolate_rng(include_cuda=False):
                self.looks[key] = type(self)(**self._options)._looked()  # noqa: SLF001 - of this very class
        return self.looks[key]

    def _looked(self) -> _Look:
        """What there is to see; this module is not used for anything else."""
        self.prepare_data()
        self._module.setup("fit")
        loader = self._loader("train")
        images, labels = self._pair(next(iter(loader)))
        names, classes = _classes(self._module, loader)
        counted = not classes
        if counted:
            classes = 1 + max(int(labels.max()) for _, labels in map(self._pair, loader))
        if not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            raise LabError(
                f"{type(self).__name__} has {classes} classes, and labels from {labels.min()} to {labels.max()}. "
                f"Let it give those from 0 to {classes - 1}."
            )
        splits = {"train", *(split for split in ("val", "test") if self._has_loader(split))}
        if "test" in splits:
            self._module.setup("test")
        splits = {split for split in splits if split == "train" or self._loader(split)}
        channels, height, width = images.shape[1:]
        return _Look((channels, height, width), len(images), classes, names, counted, frozenset(splits))

    def _has_loader(self, split: str) -> bool:
        """Whether the class says how the loader is made."""
        hook = getattr(type(self._module), f"{split}_dataloader")
        return not hook.__module__.startswith("lightning.")

    def _loader(self, split: str) -> Any:
        """The one loader of a split; None or an empty list where the module has none after all."""
        name, loader = type(self).__name__, getattr(self._module, f"{split}_dataloader")()
        if isinstance(loader, Sequence | Mapping):
            if len(loader) > 1:
                raise LabError(f"{split}_dataloader of {name} gives {len(loader)} loaders, and one is wanted.")
            loader = next(iter(loader.values() if isinstance(loader, Mapping) else loader), None)
        if split != "train" and isinstance(getattr(loader, "sampler", None), torch.utils.data.RandomSampler):
            raise LabError(
                f"{split}_dataloader of {name} shuffles, so that no answer could be told from another. "
                "Make the loader with shuffle=False."
            )
        return loader

    def _pair(self, batch: object) -> tuple[Tensor, Tensor]:
        """The images of a batch, in floating point, and their labels.

        Raises:
            LabError: If it is anything else.
        """
        if isinstance(batch, tuple | list) and len(batch) == 2 and all(isinstance(part, Tensor) for part in batch):  # noqa: PLR2004 - a pair
            images, labels = batch
            images = images.unsqueeze(1) if images.dim() == 3 else images  # noqa: PLR2004 - (n, height, width)
            labels = labels.squeeze(1) if labels.shape[1:] == (1,) else labels
            numbers = images.is_floating_point() or images.dtype == torch.uint8
            classes = labels.dim() == 1 and not labels.is_floating_point() and len(labels) == len(images)
            if images.dim() == 4 and numbers and classes:  # noqa: PLR2004 - (n, channels, height, width)
                return images / 255 if images.dtype == torch.uint8 else images.float(), labels.long()
        raise LabError(
            f"{type(self).__name__} gives {_said(batch)}, and pairs are wanted: images (n, channels, height, width) of "
            "floating point or uint8, and labels (n,) of whole numbers."
        )

    def _unknown(self) -> Iterator[str]:
        name, look = type(self).__name__, self._look
        yield (
            f"{name} is taken as it is: nobody checks that its images are those of another run, and a run that goes on "
            "within an epoch gets them in another order."
        )
        if look.counted:
            yield f"Its training labels have {look.classes} classes; `num_classes` of the class would say how many."
        for split, done in (("val", "validated"), ("test", "tested")):
            if split not in look.splits:
                yield f"It has no {split}_dataloader, so nothing is {done}."

    def _batches(self, split: Split) -> Iterator[tuple[Tensor, Tensor]]:
        """What the net is given of a split, on the CPU."""
        self._module.trainer = self.trainer
        for batch in self._loader(split):
            hooks = (self._module.on_before_batch_transfer, self._module.on_after_batch_transfer)
            for hook in hooks if self.trainer is not None else ():  # they ask the trainer what goes on
                batch = hook(batch, 0)  # noqa: PLW2901 - as Lightning passes it on
            yield self._pair(batch)

    def _range(self) -> tuple[Tensor, Tensor]:
        """The darkest and the brightest in each channel, each (channels, 1, 1), of images that chance leaves alone."""
        if self._levels is None:
            split: Split = next(split for split in ("test", "val", "train") if not self.lacks(split))
            if self.trainer is None:
                self.prepare_data()
                self._module.setup("test" if split == "test" else "fit")
            ends = [(images.amin((0, 2, 3)), images.amax((0, 2, 3))) for images, _ in self._batches(split)]
            low = torch.stack([low for low, _ in ends]).amin(0)[:, None, None]
            high = torch.stack([high for _, high in ends]).amax(0)[:, None, None]
            self._levels = low, torch.maximum(high, low + 1e-6)
        return self._levels

    def _read(self, split: Split, most: int | None = None) -> ImageSet:
        """The first images of a split as uint8, or all of them, in the order of its loader."""
        low, high = self._range()
        count = 0
        pairs: list[tuple[Tensor, Tensor]] = []
        for images, labels in self._batches(split):
            pairs.append((((images - low) / (high - low) * 255).round().clamp(0, 255).to(torch.uint8), labels))
            count += len(images)
            if most is not None and count >= most:
                break
        images, labels = map(torch.cat, zip(*pairs, strict=True))
        return ImageSet(images[:most], {"label": labels[:most]})


class _Given:
    """The batches of a loader."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __iter__(self) -> Iterator[object]:
        return iter(self._loader)

    def __len__(self) -> int:
        return len(self._loader)


def _classes(module: object, loader: object) -> tuple[Sequence[str], int]:
    """The names of the classes, and how many there are, as the module or the data set behind a loader says it."""
    owner: object | None = module
    dataset = getattr(loader, "dataset", None)
    while owner is not None:
        named, count = getattr(owner, "classes", None), getattr(owner, "num_classes", None)
        names = [str(name) for name in named] if isinstance(named, Sequence) else []
        count = count if isinstance(count, int) else len(names)
        if count:
            return names if len(names) == count else (), count
        owner, dataset = dataset, getattr(dataset, "dataset", None)
    return (), 0


def _said(batch: object) -> str:
    """What a batch is, for people."""
    if isinstance(batch, Tensor):
        return f"a tensor ({str(batch.dtype).removeprefix('torch.')}, {'x'.join(map(str, batch.shape))})"
    if isinstance(batch, Mapping):
        return f"batches with {', '.join(map(str, batch))}"
    if isinstance(batch, tuple | list):
        return f"batches of {', '.join(map(_said, batch)) or 'nothing'}"
    return f"a {type(batch).__name__}"


def _stand_in(cls: type) -> type | None:
    """The class that stands for a module, with its name and its options."""
    lightning = sys.modules.get("lightning.pytorch")
    if lightning is None or not issubclass(cls, lightning.LightningDataModule):
        return None
    body: dict[str, object] = {"__doc__": cls.__doc__, "__module__": cls.__module__, "abstract": True}
    body |= {"made_by": cls, "looks": {}, "told": set()}
    return new_class(cls.__name__, (Foreign,), exec_body=lambda names: names.update(body))


take_foreign(ImageData, _LIGHTNING, _stand_in)
