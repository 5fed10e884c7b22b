"""`mnistlab explain`."""

from mnistlab.commands.declaring.model import TRAIN, Command, Work
from mnistlab.options.arguments import ONE_OF, Arguments, Option


def _explain(asked: Arguments) -> Work:
    from mnistlab.training.explain_options import Wish  # noqa: PLC0415 - not for help
    from mnistlab.training.typed import refuse_mistakes  # noqa: PLC0415 - not for help

    refuse_mistakes(asked.command, asked.others)
    from mnistlab.training.measuring import measuring  # noqa: PLC0415 - brings torch in

    values = dict(asked.values)
    wish = Wish(images=int(values.pop("images", "16")), **values)
    return measuring(asked.command, asked.others, wish, asked.typed)


_OPTIONS = "mnistlab.training.explain_options"

COMMAND = Command(
    "picture what a net looks at in test images",
    _explain,
    TRAIN,
    order=5,
    usage="--ckpt_path=RUN [--method=METHOD] [--images=16] ...",
    about="""\
Writes a picture of some test images and of what the net looked at in them.
  gradcam    where a stage's maps speak for the class
  attention  which patches a transformer has looked at
  gradient   how much each pixel would change the answer
  auto       what suits the net""",
    options=(
        Option("method", "How that is found out", "METHOD", f"{_OPTIONS}:METHODS", "auto", ONE_OF),
        Option("images", "How many", "N", default="16", wanted="a whole number above 0 is wanted"),
        Option(
            "which", "Which of them, such as those that were mistaken", "WHICH", f"{_OPTIONS}:WHICH", "first", ONE_OF
        ),
        Option("head", "The label that is explained", "LABEL", default="the primary one"),
        Option("stage", "The stage whose maps gradcam takes", "STAGE"),
        Option("target", "The class to look for", "CLASS", f"{_OPTIONS}:TARGETS", "predicted", ONE_OF),
    ),
    notes="--ckpt_path is a run's id or folder, last, best, or a file, as in predict.",
    like="predict",
)
