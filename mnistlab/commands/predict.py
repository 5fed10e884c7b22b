"""`mnistlab predict`."""

from mnistlab.commands.declaring.model import Work, measuring
from mnistlab.errors import LabError
from mnistlab.options.arguments import ONE_OF, Arguments, Option


def _predict(asked: Arguments) -> Work:
    from mnistlab.training.picture_files import Pictures, find_pictures, split_pictures  # noqa: PLC0415 - not for help
    from mnistlab.training.typed import refuse_mistakes  # noqa: PLC0415 - not for help
    from mnistlab.training.wanted import CSV, Table, Wanted  # noqa: PLC0415 - not for help

    names, others = split_pictures(asked.others)
    as_json, form = "json" in asked.switches, asked.values.get("format")
    if as_json and not names:
        raise LabError("--json is for pictures: mnistlab predict --ckpt_path=RUN --json photo.jpg")
    tables = [name for name in ("format", "logits", "each") if name in {*asked.values, *asked.switches}]
    if tables and names:
        raise LabError(f"--{tables[0]} is for the table of all test images. Leave it out, or leave the pictures out.")
    refuse_mistakes(asked.command, others)
    if names:
        wanted: Wanted = Pictures(find_pictures(names), as_json)
    else:
        wanted = Table(form or CSV, "logits" in asked.switches, "each" in asked.switches)
    from mnistlab.training.measuring import measuring as work  # noqa: PLC0415 - brings torch in

    return work(asked.command, others, wanted, asked.typed)


_TABLE = "Test images; kaggle is ImageId,Label"

COMMAND = measuring(
    "predict", "answer pictures (files, folders, -), or all test images", 4,
    "trainer.limit_predict_batches", hides=("model.loss", "data.eval_batch_size"),
)._replace(
    work=_predict,
    usage="--ckpt_path=RUN [PICTURE or FOLDER or -]... [--json] ...",
    options=(
        Option("format", _TABLE, "FORMAT", "mnistlab.training.wanted:FORMATS", "csv", ONE_OF),
        Option("logits", "The table has logits too"),
        Option("each", "Of A,B columns each, and no mean"),
        Option("json", "Answers to pictures for machines"),
    ),
)  # fmt: skip
