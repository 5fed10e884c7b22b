"""`mnistlab validate`."""

from mnistlab.commands.declaring.model import measuring

COMMAND = measuring(
    "validate", "measure a checkpoint on the validation images", 2, "data.val_size", "trainer.limit_val_batches"
)
