"""How often test images have been looked at: the best of many figures on the same images is partly luck."""

import csv
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.system.files import UnreadableError, is_file, read_text, stands
from mnistlab.system.locks import locked
from mnistlab.system.sharing import make_folder, shared
from mnistlab.system.user import current_user

LOOKS = "looks.csv"
"""The file in the folder of the runs with a line for each look, which stays when its run is removed."""

_LOCK = ".looks.lock"
_MOST_BYTES = 64 << 20
_FIELDS = ("time", "images", "user")
_OLD = 2  # fields of a line of an older version, which did not note who it was

FEW = 5
"""So many looks before need no word: the best of five nets that are alike is little more than a deviation ahead."""


def note_look(root: Path, images: str | None) -> int | None:
    """Note that test images are looked at, and by whom; how many looks came before, None where it is unknown at which.

    Args:
        root: The folder of the runs.
        images: The fingerprint of the images.
    """
    from mnistlab.runs.record import now  # noqa: PLC0415 - who only reads needs none of it

    if images is None:
        return None
    make_folder(root)
    with (
        locked(root / _LOCK),
        open(root / LOOKS, "a+", encoding="utf-8", errors="replace", newline="", opener=shared) as file,
    ):
        file.seek(0)
        before = sum(images in line for line in file)
        rows = csv.writer(file, lineterminator="\n")
        if not file.tell():
            rows.writerow(_FIELDS)
        rows.writerow((now(), images, current_user() or ""))
    return before


def check_looks(root: Path, where: str) -> None:
    """Refuse a folder of runs in which no look can be noted, before any work.

    Args:
        root: The folder.
        where: Who chose it.

    Raises:
        LabError: If something of that name is there which is no file, or only others may read or write it.
    """
    why = why_uncounted(root)
    if why:
        raise LabError(f"{where}: {why}")


def why_uncounted(root: Path) -> str:
    """Why no look can be noted in a folder of runs in which one may write, with what to do; empty where one can."""
    file = root / LOOKS
    if is_file(file):
        way_out = f"Whose it is can open it to all (chmod a+rw {file})."
        is_open = os.access(file, os.R_OK | os.W_OK)
        return "" if is_open else f"{file} counts the looks at test images, and is closed. {way_out}"
    return f"{file} would count the looks at test images, and is no file. Move it away." if stands(file) else ""


def looks_at(root: Path) -> Counter[tuple[str, str]]:
    """How often each test images have been looked at in a folder of runs, by their fingerprints and by whom.

    Nobody knows by whom where an older version has noted it: then the name is empty.
    """
    with suppress(FileNotFoundError, UnreadableError, csv.Error):
        lines = read_text(root / LOOKS, _MOST_BYTES).splitlines()[1:]
        rows = csv.reader(line.replace("\0", "") for line in lines)
        return Counter((row[1], row[2] if len(row) > _OLD else "") for row in rows if len(row) >= _OLD)
    return Counter()


def many(before: int | None) -> str:
    """How many looks came before a figure; nothing where there were few, or nobody knows."""
    return f"{before:,}" if before is not None and before > FEW else ""


def after_looks(before: int | None) -> str:
    """The same in words."""
    return f"after {many(before)} looks at the test images" if many(before) else ""
