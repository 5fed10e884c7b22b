"""What an export is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.system.files import is_file

FORMS = ("pt2", "onnx", "onnx-int8", "c", "c-int8", "html")
"""What a net can be written as."""

NAME = "net"
"""What a file is called where nobody names it."""

PAGE = f"{NAME}.html"
"""What the page of a run is called in its folder."""


@dataclass(frozen=True)
class ModelFile:
    """A file that was exported and is to be measured."""

    path: Path


@dataclass(frozen=True)
class Export:
    """Which forms, and where they are to be written.

    Attributes:
        forms: Some of `FORMS`.
        output: A file, or a folder; None for the folder of the run.
        opens: Whether a page is opened in the browser; one that is newer than the net is not written again.
    """

    forms: tuple[str, ...]
    output: Path | None = None
    opens: bool = False

    def __post_init__(self) -> None:
        """Refuse one file for several forms, and one whose name says another."""
        if not self._is_file:
            return
        if len(self.forms) > 1:
            raise LabError(f"--output={self.output}: {len(self.forms)} forms are not one file. Name a folder.")
        suffix = suffix_of(self.forms[0])
        if self.output is not None and self.output.suffix != suffix:
            others = [form for form in FORMS if suffix_of(form) == self.output.suffix]
            hint = f", and --format={others[0]} writes {self.output.suffix}" if others else ""
            raise LabError(f"--output={self.output}: a file of {self.forms[0]} ends with {suffix}{hint}.")

    @property
    def _is_file(self) -> bool:
        """Whether one file is named."""
        return self.output is not None and bool(self.output.suffix) and not self.output.is_dir()

    def path_of(self, form: str, folder: Path | None) -> Path:
        """Where a form is written.

        Args:
            form: Which.
            folder: The folder of the run, if there is one.
        """
        suffix = suffix_of(form)
        name = f"{NAME}{form.removeprefix(suffix[1:])}{suffix}"  # net.c, net-int8.c
        if self.output is None:
            return (folder or Path()) / name
        return self.output if self._is_file else self.output / name


def suffix_of(form: str) -> str:
    """How the files of a form end."""
    return f".{form.partition('-')[0]}"


def forms_of(names: str | None, output: Path | None) -> tuple[str, ...]:
    """The forms that are asked for; where none is named, the one that the name of the file says, or else the first.

    Args:
        names: As they were typed, with commas.
        output: The file or folder, if one was named.
    """
    if names is not None:
        return tuple(names.split(","))
    return (next((form for form in FORMS if output is not None and output.suffix == suffix_of(form)), FORMS[0]),)


def is_newer(page: Path, weights: Path | None) -> bool:
    """Whether a page was written after the weights of its net."""
    return weights is not None and is_file(page) and page.stat().st_mtime >= weights.stat().st_mtime


def model_file(name: str | None, others: Sequence[str]) -> tuple[ModelFile | None, list[str]]:
    """The file that is to be measured in place of a checkpoint, and what is typed besides.

    Raises:
        LabError: If a checkpoint is named too.
    """
    if name is None:
        return None, [*others]
    if any(word.partition("=")[0] == "--ckpt_path" for word in others):
        raise LabError("--model_file and --ckpt_path exclude each other.")
    return ModelFile(Path(name)), [*others, "--untrained"]  # by itself a command wants a checkpoint
