"""What is kept of all runs, read at once: `.runs.json` in their folder saves reading again what has not changed.

A file is the same as before if the system says that it was changed last at the same time, has the same size and is the
same file. A run that was read within the time in which a clock may stand still, or that is running, is read again each
time. So nothing has to keep the index right: it may be old, damaged, of anyone, or missing, and two processes may write
it at once.

Where only others may write that file, as in a folder in which all may write and each removes only what is his own, a
user has one of his own in his cache, and reads whichever of the two is newer.
"""

import gc
import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.runs.folder import CONFIG, RECORD, is_run, places
from mnistlab.runs.reading import MOST_BYTES, Indexed, parse_record, read_record, sound
from mnistlab.runs.sheets import Changes, Options, Sheet, Sheets
from mnistlab.runs.stored import Group, Names, Row, Stored, leaves, load, save
from mnistlab.system.files import UnreadableError, read_now

INDEX = ".runs.json"
"""The file in the folder of the runs in which is kept what was read of them."""

KEPT = frozenset(
    (
        *("command", "status", "started", "ended", "name", "reproduces", "tags", "user", "note", "sweep", "trial"),
        *("model", "class", "data", "data_fingerprint", "presets", "chosen", "point", "seed", "config_hash"),
        *("parameters", "measures", "metrics", "looks", "checkpoint"),
    )
)
"""The fields of a record that an index has whole."""

_SECONDS = ("timings", "train_seconds")  # and what it has of others
_LOOKED_AT = {*KEPT, _SECONDS[0]}

_MOST_OWN = 20  # indexes that a user's cache keeps
_NEW = 32  # runs that must have been read anew for an index to be written: fewer are read as fast as it is written
_SETTLED_NS = 2_000_000_000  # after that a further change of a file has another time, however coarse the clock is
_NONE = (0, 0, 0)  # of a file that is not there


class Kept(Indexed):
    """The record of a run, of which most is known; the rest is read from its file when it is asked for.

    Args:
        folder: The run.
        group: Where it stands.
        row: The row there.
        sheets: What configurations are like.
    """

    __slots__ = ("_group", "_row", "_sheets", "_whole", "folder")

    def __init__(self, folder: str, group: Group, row: int, sheets: Sequence[Sheet]) -> None:
        self.folder, self._group, self._row, self._sheets = folder, group, row, sheets
        self._whole: Mapping[str, object] | None = None

    @property
    def options(self) -> Options | None:
        """What it was configured with; None where that cannot be read."""
        number = self._group.sheets[self._row]
        return Options(self._sheets[number], self._group.changes[self._row]) if number >= 0 else None

    @property
    def sheet(self) -> Sheet | None:
        """What its configuration is like; None where that cannot be read."""
        number = self._group.sheets[self._row]
        return self._sheets[number] if number >= 0 else None

    def at(self, names: Names) -> object:
        """What stands below these names; None where nothing does."""
        column = self._group.positions.get(names)
        if column is not None:
            return self._group.columns[column][self._row]
        value: object = self
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def get(self, name: str, default: object = None) -> object:
        """The field of that name, or something else where there is none."""
        if name in KEPT and name not in self._group.parts:
            return default
        try:
            return self[name]
        except KeyError:
            return default

    def __getitem__(self, name: str) -> object:
        if name not in KEPT:
            return self._record()[name]
        column = self._group.positions.get((name,))
        return self._group.part(name, self._row) if column is None else self._group.columns[column][self._row]

    def __contains__(self, name: object) -> bool:
        return name in self._group.parts if name in KEPT else name in self._record()

    def __iter__(self) -> Iterator[str]:
        return iter(self._record())

    def __len__(self) -> int:
        return len(self._record())

    def _record(self) -> Mapping[str, object]:
        """All of it; what is known where the file has gone since."""
        if self._whole is None:
            self._whole = self._group.known(self._row)
            with suppress(UnreadableError):
                self._whole = read_record(Path(self.folder)) or self._whole
        return self._whole


def kept_runs(root: Path) -> tuple[list[Kept], list[str]]:
    """The record of each run below `root`, and the folders of those whose record cannot be read."""
    with _without_collector():
        begun = time.time_ns()
        shared, own = root / INDEX, _own_index(root)
        stored = load(max(shared, own or shared, key=lambda path: _stamp(str(path))), KEPT) or Stored()
        look = _Look(f"{root}", begun - _SETTLED_NS, stored.rows(), Sheets(stored.sheets))
        look.at_all()
        if len(look.new) >= _NEW or 2 * len(look.old) < len(look.known):
            with suppress(OSError):  # a folder of somebody else, a full disk
                if own:
                    _make_room(own)
                save(own or shared, [*look.old, *look.new], look.sheets.known, KEPT)
    return look.found, look.broken


def _own_index(root: Path) -> Path | None:
    """The user's own index of a folder; None where the one in it can be written."""
    user = getattr(os, "getuid", lambda: 0)()
    try:
        folder = root.stat()
        writes = os.access(root, os.W_OK)
        if writes and (not folder.st_mode & stat.S_ISVTX or user in (0, folder.st_uid, (root / INDEX).stat().st_uid)):
            return None
    except OSError:  # there is none yet
        return None
    import platformdirs  # noqa: PLC0415 - seldom needed

    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    return platformdirs.user_cache_path("mnistlab") / "runs" / f"{name}.json"


def _make_room(own: Path) -> None:
    """Make the folder of a user's own indexes, and remove what is too many of them."""
    own.parent.mkdir(parents=True, exist_ok=True)
    others = sorted((path for path in own.parent.glob("*.json") if path != own), key=lambda path: _stamp(str(path)))
    for path in others[: 1 - _MOST_OWN]:
        path.unlink(missing_ok=True)


@dataclass
class _Look:
    """A look at each run."""

    root: str  # the folder of all runs
    settled: int  # what was changed since then, in nanoseconds, may still change without a trace
    known: Mapping[str, tuple[Group, int]]  # what is known, and where it stands
    sheets: Sheets
    fresh: Stored = field(default_factory=Stored)  # what was read
    found: list[Kept] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    old: list[tuple[Group, int]] = field(default_factory=list)  # what is known and has not changed
    new: list[tuple[Group, int]] = field(default_factory=list)  # what was read, and can be known from now on

    def at_all(self) -> None:
        """Look at each of them."""
        for above, own in places(Path(self.root)):
            folder = f"{self.root}/{above}/{own}"
            place = self.known.get(f"{above}/{own}")
            record, config = _stamp(f"{folder}/{RECORD}"), _stamp(f"{folder}/{CONFIG}")
            if place and place[0].stamps[place[1]] == record + config:
                self.old.append(place)
                self.found.append(Kept(folder, *place, self.sheets.known))
            elif record != _NONE or is_run(Path(folder)):
                self._read(f"{above}/{own}", folder)

    def _read(self, place: str, folder: str) -> None:
        try:
            content, found = read_now(f"{folder}/{RECORD}", MOST_BYTES[RECORD])
            record = sound(parse_record(content, f"{folder}/{RECORD}"), _LOOKED_AT)
        except (FileNotFoundError, UnreadableError):
            self.broken.append(folder)
            return
        names, values = leaves(record, KEPT)
        if isinstance(timings := record.get(_SECONDS[0]), dict):
            names.append(_SECONDS)
            values.append(timings.get(_SECONDS[1]))
        config, sheet, changes = self._options(folder)
        own = _stamp_of(found)
        stands = self.fresh.add(names, Row(place, own + config, sheet, changes, values))
        self.found.append(Kept(folder, *stands, self.sheets.known))
        if record.get("status") != "running" and max(own[0], config[0]) < self.settled:
            self.new.append(stands)

    def _options(self, folder: str) -> tuple[tuple[int, int, int], int, Changes]:
        """What the configuration of a run says."""
        stamp = _NONE
        with suppress(FileNotFoundError, LabError, UnicodeDecodeError):
            content, found = read_now(f"{folder}/{CONFIG}", MOST_BYTES[CONFIG])
            stamp = _stamp_of(found)
            return stamp, *self.sheets.read(content.decode())
        return stamp, -1, []


def _stamp(path: str) -> tuple[int, int, int]:
    """What tells a file from another, and from itself as it was; zeros where there is none."""
    try:
        return _stamp_of(os.stat(path))  # noqa: PTH116 - twenty thousand of them
    except OSError:
        return _NONE


def _stamp_of(found: os.stat_result) -> tuple[int, int, int]:
    """The time is that of the last change of whatever kind, which nobody can set, as that of the contents."""
    return found.st_ctime_ns, found.st_size, found.st_ino


@contextmanager
def _without_collector() -> Iterator[None]:
    """Look for no garbage meanwhile: there is none among so many objects."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
