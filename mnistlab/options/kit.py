"""The kit of a class: `mnistlab.yaml`, found upwards from where one stands, says what would be typed each time.

    runs: runs            # where runs are kept
    data: ../data         # where the files of the data sets lie
    presets: presets      # presets that are known by name
    defaults:
      fit: {trainer.max_epochs: 3}

A folder is meant from where the file lies. The file is looked for up to one's home, or up to the root where one stands
elsewhere. One of another user may be a stranger's: it sets values and no more, is trusted as little as a checkpoint
(`options/trust.py`), and where everybody may write it is not taken at all.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mnistlab.errors import LabError
from mnistlab.options.notation import NULLS, at_home
from mnistlab.system.environment import DATA_DIR, RUN_DIR
from mnistlab.system.files import is_file, is_folder, read_text, stands
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import short_path

if TYPE_CHECKING:
    import yaml

FILE = "mnistlab.yaml"
"""What it is called."""

DEFAULTS = "defaults"
_PLACES = ("runs", "data", "presets")
_MUST_BE = "presets"  # of these what nobody makes
_MOST_BYTES = 1 << 20


class Place(NamedTuple):
    """A folder that a kit names."""

    folder: str  # from where one stands
    where: str  # file, line and column


class Kit(NamedTuple):
    """A kit that is in force."""

    file: str  # as it is shown
    folder: Path  # where it lies
    foreign: bool  # whether it is another user's
    places: Mapping[str, Place]  # by what they are for
    defaults: "yaml.Node | None"  # what it says for single commands


class _File(NamedTuple):
    folder: Path
    own: bool
    open: bool  # whether everybody may have written it
    stamp: tuple[int, ...]  # another one where it has changed


def find_kit() -> Kit | None:
    """The kit that is in force here; None where there is none.

    Raises:
        LabError: If it cannot be read, or says what no kit says; with line and column.
    """
    found = next((each for each in _files() if each.own or not each.open), None)
    return _read(found, Path.cwd()) if found else None


def not_taken() -> list[str]:
    """A sentence for what is passed over on the way to the kit: a stranger may have laid it there, or it is no file."""
    strange = [
        f"{each.folder / FILE} is not taken: it is another user's, and everybody may write there. "
        "Copy it into a folder of your own."
        for each in _files()
        if each.open and not each.own
    ]
    paths = [folder / FILE for folder in _above()]
    odd = [f"{path} is not taken: it is {_kind(path)}, and no file." for path in paths if _is_odd(path)]
    return [*strange, *odd]


def misplaced(only: str = "") -> list[str]:
    """A sentence for each folder that the kit names and that is none; runs and data are made when they are needed.

    Args:
        only: The one that is wanted, such as `presets`; all of them if not given.

    Raises:
        LabError: If the kit cannot be read.
    """
    kit = find_kit()
    places = kit.places.items() if kit else ()
    found = [(name, place, Path(place.folder)) for name, place in places if only in ("", name)]
    return [
        f"{place.where}: {name}: {place.folder} is {'no folder' if stands(path) else 'not there'}."
        for name, place, path in found
        if not is_folder(path) and (stands(path) or name == _MUST_BE)
    ]


def run_dir() -> str:
    """Where runs are kept, if nobody says so."""
    return os.environ.get(RUN_DIR) or kit_folder("runs") or "runs"


def data_dir() -> str:
    """Where the files of the data sets lie, if nobody says so."""
    return os.environ.get(DATA_DIR) or kit_folder("data") or "data"


def kit_folder(name: str) -> str | None:
    """The folder that the kit names for `runs`, `data` or `presets`; None where it names none."""
    kit = find_kit()
    place = kit.places.get(name) if kit else None
    return place.folder if place else None


def _files() -> Iterator[_File]:
    """The files of that name above, the nearest first; where nobody may look there is none."""
    yield from filter(None, map(_file_in, _above()))


def _above() -> Iterator[Path]:
    """The folders in which a kit may lie, the nearest first."""
    try:
        here, home = Path.cwd(), Path(at_home("~")).resolve()
    except OSError:  # it has been removed
        return
    for folder in (here, *here.parents):
        yield folder
        if folder == home:
            return


def _is_odd(path: Path) -> bool:
    """Whether something is called so that is no file."""
    return os.path.lexists(path) and not is_file(path) and os.access(path.parent, os.X_OK)


def _kind(path: Path) -> str:
    return "a folder" if is_folder(path) else "a link that leads nowhere" if path.is_symlink() else "something else"


def _file_in(folder: Path) -> _File | None:
    path = folder / FILE
    try:
        file, entry, around = path.stat(), path.lstat(), folder.stat()
    except OSError:
        return None
    if not stat.S_ISREG(file.st_mode):
        return None
    me = getattr(os, "getuid", lambda: 0)()
    own = all(each.st_uid in (me, 0) for each in (file, entry))
    is_open = any(each.st_mode & stat.S_IWOTH for each in (file, around))
    return _File(folder, own, is_open, (file.st_ino, file.st_mtime_ns, file.st_size))


@lru_cache(maxsize=8)
def _read(file: _File, here: Path) -> Kit:
    from mnistlab.options.composing import compose, data_in, place  # noqa: PLC0415 - YAML takes long to import

    path = file.folder / FILE
    shown = FILE if file.folder == here else str(path)
    try:
        root = compose(read_text(path, _MOST_BYTES), shown)
    except FileNotFoundError:  # removed meanwhile
        root = None
    said = data_in(root, shown) if root else {}
    if root is None or not isinstance(said, dict):
        if root:
            raise LabError(f"{shown}: a kit is a mapping, such as `runs: runs`.")
        return Kit(shown, file.folder, not file.own, {}, None)
    where = {str(key.value): (place(key, shown), node) for key, node in root.value}
    for name in said.keys() - {*_PLACES, DEFAULTS}:
        known = (*_PLACES, DEFAULTS)
        hint = suggestion(name, known) or f" It has {', '.join(known)}."
        raise LabError(f"{where[name][0]}: a kit has no {name}.{hint}")
    places = {name: _place(name, where[name][0], value, file.folder) for name, value in said.items() if name in _PLACES}
    return Kit(shown, file.folder, not file.own, places, where[DEFAULTS][1] if DEFAULTS in said else None)


def _place(name: str, where: str, value: object, folder: Path) -> Place:
    if not isinstance(value, str) or not value or value in NULLS:
        raise LabError(f"{where}: {name} takes a folder, such as `{name}: {name}`.")
    return Place(short_path(Path(os.path.normpath(folder / at_home(value)))), where)
