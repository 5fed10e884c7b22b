"""Which options people use: those that the help of a command shows. All else about them is in the catalogue."""

from collections.abc import Mapping

STEERING: Mapping[str, tuple[str, str]] = {
    "config": ("PRESET", "A preset (mnistlab presets) or a file"),
    "ckpt_path": ("RUN", "last, best, the folder of a run, or a file"),
    "untrained": ("", "Measure random weights on purpose"),
    "trust": ("PACKAGE", "Packages that a checkpoint may use"),
    "print_config": ("", "Show what would count; =origins: and why"),
    "debug": ("", "Show where an error comes from"),
}
"""The options that configure nothing: what they take, and what they are for."""

TEXTS: Mapping[str, str] = {
    "model.optimizer.lr": "Learning rate",
    "trainer.max_epochs": "Epochs to train",
    "trainer.accelerator": "cpu, gpu, mps or auto",
    "trainer.devices": "How many, which ones as [0,2], or auto",
    "trainer.precision": "null for 32-true, 16-mixed, bf16-mixed, ...",
    "trainer.limit_val_batches": "Batches (7) or part of the images (0.5)",
    "trainer.limit_test_batches": "Batches (7) or part of the images (0.5)",
    "trainer.limit_predict_batches": "Batches (7) or part of the images (0.5)",
}
"""What is said here of options whose own docstrings do not say it in one line."""

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
        ("trainer.max_epochs", *_DEVICE, "seed_everything"),
        (*_KEPT, "print_config", "trust", "debug"),
    ),
    "validate": _measuring("data.val_size", "trainer.limit_val_batches"),
    "test": _measuring("trainer.limit_test_batches"),
    "predict": _measuring("trainer.limit_predict_batches"),
}
"""By command, in groups. `model.*` are the options of the chosen class itself, which come first in its signature."""

SHARED = ("num_classes", "in_features", "data_dir", "batch_size")
"""Where in a signature that which all classes of a kind take begins."""

MOST_OWN = 4
"""How many options a class may have of its own on the help of a command."""
