"""Which values of a run's configuration are not at their default, by the catalogue and so without torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnistlab.catalogue import Catalogue
from mnistlab.catalogue.present import Present, Unlisted
from mnistlab.catalogue.used import FOLLOWS
from mnistlab.errors import LabError
from mnistlab.options.entries import Value
from mnistlab.options.written import Written
from mnistlab.runs.differences import numbered


@dataclass(frozen=True)
class Setting:
    """A value that is not at its default.

    Attributes:
        option: Its name; the classes of a list are numbered.
        value: The value, of a class the short name.
        default: What it would be otherwise; None where that is null or not known.
        known: Whether it has a default that is known: strange classes have none, nor have the entries of lists.
    """

    option: str
    value: object
    default: Value
    known: bool


def changed(catalogue: Catalogue, written: Sequence[Written]) -> list[Setting]:
    """The values that are not at the default of the classes that were chosen, in the order in which they are written.

    Args:
        catalogue: What the defaults are.
        written: A configuration in which all is written.
    """
    found: list[Setting] = []
    chosen: list[Written] = []  # the classes that are not the default ones: the defaults below are theirs
    for key, entry in numbered(written):
        if _follows(entry) or (entry.value == [] and not entry.append):
            continue
        before = Present(catalogue, chosen)
        default, known = _default(before, entry)
        is_class = _takes_class(before, entry)
        value = _short(entry.data) if is_class else entry.data
        if not known or value != default:
            if known or value is not None:
                found.append(Setting(".".join(key), value, default, known))
            if is_class:
                chosen.append(entry)
    return found


def _default(present: Present, entry: Written) -> tuple[Value, bool]:
    """What would count without this entry, and whether that is known; one more entry of a list has no default."""
    if entry.append:
        return None, False
    try:
        return present.value(entry.key), True
    except (LabError, Unlisted):
        return None, False


def _follows(entry: Written) -> bool:
    """Whether the data say it, not the user."""
    return any(entry.name == name or entry.name.startswith(f"{name}.") for name in FOLLOWS)


def _takes_class(present: Present, entry: Written) -> bool:
    if not isinstance(entry.data, str):
        return False
    try:
        return present.kind(entry.key) is not None or (present.option(entry.key) is None and "." in entry.data)
    except (LabError, Unlisted):
        return "." in entry.data


def _short(value: object) -> str:
    return str(value).rpartition(".")[2]
