"""Which of the images that are not for the test are trained, and which are held out of the training."""

from dataclasses import dataclass

from torch import Tensor

from mnistlab.data.imageset import ImageSet
from mnistlab.errors import LabError

FOLDS = 5
_VAL_SIZE, _VAL_PART = 5_000, 6


@dataclass(frozen=True)
class Division:
    """How a data set divides its training images, as its options say it.

    Attributes:
        train_size: How many are taken, those for validation included; None for all.
        val_size: How many of them are held out; None for the usual part.
        folds: Into how many parts `fold` divides them.
        fold: Which part is held out in place of `val_size`, from 0 on.
        seed: Which ones.
    """

    train_size: int | None
    val_size: int | None
    folds: int
    fold: int | None
    seed: int

    def check(self, held_out: float | None, name: str) -> None:
        """Refuse a fold that there is not, or one beside another way to say which images are held out.

        Args:
            held_out: What the other way says; None where nobody says it.
            name: The option that says it.

        Raises:
            ValueError: If the options do not go together.
        """
        if self.fold is None:
            if self.folds != FOLDS:
                raise ValueError(f"`folds` is {self.folds}, and `fold` does not say which of them. Add data.fold=0.")
        elif held_out is not None:
            raise ValueError(f"`fold` and `{name}` exclude each other: a fold is the validation. Leave one out.")
        elif self.folds == 1:
            raise ValueError("`folds` must be at least 2, got 1: one part is for validation, the others are trained.")
        elif self.fold >= self.folds:
            raise ValueError(f"`fold` must be below {self.folds}, the number of `folds`, got {self.fold}.")

    def usual(self, images: int | None) -> int:
        """How many of so many images are held out where `val_size` does not say it; None for nobody knows how many."""
        if self.fold is not None and images is not None:
            return images // self.folds
        return _VAL_SIZE if images is None else min(_VAL_SIZE, images // _VAL_PART)

    def taken(self, data: ImageSet, rows: Tensor, whose: str) -> Tensor:
        """As many of the rows as `train_size` says, every class in proportion.

        Args:
            data: The images.
            rows: (n,) those that are not for the test.
            whose: The data set, for messages.

        Raises:
            LabError: If there are not so many.
        """
        if self.train_size is None or self.train_size == len(rows):
            return rows
        if self.train_size > len(rows):
            raise LabError(f"`train_size` must be at most {len(rows)}, which {whose} has, got {self.train_size}.")
        return data.split_off(rows, self.train_size, self.seed)[1]

    def divided(self, data: ImageSet, rows: Tensor, usual: int, whose: str) -> tuple[Tensor, Tensor]:
        """The rows for training, and those that are held out.

        Args:
            data: The images.
            rows: (n,) those that were taken.
            usual: How many are held out where the options do not say it.
            whose: The data set, for messages.

        Raises:
            LabError: If nothing would be left to train on.
        """
        if self.fold is not None:
            held_out = data.folds(rows, self.folds, self.seed) == self.fold
            return rows[~held_out], rows[held_out]
        size = usual if self.val_size is None else self.val_size
        if size >= len(rows):
            raise LabError(
                f"`val_size` must leave training images: {whose} has {len(rows)}, got {size}. Take fewer, or leave "
                "--data.val_size out: 5,000, or a sixth of fewer than 30,000."
            )
        return data.split_off(rows, size, self.seed)
