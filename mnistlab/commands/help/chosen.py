"""Which classes an unfinished command line has chosen so far, by the catalogue; what cannot be read is left out."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from mnistlab.catalogue import Catalogue, ClassEntry
from mnistlab.catalogue.present import Present, Unlisted
from mnistlab.errors import LabError
from mnistlab.options.written import Key, Source, Written, from_arguments, from_config
from mnistlab.presets.finding import find_preset


class Chosen(Present):
    """The choices of an unfinished command line, presets in YAML included. What is wrong in it is left out.

    Args:
        catalogue: What there is to choose from.
        words: What stands between the command and the word at the cursor.

    Attributes:
        given: The keys that stand on the line. Options of a class before the last one of a list do not count.
    """

    def __init__(self, catalogue: Catalogue, words: Sequence[str]) -> None:
        typed = list(_readable(words))
        super().__init__(catalogue, [*_in_files(typed), *typed])
        self.given: set[Key] = {entry.key for entry in self._written if entry.source is Source.COMMAND_LINE}

    def _chosen(self, key: Key, kind: str, default: str | None) -> ClassEntry | None:
        try:
            return super()._chosen(key, kind, default)
        except Unlisted as unlisted:
            return _stranger(unlisted.named.path, list(self.catalogue.kinds[kind].classes.values()))
        except LabError:
            return None


def _readable(words: Sequence[str]) -> Iterator[Written]:
    """What is written in those words that can be read."""
    rest = list(words)
    while rest:
        group = [rest.pop(0)]
        if rest and not rest[0].startswith("--"):
            group.append(rest.pop(0))
        with suppress(LabError):
            yield from from_arguments(group)


def _in_files(typed: Sequence[Written]) -> Iterator[Written]:
    """What the presets and configuration files say that are named there; a preset in Python is not run."""
    for entry in typed:
        if entry.key == ("config",):
            with suppress(LabError):
                path = find_preset(str(entry.value)).path
                yield from from_config(path) if path.suffix != ".py" else ()


def _stranger(name: str, known: Sequence[ClassEntry]) -> ClassEntry:
    """A class that the catalogue does not know: what all classes of its kind take a class for, it takes too."""
    common = set.intersection(*({option.name for option in entry.options if option.kind} for entry in known))
    return ClassEntry(name, name, "", "", [option for option in known[0].options if option.name in common])
