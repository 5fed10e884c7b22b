"""Records of many runs in one file, column by column: what a thousand of them say alike stands there once."""

import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mnistlab.runs.sheets import Changes, Sheet
from mnistlab.system.files import UnreadableError, read_now, write_bytes

FORMAT = 1
_MOST_BYTES = 256 << 20
_ALIKE = 4  # values to each different one from which on each is written once

Names = tuple[str, ...]
"""Where a value stands in a record: `("metrics", "best", "val/acc")`."""

Stamps = tuple[int, int, int, int, int, int]
"""When the record of a run was changed last, its size, and which file it is; and the same of its configuration."""


@dataclass
class Row:
    """What is kept of a run."""

    place: str  # the names of its folder and of the one above, with a slash between them
    stamps: Stamps
    sheet: int  # the number of what its configuration is like; -1 where that cannot be read
    changes: Changes  # in what it differs
    values: Sequence[object]  # of its record


@dataclass
class Group:
    """Runs whose records have the same fields."""

    names: Sequence[Names]  # of each value
    columns: Sequence[list[object]]  # the values of each name
    places: list[str] = field(default_factory=list)
    stamps: list[Stamps] = field(default_factory=list)
    sheets: list[int] = field(default_factory=list)
    changes: list[Changes] = field(default_factory=list)

    @classmethod
    def of(cls, names: Sequence[Names]) -> "Group":
        """One without runs."""
        return cls(names, [[] for _ in names])

    @cached_property
    def positions(self) -> Mapping[Names, int]:
        """The column of each value."""
        return {names: at for at, names in enumerate(self.names)}

    @cached_property
    def parts(self) -> Mapping[str, list[int]]:
        """The columns of each field."""
        found: dict[str, list[int]] = {}
        for at, names in enumerate(self.names):
            found.setdefault(names[0], []).append(at)
        return found

    def part(self, name: str, row: int) -> object:
        """A field of a record.

        Raises:
            KeyError: If it has no such field.
        """
        found: dict[str, object] = {}
        for column in self.parts[name]:
            *inner, last = self.names[column]
            level = found
            for each in inner:
                below = level.setdefault(each, {})
                assert isinstance(below, dict)
                level = below
            level[last] = self.columns[column][row]
        return found[name]

    def known(self, row: int) -> dict[str, object]:
        """What is kept of a record."""
        return {name: self.part(name, row) for name in self.parts}

    def add(self, row: Row) -> None:
        """Add a run."""
        for column, value in zip(self.columns, row.values, strict=True):
            column.append(value)
        self.places.append(row.place)
        self.stamps.append(row.stamps)
        self.sheets.append(row.sheet)
        self.changes.append(row.changes)

    def extend(self, other: "Group", rows: Sequence[int]) -> None:
        """Add some runs of another group whose records have these fields."""
        for column, theirs in zip(self.columns, other.columns, strict=True):
            column += [theirs[row] for row in rows]
        self.places += [other.places[row] for row in rows]
        self.stamps += [other.stamps[row] for row in rows]
        self.sheets += [other.sheets[row] for row in rows]
        self.changes += [other.changes[row] for row in rows]


@dataclass
class Stored:
    """Many runs."""

    sheets: list[Sheet] = field(default_factory=list)
    groups: dict[tuple[Names, ...], Group] = field(default_factory=dict)

    def add(self, names: Sequence[Names], row: Row) -> tuple[Group, int]:
        """Add a run; where it stands."""
        group = self.group(tuple(names))
        group.add(row)
        return group, len(group.places) - 1

    def group(self, names: tuple[Names, ...]) -> Group:
        """The group of the runs whose records have these fields."""
        return self.groups.get(names) or self.groups.setdefault(names, Group.of(names))

    def rows(self) -> dict[str, tuple[Group, int]]:
        """Where each run stands."""
        return {place: (group, at) for group in self.groups.values() for at, place in enumerate(group.places)}


def leaves(record: Mapping[str, object], names: Collection[str]) -> tuple[list[Names], list[object]]:
    """The fields of these names as values, and where each stands."""
    where: list[Names] = []
    values: list[object] = []
    for name, value in record.items():
        if name in names:
            _add_leaves({name: value}, (), where, values)
    return where, values


def _add_leaves(part: Mapping[str, object], above: Names, where: list[Names], values: list[object]) -> None:
    for name, value in part.items():
        if type(value) is dict and value:
            _add_leaves(value, (*above, name), where, values)
        else:
            where.append((*above, name))
            values.append(value)


def load(path: Path, kept: Collection[str]) -> Stored | None:
    """What is stored in a file; None where there is none, or another program, another version or chance has written it.

    Args:
        path: The file.
        kept: The fields that it must have.
    """
    try:
        head, _, body = read_now(path, _MOST_BYTES)[0].partition(b"\n")
        if json.loads(head) != _head(body, kept):
            return None
        said = json.loads(body)
        sheets = [_read_sheet(each) for each in said["sheets"]]
        groups = [_read_group(each, len(sheets)) for each in said["groups"]]
    except (FileNotFoundError, UnreadableError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return Stored(sheets, {tuple(group.names): group for group in groups})


def save(path: Path, runs: Iterable[tuple[Group, int]], sheets: Sequence[Sheet], kept: Collection[str]) -> None:
    """Store runs in a file, whole or not at all.

    Args:
        path: The file.
        runs: The group of each, and its row there.
        sheets: What their configurations are like.
        kept: The fields that they have.

    Raises:
        OSError: If it cannot be written.
    """
    stored = Stored()
    chosen: dict[int, tuple[Group, list[int]]] = {}
    for group, row in runs:
        chosen.setdefault(id(group), (group, []))[1].append(row)
    for group, rows in chosen.values():
        stored.group(tuple(group.names)).extend(group, rows)
    used = sorted({number for group in stored.groups.values() for number in group.sheets if number >= 0})
    numbers = {-1: -1, **{number: at for at, number in enumerate(used)}}
    said = {
        "sheets": [_written_sheet(sheets[number]) for number in used],
        "groups": [_written_group(group, numbers) for group in stored.groups.values()],
    }
    body = json.dumps(said, separators=(",", ":")).encode()
    write_bytes(path, json.dumps(_head(body, kept)).encode() + b"\n" + body)


def _head(body: bytes, kept: Collection[str]) -> dict[str, object]:
    """What tells a whole file of this version."""
    return {"of": "mnistlab runs", "format": FORMAT, "fields": sorted(kept), "sum": zlib.crc32(body)}


def _written_sheet(sheet: Sheet) -> dict[str, object]:
    return {"lines": sheet.lines, "names": sheet.names, "options": sheet.options}


def _read_sheet(said: Mapping[str, dict[str, object]]) -> Sheet:
    names = {int(at): str(name) for at, name in said["names"].items()}
    return Sheet([str(line) for line in said["lines"]], names, {**said["options"]})


def _written_group(group: Group, numbers: Mapping[int, int]) -> dict[str, object]:
    return {
        "names": group.names,
        "columns": [_packed(column) for column in group.columns],
        "places": group.places,
        "stamps": [*zip(*group.stamps, strict=True)],
        "sheets": [numbers[number] for number in group.sheets],
        "changes": group.changes,
    }


def _read_group(said: Mapping[str, list[list[object]]], sheets: int) -> Group:
    places = [str(place) for place in said["places"]]
    stamps = [*zip(*said["stamps"], strict=True)]
    columns = [_unpacked(column, len(places)) for column in said["columns"]]
    names = [tuple(map(str, each)) for each in said["names"]]
    group = Group(names, columns, places, stamps, said["sheets"], said["changes"])  # type: ignore[arg-type]
    lengths = {len(places), len(stamps), len(group.sheets), len(group.changes), *map(len, columns)}
    numbers = all(-1 <= number < sheets for number in {*group.sheets})
    if len(lengths) != 1 or len(names) != len(columns) or not numbers or {*map(type, group.changes)} - {list}:
        raise ValueError(said)
    return group


def _packed(column: Sequence[object]) -> object:
    """Texts, lists and nulls of which many are alike as those that differ, and which of them stands where."""
    kinds = {*map(type, column)} - {type(None)}
    if not kinds <= {str, list}:
        return column
    keys = (
        [json.dumps(value).encode() if isinstance(value, list) else value for value in column]
        if list in kinds
        else column
    )
    of = dict(zip(keys, column, strict=True))
    if len(of) * _ALIKE > len(column):
        return column
    numbers: dict[object, int] = {key: number for number, key in enumerate(of)}
    return {"of": [*of.values()], "at": [numbers[key] for key in keys] if len(of) > 1 else 0}


def _unpacked(said: object, rows: int) -> list[object]:
    if isinstance(said, list):
        return said
    if not isinstance(said, dict):
        raise TypeError(said)
    of, at = said["of"], said["at"]
    return [of[number] for number in at] if at else of * rows
