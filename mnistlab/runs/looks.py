"""How often test images have been looked at: the best of many figures on the same images is partly luck."""

from collections import Counter
from contextlib import suppress
from pathlib import Path

from mnistlab.system.files import UnreadableError, read_text
from mnistlab.system.locks import locked

LOOKS = "looks.csv"
"""The file in the folder of the runs with a line for each look, which stays when its run is removed."""

_LOCK = ".looks.lock"
_MOST_BYTES = 64 << 20

FEW = 5
"""So many looks before need no word: the best of five nets that are alike is little more than a deviation ahead."""


def note_look(root: Path, images: str | None) -> int | None:
    """Note that test images are looked at; how many looks came before, None where nobody knows which images.

    Args:
        root: The folder of the runs.
        images: The fingerprint of the images.
    """
    from mnistlab.runs.record import now  # noqa: PLC0415 - who only reads needs none of it

    if images is None:
        return None
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / _LOCK), (root / LOOKS).open("a+", encoding="utf-8", errors="replace") as file:
        file.seek(0)
        before = sum(images in line for line in file)
        file.write(f"{now()},{images}\n" if file.tell() else f"time,images\n{now()},{images}\n")
    return before


def looks_at(root: Path) -> Counter[str]:
    """How often each test images have been looked at in a folder of runs, by their fingerprints."""
    with suppress(FileNotFoundError, UnreadableError):
        lines = read_text(root / LOOKS, _MOST_BYTES).splitlines()[1:]
        return Counter(line.rpartition(",")[2] for line in lines)
    return Counter()


def many(before: int | None) -> str:
    """How many looks came before a figure; nothing where there were few, or nobody knows."""
    return f"{before:,}" if before is not None and before > FEW else ""


def after_looks(before: int | None) -> str:
    """The same in words."""
    return f"after {many(before)} looks at the test images" if many(before) else ""
