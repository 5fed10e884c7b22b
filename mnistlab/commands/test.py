"""`mnistlab test`."""

from mnistlab.commands.declaring.model import measuring

COMMAND = measuring("test", "measure a checkpoint on the test images", 3, "trainer.limit_test_batches")
