"""What counts beside a request for help, by the catalogue: the walk of every command, over what is written so far."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mnistlab.catalogue.own import kept_kinds, with_kinds
from mnistlab.options.entries import Catalogue, ClassEntry, KindEntry, Named, Unlisted, Value
from mnistlab.options.notation import data_of
from mnistlab.options.places import Place
from mnistlab.options.walk import Walk
from mnistlab.options.written import STEERING, Key, Written

Known = Callable[[Named], Mapping[str, KindEntry] | None]
"""What a class of which the catalogue knows nothing adds to it; None where that is not known either."""


class Present:
    """The state of a command line: for each option what counts where nothing more is written.

    Of several classes in a list the last one counts: `("trainer", "callbacks", "monitor")` is an option of that.

    Args:
        catalogue: What there is to choose from.
        written: What was written, the strongest last.
        allowed: What a checkpoint may name besides what is trusted.

    Attributes:
        places: Every option that counts, by its dotted key, in which the classes of lists are numbered.

    Raises:
        LabError: If a class that was chosen does not exist.
        Unlisted: If one may exist, but must be imported first.
    """

    def __init__(self, catalogue: Catalogue, written: Sequence[Written], allowed: frozenset[str] = frozenset()) -> None:
        self.catalogue = catalogue
        steering = {(name,) for name in STEERING}
        self._steering = [entry for entry in written if entry.key in steering]
        self._walk = Walk(catalogue.top, catalogue.sections, catalogue, allowed)
        self._walk.over(entry for entry in written if entry.key not in steering)
        self.places: Mapping[str, Place] = self._walk.places

    def place(self, key: Key) -> Place:
        """What is at `key`, an empty place where nothing is."""
        # ("trainer", "callbacks", "monitor") -> trainer.callbacks.1.monitor where the second class is the last
        found = Place(())
        for part in key:
            above = found.value
            last = (str(len(above) - 1),) if isinstance(above, list) and found.chosen else ()
            name = ".".join((*found.key, *last, part))
            if name not in self.places:
                below = len(found.key) == len(key) - 1 and self.takes_names(found)
                return Place(key, kind=found.kind) if below else Place(key)  # model.losses.digit takes a loss
            found = self.places[name]
        return found

    def takes_names(self, place: Place) -> bool:
        """Whether an option takes a class for each name: `model.losses`, and not `model.losses.digit`."""
        return place.option is not None and bool(place.kind) and self.catalogue.kinds[place.kind].named

    def kind(self, key: Key) -> KindEntry | None:
        """The kind of class that is chosen at `key`; None where none is."""
        return self.catalogue.kinds.get(self.place(key).kind)

    def steering(self, name: str) -> Value:
        """What was written last for an option that configures nothing."""
        last = next((entry for entry in reversed(self._steering) if entry.key == (name,)), None)
        value = data_of(last.value) if last else None
        return value if value is None or isinstance(value, bool | int | float | str) else str(value)

    def mistakes(self) -> list[str]:
        """What was written that belongs to no option, or is no value of its option, each with what would be right."""
        return [*(misfit.message for misfit in self._walk.misfits), *self._walk.wrong.values()]

    def owned_by(self, key: Key, name: str) -> str:
        """A hint at the classes that could be chosen at `key` and have an option of that name."""
        kind = self.kind(key)
        owners = [entry.name for entry in kind.classes.values() if name in entry.by_name] if kind else []
        return f" It belongs to {', '.join(owners[:3])}: --{'.'.join(key)}={owners[0]}" if owners else ""


def with_strangers(catalogue: Catalogue, written: Sequence[Written], known_of: Known = kept_kinds) -> Catalogue:
    """The catalogue with the strange classes that are written, which need not be imported for that.

    Args:
        catalogue: What is there without them.
        written: What was written.
        known_of: What is known of one; by default what is kept of it. Of others that counts which all classes of their
            kind take a class for.

    Raises:
        LabError: If a class does not exist.
    """
    while True:
        try:
            Present(catalogue, written)
        except Unlisted as unlisted:
            more = known_of(unlisted.named)
            if more is not None:
                catalogue = with_kinds(catalogue, more)
                continue
            name, key = unlisted.named.path, unlisted.named.kind
            known = catalogue.kinds[key]
            classes = list(known.classes.values())
            first, *others = classes or [ClassEntry(name, name, "", "", ())]
            names = [{option.name for option in each.options if option.kind} for each in others]
            taken = [each for each in first.options if each.kind and all(each.name in other for other in names)]
            stranger = ClassEntry(name, name, "", "", taken)
            kinds = {**catalogue.kinds, key: replace(known, classes={**known.classes, name: stranger})}
            catalogue = replace(catalogue, kinds=kinds)
        else:
            return catalogue
