"""`mnistlab predict`."""

from mnistlab.commands.declaring.model import Work, measuring
from mnistlab.options.arguments import ONE_OF, Arguments, Option


def _predict(asked: Arguments) -> Work:
    from mnistlab.training.typed import refuse_mistakes  # noqa: PLC0415 - not for help

    refuse_mistakes(asked.command, asked.others)
    from mnistlab.training.measuring import measuring as work  # noqa: PLC0415 - brings torch in

    return work(asked.command, asked.others, table=asked.values.get("format", "full"))


_TABLE = "Of the table; kaggle is ImageId,Label"

COMMAND = measuring(
    "predict", "write the prediction for every test image to a table", 4, "trainer.limit_predict_batches"
)._replace(
    work=_predict, options=(Option("format", _TABLE, "FORMAT", "mnistlab.training.tables:FORMATS", "full", ONE_OF),)
)
