"""What a person says of a run while it is there: its name and a note, which whoever trains it leaves as they are."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mnistlab.errors import LabError
from mnistlab.runs.folder import RECORD
from mnistlab.runs.newest import MEANT
from mnistlab.runs.reading import parse_record, read_record
from mnistlab.runs.record import write_json
from mnistlab.system.files import UnreadableError, read_file, telling
from mnistlab.system.locks import locked

_LOCK = ".words.lock"
_NAME, _NOTE, RENAMED = "name", "note", "renamed"
_MOST_BYTES = 8 << 20
_LONGEST = {_NAME: 200, _NOTE: 10_000}  # characters


def check_name(name: str) -> None:
    """Refuse what no run can be called, and be found by.

    Raises:
        LabError: If it is a word of the command line, has a slash, is too long or stands in no line.
    """
    if name in MEANT:
        raise LabError(f"{name} is a word that means a run before any name does. Name it otherwise.")
    if "/" in name or not name.isprintable():
        raise LabError(f"{name!r}: a name has no slash and stands in a line.")
    check_length(_NAME, name)


def check_length(what: str, text: str) -> None:
    """Refuse a name or a note that is too long.

    Raises:
        LabError: If it is.
    """
    if len(text) > _LONGEST[what]:
        raise LabError(f"a {what} has {_LONGEST[what]:,} characters at most, got {len(text):,}.")


def say_of(folder: Path, *, name: str | None = None, note: str | None = None) -> None:
    """Say something of a run, whole or not at all; nothing else in its record changes.

    Args:
        folder: The run.
        name: What it is called from now on; nothing, as text, takes its name away.
        note: What is noted of it, likewise.

    Raises:
        LabError: If its record is not there, cannot be read, or cannot be written.
    """
    path = folder / RECORD
    try:
        with telling(path, "Nothing was changed."), words_kept(folder):
            record = parse_record(read_file(path, _MOST_BYTES), path)
            if name is not None:
                record |= {_NAME: name or None, RENAMED: True}
            if note is not None:
                record[_NOTE] = note or None
            write_json(path, record)
    except FileNotFoundError as error:
        raise LabError(f"{folder} has no {RECORD}: nothing was changed.") from error


@contextmanager
def words_kept(folder: Path) -> Iterator[None]:
    """Let nobody say anything of a run meanwhile."""
    with locked(folder / _LOCK):
        yield


def words_of(folder: Path) -> Mapping[str, Any]:
    """What a person has said of a run since it was begun, as a part of its record."""
    with suppress(UnreadableError):
        record = read_record(folder) or {}
        named = (_NAME, RENAMED) if record.get(RENAMED) is True else ()
        return {key: record.get(key) for key in (*named, _NOTE) if key in record}
    return {}
