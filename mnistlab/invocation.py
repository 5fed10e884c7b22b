"""One command as it was typed: what steers it, what configures it, and where its checkpoint is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mnistlab.checkpoints.reading import read_checkpoint, record_of
from mnistlab.errors import LabError
from mnistlab.nearest import suggestion
from mnistlab.options.specification import unrecorded, without_unrecorded
from mnistlab.options.written import STEERING, SWITCHES, Key, Source, Written, from_arguments, from_data, from_file
from mnistlab.presets.finding import find_preset
from mnistlab.presets.preset_class import load_preset
from mnistlab.runs.finding import find_checkpoint
from mnistlab.runs.folder import CONFIG

_CLASS_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


@dataclass(frozen=True)
class Found:
    """The checkpoint of a command.

    Attributes:
        path: The file; None for a run that has written none yet.
        folder: The run that it belongs to, if it lies in one.
        contents: What is in the file.
        layer: What it says about model and data, as something written.
        unrecorded: What its maker could not write down, by option.
    """

    path: Path | None
    folder: Path | None
    contents: Mapping[str, Any]
    layer: list[Written]
    unrecorded: Mapping[str, str]


class Invocation:
    """What was typed after `mnistlab COMMAND`.

    Attributes:
        typed: What configures something.
        files: What the presets and configuration files say, the weakest first.
        notes: What is worth knowing about them.
        shows_origins: Whether `--print_config` shows where each value is from.

    Args:
        command: `fit`, `validate`, `test` or `predict`.
        arguments: The rest.

    Raises:
        LabError: If the steering options are not as they should be, or a configuration file cannot be read.
    """

    def __init__(self, command: str, arguments: Sequence[str]) -> None:
        self.command = command
        self.arguments = list(arguments)
        written = from_arguments(arguments)
        steering = [entry for entry in written if entry.key[0] in STEERING and len(entry.key) == 1]
        self.typed = [entry for entry in written if entry not in steering]
        self.notes: list[str] = []
        self.shows_origins = _last(steering, "print_config") == "origins"
        self.switches = {name: _switch(steering, name) for name in SWITCHES}
        self.ckpt_path = _last(steering, "ckpt_path")
        presets = [_read(name, self.notes) for name in _all(steering, "config")]
        self.files = [layer for layers in presets for layer in layers]
        self.notes.extend(_overruled(presets, self.typed))
        self._trusted = [name for names in _all(steering, "trust") for name in names.split(",")]
        misplaced = next((entry for layer in self.files for entry in layer if entry.key[0] in STEERING), None)
        if misplaced:
            raise LabError(f"{misplaced.where}: {misplaced.name} belongs on the command line.")

    @property
    def allowed(self) -> frozenset[str]:
        """The packages and classes that were named on the command line or in a file named there."""
        layers = [*self.files, self.typed]
        named = {str(entry.value) for layer in layers for entry in layer if _CLASS_PATH.fullmatch(str(entry.value))}
        return frozenset({*self._trusted, *named})

    def root(self) -> Path:
        """Where runs are kept: `--run.dir`, or that of a configuration file."""
        layers = [*self.files, self.typed]
        typed = [str(entry.value) for layer in layers for entry in layer if entry.key == ("run", "dir")]
        return Path(typed[-1] if typed else "runs")

    def checkpoint(self) -> Found | None:
        """Find and read what `--ckpt_path` names: a file, a run's folder, `best` or `last`.

        Raises:
            LabError: If it names nothing, or something that is not a checkpoint.
        """
        if self.ckpt_path is None:
            return None
        where = f"--ckpt_path={self.ckpt_path}"
        path, folder = find_checkpoint(self.ckpt_path, self.root(), where=where, continues=self.command == "fit")
        if path is None:
            assert folder is not None
            return Found(None, folder, {}, self._base(folder), {})
        contents = read_checkpoint(path)
        record = record_of(contents, path)
        missing = {**unrecorded(record["model"], "model"), **unrecorded(record.get("data"), "data")}
        said = {name: without_unrecorded(record[name]) for name in ("model", "data") if record.get(name)}
        layer = from_data(said, f"checkpoint {path}")
        if self.command == "fit" and folder is not None:
            layer = self._base(folder)
        return Found(path, folder, contents, layer, missing)

    def _base(self, folder: Path) -> list[Written]:
        """The configuration of the run that is continued; it is as little trusted as its checkpoint."""
        written = [entry for entry in from_file(folder / CONFIG) if entry.key[0] not in STEERING]
        return [replace(entry, source=Source.CHECKPOINT, complete=True) for entry in written]


def _read(name: str, notes: list[str]) -> Sequence[list[Written]]:
    """What a preset or a configuration file says, one list for each class of its line."""
    found = find_preset(name)
    if found.shadows is not None:
        notes.append(f"--config={name} is {found.path}; it hides {found.shadows}, which comes with mnistlab.")
    if found.path.suffix != ".py":
        return [from_file(found.path)]
    return [list(layer) for layer in load_preset(found).layers]


def _overruled(presets: Sequence[Sequence[Sequence[Written]]], typed: Sequence[Written]) -> Iterator[str]:
    """What one preset says and a later one says differently, unless the command line says it anyway."""
    said: dict[Key, Written] = {entry.key: entry for entry in typed}
    settled = set(said)
    for layers in presets:
        own = {entry.key: entry for layer in layers for entry in layer if not entry.append}
        for key, entry in own.items():
            before = said.get(key)
            if before is not None and key not in settled and str(before.value) != str(entry.value):
                values = f"{entry.name} is {entry.value} ({entry.where}), not {before.value} ({before.where})"
                yield f"{values}: the later one counts."
        said.update({key: entry for key, entry in own.items() if key not in settled})


def _switch(steering: Sequence[Written], name: str) -> bool:
    value = _last(steering, name)
    more = ("origins",) if name == "print_config" else ()
    if value not in (None, "True", "true", "False", "false", *more):
        known = ["true", "false", *more]
        raise LabError(f"--{name}={value}: {' or '.join(known)} is wanted.{suggestion(str(value), known)}")
    return value in ("True", "true", *more)


def _last(steering: Sequence[Written], name: str) -> str | None:
    values = _all(steering, name)
    return values[-1] if values else None


def _all(steering: Sequence[Written], name: str) -> list[str]:
    values = [entry.value for entry in steering if entry.key == (name,)]
    if name not in SWITCHES and not all(isinstance(value, str) and value for value in values):
        raise LabError(f"--{name} needs a value: --{name}=...")
    return [str(value) for value in values]
