"""Every value that a sweep may take is checked as `fit` would, before anything is written; all faults at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from mnistlab.commands import check
from mnistlab.errors import LabError
from mnistlab.lab import LabCLI
from mnistlab.options.domains import Choice, with_domain
from mnistlab.options.written import from_arguments
from mnistlab.sweeps.space import Assignment, Space

_MOST = 20
"""Faults that are told at once."""


def checked_space(arguments: Sequence[str], also: Callable[[LabCLI], None]) -> tuple[Space, LabCLI]:
    """The space of some arguments, and what the first assignment makes.

    A fault is told, then left out, so that the others come to light.

    Args:
        arguments: Those of `fit`, with domains.
        also: Refuses what a sweep in particular cannot do.

    Raises:
        LabError: With all faults, a line each.
    """
    faults: dict[str, None] = {}
    good: dict[tuple[str, ...], LabCLI] = {}
    left = list(arguments)
    while True:
        message = _first_fault(left, good, also)
        if message is None:
            break
        faults[message] = None
        shorter = _without_culprit(left, message)
        if shorter == left or len(faults) >= _MOST:
            break
        left = shorter
    if faults:
        raise LabError("\n".join(faults))
    return Space(arguments), next(iter(good.values()))


def _first_fault(
    arguments: Sequence[str], good: dict[tuple[str, ...], LabCLI], also: Callable[[LabCLI], None]
) -> str | None:
    """The first thing that is refused; what is not is remembered in `good`."""
    try:
        for probe in Space(arguments).probes():
            key = tuple(probe.arguments)
            if key not in good:
                good[key] = _tried(probe, also)
    except LabError as error:
        return str(error)
    return None


def _tried(probe: Assignment, also: Callable[[LabCLI], None]) -> LabCLI:
    cli = check(probe.arguments)
    also(cli)
    return cli


def _without_culprit(arguments: Sequence[str], message: str) -> list[str]:
    """The arguments without the one, or the value of a choice, that a message begins with."""
    kept: list[str] = []
    found = False
    for entry in map(with_domain, from_arguments(arguments)):
        name = f"--{entry.name}{'+' if entry.append else ''}"
        word = name if entry.value is True else f"{name}={entry.domain or entry.value}"
        begins = message.startswith((f"--{entry.name}=", f"--{entry.name}:", f"--{entry.name} ", entry.where))
        if found or not begins:
            kept.append(word)
            continue
        found = True
        if isinstance(entry.domain, Choice):
            rest = [each for each in entry.domain.candidates if not message.startswith(f"{each.written[0].where}:")]
            if rest and len(rest) < len(entry.domain.candidates):
                kept.append(f"{name}={replace(entry.domain, candidates=tuple(rest))}")
    return kept
