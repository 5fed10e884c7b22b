"""What is said of options beside what is in the catalogue, which comes from their docstrings and annotations."""

from collections.abc import Mapping

from mnistlab.runs.metrics import KNOWN

WORDS: Mapping[str, tuple[str, ...]] = {
    "accelerator": ("auto", "cpu", "gpu", "mps", "tpu"),
    "strategy": ("auto", "ddp", "fsdp", "deepspeed"),
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
    "data.fold": "Part of the training images to validate with",
    "seed_everything": "Seed of all that is random; true draws one",
    "budget": "Time for all of it, 60s or 10m; in place of epochs",
}
"""The same where the line is too short for the docstring."""

FOLLOWS: Mapping[str, str] = {"model.num_classes": "from the data"}
"""Options whose default is not the value that counts, and what gives it."""

_ENSEMBLE, _MEMBERS = "mnistlab.training.ensemble.Ensemble", "model.members"
_RAW = ("data.mean", "data.std")


def is_taken_over(name: str, model: object) -> bool:
    """Whether an option is none that counts beside such a model: an ensemble, in which each net has its own.

    Each of its members normalizes the images itself, as those were that it was trained on; the ensemble takes them raw.

    Args:
        name: Such as `data.mean`.
        model: The path of the model's class.
    """
    return model == _ENSEMBLE and (name in _RAW or (name.startswith("model.") and name != _MEMBERS))


SHARED = ("num_classes", "in_features", "data_dir", "batch_size")
"""Where in a signature that which all classes of a kind take begins."""

MOST_OWN = 4
"""How many options a class may have of its own on the help of a command."""
