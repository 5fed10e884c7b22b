"""What is wrong with a command, told all at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from mnistlab.errors import LabError


class Faults:
    """Errors that have been found so far, each once."""

    def __init__(self) -> None:
        self._errors: dict[str, LabError] = {}

    def __len__(self) -> int:
        """How many."""
        return len(self._errors)

    def note(self, error: LabError) -> None:
        """Remember one."""
        self._errors.setdefault(str(error), error)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Remember what is refused within, and go on after it."""
        try:
            yield
        except LabError as error:
            self.note(error)

    def tell(self) -> None:
        """Raise what there is.

        Raises:
            LabError: With all faults, a line each.
        """
        errors = list(self._errors.values())
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise LabError("\n".join(self._errors))
