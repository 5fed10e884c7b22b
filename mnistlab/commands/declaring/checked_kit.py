"""The kit of a class as `mnistlab doctor` checks it: all that a command would meet that nobody has typed yet."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mnistlab.catalogue import Catalogue, load_catalogue
from mnistlab.commands.declaring.finding import Finding
from mnistlab.commands.declaring.from_kit import blaming, check_commands, said_of
from mnistlab.commands.declaring.model import all_commands
from mnistlab.errors import LabError
from mnistlab.options.arguments import Option
from mnistlab.options.kit import FILE, Kit, find_kit, misplaced, not_taken
from mnistlab.options.kit_defaults import CONFIGURED, defaults_of
from mnistlab.presets.finding import find_preset, presets_in
from mnistlab.presets.source import is_sweep, presets_tagged, problem_of
from mnistlab.sweeps.faults import Faults
from mnistlab.sweeps.settings import settings_from
from mnistlab.system.files import UnreadableError
from mnistlab.training.typed import refuse_mistakes

_SWEEPING = ("sweep", "compare", "judge")
"""The commands whose own options say how a sweep goes about."""


def kit_findings() -> Iterator[Finding]:
    """The kit of a class, where there is one, and its presets."""
    for sentence in not_taken():
        yield Finding("kit", "note", sentence)
    try:
        kit = find_kit()
        if kit is None:
            yield Finding("kit", "good", f"no {FILE} here or above")
        else:
            yield from _checked(kit)
    except UnreadableError as error:
        yield Finding("kit", "bad", str(error), "Let it be read by you, or move it away.")
    except LabError as error:
        yield Finding("kit", "bad", str(error), "Mend that line, or remove it.")


def _checked(kit: Kit) -> Iterator[Finding]:
    try:
        catalogue = load_catalogue()
    except (LabError, MemoryError) as error:
        yield Finding("kit", "note", f"{kit.file} is not checked: {error}", "Mend what is bad below, and ask again.")
        return
    _check_options(kit, catalogue)
    for command in CONFIGURED:
        refuse_mistakes(command, [] if command == "fit" else ["--untrained"], catalogue)
    wrong = misplaced()
    yield from (Finding("kit", "bad", each, "Make that folder, or mend the line.") for each in wrong)
    if wrong:
        return
    whose = ", of another user" if kit.foreign else ""
    parts = [f"{name} in {place.folder}" for name, place in kit.places.items()]
    parts += [f"{len(said)} of {command}" for command, said in defaults_of(kit).items() if said]
    yield Finding("kit", "good", f"{kit.file}{whose}: {', '.join(parts) or 'it says nothing'}")
    if "presets" in kit.places:
        yield from _presets(Path(kit.places["presets"].folder), catalogue)


def _presets(folder: Path, catalogue: Catalogue) -> Iterator[Finding]:
    """The presets of the kit: one in YAML is read and worked out as `fit` would, Python is not run."""
    entries = presets_in(folder)
    for entry in entries:
        problem = problem_of(entry)
        if not problem and entry.path.suffix != ".py" and not is_sweep(entry):
            try:
                refuse_mistakes("fit", [f"--config={entry.path}"], catalogue)
            except LabError as error:
                problem = str(error)
        if problem:
            place = "" if str(entry.path) in problem else f"{entry.path}: "
            yield Finding("preset", "bad", f"{place}{problem.rstrip('.')}.", "Mend it, or remove the file.")
    for path in sorted({*folder.glob("*.py")} - {entry.path for entry in entries}):
        yield Finding("preset", "note", f"{path} has no preset: no class in it derives from Preset.")


def _check_options(kit: Kit, catalogue: Catalogue) -> None:
    """Refuse defaults of commands that there are not, and wrong values of commands' own options.

    Among them are how a sweep goes about, and names of what there is; what only runs know is left to the commands.
    """
    check_commands(kit)
    for name, command in all_commands().items():
        said = said_of(kit, name, command)
        with blaming(said):
            if name in _SWEEPING and said:
                _check_settings({option: each.value for option, each in said.items()}, catalogue)
            for option in command.own if said else ():
                if option.name in said:
                    _check_name(option, said[option.name].value, catalogue)


def _check_settings(values: Mapping[str, str], catalogue: Catalogue) -> None:
    """Refuse values that no sweep takes."""
    faults, known = Faults(), catalogue.sweep.by_name
    settings_from([], {name: value for name, value in values.items() if name in known}, faults, catalogue)
    faults.tell()


def _check_name(option: Option, value: str, catalogue: Catalogue) -> None:
    """Refuse names of classes, presets and tags that there are not."""
    names = [name.strip() for name in value.split(",") if name.strip() and name not in option.words]
    if option.completes in ("data", "model"):
        for name in names:
            refuse_mistakes("fit", [f"--{option.completes}={name}"], catalogue)
    elif option.completes == "presets":
        for name in names:
            find_preset(name, f"--{option.name}={value}")
    elif option.completes == "tags":
        presets_tagged(value)
