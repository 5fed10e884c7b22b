"""Text: tables of pixels with commas between them, and libsvm's lines; plain, or packed with gzip or bzip2."""

import bz2
import csv
import gzip
import warnings
import zlib
from collections.abc import Sequence
from math import isqrt
from pathlib import Path

import numpy as np

from mnistlab.data.own.arrays import as_pixels
from mnistlab.data.own.gathered import LABEL_NAMES, Array, Gathered, Part, as_names, damaged
from mnistlab.errors import LabError

_IDENTITIES = ("", "id", "index", "imageid", "image_id", "unnamed: 0")


def unpacked(path: Path) -> bytes:
    """The contents of a file, whatever it is packed with.

    Raises:
        LabError: If it cannot be read.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            return gzip.decompress(content)
        return bz2.decompress(content) if content[:3] == b"BZh" else content
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise damaged(path, error) from error


def is_libsvm(line: str) -> bool:
    """Whether a line is a label and pairs of index and value."""
    _, *pairs = line.split()
    return bool(pairs) and all(pair.count(":") == 1 and pair.partition(":")[0].isdigit() for pair in pairs[:20])


def read_libsvm(path: Path) -> Gathered:
    """Read lines of `label index:value ...`; what is not named is 0.

    Features count from 1, as libsvm has it, unless one of them is 0. Pixels at the end that are 0 in every image are
    not named: there are as many as fill a square.

    Raises:
        LabError: If a line cannot be read.
    """
    labels: list[str] = []
    rows: list[Array] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # what numpy says of a text that is no number
        for number, line in enumerate(unpacked(path).splitlines(), start=1):
            label, _, rest = line.strip().partition(b" ")
            if not label:
                continue
            try:
                values = np.fromstring(rest.replace(b":", b" "), sep=" ")
                rows.append(values.reshape(-1, 2))
                labels.append(str(float(label)))
            except (ValueError, DeprecationWarning) as error:
                raise damaged(path, f"line {number:,} is not `label index:value ...`") from error
    if not rows:
        raise damaged(path, "it has no lines")
    first = min((int(row[0, 0]) for row in rows if len(row)), default=1)
    last = max((int(row[-1, 0]) for row in rows if len(row)), default=1)
    base = min(first, 1)
    side = isqrt(max(0, last - base)) + 1
    images = np.zeros((len(rows), side * side))
    for image, row in zip(images, rows, strict=True):
        image[row[:, 0].astype(np.int64) - base] = row[:, 1]
    pixels = as_pixels({"all": images}, path)
    names = as_names(np.array(labels, dtype=np.float64), path)
    return Gathered({"all": Part(pixels.parts["all"], names)}, notes=pixels.notes)


def read_rows(path: Path, most: int | None = None) -> list[list[str]]:
    """The first rows of a table, those without anything left out.

    Raises:
        LabError: If it is no text.
    """
    try:
        if most is not None:
            lines = head(path).decode("utf-8-sig", errors="ignore").splitlines()[:most]  # it may end within a letter
        else:
            lines = unpacked(path).decode("utf-8-sig").splitlines()
        return [row for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise damaged(path, error) from error


def head(path: Path, size: int = 1 << 20) -> bytes:
    """The first bytes of a file, whatever it is packed with.

    Raises:
        LabError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(3)
        opener = gzip.open if begin[:2] == b"\x1f\x8b" else bz2.open if begin == b"BZh" else open
        with opener(path, "rb") as file:
            found: bytes = file.read(size)
            return found
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise damaged(path, error) from error


def is_pixel_table(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table that begins so holds pixels: a hundred numbers in a row, or as many as fill a small square."""
    if not rows:
        return False
    row = rows[-1]
    if len(row) < 10:  # noqa: PLR2004 - 3 x 3 and a label
        return False
    numbers = sum(_is_number(cell) for cell in row)
    return numbers >= len(row) - 3


def read_pixel_table(path: Path, group: str | None) -> Gathered:
    """Read a row for each image: its label, as Kaggle has it first or under a name, and its pixels.

    Args:
        path: The file.
        group: The column that says what belongs together.

    Raises:
        LabError: If a row is broken, or the columns are not those of images.
    """
    first = read_rows(path, 2)
    names = [] if all(_is_number(cell) for cell in first[0]) else [name.strip() for name in first[0]]
    columns = len(first[-1])
    label, others = _label_column(names, columns, path)
    if group is not None:
        others = [*others, column_of(group, names, path)]
    pixels = [at for at in range(columns) if at != label and at not in others]
    numeric = label is None or _is_number(first[-1][label])
    wanted = pixels if label is None or not numeric else [label, *pixels]
    table = _numbers(path, len(names) > 0, wanted, columns)
    labels = None
    if label is not None:
        labels = as_names(table[:, 0], path) if numeric else _texts(path, len(names) > 0, label)
        table = table[:, 1:] if numeric else table
    groups = None if group is None else _texts(path, len(names) > 0, column_of(group, names, path))
    images = as_pixels({"all": table}, path)
    return Gathered({"all": Part(images.parts["all"], labels, groups)}, notes=images.notes)


def column_of(group: str, names: Sequence[str], path: Path) -> int:
    """The place of a column.

    Raises:
        LabError: If there is none of that name.
    """
    if group not in names:
        shown = ", ".join(names[:8]) or "none with a name"
        raise LabError(f"--data.group={group}: {path} has no such column. Its columns: {shown}.")
    return list(names).index(group)


def _label_column(names: Sequence[str], columns: int, path: Path) -> tuple[int | None, list[int]]:
    """Where the label stands, and which columns are neither label nor pixels."""
    low = [name.lower() for name in names]
    others = [at for at, name in enumerate(low) if name in _IDENTITIES]
    named = [at for at, name in enumerate(low) if name in LABEL_NAMES]
    if named:
        return named[0], others
    left = columns - len(others)
    if _is_image(left):
        return None, others
    if _is_image(left - 1):
        if others and names:
            return next(at for at in range(columns) if at not in others), others
        return 0, others
    raise LabError(f"{path} has {columns:,} columns, which are no square image, with or without a label before it.")


def _is_image(values: int) -> bool:
    return values > 1 and (isqrt(values) ** 2 == values or (values % 3 == 0 and isqrt(values // 3) ** 2 == values // 3))


def _numbers(path: Path, skip: bool, wanted: Sequence[int], columns: int) -> Array:
    """Those columns of a table, whole numbers where all are."""
    lines = unpacked(path).decode("utf-8-sig", errors="replace").splitlines()[int(skip) :]
    use = None if len(wanted) == columns and list(wanted) == list(range(columns)) else wanted
    problem: Exception | None = None
    for kind in (np.int32, np.float32):
        try:
            table: Array = np.loadtxt(lines, dtype=kind, delimiter=",", usecols=use, ndmin=2, comments=None)
        except (ValueError, OverflowError) as error:
            problem = error
        else:
            return table
    raise damaged(path, f"{problem}, counted from the first image")


def _texts(path: Path, skip: bool, column: int) -> list[str]:
    return [row[column].strip() for row in read_rows(path)[int(skip) :]]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
