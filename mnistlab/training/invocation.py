"""One command as it was typed: what steers it, and what configures it. Torch is needed for presets in Python only."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.arguments import STEERING as DECLARED
from mnistlab.options.arguments import SWITCHES
from mnistlab.options.command_line import from_arguments, from_environment, with_files
from mnistlab.options.kit import find_kit, run_dir
from mnistlab.options.kit_defaults import from_kit
from mnistlab.options.notation import at_home
from mnistlab.options.swept import alternatives, chooses_class, with_domain
from mnistlab.options.trust import Vouching
from mnistlab.options.written import STEERING, SWEEP, Key, Written
from mnistlab.presets.finding import find_preset
from mnistlab.presets.loading import load_layers
from mnistlab.presets.shipped import hides
from mnistlab.text.nearest import suggestion

_WEIGHTS: Key = ("ckpt_path",)
_CLASS_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


class Invocation:
    """What was typed after `mnistlab COMMAND`.

    Attributes:
        arguments: All that was typed, for the record.
        typed: What configures something.
        kit: What the kit of a class says, weaker than all else.
        files: What the presets and configuration files say, the weakest first.
        presets: Their names, as they were typed.
        ckpt_path: The run, or the file, that is gone on with or measured.
        ckpt_where: Where that was said.
        notes: What is worth knowing about them.
        sweep: What they say about the way of sweeping.
        prints: How `--print_config` prints: `origins` with where each value is from, `skip_default` as a preset.
        vouching: What the user vouches for.
        trusted: The packages that a checkpoint may name, by `--trust`.

    Args:
        command: `fit`, `validate`, `test` or `predict`.
        arguments: The rest.
        typed: All that was typed, with the options of the command itself; what a record has of it.
        sweeping: Whether options may have a domain in place of a value.

    Raises:
        LabError: If the steering options are not as they should be, or a configuration file cannot be read.
    """

    def __init__(
        self, command: str, arguments: Sequence[str], *, typed: Sequence[str] = (), sweeping: bool = False
    ) -> None:
        self.command = command
        self.arguments = list(typed or arguments)
        written = from_arguments(arguments)
        steering = [entry for entry in written if entry.key in {(name,) for name in STEERING}]
        configuring = with_files((entry for entry in written if entry not in steering), Path())
        self.typed = [with_domain(entry) for entry in configuring]
        self.notes: list[str] = []
        self.prints = str(_last(steering, "print_config"))
        self.switches = {name: _switch(steering, name) for name in SWITCHES}
        self.presets = _all(steering, "config")
        presets = [_read(name, command, self.notes) for name in self.presets]
        weights = [entry for layers in presets for layer in layers for entry in layer if entry.key == _WEIGHTS]
        self.ckpt_path, self.ckpt_where = _weights(steering, weights)
        layers = [[with_domain(entry) for entry in layer] for layers in presets for layer in layers]
        self.sweep = [entry for layer in layers for entry in layer if entry.key[:1] == (SWEEP,)]
        self.files = [[e for e in layer if e.key[:1] != (SWEEP,) and e.key != _WEIGHTS] for layer in layers]
        if not sweeping:
            self._refuse_domains()
        self.notes.extend(_overruled(presets, self.typed))
        trusted = [name for names in _all(steering, "trust") for name in names.split(",")]
        said = [entry for layer in self.files for entry in layer]
        self.vouching = Vouching(trusted, self.typed, said)
        self.trusted = self.vouching.packages
        self.kit = self._of_kit()
        for entry in [entry for entry in (*self.kit, *said) if set(entry.key[:1]) & set(STEERING)]:
            raise LabError(f"{entry.where}: {entry.name} belongs on the command line.")

    def _of_kit(self) -> list[Written]:
        """What the kit says; one of another user is trusted as far as the user of the command vouches for it."""
        written, kit = [*from_kit(self.command)], find_kit()
        if kit is None or not kit.foreign:
            return written
        for entry in written:
            self.vouching.check_place(entry, kit.folder, "the kit")
        return [self.vouching.vouch(entry) for entry in written]

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

    def layers(self, found: Sequence[Written] = ()) -> list[Sequence[Written]]:
        """All that was written, the weakest first.

        Args:
            found: What a checkpoint or a run says that is gone on with, measured or repeated.
        """
        return [self.kit, from_environment(), found, *self.files, self.typed]

    def root(self) -> Path:
        """Where runs are kept: `--run.dir`, or that of a configuration file, of the environment, or of a kit."""
        layers = [*self.files, self.typed]
        typed = [str(entry.value) for layer in layers for entry in layer if entry.key == ("run", "dir")]
        return Path(at_home(typed[-1] if typed else run_dir()))

    def root_of(self, folder: Path) -> Path:
        """Where the run of this folder and its neighbours are kept; of one that lies elsewhere, `root`."""
        own = folder.resolve().parent.parent
        return own if own.is_relative_to(Path.cwd()) else self.root()


def _read(name: str, command: str, notes: list[str]) -> Sequence[Sequence[Written]]:
    """What a preset or a configuration file says, one list for each file or class of its line."""
    found = find_preset(name)
    if found.shadows is not None:
        notes.append(f"--config={name} is {found.path}; it {hides(found.shadows)}.")
    return load_layers(found, command)


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


def _weights(steering: Sequence[Written], files: Sequence[Written]) -> tuple[str | None, str]:
    """The checkpoint that was typed, or else that of a file, and where that was said."""
    typed, name = _last(steering, _WEIGHTS[0]), _WEIGHTS[0]
    if typed is not None or not files:
        return typed, f"--{name}={typed}"
    last = files[-1]
    if not isinstance(last.value, str):
        raise LabError(f"{last.where}: {name} takes one run, or one file.")
    return str(last.value), f"{last.where}: {name}={last.value}"


def _switch(steering: Sequence[Written], name: str) -> bool:
    value = _last(steering, name)
    more = next(option.values for option in DECLARED if option.name == name)[2:]
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
