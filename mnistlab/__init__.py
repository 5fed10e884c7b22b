"""A typed lab for training and comparing image classifiers on MNIST and its family.

The public names are imported when they are first used, so that `import mnistlab` loads neither torch nor Lightning.
"""

import sys

TYPE_CHECKING = False  # the module `typing` takes longer to import than all else that a command needs to begin
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from mnistlab.classifier import Classifier
    from mnistlab.cli import main
    from mnistlab.data import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST, ImageData, MultiheadMNIST, SyntheticDigits
    from mnistlab.losses import Loss
    from mnistlab.models import (
        CNN8K,
        CNN68K,
        CNN421K,
        SDN8K,
        SDN68K,
        Assembled,
        CompactCNN,
        CompactCNN62K,
        CompactCNN104K,
        ConvNeXt,
        ConvNeXt18K,
        ConvNeXt73K,
        ConvNeXt288K,
        ConvNeXt725K,
        EfficientNet,
        EfficientNet4M,
        EfficientNet7M,
        EfficientNet22K,
        EfficientNet66K,
        LargeModel,
        MediumModel,
        MultiheadCNN422K,
        ResidualMLP,
        SimpleCNN,
        SimpleDenseNet,
        SmallModel,
        TinyModel,
        VisionTransformer,
        ViT38K,
        ViT210K,
        ViT821K,
    )
    from mnistlab.nets import Backbone, Head
    from mnistlab.options.domains import choice, interval
    from mnistlab.presets.nodes import Config, config
    from mnistlab.presets.preset_class import Preset, preset
    from mnistlab.runs.run import Run

_HOME = {
    "mnistlab.classifier": ("Classifier",),
    "mnistlab.cli": ("main",),
    "mnistlab.data": (
        "EMNIST",
        "KMNIST",
        "MNIST",
        "QMNIST",
        "FashionMNIST",
        "ImageData",
        "MultiheadMNIST",
        "SyntheticDigits",
    ),
    "mnistlab.losses": ("Loss",),
    "mnistlab.models": (
        "Assembled",
        "CNN421K",
        "CNN68K",
        "CNN8K",
        "CompactCNN",
        "CompactCNN62K",
        "CompactCNN104K",
        "ConvNeXt",
        "ConvNeXt18K",
        "ConvNeXt288K",
        "ConvNeXt725K",
        "ConvNeXt73K",
        "EfficientNet",
        "EfficientNet22K",
        "EfficientNet4M",
        "EfficientNet66K",
        "EfficientNet7M",
        "LargeModel",
        "MediumModel",
        "MultiheadCNN422K",
        "ResidualMLP",
        "SDN68K",
        "SDN8K",
        "SimpleCNN",
        "SimpleDenseNet",
        "SmallModel",
        "TinyModel",
        "ViT210K",
        "ViT38K",
        "ViT821K",
        "VisionTransformer",
    ),
    "mnistlab.nets": ("Backbone", "Head"),
    "mnistlab.options.domains": ("choice", "interval"),
    "mnistlab.presets.nodes": ("Config", "config"),
    "mnistlab.presets.preset_class": ("Preset", "preset"),
    "mnistlab.runs.run": ("Run",),
}
_MOVED = {"mnistlab.numbers": "mnistlab.options.numbers", "mnistlab.profiling": "mnistlab.callbacks.profiling"}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "CNN8K",
    "CNN68K",
    "CNN421K",
    "EMNIST",
    "KMNIST",
    "MNIST",
    "QMNIST",
    "SDN8K",
    "SDN68K",
    "Assembled",
    "Backbone",
    "Classifier",
    "CompactCNN",
    "CompactCNN62K",
    "CompactCNN104K",
    "Config",
    "ConvNeXt",
    "ConvNeXt18K",
    "ConvNeXt73K",
    "ConvNeXt288K",
    "ConvNeXt725K",
    "EfficientNet",
    "EfficientNet4M",
    "EfficientNet7M",
    "EfficientNet22K",
    "EfficientNet66K",
    "FashionMNIST",
    "Head",
    "ImageData",
    "LargeModel",
    "Loss",
    "MediumModel",
    "MultiheadCNN422K",
    "MultiheadMNIST",
    "Preset",
    "ResidualMLP",
    "Run",
    "SimpleCNN",
    "SimpleDenseNet",
    "SmallModel",
    "SyntheticDigits",
    "TinyModel",
    "ViT38K",
    "ViT210K",
    "ViT821K",
    "VisionTransformer",
    "choice",
    "config",
    "interval",
    "main",
    "preset",
]


class _Moved:
    """Finds a module by the name that it had once, which configurations, checkpoints and programs may still have."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """Where it is now; asked only where no module has this name."""
        if name not in _MOVED:
            return None
        from importlib.machinery import ModuleSpec  # noqa: PLC0415 - only here

        return ModuleSpec(name, self)  # type: ignore[arg-type] # it need not derive from Python's class

    def create_module(self, spec: "ModuleSpec") -> None:
        """Leave it to Python to make one."""

    def exec_module(self, module: "ModuleType") -> None:
        """Fill the module of the old name with what is in that of the new one."""
        from importlib import import_module  # noqa: PLC0415 - only here

        now = vars(import_module(_MOVED[module.__name__]))
        vars(module).update({name: value for name, value in now.items() if not name.startswith("__")})


sys.meta_path.append(_Moved())


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only here

    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
