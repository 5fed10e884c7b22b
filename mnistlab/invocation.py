"""One command as it was typed: what steers it, what configures it, and where its checkpoint is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mnistlab.checkpoint import read_checkpoint, record_of
from mnistlab.errors import LabError
from mnistlab.nearest import suggestion
from mnistlab.presets import find_preset
from mnistlab.runs.folder import BEST, CONFIG, LAST, fit_runs, is_run, newest_with
from mnistlab.specification import unrecorded, without_unrecorded
from mnistlab.written import STEERING, SWITCHES, Source, Written, from_arguments, from_data, from_file

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
        self.switches = {name: _switch(steering, name) for name in SWITCHES}
        self.ckpt_path = _last(steering, "ckpt_path")
        self.files = [from_file(find_preset(name)) for name in _all(steering, "config")]
        self._trusted = [name for names in _all(steering, "trust") for name in names.split(",")]
        misplaced = next((entry for layer in self.files for entry in layer if entry.key[0] in STEERING), None)
        if misplaced:
            raise LabError(f"{misplaced.where}: {misplaced.name} belongs on the command line.")

    @property
    def help_for(self) -> str | None:
        """The section that help is asked for, "" for the whole, None for no help."""
        for argument in self.arguments:
            name, _, value = argument.partition("=")
            if name in ("--help", "-h"):
                return value
        return None

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
        wanted = {"best": BEST, "last": LAST}.get(self.ckpt_path, LAST if self.command == "fit" else BEST)
        path, folder = self._find(self.ckpt_path, wanted)
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

    def _find(self, name: str, wanted: Path) -> tuple[Path | None, Path | None]:
        if name in ("best", "last"):
            return self._find_newest(wanted)
        path = Path(name)
        if path.is_dir():
            if not is_run(path):
                raise LabError(f"--ckpt_path={name}: this folder is not a run: it has no {CONFIG}.")
            present = [candidate for candidate in (wanted, LAST, BEST) if (path / candidate).is_file()]
            if not present and self.command != "fit":
                raise LabError(f"--ckpt_path={name}: this run has not written a checkpoint.")
            return (path / present[0] if present else None), path
        if not path.is_file():
            hint = suggestion(name, ["best", "last"]) or " Name a file, the folder of a run, best, or last."
            raise LabError(f"--ckpt_path={name}: there is no such file.{hint}")
        folder = path.resolve().parent.parent
        return path, folder if path.resolve().parent.name == LAST.parent.name and is_run(folder) else None

    def _find_newest(self, wanted: Path) -> tuple[Path | None, Path | None]:
        root = self.root()
        folder = newest_with(root, wanted) or newest_with(root, LAST)
        if folder is None:
            state = "has written a checkpoint yet" if fit_runs(root) else "lies there"
            raise LabError(f"--ckpt_path={self.ckpt_path}: looked in {root} (--run.dir), but no training run {state}.")
        return (folder / wanted if (folder / wanted).is_file() else folder / LAST), folder


def _switch(steering: Sequence[Written], name: str) -> bool:
    value = _last(steering, name)
    if value not in (None, "True", "true", "False", "false"):
        raise LabError(f"--{name}={value}: true or false is wanted.")
    return value in ("True", "true")


def _last(steering: Sequence[Written], name: str) -> str | None:
    values = _all(steering, name)
    return values[-1] if values else None


def _all(steering: Sequence[Written], name: str) -> list[str]:
    values = [entry.value for entry in steering if entry.key == (name,)]
    if name not in SWITCHES and not all(isinstance(value, str) and value for value in values):
        raise LabError(f"--{name} needs a value: --{name}=...")
    return [str(value) for value in values]
