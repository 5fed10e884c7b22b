"""Configurations as options with values, read line by line where another one is known that says almost the same."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mnistlab.options.notation import scalar
from mnistlab.options.written import Key, Written

Changes = list[object]
"""In what a configuration differs from its sheet: the number of a line and what stands there, by turns."""

NOT_OPTIONS = ("run", "logger", "threads")
"""What says where a run is kept and shown, and how many threads compute."""

_VALUE = re.compile(r"[\w./+,-]+")
_HEAD = re.compile(r"#|\s*(?:- )?[\w.]+: |\s*- ")
_SECTION = re.compile(r"(\w+):")
_BUDGET = "budget"
_MOST = 24  # lines in which a configuration may differ from its sheet


def by_option(written: Sequence[Written]) -> dict[str, object]:
    """The value of each option; the entries of a list of classes are numbered: `trainer.callbacks.0.monitor`."""
    found = {".".join(key): counting(entry.name, entry.data) for key, entry in numbered(written)}
    return {name: value for name, value in found.items() if f"{name}.0" not in found}


def numbered(written: Sequence[Written]) -> Iterator[tuple[Key, Written]]:
    """Each value with its key, in which the entries of a list of classes are numbered."""
    counts: dict[Key, int] = {}
    for entry in written:
        if entry.append:
            counts[entry.key] = counts.get(entry.key, -1) + 1
        above = next((entry.key[:end] for end in range(1, len(entry.key) + 1) if entry.key[:end] in counts), None)
        if above is None:
            yield entry.key, entry
        else:
            yield (*above, str(counts[above]), *entry.key[len(above) :]), entry


@dataclass(frozen=True)
class Sheet:
    """A configuration that others are like."""

    lines: Sequence[str]
    names: Mapping[int, str]
    """The option whose value stands on a line as one plain word; nothing for a line that says of no option."""
    options: Mapping[str, object]  # all of them, in the order in which they are written

    def changes(self, lines: Sequence[str]) -> Changes | None:
        """In what another configuration differs; None where that is more than some words."""
        if len(lines) != len(self.lines):
            return None
        found: Changes = []
        for at in [at for at, (line, own) in enumerate(zip(lines, self.lines, strict=True)) if line != own]:
            head = _HEAD.match(self.lines[at])
            if at not in self.names or not head or not lines[at].startswith(head[0]):
                return None
            text = str(counting(self.names[at], lines[at][head.end() :]))
            if self.names[at] and not _VALUE.fullmatch(text):
                return None
            found += (at, scalar(text)) if self.names[at] else ()
        return found if len(found) <= 2 * _MOST else None


@dataclass
class Sheets:
    """All sheets that are known."""

    known: list[Sheet] = field(default_factory=list)

    def read(self, text: str) -> tuple[int, Changes]:
        """The number of the sheet that a configuration is like, and in what it differs.

        Raises:
            LabError: If it is no configuration.
        """
        lines = text.split("\n")
        for number in reversed(range(len(self.known))):
            found = self.known[number].changes(lines)
            if found is not None:
                return number, found
        self.known.append(_new_sheet(lines))
        return len(self.known) - 1, []


class Options(Mapping[str, object]):
    """The options of a run, by their names.

    Args:
        sheet: What its configuration is like.
        changes: In what it differs.
    """

    __slots__ = ("_changes", "sheet")

    def __init__(self, sheet: Sheet, changes: Changes) -> None:
        self.sheet, self._changes = sheet, changes

    @property
    def changed(self) -> dict[str, object]:
        """What it has in place of what stands there."""
        names = [self.sheet.names.get(at) if isinstance(at, int) else None for at in self._changes[::2]]
        return {name: value for name, value in zip(names, self._changes[1::2], strict=False) if name}

    def __getitem__(self, name: str) -> object:
        places, changes = self.sheet.names, self._changes
        for at in range(0, len(changes) - 1, 2):
            if places.get(changes[at]) == name:  # type: ignore[call-overload]
                return changes[at + 1]
        return self.sheet.options[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sheet.options)

    def __len__(self) -> int:
        return len(self.sheet.options)


def options_of(written: Sequence[Written]) -> dict[str, object]:
    """The options of a configuration: all but what says where a run is kept and how many threads compute."""
    return {name: value for name, value in by_option(written).items() if name.partition(".")[0] not in NOT_OPTIONS}


def but_for_the_seed(options: Mapping[str, object]) -> dict[str, object]:
    """The options in which runs are alike that differ in their seed alone."""
    return {name: value for name, value in options.items() if name != "seed_everything"}


def _new_sheet(lines: Sequence[str]) -> Sheet:
    """A configuration read as YAML, and where its plain words stand."""
    from mnistlab.options.files import from_text  # noqa: PLC0415 - brings YAML in, which a listing seldom needs

    written = from_text("\n".join(lines), "config.yaml")
    options = json.loads(json.dumps(options_of(written), default=str))
    places: dict[int, list[str]] = {}
    for key, entry in numbered(written):
        places.setdefault(int(entry.where.rsplit(":", 2)[1]) - 1, []).append(".".join(key))
    names = dict(_apart(lines))
    for at, own in places.items():
        head = _HEAD.match(lines[at])
        text = str(counting(own[0], lines[at][head.end() :])) if head else ""
        if len(own) == 1 and own[0] in options and _VALUE.fullmatch(text) and _same(scalar(text), options[own[0]]):
            names[at] = own[0]
    return Sheet(lines, names, options)


def _apart(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The lines that say of no option: the comments above all, and the sections that are none."""
    section = "#"
    for at, line in enumerate(lines):
        found = _SECTION.match(line)
        section = found[1] if found else section
        if section in NOT_OPTIONS or (section == "#" and line.startswith("#")):
            yield at, ""


def counting(name: str, value: object) -> object:
    """What counts of a value: what was decided for a budget is no choice."""
    return value.partition(" ")[0] if name == _BUDGET and isinstance(value, str) else value


def _same(value: object, other: object) -> bool:
    return type(value) is type(other) and (value == other or value != value)  # noqa: PLR0124 - not a number is itself
