"""Which images `mnistlab data` shall look at; torch is not needed for that."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from mnistlab.catalogue import load_catalogue
from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments
from mnistlab.options.beside import offered
from mnistlab.system.files import stands
from mnistlab.text.nearest import suggestion

_PATH = "--data.path="
_DOTTED = re.compile(r"(\w+\.)+[A-Z]\w*")  # my_data.Letters, and not train.csv


@dataclass(frozen=True)
class DataAsked:
    """What was asked for.

    Attributes:
        arguments: The images, as options of `fit`.
        name: What they are called.
        page: The file of samples.
    """

    arguments: list[str]
    name: str
    page: Path


def find_data(asked: Arguments) -> DataAsked:
    """What was asked for: a data set by its name, or what lies at a path.

    Raises:
        LabError: If it is neither, nothing or several, or the file of samples cannot be there.
    """
    named = [*asked.names, *([asked.values["data"]] if "data" in asked.values else [])]
    if not named and any(each.startswith(_PATH) for each in asked.others):
        named = ["Images"]
    if len(named) != 1:
        got = f"got {len(named)}: {', '.join(named)}" if named else "got none"
        raise LabError(f"data takes one data set, or one folder or file, {got}: mnistlab data MNIST")
    (name,) = named
    typed = [f"--data={name}", *asked.others]
    if os.sep in name or (stands(Path(name).expanduser()) and name not in _classes()):
        typed = ["--data=Images", f"--data.path={name}", *asked.others]
    elif name not in _classes() and not _DOTTED.fullmatch(name):
        _refuse(name)
    place = [each.partition("=")[2] for each in typed if each.startswith(_PATH)] or [name]
    short = _stem(place[-1])
    page = Path(asked.values.get("output", f"data-{short}.png"))
    if not page.absolute().parent.is_dir():
        raise LabError(f"--output={page}: there is no folder {page.absolute().parent}.")
    return DataAsked(typed, short, page)


def _classes() -> list[str]:
    """The names of data sets, also of those in files here."""
    kind = load_catalogue().kinds["data"]
    return [*kind.listed(), *offered(kind)]


def _refuse(name: str) -> NoReturn:
    known = _classes()
    beside = [path.name for path in Path().iterdir()]
    there_are = f" There are {', '.join(known)}."
    raise LabError(
        f"{name} is no data set, and no folder or file here.{suggestion(name, [*known, *beside]) or there_are}"
    )


def _stem(place: str) -> str:
    """What images are called in short: `MNIST`, `animals`, `train` of train.csv.gz."""
    name = Path(place).expanduser().resolve().name or "root"
    return name.partition(".")[0] or name
