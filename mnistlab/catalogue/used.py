"""Which options people use: those that the help of a command shows. All else about them is in the catalogue."""

from collections.abc import Mapping

from mnistlab.runs.metrics import KNOWN

STEERING: Mapping[str, tuple[str, str]] = {
    "config": ("PRESET", "A preset (mnistlab presets) or a file"),
    "ckpt_path": ("RUN", "A run's id or folder, last, best, a file"),
    "untrained": ("", "Measure random weights on purpose"),
    "trust": ("PACKAGE", "Packages that a checkpoint may use"),
    "print_config": ("", "Show what would count; =origins: and why"),
    "debug": ("", "Show where an error comes from"),
}
"""The options that configure nothing: what they take, and what they are for."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "accelerator": ("auto", "cpu", "gpu", "mps", "tpu"),
    "strategy": ("auto", "ddp", "ddp_spawn", "fsdp", "deepspeed"),
    "profiler": ("simple", "advanced", "pytorch"),
    "gradient_clip_algorithm": ("norm", "value"),
    "monitor": tuple(f"{split}/{each.name}" for split in ("val", "train") for each in reversed(KNOWN)),
}
"""Words that an option takes although its annotation does not list them."""

TEXTS: Mapping[str, str] = {
    "model.optimizer.lr": "Learning rate",
    "trainer.max_epochs": "Epochs to train",
    "trainer.accelerator": "cpu, gpu, mps or auto",
    "trainer.devices": "How many, which ones as [0,2], or auto",
    "trainer.precision": "bf16-mixed, 16-mixed, 64-true; null: 32-true",
    "trainer.limit_val_batches": "Batches (7) or part of the images (0.5)",
    "trainer.limit_test_batches": "Batches (7) or part of the images (0.5)",
    "trainer.limit_predict_batches": "Batches (7) or part of the images (0.5)",
}
"""What is said of options whose own docstrings do not say it in one line."""

SHORT: Mapping[str, str] = {
    "model.dropout": "Probability of dropping a value",
    "data.data_dir": "Folder of the data sets",
    "data.eval_batch_size": "Images in a batch",
    "data.val_size": "Images held out; null: 5,000 at most",
    "seed_everything": "Seed of all that is random; true draws one",
}
"""The same where the line is too short for the docstring."""

FOLLOWS: Mapping[str, str] = {"model.num_classes": "from the data"}
"""Options whose default is not the value that counts, and what gives it."""

_DEVICE = ("trainer.accelerator", "trainer.devices", "trainer.precision")
_KEPT = ("run.name", "run.dir")


def _measuring(*own: str) -> tuple[tuple[str, ...], ...]:
    return (
        ("ckpt_path", "untrained", "config", "trust"),
        ("data", "data.*", "data.data_dir", "data.eval_batch_size", *own),
        ("model", "model.loss"),
        _DEVICE,
        (*_KEPT, "print_config", "debug"),
    )


USED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "fit": (
        ("config", "ckpt_path"),
        (
            "model",
            "model.*",
            "model.loss",
            "model.optimizer",
            "model.optimizer.lr",
            "model.scheduler",
        ),
        ("data", "data.*", "data.batch_size", "data.augment"),
        ("trainer.max_epochs", "trainer.accelerator", "trainer.devices", "seed_everything"),
        ("run.dir", "logger", "print_config"),
    ),
    "validate": _measuring("data.val_size", "trainer.limit_val_batches"),
    "test": _measuring("trainer.limit_test_batches"),
    "predict": _measuring("trainer.limit_predict_batches"),
}
"""By command, in groups, so few that they fit on a screen of 24 lines.

`model.*` are the options of the chosen class itself, which come first in its signature.
"""

SHARED = ("num_classes", "in_features", "data_dir", "batch_size")
"""Where in a signature that which all classes of a kind take begins."""

MOST_OWN = 4
"""How many options a class may have of its own on the help of a command."""


def steering(command: str) -> Mapping[str, tuple[str, str]]:
    """What of `STEERING` a command takes."""
    return {name: said for name, said in STEERING.items() if name != "untrained" or command != "fit"}
