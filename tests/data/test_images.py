"""Splits, normalization and augmentation, on images that are made here."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
import yaml
from lightning.pytorch import Callback, Trainer
from support import quiet_trainer, record_of
from torch import Tensor

from mnistlab.cli import main
from mnistlab.data import EMNIST, MNIST, SyntheticDigits
from mnistlab.data.augment import RandomDistortion
from mnistlab.data.images import ImageData
from mnistlab.data.imageset import ImageSet, stratified
from mnistlab.errors import LabError
from mnistlab.models import TinyModel
from mnistlab.options.classes import candidates
from mnistlab.options.signatures import needed

DATA_SETS = [cls for cls, *_ in candidates((ImageData,)).values() if cls.__module__.startswith("mnistlab.")]


class Squares(ImageData):
    """300 + 100 images of 4 x 4 random pixels, in three classes of 60 %, 30 % and 10 %.

    The first two pixels say where an image comes from: 0 or 1 for the training or the test images, and its index.
    """

    @property
    def own_heads(self) -> dict[str, int]:
        """Three classes."""
        return {"label": 3}

    def read(self, split: Literal["train", "test"]) -> ImageSet:
        """The same images each time."""
        size = 300 if split == "train" else 100
        generator = torch.Generator().manual_seed(size)
        images = torch.randint(256, (size, 1, 4, 4), generator=generator, dtype=torch.uint8)
        images[:, 0, 0, 0] = split == "test"
        images[:, 0, 0, 1] = torch.arange(size) % 256
        images[:, 0, 0, 2] = torch.arange(size) // 256
        label = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 1, 2]).repeat(size // 10)
        return ImageSet(images, {"label": label})


def _squares(**options: Any) -> Squares:
    data = Squares(**{"val_size": 50, **options})
    for stage in ("fit", "test"):
        data.setup(stage)
    return data


def _rows(loader: Any) -> tuple[set[tuple[int, ...]], Tensor]:
    """Where the images of a loader come from, and their labels."""
    batches = list(loader)
    images = torch.cat([images for images, _ in batches])
    places = {tuple(place) for place in images[:, 0, 0, :3].tolist()}
    assert len(places) == len(images)
    return places, torch.cat([targets["label"] for _, targets in batches])


def _splits(data: Squares) -> list[tuple[set[tuple[int, ...]], Tensor]]:
    return [_rows(loader) for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader())]


def test_the_official_split_holds_out_of_the_training_images() -> None:
    """Every image is in one split, and the test images are the official ones."""
    (train, _), (val, _), (test, _) = _splits(_squares())

    assert (len(train), len(val), len(test)) == (250, 50, 100)
    assert not train & val
    assert {place[0] for place in train | val} == {0}
    assert {place[0] for place in test} == {1}


def test_the_pooled_split_draws_from_all_images() -> None:
    """The sizes are the same; training and test images are mixed, and none is lost."""
    (train, _), (val, _), (test, _) = _splits(_squares(partition="pooled"))

    assert (len(train), len(val), len(test)) == (250, 50, 100)
    assert len(train | val | test) == 400
    assert all({place[0] for place in split} == {0, 1} for split in (train, val, test))


@pytest.mark.parametrize("partition", ["official", "pooled"])
def test_every_class_has_its_share_of_each_split(partition: str) -> None:
    """Validation has the proportions of all images, to the image."""
    for _, labels in _splits(_squares(partition=partition)):
        assert (labels.bincount() / len(labels)).tolist() == pytest.approx([0.6, 0.3, 0.1])


@pytest.mark.parametrize("options", [{}, {"partition": "pooled"}, {"train_size": 200}, {"folds": 7}], ids=str)
def test_folds_have_no_image_in_common_and_are_all_of_them_together(options: dict[str, Any]) -> None:
    """Each is the validation of one run; every class has its share, to the image, and the seed says which."""
    parts, number = [], options.get("folds", 5)
    for fold in range(number):
        (train, _), (val, labels), _ = _splits(_squares(val_size=None, fold=fold, **options))
        parts.append(val)
        every = train | val
        assert not train & val
        assert (labels.bincount() - torch.tensor([0.6, 0.3, 0.1]) * len(every) / number).abs().max() <= 1
        assert _rows(_squares(val_size=None, fold=fold, partition_seed=1, **options).val_dataloader())[0] != val

    assert set.union(*parts) == every
    assert sum(map(len, parts)) == len(every)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fold": 5}, "`fold` must be below 5, the number of `folds`, got 5"),
        ({"fold": 0, "folds": 1}, "`folds` must be at least 2, got 1"),
        ({"folds": 3}, "`folds` is 3, and `fold` does not say which of them. Add data.fold=0"),
        ({"fold": 0, "val_size": 50}, "`fold` and `val_size` exclude each other"),
    ],
)
def test_a_fold_that_there_is_not_is_refused(options: dict[str, Any], said: str) -> None:
    """Before an image is read."""
    with pytest.raises(ValueError, match=said):
        Squares(**options)


def test_more_folds_than_images_are_refused() -> None:
    """A fold needs an image."""
    with pytest.raises(LabError, match="10 training images cannot be divided into 11 folds"):
        Squares(train_size=10, folds=11, fold=0).setup("fit")


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 10, 49, 99])
def test_a_stratified_split_has_exactly_the_size_asked_for(size: int) -> None:
    """Shares are rounded so that their sum is right, each by less than one image."""
    labels = torch.tensor([0] * 57 + [1] * 31 + [2] * 12)

    kept, taken = stratified(torch.arange(100), labels, size, 0)

    assert len(taken) == size
    assert torch.equal(torch.cat([kept, taken]).sort().values, torch.arange(100))
    shares = labels[taken].bincount(minlength=3) - torch.tensor([0.57, 0.31, 0.12]) * size
    assert shares.abs().max() < 1


def test_the_seed_of_the_partition_chooses_the_images() -> None:
    """The same seed holds out the same images, another one others; the seed of the run has no part in it."""

    def held_out(seed: int) -> set[tuple[int, ...]]:
        torch.manual_seed(torch.seed())
        return _rows(_squares(partition_seed=seed).val_dataloader())[0]

    assert held_out(0) == held_out(0)
    assert held_out(0) != held_out(1)


@pytest.mark.parametrize("partition", ["official", "pooled"])
def test_fewer_training_images_may_be_taken(partition: str) -> None:
    """Those for validation are among them, every class keeps its share, and the test is that of all."""
    (train, labels), (val, held_out), (test, _) = _splits(_squares(partition=partition, train_size=100, val_size=20))

    assert (len(train), len(val), len(test)) == (80, 20, 100)
    assert not train & val
    for some in (labels, held_out):
        assert (some.bincount() / len(some)).tolist() == pytest.approx([0.6, 0.3, 0.1])
    assert test == _splits(_squares(partition=partition))[2][0]


def test_the_seed_of_the_partition_chooses_the_images_that_are_taken() -> None:
    """As it does those that are held out; to take all of them is to take no choice."""

    def taken(**options: Any) -> set[tuple[int, ...]]:
        return _rows(_squares(**options).train_dataloader())[0]

    assert taken(train_size=100) == taken(train_size=100)
    assert taken(train_size=100) != taken(train_size=100, partition_seed=1)
    assert taken(train_size=300) == taken()


def test_mean_and_deviation_are_those_of_the_images_taken() -> None:
    """Of those that are trained on."""
    data = _squares(train_size=60, val_size=10)
    pixels = torch.cat([images for images, _ in data.train_dataloader()]).double() / 255

    assert data.mean == pytest.approx(float(pixels.mean()), abs=1e-6)


@pytest.mark.parametrize(("train_size", "held_out"), [(None, 50), (120, 20), (5, 0)])
def test_where_nobody_says_it_a_sixth_of_few_images_is_held_out(train_size: int | None, held_out: int) -> None:
    """Nothing of so few that a sixth is none."""
    data = _squares(train_size=train_size, val_size=None)

    assert data.val_size == held_out
    assert sum(len(images) for images, _ in data.train_dataloader()) == (train_size or 300) - held_out
    assert sum(len(images) for images, _ in data.val_dataloader()) == held_out


def test_of_many_images_5000_are_held_out() -> None:
    """As ever; and that is known before they are read, where their number is."""
    sizes = {size: SyntheticDigits(train_size=size).val_size for size in (600, 29_999, 30_000, 60_000)}

    assert sizes == {600: 100, 29_999: 4_999, 30_000: 5_000, 60_000: 5_000}
    assert [cls().val_size for cls in (MNIST, EMNIST)] == [5_000, 5_000]
    assert (MNIST(train_size=600).val_size, MNIST(train_size=600, val_size=7).val_size) == (100, 7)


@pytest.mark.parametrize("cls", [cls for cls in DATA_SETS if not needed(cls)])
def test_every_data_set_can_be_made_smaller(here: Path, capsys: pytest.CaptureFixture[str], cls: type) -> None:
    """By the same options, in a configuration that says so."""
    sizes = ["--data.train_size=600", "--data.val_size=100"]

    assert here.is_dir()
    assert main(["fit", f"--data={cls.__name__}", *sizes, "--print_config"]) == 0

    options = yaml.safe_load(capsys.readouterr().out)["data"]["init_args"]
    assert (options["train_size"], options["val_size"]) == (600, 100)


@pytest.mark.usefixtures("inline")
def test_few_images_need_no_other_option(fit: Callable[..., Path], here: Path) -> None:
    """A run, its continuation and a comparison; with the images that are held out in every record of it."""
    few = ["--data=SyntheticDigits", "--data.train_size=300", "--data.test_size=200"]
    run = fit(*few, "--data.val_size=null")
    assert record_of(run)["train_images"] == 250

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2", "--data.train_size=60"]) == 0
    assert record_of(run)["train_images"] == 50
    assert main(["validate", f"--ckpt_path={run}"]) == 0
    assert main(["compare", "--models=SDN8K", "--seeds=1", "--trainer.max_epochs=1", *few]) == 0
    assert [record_of(path.parent)["train_images"] for path in here.glob("runs/*/*seed-0/run.json")] == [250]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--data.val_size=600",), "`val_size` must leave training images: SyntheticDigits has 600, got 600"),
        (("--data.val_size=601", "--data.partition=pooled"), "SyntheticDigits has 600, got 601"),
        (("--data.val_size=600",), "Take fewer, or leave --data.val_size out: 5,000, or a sixth of fewer than 30,000."),
    ],
)
def test_holding_out_everything_is_an_error(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    """It names the option and how many images there are, before anything is trained or kept."""
    assert main(["fit", "--model=TinyModel", *small_data, *options]) == 2

    assert message in capsys.readouterr().err
    assert not list(here.glob("runs/*/*"))


def test_more_images_than_there_are_cannot_be_taken() -> None:
    """Nobody makes any."""
    with pytest.raises(LabError, match="`train_size` must be at most 300, which Squares has, got 301"):
        _squares(train_size=301)


def test_mean_and_deviation_are_those_of_the_training_split() -> None:
    """They agree with a direct computation, and the test images have no part in them."""
    data = _squares()
    pixels = torch.cat([images for images, _ in data.train_dataloader()]).double() / 255

    assert data.mean == pytest.approx(float(pixels.mean()), abs=1e-6)
    assert data.std == pytest.approx(float(pixels.std(correction=0)), abs=1e-6)


def test_normalized_training_images_have_mean_0_and_deviation_1() -> None:
    """In float32 and in their own shape."""
    data = _squares()
    images = torch.cat([images for images, _ in data.train_dataloader()])

    normalized = data.normalize(images)

    assert normalized.dtype == torch.float32
    assert normalized.shape == images.shape
    assert float(normalized.mean()) == pytest.approx(0, abs=1e-4)
    assert float(normalized.std(correction=0)) == pytest.approx(1, abs=1e-4)


def test_given_mean_and_deviation_are_used_and_recorded() -> None:
    """What the user says is not measured; what is measured is recorded too."""
    given = _squares(mean=0.25, std=0.5)

    assert given.normalize(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == pytest.approx([-0.5, 1.5])
    assert given.recorded().init_args["std"] == 0.5
    measured = _squares()
    assert measured.recorded().init_args["mean"] == measured.mean


def test_an_image_of_one_colour_is_no_division_by_zero() -> None:
    """The deviation has a floor."""

    class Black(Squares):
        """Images without a single bright pixel."""

        def read(self, split: Literal["train", "test"]) -> ImageSet:
            """All pixels are 0."""
            data = super().read(split)
            return ImageSet(torch.zeros_like(data.images), data.targets)

    data = Black(val_size=50)
    data.setup("fit")

    assert torch.isfinite(data.normalize(torch.zeros(1, 1, 4, 4, dtype=torch.uint8))).all()


class Watch(Callback):
    """Keeps what the model is given."""

    def __init__(self) -> None:
        self.batches: dict[str, list[Tensor]] = {"train": [], "val": [], "test": []}

    def on_train_batch_start(self, trainer: Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """A training batch."""
        del trainer, pl_module, batch_idx
        self.batches["train"].append(batch[0])

    def on_validation_batch_start(
        self, trainer: Trainer, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """A validation batch."""
        del trainer, pl_module, batch_idx, dataloader_idx
        self.batches["val"].append(batch[0])

    def on_test_batch_start(
        self, trainer: Trainer, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """A test batch."""
        del trainer, pl_module, batch_idx, dataloader_idx
        self.batches["test"].append(batch[0])


def _watched(root: Path, data: ImageData) -> dict[str, Tensor]:
    """The images that a model is given in an epoch and a test, sorted within each split."""
    watch = Watch()
    trainer = quiet_trainer(root, callbacks=[watch])
    model = TinyModel(in_features=16, num_classes=3)
    trainer.fit(model, datamodule=data)
    trainer.test(model, datamodule=data, verbose=False)
    images = {split: torch.cat(batches).flatten(1) for split, batches in watch.batches.items()}
    return {split: rows[rows.sum(dim=1).argsort()] for split, rows in images.items()}


@pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:.*:FutureWarning", "ignore:.*:DeprecationWarning")
def test_only_training_images_are_augmented(tmp_path: Path) -> None:
    """Validation and test images are the same with augmentation as without."""
    options: dict[str, Any] = {"val_size": 50, "mean": 0.5, "std": 0.5}
    plain = _watched(tmp_path, Squares(**options))
    augmented = _watched(tmp_path, Squares(augment=RandomDistortion(), **options))

    assert torch.equal(plain["val"], augmented["val"])
    assert torch.equal(plain["test"], augmented["test"])
    assert plain["train"].shape == augmented["train"].shape
    assert (plain["train"] - augmented["train"]).abs().mean() > 0.01


@pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:.*:FutureWarning", "ignore:.*:DeprecationWarning")
def test_batches_lie_on_the_device_of_the_model(tmp_path: Path) -> None:
    """Whatever the device, no batch has to be moved; on this machine it is the processor or its accelerator."""
    data = Squares(val_size=50)
    trainer = Trainer(max_epochs=0, logger=False, enable_checkpointing=False, default_root_dir=tmp_path)
    trainer.fit(TinyModel(in_features=16, num_classes=3), datamodule=data)

    loaders: list[Any] = [data.train_dataloader(), data.val_dataloader(), data.test_dataloader()]
    for loader in loaders:
        images, targets = next(iter(loader))
        assert images.device == targets["label"].device == trainer.strategy.root_device


_MEMORY = """
import resource, sys
{}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**20)
"""


@pytest.mark.slow
def test_a_run_on_mnist_needs_little_memory(here: Path, real_data: Path) -> None:
    """At most 200 MiB above a process that only imports Lightning: the set lies in memory once, as bytes."""
    options = ["fit", "--model=TinyModel", f"--data.data_dir={real_data}", "--trainer.max_epochs=1"]
    runs = f"from mnistlab.cli import main\nassert main({[*options, '--trainer.accelerator=cpu']}) == 0"

    def peak(code: str) -> float:
        done = subprocess.run(
            [sys.executable, "-c", _MEMORY.format(code)], capture_output=True, text=True, timeout=300, check=True
        )
        return float(done.stdout.splitlines()[-1])

    assert here.is_dir()
    assert peak(runs) - peak("import lightning.pytorch") <= 200
