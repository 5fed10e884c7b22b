"""A typed lab for training and comparing image classifiers on MNIST and its family.

The public names are imported when they are first used, so that `import mnistlab` loads neither torch nor Lightning.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnistlab.classifier import Classifier
    from mnistlab.cli import main
    from mnistlab.data import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST, ImageData, SyntheticDigits
    from mnistlab.losses import Loss
    from mnistlab.models import LargeModel, MediumModel, ResidualMLP, SmallModel, TinyModel
    from mnistlab.presets.nodes import Config, config
    from mnistlab.presets.preset_class import Preset, preset

_HOME = {
    "mnistlab.classifier": ("Classifier",),
    "mnistlab.cli": ("main",),
    "mnistlab.data": ("EMNIST", "KMNIST", "MNIST", "QMNIST", "FashionMNIST", "ImageData", "SyntheticDigits"),
    "mnistlab.losses": ("Loss",),
    "mnistlab.models": ("LargeModel", "MediumModel", "ResidualMLP", "SmallModel", "TinyModel"),
    "mnistlab.presets.nodes": ("Config", "config"),
    "mnistlab.presets.preset_class": ("Preset", "preset"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "EMNIST",
    "KMNIST",
    "MNIST",
    "QMNIST",
    "Classifier",
    "Config",
    "FashionMNIST",
    "ImageData",
    "LargeModel",
    "Loss",
    "MediumModel",
    "Preset",
    "ResidualMLP",
    "SmallModel",
    "SyntheticDigits",
    "TinyModel",
    "config",
    "main",
    "preset",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
