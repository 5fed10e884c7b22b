"""The faults of all values that a sweep may take, met by one assignment after the other."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from mnistlab.errors import LabError
from mnistlab.options.command_line import from_arguments
from mnistlab.options.entries import Catalogue
from mnistlab.options.labels import Label, as_typed
from mnistlab.options.swept import candidates_of, meant_domain, with_domain
from mnistlab.sweeps.faults import Faults
from mnistlab.sweeps.presets import CONFIG, space_of
from mnistlab.sweeps.space import Assignment
from mnistlab.text.nearest import said

T = TypeVar("T")

_MOST = 20
"""Faults that are told at once."""


def note_faults(
    arguments: Sequence[str], check: Callable[[Sequence[str]], T], faults: Faults, catalogue: Catalogue | None = None
) -> Mapping[tuple[str, ...], T]:
    """Note what is refused among the values of a sweep; each fault is then left out, so that the others come to light.

    Args:
        arguments: Those of `fit`, each as one word, with domains.
        check: Refuses what is wrong in the arguments of one `fit`.
        faults: What is wrong so far.
        catalogue: What there is to choose from; if not given, what is imported.

    Returns:
        What `check` gives of the arguments that it does not refuse.

    Raises:
        UnsureError: If the catalogue does not know all that is chosen.
    """
    good: dict[tuple[str, ...], T] = {}
    bad: set[tuple[str, Label]] = set()
    left = list(arguments)
    while len(faults) < _MOST:
        found = _first_fault(left, bad, check, good, catalogue)
        if found is None:
            break
        error, probe = found
        taken = _taken_for(probe, str(error))
        number = next((number for number, word in enumerate(left) if _is_about(str(error), word)), None)
        faults.note(_explained(error, probe, taken, left[number] if number is not None else ""))
        if taken - bad:
            bad |= taken
        elif number is not None:
            left[number : number + 1] = _narrowed(left[number], str(error))
        else:
            break
    return good


def _first_fault(
    arguments: Sequence[str],
    bad: Collection[tuple[str, Label]],
    check: Callable[[Sequence[str]], T],
    good: dict[tuple[str, ...], T],
    catalogue: Catalogue | None,
) -> tuple[LabError, Assignment | None] | None:
    """The first thing that is refused, and where it was met; what is not refused is remembered in `good`."""
    probe: Assignment | None = None
    try:
        for probe in space_of(arguments, catalogue).probes(bad):
            key = tuple(probe.arguments)
            if key not in good:
                good[key] = check(probe.arguments)
    except LabError as error:
        return error, probe
    return None


def _taken_for(probe: Assignment | None, message: str) -> set[tuple[str, Label]]:
    """The value that a message begins with, and the axis that it was taken for; none where it is about others."""
    point = probe.point if probe else {}
    return {(name, label) for name, label in point.items() if message.startswith(_typed(name, label))}


def _typed(name: str, label: Label) -> str:
    return f"--{name.partition('[')[0]}={as_typed(label)}: "


def _explained(error: LabError, probe: Assignment | None, taken: Collection[tuple[str, Label]], word: str) -> LabError:
    """The error at the place in a preset where the value is from, with a hint where a domain is misspelt."""
    text = str(error)
    for name, label in taken:
        place = probe.places[name] if probe else "--"
        if not place.startswith("--"):
            text = f"{place}: {text.removeprefix(_typed(name, label))}"
    if word.startswith(CONFIG):  # as which presets are written that were typed otherwise
        text = text.replace("--config=", "--presets=", 1) if text.startswith("--config=") else text
    meant = meant_domain(word.partition("=")[2])
    text += said([meant]) if meant else ""
    return error if text == str(error) else type(error)(text)


def _is_about(message: str, word: str) -> bool:
    """Whether a message begins with an argument, or with a value of its choice."""
    names = {word.partition("=")[0], *(f"--{entry.name}" for entry in from_arguments([word]))}
    return message.startswith((word, *(f"{name}{sign}" for name in names for sign in ("=", ":", " "))))


def _narrowed(word: str, message: str) -> list[str]:
    """An argument without the value of its choice that a message begins with; nothing where no other is left."""
    try:
        entries = [with_domain(entry) for entry in from_arguments([word])]
    except LabError:
        return []
    rest = [
        replace(each.written[0], key=())
        for entry in entries
        for each in candidates_of(entry)
        if not message.startswith(f"{each.written[0].where}:")
    ]
    shorter = f"{word.partition('=')[0]}=choice:{','.join(as_typed(entry.value) for entry in rest)}"
    return [shorter] if rest and len(shorter) < len(word) else []
