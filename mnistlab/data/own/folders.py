"""Folders of pictures: one for each class, or one with a table of files and labels."""

import os
from collections.abc import Sequence
from pathlib import Path

from mnistlab.data.own.gathered import LABEL_NAMES, Gathered, Part, Stored, split_named
from mnistlab.data.own.text import column_of, read_rows
from mnistlab.errors import LabError
from mnistlab.text.values import counted

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp", ".avif"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".tga", ".jp2", ".ico"),
)
"""How names of pictures end."""

_FILES = ("file", "filename", "file_name", "path", "filepath", "image", "image_path", "img", "name", "id", "image_id")
_SPLIT_COLUMNS = ("split", "set", "subset", "fold", "partition")


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its name; hidden ones are not."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def subfolders(folder: Path) -> list[Path]:
    """The folders in it, without hidden ones and what a Mac puts into archives."""
    return sorted(Path(each.path) for each in _entries(folder) if each.is_dir() and not each.name.startswith("__"))


def files(folder: Path) -> list[Path]:
    """The files in it, without hidden ones."""
    return sorted(Path(each.path) for each in _entries(folder) if each.is_file())


def has_pictures(folder: Path) -> bool:
    """Whether a picture lies in it."""
    return any(is_picture(each.name) for each in _entries(folder))


def divided(folder: Path) -> dict[str, Path]:
    """The folders of the splits, where a folder holds `train` and maybe `val` and `test`, and nothing else.

    One that holds `test` alone, with folders of classes, is a test.
    """
    found = {path: split_named(path.name) for path in subfolders(folder)}
    parts = {part: path for path, part in found.items() if part is not None}
    is_test = set(parts) == {"test"} and bool(subfolders(parts["test"]))
    return parts if ("train" in parts or is_test) and len(parts) == len(found) else {}


def read_divided(parts: dict[str, Path], tables: dict[str, Path], group: str | None) -> Gathered:
    """Read a folder for each split; each has folders of classes, or pictures with a table.

    Args:
        parts: The folder of each split.
        tables: The table of a split, where it lies beside these folders.
        group: The column that says what belongs together.

    Raises:
        LabError: If a file of a table is not there, or no split has labels.
    """
    found: dict[str, Part] = {}
    notes: list[str] = []
    for part, folder in parts.items():
        own = [tables[part]] if part in tables else [path for path in files(folder) if path.suffix == ".csv"]
        read = read_listed(folder, own[0], group) if own else read_class_folders(folder)
        notes += read.notes
        if set(read.parts) != {"all"}:
            raise LabError(f"{own[0]} divides what lies in {folder}, which is one split already.")
        if read.parts["all"].labels is None:
            notes.append(
                f"the pictures in {folder} have no labels: they are left out. Predict them: --data.path={folder}"
            )
        else:
            found[part] = read.parts["all"]
    first = next(part for part in ("train", "test") if part in parts)
    if first not in found:
        raise LabError(f"{parts[first]} has no folders of classes, and no table of labels.")
    return Gathered(found, notes=notes)


def read_class_folders(folder: Path) -> Gathered:
    """Read pictures whose class is the folder in which they lie; without such folders nobody knows it."""
    classes = subfolders(folder)
    loose = [path for path in files(folder) if is_picture(path.name)]
    if not any(_pictures(path)[0] for path in classes):
        return Gathered({"all": Part([Stored(str(path)) for path in loose])}, notes=_left_out(folder, files(folder)))
    images: list[Stored] = []
    labels: list[str] = []
    empty: list[str] = []
    notes = [f"{counted(len(loose), 'picture')} of {folder} in no folder of a class: left out"] if loose else []
    others: list[Path] = []
    for path in classes:
        found, rest = _pictures(path)
        others += rest
        images += [Stored(each) for each in found]
        labels += [path.name] * len(found)
        empty += [] if found else [path.name]
    if empty:
        notes.append(f"no picture lies in {', '.join(empty[:5])} of {folder}: no such class counts")
    return Gathered({"all": Part(images, labels)}, notes=[*notes, *_left_out(folder, others)])


def read_listed(folder: Path, table: Path, group: str | None) -> Gathered:
    """Read pictures whose labels stand in a table: `file,label`, and maybe a column of splits or of groups.

    Args:
        folder: Where the files are that it names.
        table: The table.
        group: The column that says what belongs together.

    Raises:
        LabError: If it has no such columns, or a file is not there.
    """
    rows = read_rows(table)
    if not rows:
        raise LabError(f"{table} is empty. It wants a row for each picture: file,label")
    at, endings = _file_column(folder, rows, table)
    named = _found(folder, rows[0][at], endings) is None
    names = [name.strip() for name in rows[0]] if named else []
    rows = rows[1:] if named else rows
    low = [name.lower() for name in names]
    label = next((low.index(name) for name in LABEL_NAMES if name in low), None)
    if label is None and not names and len(rows[0]) > 1:
        label = 1 - min(at, 1)
    split = next((low.index(name) for name in _SPLIT_COLUMNS if name in low), None)
    others = [each for each in range(len(names)) if each not in (at, split) and names[each] != group]
    if label is None and len(others) == 1:
        label = others[0]
    groups = None if group is None else column_of(group, names, table)
    wanted = max(each for each in (at, label, split, groups) if each is not None)
    for number, row in enumerate(rows, start=1 + named):
        if len(row) <= wanted:
            raise LabError(f"{table}, row {number:,} has {counted(len(row), 'column')}, and {wanted + 1} are wanted.")
    return _divided_rows(folder, table, rows, (at, label, split, groups), endings)


def _divided_rows(
    folder: Path,
    table: Path,
    rows: Sequence[Sequence[str]],
    columns: tuple[int, int | None, int | None, int | None],
    endings: Sequence[str],
) -> Gathered:
    at, label, split, groups = columns
    by_part: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        part = "all" if split is None else split_named(row[split])
        if part is None:
            raise LabError(f"{table}: {row[split or 0]!r} is no split. Write train, val or test.")
        by_part.setdefault(part, []).append(number)
    parts = {}
    for part, numbers in by_part.items():
        places = [_found(folder, rows[number][at], endings) for number in numbers]
        if None in places:
            missing = rows[numbers[places.index(None)]][at]
            raise LabError(f"{table} names {missing}, and there is no such file in {folder}.")
        parts[part] = Part(
            [Stored(place) for place in places if place is not None],
            None if label is None else [rows[number][label].strip() for number in numbers],
            None if groups is None else [rows[number][groups].strip() for number in numbers],
        )
    return Gathered(parts)


def _file_column(folder: Path, rows: Sequence[Sequence[str]], table: Path) -> tuple[int, Sequence[str]]:
    """The column of files, and with which endings they are found."""
    low = [name.strip().lower() for name in rows[0]]
    named = [low.index(name) for name in _FILES if name in low]
    for row in (rows[1] if len(rows) > 1 else rows[0], rows[0]):
        for at in [*named, *range(len(row))]:
            for endings in ([""], SUFFIXES):
                if at < len(row) and _found(folder, row[at], endings) is not None:
                    return at, endings
    shown = ",".join((rows[1] if len(rows) > 1 else rows[0])[:4])
    raise LabError(f"{table} names no file of {folder}: {shown}. It wants a row for each picture: file,label")


def _found(folder: Path, name: str, endings: Sequence[str]) -> str | None:
    """The file of that name, with one of these endings; None where there is none."""
    name = name.strip()
    return next((str(path) for end in endings if name and (path := folder / f"{name}{end}").is_file()), None)


def _pictures(folder: Path) -> tuple[list[str], list[Path]]:
    """All pictures in a folder and below, in the order of their names, and the files that are none."""
    found: list[str] = []
    others: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(names):
            if is_picture(name):
                found.append(os.path.join(root, name))  # noqa: PTH118 - of 60,000 a Path each takes a second
            elif not name.startswith("."):
                others.append(Path(root, name))
    return found, others


def _left_out(folder: Path, others: Sequence[Path]) -> list[str]:
    odd = [path.name for path in others if not is_picture(path.name)]
    if not odd:
        return []
    return [f"{counted(len(odd), 'file')} in {folder} no picture by name, such as {odd[0]}: left out"]


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return [each for each in entries if not each.name.startswith(".")]
    except OSError as error:
        raise LabError(f"{folder} cannot be read: {error.strerror}.") from error
