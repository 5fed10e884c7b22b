"""How a sweep goes about: what its presets and its command line say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mnistlab.options.settling import Section, settle
from mnistlab.options.signatures import parsed
from mnistlab.options.written import SWEEP, Source, Written
from mnistlab.sections import Sweep


class _Nothing:
    """There are no options beside those of the sweep."""


def settings_from(presets: Sequence[Written], values: Mapping[str, str]) -> Sweep:
    """The settings that count: those of the command line, before those of presets.

    Args:
        presets: What presets say, the strongest last.
        values: What was typed, by name.

    Raises:
        LabError: If there is no such setting, or it does not take such a value.
    """
    typed = [Written((SWEEP, name), value, Source.COMMAND_LINE, f"--{name}={value}") for name, value in values.items()]
    said = [replace(entry, domain=None) for entry in presets if len(entry.key) > 1]
    settled = settle(_Nothing, {SWEEP: Section(Sweep)}, [said, typed])
    chosen = settled.values[SWEEP]
    assert isinstance(chosen, Mapping)
    return Sweep(**vars(parsed(Sweep, chosen)))
