"""What counts beside a request for help, by the catalogue: which classes are chosen, which values are written."""

from collections.abc import Sequence

from mnistlab.catalogue import Catalogue, ClassEntry, KindEntry, Named, OptionEntry
from mnistlab.errors import LabError
from mnistlab.options.entries import Value
from mnistlab.options.notation import NULLS, data_of
from mnistlab.options.written import STEERING, Key, Written
from mnistlab.text.nearest import suggestion


class Unlisted(Exception):  # noqa: N818 - it is what the class is
    """A class is chosen by a dotted path that the catalogue does not have.

    Args:
        named: The class.
    """

    def __init__(self, named: Named) -> None:
        super().__init__(named.path)
        self.named = named


class Present:
    """The state of a command line: for each option what counts where nothing more is written.

    Args:
        catalogue: What there is to choose from.
        written: What was written, the strongest last.
    """

    def __init__(self, catalogue: Catalogue, written: Sequence[Written]) -> None:
        self.catalogue = catalogue
        self._written = _of_last_classes(written)

    def owner(self, key: Key) -> ClassEntry | None:
        """The class whose options stand below `key`; None where there is none.

        Raises:
            LabError: If a class that was chosen on the way does not exist.
            Unlisted: If one may exist, but must be imported first.
        """
        section = self.catalogue.sections.get(key[0]) if len(key) == 1 else None
        if section is not None:
            return self._chosen(key, section.kind, section.default_class) if section.kind else section.entry
        option = self.option(key)
        return self._chosen(key, option.kind, option.default_class) if option and option.kind else None

    def option(self, key: Key) -> OptionEntry | None:
        """The option of that key; None where there is none."""
        if len(key) == 1:
            return next((option for option in self.catalogue.top if option.name == key[0]), None)
        above = self.owner(key[:-1])
        return above.option(key[-1]) if above else None

    def kind(self, key: Key) -> KindEntry | None:
        """The kind of class that is chosen at `key`; None where none is."""
        section = self.catalogue.sections.get(key[0]) if len(key) == 1 else None
        part = section or self.option(key)
        return self.catalogue.kinds[part.kind] if part and part.kind else None

    def value(self, key: Key) -> Value:
        """What counts at `key`: what was written last, else the default; for a class its name.

        Raises:
            LabError: If there is no such option.
        """
        last = self.written(key)
        if last is not None:
            return self._short(key, _value(self._list(key) if last.append else last.value))
        section = self.catalogue.sections.get(key[0]) if len(key) == 1 else None
        if section is not None:
            return section.default_class
        option = self.option(key)
        if option is None:
            raise LabError(f"there is no option --{'.'.join(key)}.")
        return self._default_in(key).get(option.name, option.default)

    def written(self, key: Key) -> Written | None:
        """What was written last at `key`, and counts."""
        found = (entry for entry in reversed(self._written) if entry.key == key and entry.value != {})
        return next((entry for entry in found if not self._is_old_default(entry)), None)

    def steering(self, name: str) -> Value:
        """What was written for an option that configures nothing."""
        last = self.written((name,))
        return _value(last.value) if last else None

    def mistakes(self) -> list[str]:
        """What was written that belongs to no option, each with the nearest right name."""
        counting = (entry for entry in self._written if not self._is_old_default(entry))
        return [message for entry in counting if (message := self._mistake(entry.key))]

    def _mistake(self, key: Key) -> str | None:
        for end in range(1, len(key) + 1):
            above, name = key[: end - 1], key[end - 1]
            if not above:
                known = [*(option.name for option in self.catalogue.top), *self.catalogue.sections]
                if name not in (*known, *STEERING):
                    return f"there is no option --{name}.{suggestion(name, [*known, *STEERING], '--')}"
                continue
            owner = self.owner(above)
            if owner is None:
                return None if self._is_open(above) else f"--{'.'.join(above)} has no part {name}."
            if owner.option(name) is None:
                hint = suggestion(name, [option.name for option in owner.options]) or self.owned_by(above, name)
                return f"--{'.'.join(key[:end])}: {owner.name} has no option {name}.{hint}"
        return None

    def owned_by(self, key: Key, name: str) -> str:
        """A hint at the classes that could be chosen at `key` and have an option of that name."""
        kind = self.kind(key)
        owners = [entry.name for entry in kind.classes.values() if entry.option(name)] if kind else []
        return f" It belongs to {', '.join(owners[:3])}: --{'.'.join(key)}={owners[0]}" if owners else ""

    def _is_open(self, key: Key) -> bool:
        """Whether what stands below `key` is not for the catalogue to say: the parts of a mapping, or of no class."""
        option = self.option(key)
        return option is None or option.kind is not None or "mapping" in option.type or not option.schema

    def _is_old_default(self, entry: Written) -> bool:
        """Whether a run has written it down only because it was the default of a class that is no longer chosen."""
        above = entry.key[:-1]
        first = next((each for each in self._written if each.key == above), None)
        if not entry.complete or first is None or not first.complete:
            return False
        kind = self.kind(above)
        old = kind.find(str(first.value)) if kind else None
        option = old.option(entry.key[-1]) if old else None
        return option is not None and old is not self.owner(above) and option.default == entry.data

    def _list(self, key: Key) -> list[object]:
        """What was written at `key` since it was begun anew."""
        values: list[object] = []
        for entry in self._written:
            if entry.key == key:
                values = [*values, entry.value] if entry.append else [entry.value]
        return values

    def _short(self, key: Key, value: Value) -> Value:
        """A value with the classes of the catalogue by their short names."""
        kind = self.kind(key)
        if kind is None:
            return value
        if isinstance(value, list):
            return [self._short(key, part) for part in value]
        found = kind.find(value) if isinstance(value, str) else None
        return found.name if found else value

    def _default_in(self, key: Key) -> dict[str, Value]:
        """What the option above says of its own default class."""
        above = self.option(key[:-1]) if len(key) > 2 else None  # noqa: PLR2004 - a section's class is no default
        return dict(above.default_options) if above and self.written(key[:-1]) is None else {}

    def _chosen(self, key: Key, kind: str, default: str | None) -> ClassEntry | None:
        """The class chosen at `key`, of several the last one."""
        known = self.catalogue.kinds[kind]
        last = self.written(key)
        value = _value(last.value) if last else default
        name = value[-1] if isinstance(value, list) and value else value
        if name in NULLS or not isinstance(name, str):
            return None
        name = name.rpartition(",")[2]
        found = known.find(name)
        if found or last is None or (known.plain and "." not in name):
            return found
        if "." in name:
            raise Unlisted(Named(name, kind, last.where))
        names = known.offered()
        raise LabError(
            f"{last.where}: no {key[-1]} is called {name}.{suggestion(name, names)} There are {', '.join(names)}."
        )


def _of_last_classes(written: Sequence[Written]) -> list[Written]:
    """Without the options of a class to which another has been added: what is shown belongs to the last one."""
    kept: list[Written] = []
    for entry in written:
        if entry.append:
            kept = [each for each in kept if each.key == entry.key or each.key[: len(entry.key)] != entry.key]
        kept.append(entry)
    return kept


def _value(value: object) -> Value:
    """What was written, as plain data; a list of classes is flat."""
    value = data_of(value)
    if isinstance(value, list):
        return [part for entry in value for part in (entry if isinstance(entry, list) else [entry])]
    return value if value is None or isinstance(value, bool | int | float | str | dict) else str(value)
