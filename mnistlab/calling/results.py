"""What a call gives that is no run: figures, tables, verdicts and pictures, each of which shows itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, overload

T = TypeVar("T", bound=object)


class Shown:
    """What is seen of it is what the command prints."""

    text: str

    def __repr__(self) -> str:
        """As the command prints it."""
        return self.text


@dataclass(frozen=True, repr=False, eq=False)
class Figures(Shown, Mapping[str, float]):
    """What was measured: `lab.test(run)["test/acc"]`.

    Attributes:
        figures: By their names.
        text: As the command prints them.
        folder: The run in which they are kept.
    """

    figures: Mapping[str, float]
    text: str
    folder: Path

    def __getitem__(self, name: str) -> float:
        """A figure by its name."""
        return self.figures[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self.figures)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.figures)


class Table(Shown, Sequence[T]):
    """Rows, as data and as the command prints them.

    Args:
        rows: The rows.
        text: As the command prints them.
        folder: Where they are kept, if they are.
    """

    def __init__(self, rows: Sequence[T], text: str, folder: Path | None = None) -> None:
        self._rows = tuple(rows)
        self.text = text
        self.folder = folder

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        """A row, or some."""
        return self._rows[index]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._rows)


@dataclass(frozen=True, repr=False)
class Verdict(Shown):
    """What a judgement has come to.

    Attributes:
        text: In words.
        data: All that is known, as `mnistlab judge --json` has it.
        folder: Where it is kept; `lab.report(verdict.folder)` writes a page about it.
    """

    text: str
    data: Mapping[str, object]
    folder: Path

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `no difference` or `undecided`."""
        return str(self.data["verdict"])

    @property
    def better(self) -> bool:
        """Whether the change is better."""
        return self.verdict == "better"


@dataclass(frozen=True, repr=False)
class Picture(Shown):
    """A picture that was written.

    Attributes:
        path: The file.
        text: What is said of it.
        folder: The run in which it is kept.
    """

    path: Path
    text: str
    folder: Path

    def _repr_png_(self) -> bytes:
        """The picture itself, where one can be shown."""
        return self.path.read_bytes()
