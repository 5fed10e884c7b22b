"""How a sweep goes about: what its presets and its command line say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mnistlab.options.entries import Catalogue, SectionEntry
from mnistlab.options.notation import as_written
from mnistlab.options.settling import Settled, settle_entries
from mnistlab.options.written import SWEEP, Source, Written
from mnistlab.sweeps.faults import Faults


def settings_from(
    presets: Sequence[Written], values: Mapping[str, str], faults: Faults, catalogue: Catalogue
) -> Mapping[str, Any]:
    """The settings that count: those of the command line, before those of presets.

    Args:
        presets: What presets say, the strongest last.
        values: What was typed, by name.
        faults: Is told of settings that do not exist or do not take such a value; they are left out.
        catalogue: What settings there are.
    """
    typed = [
        Written((SWEEP, name), as_written(value), Source.COMMAND_LINE, f"--{name}={value}")
        for name, value in values.items()
    ]
    said = [_without_domain(entry) for entry in presets if len(entry.key) > 1]

    def settled(entries: Sequence[Written]) -> Settled:
        return settle_entries((), {SWEEP: SectionEntry(None, None, catalogue.sweep)}, catalogue, [entries])

    def fits(entry: Written) -> bool:
        before = len(faults)
        with faults.noted():
            settled([entry])
        return len(faults) == before

    found: Mapping[str, Any] = settled([entry for entry in [*said, *typed] if fits(entry)]).complete()[SWEEP]
    return found


def _without_domain(entry: Written) -> Written:
    """What was written as it stands there: a sweep goes about in one way."""
    return entry if entry.domain is None else replace(entry, value=str(entry.domain), domain=None)
