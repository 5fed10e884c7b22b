"""`mnistlab predict`."""

from mnistlab.commands.declaring.model import Work, measuring
from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments, Option


def _predict(asked: Arguments) -> Work:
    from mnistlab.training.picture_files import Pictures, find_pictures, split_pictures  # noqa: PLC0415 - not for help
    from mnistlab.training.typed import refuse_mistakes  # noqa: PLC0415 - not for help

    names, others = split_pictures(asked.others)
    as_json = "json" in asked.switches
    if as_json and not names:
        raise LabError("--json is for pictures: mnistlab predict --ckpt_path=RUN --json photo.jpg")
    refuse_mistakes(asked.command, others)
    pictures = Pictures(find_pictures(names), as_json) if names else None
    from mnistlab.training.measuring import measuring as work  # noqa: PLC0415 - brings torch in

    return work(asked.command, others, pictures)


COMMAND = measuring(
    "predict", "answer pictures that are named, or write the prediction for every test image", 4,
    "trainer.limit_predict_batches",
)._replace(
    work=_predict,
    usage="--ckpt_path=RUN [PICTURE or FOLDER or -]... [--json] ...",
    options=(Option("json", "The answers to pictures for machines"),),
)  # fmt: skip
