"""Every value that a sweep may take is checked as `fit` would, before anything is written; all faults at once."""

import json
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import replace

from mnistlab.errors import LabError
from mnistlab.options.command_line import from_arguments
from mnistlab.options.labels import Label, as_typed
from mnistlab.options.swept import candidates_of, meant_domain, with_domain
from mnistlab.sweeps.faults import Faults
from mnistlab.sweeps.space import Assignment, Space
from mnistlab.text.nearest import said
from mnistlab.training.assemble import LabCLI
from mnistlab.training.running import check

_MOST = 20  # faults that are told at once


def checked_space(
    command: str, arguments: Sequence[str], also: Callable[[LabCLI], None], faults: Faults
) -> tuple[Space, LabCLI]:
    """The space of some arguments, and what the first assignment makes; the files of all data sets are there then.

    A fault is noted, then left out, so that the others come to light.

    Args:
        command: What the user has typed: `sweep` or `compare`.
        arguments: Those of `fit`, each as one word, with domains.
        also: Refuses what a sweep in particular cannot do.
        faults: What is wrong so far; it is told with what is found here.

    Raises:
        LabError: With all faults, a line each.
    """
    good: dict[tuple[str, ...], LabCLI] = {}
    bad: set[tuple[str, Label]] = set()
    left = list(arguments)
    while len(faults) < _MOST:
        found = _first_fault(command, left, bad, good)
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
    for cli in good.values():
        with faults.noted():
            also(cli)
    faults.tell()
    for cli in {json.dumps(each.resolved["data"]): each for each in good.values()}.values():
        with faults.noted():
            cli.datamodule.prepare_data()  # once, before the workers would each do it
            deepcopy(cli.datamodule).setup("fit")  # the copy takes the images with it
    faults.tell()
    return Space(arguments), next(iter(good.values()))


def _first_fault(
    command: str, arguments: Sequence[str], bad: Collection[tuple[str, Label]], good: dict[tuple[str, ...], LabCLI]
) -> tuple[LabError, Assignment | None] | None:
    """The first thing that is refused, and where it was met; what is not refused is remembered in `good`."""
    probe: Assignment | None = None
    try:
        for probe in Space(arguments).probes(bad):
            key = tuple(probe.arguments)
            if key not in good:
                good[key] = check(probe.arguments, command)
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
