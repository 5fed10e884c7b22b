"""Tells in which form pictures lie at a path, and reads them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mnistlab.data.own import arrays, folders, idx_pairs, matlab, parquet, text
from mnistlab.data.own.gathered import Gathered, Part, split_named
from mnistlab.errors import LabError
from mnistlab.text.nearest import suggestion

FORMS = (
    "a folder with a folder for each class (also below train, val and test), a folder of pictures with a CSV of "
    "file,label, a CSV of pixels, .npz, .pt, .mat, parquet, idx or libsvm"
)
"""What can be read, in a few words."""

_NEAREST = {
    b"\x89HDF": "a file of HDF5 (MATLAB's version 7.3 is one too): save it as npz, or in MATLAB with save -v7",
    b"\x93NUM": "a single array: np.savez(path, images=images, labels=labels) keeps both",
    b"\x80": "a pickle, which can run code when it is read: save its arrays with np.savez",
    b"ARRO": "a file of Arrow: save it as parquet",
    b"%PDF": "a PDF: save its pages as pictures",
}


_MAGIC = {b"PAR1": "parquet", b"MATLAB 5.0": "mat"}

_READERS: Mapping[str, Callable[[Path], Gathered]] = {
    "npz": arrays.read_npz,
    "tensors": arrays.read_tensors,
    "mat": matlab.read_mat,
    "libsvm": text.read_libsvm,
}


def gather(path: Path, group: str | None, scratch: Path) -> Gathered:
    """Read what lies at a path, whichever form it has.

    Args:
        path: A folder or a file.
        group: The column that says what belongs together.
        scratch: A folder for what is needed while it is read.

    Raises:
        LabError: If nothing is there, or nothing that can be read.
    """
    try:
        there = path.exists()
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}.") from error
    if not there:
        raise LabError(_absent(path))
    gathered = _read_folder(path, group, scratch) if path.is_dir() else _read_file(path, group, scratch)
    if not any(len(part.images) for part in gathered.parts.values()):
        raise LabError(f"{path} holds no pictures. It may be {FORMS}.")
    if group is not None and all(part.groups is None for part in gathered.parts.values()):
        raise LabError(f"--data.group={group}: {path} has no columns. Only tables and parquet have some.")
    return _with_a_test(gathered, path)


def _absent(path: Path) -> str:
    parent = path.parent
    known = [each.name for each in parent.iterdir()] if parent.is_dir() else []
    return f"{path} is not there.{suggestion(path.name, known)} Name it with --data.path, from {Path.cwd()}."


def _read_folder(path: Path, group: str | None, scratch: Path) -> Gathered:
    lying = folders.files(path)
    listing = [each for each in lying if each.suffix.lower() in (".csv", ".tsv", ".txt")]
    parts = folders.divided(path)
    if parts and any(_holds_pictures(each) for each in parts.values()):
        tables = {part: each for each in listing if (part := split_named(each.stem)) in parts}
        return folders.read_divided(parts, tables, group)
    tables_of_files = [each for each in listing if each.suffix.lower() == ".csv" and not _is_pixels(each)]
    if len(tables_of_files) == 1 and (folders.has_pictures(path) or folders.subfolders(path)):
        return folders.read_listed(path, tables_of_files[0], group)
    if folders.has_pictures(path) and len(tables_of_files) > 1:
        raise LabError(f"{path} has several tables. Name one of them: --data.path={tables_of_files[0]}")
    if folders.has_pictures(path) or any(_holds_pictures(each) for each in folders.subfolders(path)):
        return folders.read_class_folders(path)
    return _read_files(path, [each for each in lying if each not in tables_of_files], group, scratch)


def _with_a_test(gathered: Gathered, path: Path) -> Gathered:
    """What is divided into training and test; what is one part only is not divided, but a test by name is all test."""
    parts = dict(gathered.parts)
    if set(parts) == {"test"}:
        return gathered
    if set(parts) == {"val"}:
        return replace(
            gathered, parts={"test": parts["val"]}, notes=[*gathered.notes, f"{path} has val alone: it is the test"]
        )
    if len(parts) == 1:
        return replace(gathered, parts={"all": next(iter(parts.values()))})
    if "train" not in parts:
        raise LabError(f"{path} has {' and '.join(parts)}, but nothing to train on. Call one of them train.")
    if "test" in parts:
        return gathered
    note = f"{path} has val and no test: val is the test, and validation is held out of train"
    return replace(gathered, parts={"train": parts["train"], "test": parts["val"]}, notes=[*gathered.notes, note])


def belonging(path: Path) -> list[Path]:
    """The files and folders that are read where a path is named: labels lie beside images, and pictures by a table."""
    kind = _kind(path) if path.is_file() else None
    return idx_pairs.beside(path) if kind == "idx" else [path.parent] if kind == "table" else [path]


def _read_files(path: Path, lying: list[Path], group: str | None, scratch: Path) -> Gathered:
    """Read a folder of files of which each holds many pictures, and whose names say the split."""
    idx = [each for each in lying if idx_pairs.is_idx(text.head(each, 4))]
    if idx:
        return idx_pairs.read_idx_files(idx)
    known = [each for each in lying if _is_known(each)]
    if len(known) == 1:
        return _read_file(known[0], group, scratch)
    if not known:
        inside = ", ".join(each.name for each in [*folders.subfolders(path), *lying][:4]) or "nothing"
        raise LabError(f"{path} holds no pictures, but {inside}. It may be {FORMS}.")
    read = [(split_named(each.name), each, _read_file(each, group, scratch)) for each in known]
    if any(part is None or set(one.parts) != {"all"} for part, _, one in read):
        raise LabError(f"{path} has several files. Name one of them: --data.path={known[0]}")
    return _joined([(part, each, one) for part, each, one in read if part is not None])


def _joined(read: list[tuple[str, Path, Gathered]]) -> Gathered:
    """Files of the same split, one after the other; those without labels are left out where others have some."""
    found: dict[str, Part] = {}
    notes = [note for _, _, one in read for note in one.notes]
    labelled = any(one.parts["all"].labels is not None for _, _, one in read)
    for part, path, one in read:
        new = one.parts["all"]
        if labelled and new.labels is None:
            notes.append(f"{path} has no labels: it is left out. Predict it: --data.path={path}")
        elif part in found:
            found[part] = _appended(found[part], new)
        else:
            found[part] = new
    if "train" not in found:
        found = {"all": _appended(*found.values()) if len(found) > 1 else next(iter(found.values()))}
    return Gathered(found, read[0][2].classes, notes)


def _appended(some: Part, more: Part) -> Part:
    if isinstance(some.images, np.ndarray) and isinstance(more.images, np.ndarray):
        images = np.concatenate([some.images, more.images])
        return replace(some, images=images, labels=[*(some.labels or []), *(more.labels or [])])
    return Part(
        [*some.images, *more.images],
        None if some.labels is None else [*some.labels, *(more.labels or [])],
        None if some.groups is None else [*some.groups, *(more.groups or [])],
    )


def _read_file(path: Path, group: str | None, scratch: Path) -> Gathered:
    """Read one file, known by how it begins."""
    if not path.is_file():
        raise LabError(f"{path} is neither a file nor a folder.")
    kind = _kind(path)
    if kind == "idx":
        return idx_pairs.read_idx_files(idx_pairs.beside(path))
    if kind == "parquet":
        return parquet.read_parquet(path, group, scratch)
    if kind == "pixels":
        return text.read_pixel_table(path, group)
    if kind == "table":
        return folders.read_listed(path.parent, path, group)
    if kind is not None:
        return _READERS[kind](path)
    if folders.is_picture(path.name):
        raise LabError(f"{path} is one picture. Name the folder that it lies in: --data.path={path.parent}")
    begin = path.read_bytes()[:8]
    nearest = next((what for magic, what in _NEAREST.items() if begin.startswith(magic)), None)
    if nearest:
        raise LabError(f"{path} is {nearest}.")
    raise LabError(f"{path} is in no form that can be read. It may be {FORMS}.")


def _kind(path: Path) -> str | None:
    """The form of a file by how it begins."""
    with path.open("rb") as file:
        raw = file.read(16)
    if raw[:4] == b"PK\x03\x04":
        return "npz" if _is_npz(path) else "tensors"
    known = [kind for magic, kind in _MAGIC.items() if raw.startswith(magic)]
    if known or path.suffix in (".pt", ".pth"):  # as torch wrote them before 1.6
        return known[0] if known else "tensors"
    begin = text.head(path, 4)
    if idx_pairs.is_idx(begin):
        return "idx"
    return None if folders.is_picture(path.name) else _kind_of_text(path)


def _kind_of_text(path: Path) -> str | None:
    content = text.head(path)
    if not content or b"\0" in content:
        return None
    first = content.partition(b"\n")[0].decode(errors="ignore")
    if text.is_libsvm(first):
        return "libsvm"
    if _is_pixels(path):
        return "pixels"
    return "table" if "," in first else None


def _is_npz(path: Path) -> bool:
    import zipfile  # noqa: PLC0415 - only here

    try:
        with zipfile.ZipFile(path) as file:
            return any(name.endswith(".npy") for name in file.namelist())
    except (zipfile.BadZipFile, OSError):
        return path.suffix == ".npz"


def _is_pixels(path: Path) -> bool:
    return text.is_pixel_table(text.read_rows(path, 2))


def _is_known(path: Path) -> bool:
    return _kind(path) in ("npz", "tensors", "mat", "libsvm", "parquet", "pixels")


def _holds_pictures(folder: Path) -> bool:
    """Whether a picture lies in a folder or below."""
    return any(folders.is_picture(each.name) for each in folder.rglob("*"))
