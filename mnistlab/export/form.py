"""What a form of export is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from mnistlab.errors import LabError
from mnistlab.export.graph import Subject
from mnistlab.export.proof import Runner


class NothingToTryItError(LabError):
    """A file cannot be tried here, and says so itself where it is used."""


class Form(ABC):
    """A kind of file that holds a net.

    Attributes:
        is_code: Whether whoever opens such a file runs what stands in it.
        exact: Whether it must answer as the net does; else its own accuracy is told.
        remark: What is to be known of it besides; may be empty.
    """

    is_code = False
    exact = True
    remark = ""

    @abstractmethod
    def write(self, subject: Subject, path: Path) -> None:
        """Write a net into a file.

        Raises:
            LabError: If this net cannot be written so, or something is missing that is needed for it.
        """

    @abstractmethod
    def about(self, path: Path) -> Mapping[str, Any]:
        """What a file says of itself; nothing of it is run, and it may say anything.

        Raises:
            LabError: If it is not of this form.
        """

    @abstractmethod
    def opened(self, path: Path, heads: Mapping[str, int]) -> AbstractContextManager[Runner]:
        """What runs the net of a file, for as long as it is needed.

        Args:
            path: The file.
            heads: The number of classes of each head.

        Raises:
            LabError: If something is missing that is needed for it.
            NothingToTryItError: If so, and the file tries itself wherever it is used.
        """
