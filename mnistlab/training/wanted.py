"""What commands want of a trained model besides its figures."""

from dataclasses import dataclass

from mnistlab.training.explain_options import Wish
from mnistlab.training.export_options import Export, ModelFile
from mnistlab.training.picture_files import Pictures

FULL, KAGGLE = FORMATS = ("full", "kaggle")
"""The forms of the table of `predict`."""


@dataclass(frozen=True)
class Table:
    """A table of all test images, of a form among `FORMATS`."""

    form: str = FULL


Outcome = Wish | Pictures | Table | None
"""What is kept as a run: a picture, answers, or figures where it is None."""

Wanted = Outcome | Export | ModelFile
