"""Which classes an unfinished command line has chosen so far, by the catalogue; what cannot be read is left out."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from mnistlab.catalogue import Catalogue, ClassEntry, OptionEntry
from mnistlab.errors import LabError
from mnistlab.presets import find_preset
from mnistlab.written import Key, Written, from_arguments, from_file


class Chosen:
    """The choices of an unfinished command line, presets in YAML included.

    Args:
        catalogue: What there is to choose from.
        words: What stands between the command and the word at the cursor.

    Attributes:
        given: The keys that stand on the line. Options of a class before the last one of a list do not count.
    """

    def __init__(self, catalogue: Catalogue, words: Sequence[str]) -> None:
        self._catalogue = catalogue
        typed = list(_readable(words))
        self._written = [*_in_files(typed), *typed]
        self.given: set[Key] = set()
        for entry in typed:
            if entry.append:
                self.given = {key for key in self.given if key[: len(entry.key)] != entry.key}
            self.given.add(entry.key)

    def owner(self, key: Key) -> ClassEntry | None:
        """The class whose options stand below `key`; None where there is none."""
        if len(key) == 1 and key[0] in self._catalogue.sections:
            section = self._catalogue.sections[key[0]]
            return self._class(key, section.kind, section.default_class) if section.kind else section.entry
        option = self.option(key)
        return self._class(key, option.kind, option.default_class) if option and option.kind else None

    def option(self, key: Key) -> OptionEntry | None:
        """The option of that key; None where there is none."""
        if len(key) == 1:
            return next((option for option in self._catalogue.top if option.name == key[0]), None)
        above = self.owner(key[:-1]) if key else None
        return above.option(key[-1]) if above else None

    def _class(self, key: Key, kind: str, default: str | None) -> ClassEntry | None:
        """The class chosen last for `key`, of a list its last one."""
        values = [entry.value for entry in self._written if entry.key == key and entry.value not in ([], {})]
        last = values[-1] if values else default
        name = str(last[-1] if isinstance(last, list) else last)
        if last in (None, "null", "None"):
            return None
        known = self._catalogue.kinds[kind].classes
        found = (entry for entry in known.values() if name in (entry.name, entry.path))
        return next(found, None) or _stranger(name, list(known.values()))


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
                yield from from_file(path) if path.suffix != ".py" else ()


def _stranger(name: str, known: Sequence[ClassEntry]) -> ClassEntry:
    """A class that the catalogue does not know: what all classes of its kind take a class for, it takes too."""
    common = set.intersection(*({option.name for option in entry.options if option.kind} for entry in known))
    return ClassEntry(name, name, "", "", [option for option in known[0].options if option.name in common])
