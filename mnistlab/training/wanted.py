"""What commands want of a trained model besides its figures."""

from dataclasses import dataclass

from mnistlab.errors import LabError
from mnistlab.training.explain_options import Wish
from mnistlab.training.export_options import Export, ModelFile
from mnistlab.training.picture_files import Pictures

CSV, KAGGLE, NPZ, PARQUET = FORMATS = ("csv", "kaggle", "npz", "parquet")
"""The forms of the table of `predict`."""


@dataclass(frozen=True)
class Table:
    """A table of all test images.

    Raises:
        LabError: If a package is missing that it needs, or the form has no room for all that is asked for.
    """

    form: str = CSV  # one of `FORMATS`
    logits: bool = False  # whether the logits stand in it too
    each: bool = False  # whether several nets have columns each, and are no ensemble

    def __post_init__(self) -> None:
        if self.form == KAGGLE and (self.logits or self.each):
            more = "--logits" if self.logits else "--each"
            raise LabError(f"{more}: the table for Kaggle has one answer an image. Leave out --format={KAGGLE}.")
        if self.form == PARQUET:
            try:
                import pyarrow as _  # noqa: F401, ICN001, PLC0415 - an extra
            except ImportError as error:
                raise LabError(f"--format={PARQUET} needs pyarrow: pip install 'mnistlab[parquet]'") from error


Outcome = Wish | Pictures | Table | None
"""What is kept as a run: a picture, answers, or figures where it is None."""

Wanted = Outcome | Export | ModelFile
