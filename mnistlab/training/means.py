"""What takes a model over the images of a split once: Lightning's trainer, or a loop where nothing more is wanted."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from mnistlab.classifier import Classifier
from mnistlab.classifier.answers import BatchAnswers
from mnistlab.data import ImageData
from mnistlab.sections.configuration import Configuration

Split = Literal["val", "test"]
Looked = Literal["val", "test", "predict"]


class Means(ABC):
    """What takes a model over images.

    Attributes:
        speaks: Whether this process does; of several only the first.
        processes: How many there are.
        answers: What a test has said about each image, batch by batch; of one that several processes share there is
            nothing as a whole.
    """

    speaks = True
    processes = 1
    answers: Sequence[Mapping[str, BatchAnswers]] = ()

    @abstractmethod
    def limit(self, what: Looked) -> float:
        """How many batches are looked at: a whole number of them, or a share."""

    @abstractmethod
    def match_precision(self) -> None:
        """Give the model the kind of numbers that is computed with."""

    @abstractmethod
    def at_work(self) -> AbstractContextManager[object]:
        """Within it the work is done."""

    @abstractmethod
    def measured(self, split: Split) -> Mapping[str, float]:
        """The metrics of a split, as they are logged."""

    @abstractmethod
    def probabilities(self) -> Sequence[Mapping[str, Tensor]]:
        """Of each batch of test images the probabilities of each head, (batch, num_classes)."""


@dataclass(frozen=True)
class Assembled:
    """What a command that measures works with."""

    configuration: Configuration  # what counts, of every option
    model: Classifier
    data: ImageData
    folder: Path  # where the outcome is kept
    means: Means
