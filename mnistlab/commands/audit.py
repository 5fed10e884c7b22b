"""`mnistlab audit`."""

from functools import partial

from mnistlab.commands.declaring.model import Command, Work
from mnistlab.errors import LabError
from mnistlab.options.arguments import JSON, Arguments, Option

_COUNT = "a whole number above 0 is wanted"


def _audit(asked: Arguments) -> Work:
    from mnistlab.training.typed import refuse_mistakes  # noqa: PLC0415 - not for help

    if any(word.startswith("--ckpt_path") for word in asked.others):
        raise LabError("--ckpt_path: audit trains its nets anew. Leave it out.")
    refuse_mistakes("fit", asked.others)
    from mnistlab.reports.audited import audit  # noqa: PLC0415 - brings torch in

    return partial(audit, asked)


COMMAND = Command(
    "find labels that look wrong and images that stand twice",
    _audit,
    order=0,
    usage="--data=DATA [--model=MODEL] [--folds=5] ...",
    about="""\
Trains a net for each part of the training images, on all the others, and ranks
the images by how little their labels fit what the net makes of them that has
not seen them, over all epochs. Says which images stand twice, and which in
training and test. The page of them is one HTML file; no run is kept, and the
test images are not tested.""",
    options=(
        Option("folds", "Into how many parts the images are divided", "N", default="5", wanted=_COUNT),
        Option("images", "How many labels the page and --json show", "N", default="120", wanted=_COUNT),
        Option("output", "The page", "FILE", default="audit-DATA.html in the current folder", completes=".html"),
        Option("csv", "Every image, the worst first, with its course"),
        JSON,
    ),
    notes="""\
  mnistlab audit --data=MNIST --model=CompactCNN62K --trainer.max_epochs=2
  mnistlab audit --data=Images --data.path=animals --csv > animals.csv
--data.label_noise=0.01 plants wrong labels, and it is said how many were found.""",
    like="fit",
)
