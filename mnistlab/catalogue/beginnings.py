"""`mnistlab new`: a file of the user's own to begin with, which runs at once, and its test."""

import re
from collections.abc import Mapping
from importlib.machinery import PathFinder
from keyword import iskeyword
from pathlib import Path

from mnistlab.catalogue.store import load_catalogue
from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments
from mnistlab.system.files import telling, write_text

_MODEL = '''\
"""A model: a backbone of named stages, with a head for each label."""

from typing import Any

from mnistlab import Assembled, Backbone
from mnistlab.options.numbers import PositiveInt
from torch import nn


class NAMEBackbone(Backbone):
    """A convolution, and its means over the cells of a 4x4 grid.

    Args:
        channels: Channels of the convolution.
        in_channels: Channels of an image, 1 for grey.
    """

    def __init__(self, channels: PositiveInt = 16, in_channels: PositiveInt = 1) -> None:
        stages = {
            "conv": nn.Sequential(nn.Conv2d(in_channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()),
            "pool": nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten()),
        }
        super().__init__(16 * channels, stages)


class NAME(Assembled):
    """One convolution and a linear layer.

    Args:
        channels: Channels of the convolution.
        in_channels: Channels of an image, 1 for grey.
    """

    name = "STEM"

    def __init__(self, channels: PositiveInt = 16, in_channels: PositiveInt = 1, **kwargs: Any) -> None:
        super().__init__(NAMEBackbone(channels, in_channels), **kwargs)
'''

_MODEL_TEST = '''\
"""NAME keeps to what any model does."""

import torch
from torch.nn.functional import cross_entropy

from STEM import NAME


def test_it_gives_a_logit_for_each_class() -> None:
    """One row for each image."""
    assert NAME(num_classes=7)(torch.zeros(2, 1, 28, 28)).shape == (2, 7)


def test_each_weight_learns() -> None:
    """Each has a gradient."""
    model = NAME()
    cross_entropy(model(torch.randn(4, 1, 28, 28)), torch.arange(4)).backward()

    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())
'''

_LOSS = '''\
"""A loss: from logits and classes to one number."""

from mnistlab import Loss
from mnistlab.options.numbers import PositiveFloat
from torch import Tensor
from torch.nn.functional import cross_entropy


class NAME(Loss):
    """Cross-entropy of logits that are divided by a temperature.

    Shape: logits (batch, num_classes), target (batch,) -> loss (), the mean over the batch.

    Args:
        temperature: What the logits are divided by; at 1 this is cross-entropy.
    """

    def __init__(self, temperature: PositiveFloat = 1.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        return cross_entropy(logits / self.temperature, target)

    def probs(self, logits: Tensor) -> Tensor:
        """Turn logits into the probability of each class."""
        return super().probs(logits / self.temperature)
'''

_LOSS_TEST = '''\
"""NAME is least where it should be."""

import torch

from STEM import NAME


def test_right_answers_cost_less_than_wrong_ones() -> None:
    """Whatever the classes."""
    logits, target = torch.eye(4) * 5, torch.arange(4)

    assert NAME()(logits, target) < NAME()(logits, target.roll(1))


def test_probabilities_add_up_to_one() -> None:
    """Of each image."""
    assert NAME().probs(torch.randn(4, 3)).sum(dim=1).allclose(torch.ones(4))
'''

_DATA = '''\
"""A data set: images as uint8, and a label for each."""

from typing import Any, Literal

import torch
from mnistlab import ImageData
from mnistlab.data import ImageSet
from mnistlab.options.numbers import PositiveInt


class NAME(ImageData):
    """Bars that lie or stand, at any place. Replace `read` by what reads your images.

    Args:
        num_train: Images for training and validation.
        num_test: Images for the test.
    """

    def __init__(self, num_train: PositiveInt = 2000, num_test: PositiveInt = 500, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_train = num_train
        self.num_test = num_test

    @property
    def own_heads(self) -> dict[str, int]:
        """The labels, with the number of their classes."""
        return {"direction": 2}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns."""
        return 1, 28, 28

    @property
    def num_images(self) -> dict[str, int]:
        """How many there are."""
        return {"train": self.num_train, "test": self.num_test}

    def read(self, split: Literal["train", "test"]) -> ImageSet:
        """Draw the images of a split, the same each time."""
        drawn = torch.Generator().manual_seed(0 if split == "train" else 1)
        size = self.num_images[split]
        direction = torch.arange(size) % 2
        places = torch.randint(4, 24, (size,), generator=drawn)
        images = torch.randint(0, 50, (size, *self.image_shape), dtype=torch.uint8, generator=drawn)
        for image, stands, place in zip(images[:, 0], direction, places, strict=True):
            bar = image[:, place] if stands else image[place]
            bar.fill_(255)
        return ImageSet(images, {"direction": direction})
'''

_DATA_TEST = '''\
"""NAME has what it says."""

from STEM import NAME


def test_there_are_as_many_images_as_it_says() -> None:
    """Of the right shape, each with a class."""
    data = NAME(num_train=20, num_test=10)
    for split, size in data.num_images.items():
        part = data.read("train" if split == "train" else "test")

        assert part.images.shape == (size, *data.image_shape)
        assert all(part.targets[head].max() < classes for head, classes in data.own_heads.items())
'''

_PRESET = """\
# SmallModel, twice as wide, for three epochs.
# mnistlab fit --config=NAME
model:
  class_path: SmallModel
  init_args:
    hidden_dim: 512
trainer:
  max_epochs: 3
"""

_PRESET_TEST = '''\
"""NAME can be read, and builds what it says."""

from mnistlab import preset


def test_it_builds_a_model() -> None:
    """Its options are checked when it is read."""
    assert any(weight.requires_grad for weight in preset("NAME").build().parameters())
'''

_TEXTS: Mapping[str, tuple[str, str, str]] = {
    "model": (_MODEL, _MODEL_TEST, "mnistlab fit --model=NAME --data=SyntheticDigits"),
    "loss": (_LOSS, _LOSS_TEST, "mnistlab fit --model.loss=NAME --data=SyntheticDigits"),
    "data": (_DATA, _DATA_TEST, "mnistlab fit --data=NAME --model=TinyModel"),
    "preset": (_PRESET, _PRESET_TEST, "mnistlab fit --config=NAME --data=SyntheticDigits"),
}
"""Of each kind the file, its test, and a command to begin with."""


def write_new(asked: Arguments) -> int:
    """Write what was asked for, and say how to go on; the exit code.

    Raises:
        LabError: If the name does not serve, or one of the files is there.
    """
    kind = asked.command.rpartition(" ")[2]
    name = _name(kind, asked)
    stem = "_".join(part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))
    path = Path("presets", f"{name}.yaml") if kind == "preset" else Path(f"{stem}.py")
    test = Path(f"test_{stem}.py")
    _check(kind, name, stem, path, test)
    text, its_test, command = (each.replace("NAME", name).replace("STEM", stem) for each in _TEXTS[kind])
    for file, content in ((path, text), (test, its_test)):
        with telling(file, "Choose another folder."):
            file.parent.mkdir(exist_ok=True)
            write_text(file, content)
    print(f"wrote {path} and {test}\nTry it:  {command}\nTest it: python -m pytest {test}")
    return 0


def _name(kind: str, asked: Arguments) -> str:
    if len(asked.names) != 1:
        got = f"got {len(asked.names)}: {', '.join(asked.names)}" if asked.names else "got none"
        raise LabError(f"{asked.command} takes one name, {got}. Write mnistlab new {kind} My{kind.capitalize()}.")
    (name,) = asked.names
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", name) or iskeyword(name):
        raise LabError(f"{name}: the name of a class is wanted, such as My{kind.capitalize()}.")
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _check(kind: str, name: str, stem: str, path: Path, test: Path) -> None:
    """Refuse a name that is taken, and files that are there."""
    for file in (path, test):
        if file.exists():
            raise LabError(f"{file} is there already, and is not overwritten. Choose another name, or remove it.")
    if kind == "preset":
        return
    if name in load_catalogue().kinds[kind].classes:
        raise LabError(f"{name} is the name of a class of the lab. Choose another one.")
    if PathFinder.find_spec(stem) is not None:
        raise LabError(f"{path} could not be imported, for there is another module {stem}. Choose another name.")
