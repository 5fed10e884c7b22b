"""Which values of a run's configuration are not at their default, by the catalogue and so without torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnistlab.catalogue import Catalogue
from mnistlab.catalogue.own import kept_kinds
from mnistlab.catalogue.present import Known, Present, with_strangers
from mnistlab.catalogue.used import FOLLOWS, is_taken_over
from mnistlab.errors import LabError
from mnistlab.options.trust import Untrusted
from mnistlab.options.written import Written
from mnistlab.runs.sheets import counting, numbered


@dataclass(frozen=True)
class Setting:
    """A value that is not at its default."""

    key: str  # the dotted key, in which the classes of a list are numbered
    value: object
    default: object  # what it would be otherwise; None where that is null or not known
    known: bool  # whether it has a default that is known: strange classes have none, nor have the entries of lists

    @property
    def name(self) -> str:
        """The key as it is typed."""
        return ".".join(part for part in self.key.split(".") if not part.isdigit())


def changed(catalogue: Catalogue, written: Sequence[Written], known: Known = kept_kinds) -> list[Setting]:
    """The values that are not at the default of the chosen classes, in the order in which they are written.

    Args:
        catalogue: What there is to choose from.
        written: What a run was configured with.
        known: What is known of a class that is not in the catalogue.

    Raises:
        Untrusted: If `known` does.
    """
    present = _walked(catalogue, written, known)
    model = next((entry.value for entry in reversed(written) if entry.key == ("model",)), None)
    found: list[Setting] = []
    for key, entry in numbered(written):
        if is_taken_over(entry.name, model) or _follows(entry) or (entry.value == [] and not entry.append):
            continue
        place = present.places.get(".".join(key)) if present else None
        if place is None or entry.append:
            value = _short(entry) if place is None or place.kind else counting(entry.name, entry.data)
            found += [Setting(".".join(key), value, None, known=False)] if value is not None else []
        elif place.value != place.default:
            found.append(Setting(".".join(key), counting(entry.name, place.value), place.default, known=True))
    return found


def _walked(catalogue: Catalogue, written: Sequence[Written], known: Known) -> Present | None:
    """What counts of a configuration; None where it names what there is no more."""
    try:
        return Present(with_strangers(catalogue, written, known), written)
    except Untrusted:
        raise
    except LabError:
        return None


def _follows(entry: Written) -> bool:
    """Whether the data say it, not the user."""
    return any(entry.name == name or entry.name.startswith(f"{name}.") for name in FOLLOWS)


def _short(entry: Written) -> object:
    """A value that may be the path of a class."""
    return entry.data.rpartition(".")[2] if isinstance(entry.data, str) else entry.data
