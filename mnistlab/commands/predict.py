"""`mnistlab predict`."""

from mnistlab.commands.declaring.model import measuring

COMMAND = measuring(
    "predict", "write the prediction for every test image to a table", 4, "trainer.limit_predict_batches"
)
