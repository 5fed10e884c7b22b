"""How a sweep goes about: what its presets and its command line say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mnistlab.options.imported import Section, settle
from mnistlab.options.notation import as_written
from mnistlab.options.settling import Settled
from mnistlab.options.written import SWEEP, Source, Written
from mnistlab.sections import Sweep
from mnistlab.sweeps.faults import Faults


def settings_from(presets: Sequence[Written], values: Mapping[str, str], faults: Faults) -> Sweep:
    """The settings that count: those of the command line, before those of presets.

    Args:
        presets: What presets say, the strongest last.
        values: What was typed, by name.
        faults: Is told of settings that do not exist or do not take such a value; they are left out.
    """
    typed = [
        Written((SWEEP, name), as_written(value), Source.COMMAND_LINE, f"--{name}={value}")
        for name, value in values.items()
    ]
    said = [_without_domain(entry) for entry in presets if len(entry.key) > 1]
    settled = _settled([entry for entry in [*said, *typed] if _fits(entry, faults)])
    return Sweep(**settled.complete()[SWEEP])


def _without_domain(entry: Written) -> Written:
    """What was written as it stands there: a sweep goes about in one way."""
    return entry if entry.domain is None else replace(entry, value=str(entry.domain), domain=None)


def _fits(entry: Written, faults: Faults) -> bool:
    before = len(faults)
    with faults.noted():
        _settled([entry])
    return len(faults) == before


def _settled(entries: Sequence[Written]) -> Settled:
    return settle(object, {SWEEP: Section(Sweep)}, [entries])
