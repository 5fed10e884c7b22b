"""What `mnistlab predict` and `mnistlab explain` are asked for."""

from dataclasses import dataclass

from mnistlab.training.explain_options import Wish
from mnistlab.training.picture_files import Pictures

FULL, KAGGLE = FORMATS = ("full", "kaggle")
"""The forms of the table of `predict`."""


@dataclass(frozen=True)
class Table:
    """A table of all test images, of a form among `FORMATS`."""

    form: str = FULL


Wanted = Wish | Pictures | Table | None
