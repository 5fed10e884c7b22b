"""One command as it was typed: what steers it, what configures it, and where its checkpoint is."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mnistlab.checkpoints.continuing import check_continuable
from mnistlab.checkpoints.reading import read_checkpoint, record_of
from mnistlab.errors import LabError, visible
from mnistlab.options.domains import alternatives, chooses_class, with_domain
from mnistlab.options.notation import NULLS, at_home
from mnistlab.options.specification import unrecorded, without_unrecorded
from mnistlab.options.strangers import ADDRESS, places_elsewhere
from mnistlab.options.written import (
    STEERING,
    SWEEP,
    SWITCHES,
    Key,
    Source,
    Written,
    from_arguments,
    from_config,
    from_data,
    with_files,
)
from mnistlab.presets.finding import find_preset
from mnistlab.presets.preset_class import load_preset
from mnistlab.runs.finding import find_checkpoint
from mnistlab.runs.run import Run
from mnistlab.system.environment import run_dir
from mnistlab.text.nearest import suggestion

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
        fingerprint: That of the images that were read for it; empty where an older version has made it.
    """

    path: Path | None
    folder: Path | None
    contents: Mapping[str, Any]
    layer: list[Written]
    unrecorded: Mapping[str, str]
    fingerprint: Mapping[str, str] = field(default_factory=dict)


class Invocation:
    """What was typed after `mnistlab COMMAND`.

    Attributes:
        typed: What configures something.
        files: What the presets and configuration files say, the weakest first.
        presets: Their names, as they were typed.
        notes: What is worth knowing about them.
        sweep: What they say about the way of sweeping.
        shows_origins: Whether `--print_config` shows where each value is from.
        trusted: The packages that a checkpoint may name, by `--trust`.

    Args:
        command: `fit`, `validate`, `test` or `predict`.
        arguments: The rest.
        sweeping: Whether options may have a domain in place of a value.

    Raises:
        LabError: If the steering options are not as they should be, or a configuration file cannot be read.
    """

    def __init__(self, command: str, arguments: Sequence[str], *, sweeping: bool = False) -> None:
        self.command = command
        self.arguments = list(arguments)
        written = from_arguments(arguments)
        steering = [entry for entry in written if entry.key in {(name,) for name in STEERING}]
        typed = with_files((entry for entry in written if entry not in steering), Path())
        self.typed = [with_domain(entry) for entry in typed]
        self.notes: list[str] = []
        self.shows_origins = _last(steering, "print_config") == "origins"
        self.switches = {name: _switch(steering, name) for name in SWITCHES}
        self.ckpt_path = _last(steering, "ckpt_path")
        self.presets = _all(steering, "config")
        presets = [_read(name, self.notes) for name in self.presets]
        layers = [[with_domain(entry) for entry in layer] for layers in presets for layer in layers]
        self.sweep = [entry for layer in layers for entry in layer if entry.key[:1] == (SWEEP,)]
        self.files = [[entry for entry in layer if entry.key[:1] != (SWEEP,)] for layer in layers]
        if not sweeping:
            self._refuse_domains()
        self.notes.extend(_overruled(presets, self.typed))
        trusted = [name for names in _all(steering, "trust") for name in names.split(",")]
        self._places = [Path(at_home(name)).resolve() for name in trusted if "/" in name]
        self._addresses = {name.removeprefix("sqlite:///") for name in trusted if ADDRESS.match(name)}
        self.trusted = frozenset(name for name in trusted if "/" not in name)
        check_packages(self.trusted)
        for entry in [entry for layer in self.files for entry in layer if set(entry.key[:1]) & set(STEERING)]:
            raise LabError(f"{entry.where}: {entry.name} belongs on the command line.")

    def _refuse_domains(self) -> None:
        """One run takes one value; in a preset another may be said later, or the class of the option not be taken."""
        swept = next((entry for entry in self.typed if entry.domain is not None), None)
        if swept is not None:
            raise LabError(
                f"{swept.where}: one run takes one value of {swept.name}; `mnistlab sweep` tries several. "
                f"For the text itself write --{swept.name}=literal:{swept.domain}."
            )
        keys = {entry.key for layer in [*self.files, self.typed] for entry in layer}

        def every(entry: Written) -> list[Written]:
            return alternatives(entry) if chooses_class(entry, keys) else [entry]

        self.files = [[each for entry in layer for each in every(entry)] for layer in self.files]

    def refuse_swept(self, counting: Iterable[Written]) -> None:
        """Refuse a preset's domain where one of its values would count.

        Args:
            counting: What has been written of all that counts.

        Raises:
            LabError: If there is one.
        """
        for entry in counting:
            if entry.domain is not None:
                raise LabError(
                    f"{entry.where}: {entry.name} is to be swept. To train with one value, add "
                    f"--{entry.name}={_as_typed(entry.value)}. To sweep it:\n"
                    f"  mnistlab sweep --config={self.presets[-1]}"
                )

    @property
    def allowed(self) -> frozenset[str]:
        """All that a parser may import: what was named on the command line or in a file named there.

        More than a checkpoint may name, for whatever a checkpoint names is compared with `trusted` before.
        """
        return self.trusted.union(text for _, text in self._said() if _CLASS_PATH.fullmatch(text))

    def root(self) -> Path:
        """Where runs are kept: `--run.dir`, or that of a configuration file, or of the environment."""
        layers = [*self.files, self.typed]
        typed = [str(entry.value) for layer in layers for entry in layer if entry.key == ("run", "dir")]
        return Path(at_home(typed[-1] if typed else run_dir()))

    def root_of(self, folder: Path) -> Path:
        """Where the run of this folder and its neighbours are kept; of one that lies elsewhere, `root`."""
        own = folder.resolve().parent.parent
        return own if own.is_relative_to(Path.cwd()) else self.root()

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
            return Found(None, folder, {}, [self._vouched_for(entry) for entry in self._base(folder)], {})
        contents = read_checkpoint(path)
        record = record_of(contents, path)
        if self.command == "fit":
            check_continuable(contents, path)
        missing = {**unrecorded(record["model"], "model"), **unrecorded(record.get("data"), "data")}
        said = {name: without_unrecorded(record[name]) for name in ("model", "data") if record.get(name)}
        if record.get("trainer"):  # of which nothing else is a stranger's business
            said["trainer"] = {"precision": record["trainer"]["precision"]}
        layer = from_data(said, f"checkpoint {path}")
        if self.command == "fit" and folder is not None:
            layer = self._base(folder)
        kept = [self._vouched_for(entry) for entry in layer if not is_of_another_machine(entry)]
        return Found(path, folder, contents, kept, missing, record.get("data_fingerprint") or {})

    def repeated(self, folder: Path) -> Found:
        """What a run was configured with, to be run once more.

        Args:
            folder: The run.

        Raises:
            LabError: If its configuration cannot be read, or would write to a strange place.
        """
        kept = [self._vouched_for(entry) for entry in self._base(folder)]
        return Found(None, None, {}, kept, {}, Run.of(folder).fingerprint)

    def _said(self) -> set[tuple[Key, str]]:
        """The text that was given to each option on the command line, or in a file named there."""
        layers = [*self.files, self.typed]
        return {(entry.key, entry.value) for layer in layers for entry in layer if isinstance(entry.value, str)}

    def _vouched_for(self, entry: Written) -> Written:
        """What a checkpoint says is as good as a file's where the user says the same of the same option."""
        return replace(entry, source=Source.FILE) if (entry.key, str(entry.value)) in self._said() else entry

    def _base(self, folder: Path) -> list[Written]:
        """The configuration of the run that is continued; it is as little trusted as its checkpoint."""
        written = kept_configuration(folder)
        for entry in written:
            self._check_place(entry, folder)
        return written

    def _check_place(self, entry: Written, folder: Path) -> None:
        """Refuse a place that the trainer or a tracker would write to: it must lie here, or where the run does."""
        if self._is_said(entry):
            return
        for text in places_elsewhere(entry, [Path.cwd(), folder.resolve(), *self._places]):
            if text not in self._addresses:
                raise LabError(
                    f"{entry.where} names {visible(text)}, which lies neither here nor in the folder of the run. "
                    f"If you trust it, add {shlex.quote(f'--trust={visible(text)}')} or say {entry.name} yourself."
                )

    def _is_said(self, entry: Written) -> bool:
        """Whether the user has typed the option itself, or has chosen the trackers anew."""
        anew = entry.key[0] == "logger" and any(typed.key == ("logger",) and not typed.append for typed in self.typed)
        return anew or any(entry.key == typed.key for typed in self.typed)


def kept_configuration(folder: Path) -> list[Written]:
    """What a run was configured with, as little trusted as its checkpoint.

    Raises:
        LabError: If its configuration cannot be read, or has no end.
    """
    written = [entry for entry in Run(folder).configuration if not set(entry.key[:1]) & set(STEERING)]
    return [replace(entry, source=Source.CHECKPOINT, complete=True) for entry in written]


def check_packages(names: Iterable[str]) -> None:
    """Refuse what is not the name of a package.

    Raises:
        LabError: If one is not.
    """
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise LabError(f"--trust={name}: the name of a package is wanted, such as --trust=my_models.")


def is_of_another_machine(entry: Written) -> bool:
    """Whether it is a folder of data that is not here; then the default counts, and nothing is fetched into that."""
    if entry.key != ("data", "data_dir") or not isinstance(entry.value, str):
        return False
    try:
        return not any(Path(entry.value).expanduser().glob("*/raw"))
    except (OSError, ValueError, RuntimeError):  # may not be read, cannot be a path, of no such user
        return True


def _read(name: str, notes: list[str]) -> Sequence[list[Written]]:
    """What a preset or a configuration file says, one list for each class of its line."""
    found = find_preset(name)
    if found.shadows is not None:
        notes.append(f"--config={name} is {found.path}; it hides {found.shadows}, which comes with mnistlab.")
    if found.path.suffix != ".py":
        return [_without_nothing(from_config(found.path))]
    return [list(layer) for layer in load_preset(found).layers]


def _without_nothing(written: Iterable[Written]) -> list[Written]:
    """Without `ckpt_path: null` and the like, which is how LightningCLI writes down that nothing was said."""
    return [entry for entry in written if not (entry.key in {(name,) for name in STEERING} and entry.value in NULLS)]


def _overruled(presets: Sequence[Sequence[Sequence[Written]]], typed: Sequence[Written]) -> Iterator[str]:
    """What one preset says and a later one says differently, unless the command line says it anyway."""
    said: dict[Key, Written] = {entry.key: entry for entry in typed}
    settled = set(said)
    for layers in presets:
        own = _last_said(entry for layer in layers for entry in layer)
        for key, entry in own.items():
            before = said.get(key)
            if before is not None and key not in settled and _as_typed(before.value) != _as_typed(entry.value):
                values = f"{_as_typed(entry.value)} ({entry.where}), not {_as_typed(before.value)} ({before.where})"
                yield f"{entry.name} is {values}: the later one counts."
        said.update({key: entry for key, entry in own.items() if key not in settled})


def _last_said(written: Iterable[Written]) -> dict[Key, Written]:
    """What counts of what one preset says; a list with all its entries, unless it only adds to one."""
    said: dict[Key, Written] = {}
    for entry in written:
        before = said.get(entry.key)
        if not entry.append:
            said[entry.key] = entry
        elif before is not None and isinstance(before.value, list):
            said[entry.key] = replace(before, value=[*before.value, entry.value])
    return said


def _as_typed(value: object) -> str:
    """A value as it is typed; of a class the short name, which is how YAML and Python mean the same."""
    if isinstance(value, list):
        return f"[{', '.join(map(_as_typed, value))}]"
    text = str(value)
    return text.rpartition(".")[2] if _CLASS_PATH.fullmatch(text) else text


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
