"""`mnistlab fit`."""

from mnistlab.commands.declaring.model import TRAIN, Command, train

COMMAND = Command(
    "train a model, then test its best checkpoint",
    train,
    TRAIN,
    order=1,
    like="fit",
    shows=(
        ("config", "ckpt_path"),
        ("model", "model.*", "model.loss", "model.optimizer", "model.optimizer.lr", "model.scheduler"),
        ("data", "data.*", "data.batch_size", "data.augment"),
        ("trainer.max_epochs", "trainer.accelerator", "trainer.devices", "seed_everything"),
        ("run.dir", "logger", "print_config"),
    ),
)
