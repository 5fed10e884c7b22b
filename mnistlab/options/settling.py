"""From what was written to one configuration: which classes, and which value counts.

Choosing a class means choosing its own defaults; what the user wrote stays. From the weakest to the strongest:
signature defaults of the class finally chosen, checkpoint, configuration files from left to right, command line from
left to right. jsonargparse gets the outcome with every class and every default of a nested class spelt out, so that it
has nothing left to merge; the types of the values are its business.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeGuard

from mnistlab.errors import LabError
from mnistlab.options.entries import Kinds, OptionEntry, SectionEntry
from mnistlab.options.places import Place
from mnistlab.options.walk import Walk
from mnistlab.options.written import Written


@dataclass(frozen=True)
class Settled:
    """A configuration in which every class is chosen.

    Attributes:
        values: Nested data in jsonargparse's form.
        origins: Who wrote a value that counts, by dotted key.
        dropped: What was written for a class that is not the chosen one, each with its position and the reason.
        places: Every option that counts, by dotted key.
        unsure: Options of which only imported classes know whether they take what was written, by dotted key.
        contested: What one source has said otherwise than a weaker one, by dotted key.
    """

    values: dict[str, Any]
    origins: dict[str, Written]
    dropped: list[tuple[Written, str]]
    places: Mapping[str, Place]
    unsure: Sequence[str] = ()
    contested: frozenset[str] = frozenset()

    def complete(self) -> dict[str, Any]:
        """All values, also those of the groups in which no class is chosen that nobody has written.

        `{"trainer": {"max_epochs": 3}}` gets `max_steps` and all others at their defaults. What cannot be written down
        is left out: the class has it again.
        """
        values = {name: {} if _is_group(part) else part for name, part in self.values.items()}
        for key, place in self.places.items():
            above, _, name = key.rpartition(".")  # "trainer.max_steps" -> "trainer", "max_steps"
            group, written = (values.get(above), self.values.get(above, {})) if above else (values, self.values)
            if _is_group(group) and place.option is not None:
                if name in written:
                    group[name] = written[name]
                elif not (place.option.unwritten or place.option.required):
                    group[name] = place.default
        return values


def settle_entries(
    top: Sequence[OptionEntry],
    sections: Mapping[str, SectionEntry],
    kinds: Kinds,
    layers: Sequence[Sequence[Written]],
    allowed: frozenset[str] = frozenset(),
) -> Settled:
    """Work out the configuration of what can be written, wherever that is known from.

    Args:
        top: The options outside the sections.
        sections: The top-level options that have options of their own.
        kinds: What classes options take.
        layers: What was written, one list per source, the weakest first.
        allowed: The packages and classes that a checkpoint may name besides the trusted ones.

    Raises:
        LabError: If a class, an option or a value does not exist, at the place where it was written.
    """

    def walked(written: Sequence[Written]) -> Walk:
        walk = Walk(top, sections, kinds, allowed)
        walk.over(written)
        return walk

    lower: list[Written] = []
    for layer in layers:
        walks = [walked([*lower, *variant]) for variant in _variants(layer)]
        _refuse_unknown(walks, layer, lambda: walked([entry for each in layers for entry in each]))
        _refuse_wrong(walks[0], layer)
        lower.extend(layer)
    walk = walked(lower)
    for message in [*walk.wrong.values(), *walk.missing.values()]:
        raise LabError(message)
    dropped = [(misfit.entry, misfit.reason) for misfit in walk.misfits]
    return Settled(walk.values, walk.origins, dropped, walk.places, walk.unsure, _contested(layers))


def _contested(layers: Sequence[Sequence[Written]]) -> frozenset[str]:
    """What one source has said otherwise than a weaker one."""
    said: dict[str, object] = {}
    found: set[str] = set()
    for layer in layers:
        found.update(entry.name for entry in layer if entry.name in said and said[entry.name] != entry.data)
        said.update((entry.name, entry.data) for entry in layer)
    return frozenset(found)


def _refuse_unknown(walks: Sequence[Walk], layer: Sequence[Written], at_last: Callable[[], Walk]) -> None:
    """Raise for the first value of a layer that fits no class that was in force when it was read, nor is at last.

    What a later source leaves without its class is dropped and told. Within one source everything must fit: the class
    that it chooses last, or one that it chose before. A file may leave its class to a later source: LightningCLI names
    none where its program takes only one.
    """
    # by identity: the same option may be written twice in equal words, and only one of them be out of place
    never = set.intersection(*({id(misfit.entry) for misfit in walk.misfits} for walk in walks))
    own = never.intersection(map(id, layer))
    if own:
        with suppress(LabError):  # of a later source, which is told in its turn
            own &= {id(misfit.entry) for misfit in at_last().misfits}
    for misfit in walks[0].misfits:
        if id(misfit.entry) in own:
            raise LabError(misfit.message)


def _refuse_wrong(walk: Walk, layer: Sequence[Written]) -> None:
    """Raise for the first value of a layer that its option does not take, even if a later layer writes another."""
    own = set(map(id, layer))
    for key, message in walk.wrong.items():
        if key in walk.origins and id(walk.origins[key]) in own:
            raise LabError(message)


def _variants(layer: Sequence[Written]) -> Iterator[list[Written]]:
    """The layer as it is, and as it would be if a repeated key had been written for the last time earlier."""
    # --model=A --model.x=1 --model=B: x may be an option of A, so it is looked for with the second --model left out
    yield list(layer)
    for index, entry in enumerate(layer):
        later = {id(other) for other in layer[index + 1 :] if other.key == entry.key and not other.append}
        if later:
            yield [other for other in layer if id(other) not in later]


def _is_group(part: object) -> TypeGuard[dict[str, Any]]:
    """Whether a part of a configuration holds the options of a class that is not chosen, as `trainer` does."""
    return isinstance(part, dict) and "class_path" not in part
