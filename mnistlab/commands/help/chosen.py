"""Which classes an unfinished command line has chosen so far, by the catalogue; what cannot be read is left out."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from mnistlab.catalogue import Catalogue
from mnistlab.catalogue.present import Present, with_strangers
from mnistlab.errors import LabError
from mnistlab.options.command_line import from_arguments
from mnistlab.options.kit_defaults import from_kit
from mnistlab.options.written import Key, Source, Written
from mnistlab.presets.finding import find_preset
from mnistlab.presets.reading import layers_of


class Chosen(Present):
    """The choices of an unfinished command line, presets in YAML included. What is wrong in it is left out.

    Args:
        catalogue: What there is to choose from.
        words: What stands between the command and the word at the cursor.
        command: The command whose options it takes.

    Attributes:
        given: The keys that stand on the line. Options of a class before the last one of a list do not count.
    """

    def __init__(self, catalogue: Catalogue, words: Sequence[str], command: str = "") -> None:
        typed = list(_readable(words))
        kept: list[Written] = []
        for entry in [*_of_kit(command), *_in_files(typed), *typed]:
            with suppress(LabError):
                catalogue = with_strangers(catalogue, [*kept, entry])
                kept.append(entry)
        super().__init__(catalogue, kept)
        of_last = _of_last_classes(kept)
        self.given: set[Key] = {entry.key for entry in of_last if entry.source is Source.COMMAND_LINE}


def _readable(words: Sequence[str]) -> Iterator[Written]:
    """What is written in those words that can be read."""
    rest = list(words)
    while rest:
        group = [rest.pop(0)]
        if rest and not rest[0].startswith("--"):
            group.append(rest.pop(0))
        with suppress(LabError):
            yield from from_arguments(group)


def _of_kit(command: str) -> Sequence[Written]:
    """What the kit says, where there is one that can be read."""
    with suppress(LabError):
        return from_kit(command) if command else ()
    return ()


def _in_files(typed: Sequence[Written]) -> Iterator[Written]:
    """What the presets and configuration files say that are named there; a preset in Python is not run."""
    for entry in typed:
        if entry.key == ("config",):
            with suppress(LabError):
                layers = layers_of(find_preset(str(entry.value)), lambda _: ())
                yield from (each for layer in layers for each in layer)


def _of_last_classes(written: Sequence[Written]) -> list[Written]:
    """Without the options of a class to which another has been added: what is shown belongs to the last one."""
    kept: list[Written] = []
    for entry in written:
        if entry.append:
            kept = [each for each in kept if each.key == entry.key or each.key[: len(entry.key)] != entry.key]
        kept.append(entry)
    return kept
