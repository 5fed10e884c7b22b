"""The pictures that a command names, found before torch is imported."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mnistlab.errors import LabError
from mnistlab.options.arguments import split_words

STDIN = "-"

_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2",
)  # fmt: skip
"""Files of a folder that are taken for pictures; any file may be named."""

_OTHERS = (".ckpt", ".safetensors", ".yaml", ".yml", ".py")
"""Files that an option names."""


class Pictures(NamedTuple):
    """What shall be answered.

    Attributes:
        files: The files in their order, `-` for standard input.
        as_json: Whether the answers are for a machine.
    """

    files: Sequence[str]
    as_json: bool = False


def split_pictures(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that name pictures, and the rest: options with their values, and words that can be neither."""
    return split_words(arguments, _may_be_picture)


def find_pictures(names: Sequence[str]) -> list[str]:
    """The files that are meant, those of a folder by their names.

    Raises:
        LabError: If one is not there, or a folder has no picture.
    """
    return [file for name in names for file in _files(name)]


def _may_be_picture(word: str) -> bool:
    path = Path(word)
    named = path.suffix and "=" not in word and word.isprintable()
    return word == STDIN or (path.suffix.lower() not in _OTHERS and bool(named or path.exists() or "/" in word))


def _files(name: str) -> Iterator[str]:
    if not name:
        raise LabError("a picture or a folder is wanted, got an empty name. The folder where one stands is a dot.")
    path = Path(name)
    if name == STDIN or path.is_file():
        yield name
        return
    if not path.is_dir():
        raise LabError(f"{name}: there is no such picture or folder.")
    found = _pictures(path)
    if not found:
        within = next((each for each in sorted(path.iterdir()) if each.is_dir() and _pictures(each)), None)
        hint = f" Its folder {within.name} holds some: name {within}." if within else ""
        raise LabError(
            f"{name} holds no pictures: none of its files ends in {', '.join(_SUFFIXES[:3])} or the like.{hint}"
        )
    yield from map(str, found)


def _pictures(folder: Path) -> list[Path]:
    """Those in a folder, by their names."""
    try:
        return sorted(each for each in folder.iterdir() if each.suffix.lower() in _SUFFIXES and each.is_file())
    except OSError as error:
        raise LabError(f"{folder} cannot be read: {error.strerror}.") from error
