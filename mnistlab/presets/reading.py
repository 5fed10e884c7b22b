"""What a preset says, and before it what those say that it builds on: `base: QuickTest`."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.arguments import BASE
from mnistlab.options.command_line import from_config
from mnistlab.options.notation import NULLS
from mnistlab.options.written import Written
from mnistlab.presets.finding import Found, find_preset

Layers = Sequence[Sequence[Written]]
"""What was written, one list for each file or class."""


def layers_of(found: Found, of_python: Callable[[Found], Layers], command: str = "fit") -> Layers:
    """What a preset or a configuration file says: one list for each file or class of its line, the oldest first.

    Args:
        found: The preset.
        of_python: What one in Python says.
        command: What it is read for.

    Raises:
        LabError: If one of them cannot be read, is not there, or builds on itself.
    """
    layers: list[Sequence[Written]] = []
    for file, own in line_of(found, command):
        said = [list(layer) for layer in of_python(file)] if file.path.suffix == ".py" else [own]
        layers += [layer for layer in said if layer not in layers]  # what two of them build on counts before both
    return layers


def runs_python(found: Found) -> bool:
    """Whether a preset is known only once Python has been run.

    Raises:
        LabError: If it cannot be read.
    """
    return any(file.path.suffix == ".py" for file, _ in line_of(found))


def line_of(found: Found, command: str = "fit", within: Sequence[Path] = ()) -> Iterator[tuple[Found, list[Written]]]:
    """Each file of a preset's line with what it says itself, the oldest first; Python is not run.

    Args:
        found: The preset.
        command: What it is read for.
        within: The files that are being read.

    Raises:
        LabError: If one of them cannot be read, is not there, or builds on itself.
    """
    if found.path.suffix == ".py":
        yield found, []
        return
    line = [*within, found.path]
    written = from_config(found.path, command)
    for entry in written:
        if entry.key[:1] == (BASE.name,):
            for name in _names(entry):
                base = _find(name, entry, found)
                if any(base.path.samefile(path) for path in line):
                    way = " > ".join(map(str, [*line, base.path]))
                    raise LabError(f"{entry.where}: {BASE.name}={name} closes a circle: {way}.")
                yield from line_of(base, command, line)
    yield found, [entry for entry in written if entry.key[:1] != (BASE.name,)]


def _names(entry: Written) -> list[str]:
    """The presets that an entry names."""
    names = entry.value if isinstance(entry.value, list) else [] if entry.value in NULLS else [entry.value]
    if len(entry.key) > 1 or not all(isinstance(name, str) and name for name in names):
        raise LabError(f"{entry.where}: {BASE.name} takes the name of a preset, a file, or a list of them.")
    return [str(name) for name in names]


def _find(name: str, entry: Written, by: Found) -> Found:
    """The preset that another one names; one that hides a shipped preset means that by its own name."""
    said = f"{entry.where}: {BASE.name}={name}"
    base = find_preset(name, said, by.path.parent)
    if not base.path.is_file():
        raise LabError(f"{said}: there is no file {base.path}.")
    hides = base.shadows is not None and base.path.samefile(by.path)
    return Found(base.shadows, base.name) if hides and base.shadows else base
