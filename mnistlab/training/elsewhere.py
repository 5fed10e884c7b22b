"""Places of data that a checkpoint or a run names and only another machine has."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from mnistlab.data import MNIST, ImageData
from mnistlab.errors import LabError
from mnistlab.options.classes import find_class
from mnistlab.options.trust import may_name
from mnistlab.options.written import Source, Written
from mnistlab.training.found import Found
from mnistlab.training.invocation import Invocation


def here(found: Found | None, invocation: Invocation) -> Found | None:
    """The same without places that only another machine has."""
    if found is None or found.checkpoint is None:
        return found
    said = [*invocation.vouching.files, *invocation.typed]
    return replace(found, layer=without_places_elsewhere(found.layer, invocation.trusted, said))


def without_places_elsewhere(
    written: Sequence[Written], allowed: frozenset[str], said: Sequence[Written] = ()
) -> list[Written]:
    """Leave out where data are that only another machine has: the default counts, and nothing is fetched into that.

    Args:
        written: What a checkpoint or a run says.
        allowed: The packages that it may name besides those that are trusted.
        said: What the user says, who may have chosen another data set for the same options.
    """
    options = {entry.key[1]: entry.value for entry in written if entry.key[:1] == ("data",) and len(entry.key) == 2}  # noqa: PLR2004
    absent = {("data", name) for cls in _data_sets([*written, *said], allowed) for name in cls.not_here(options)}
    return [entry for entry in written if entry.key not in absent]


def _data_sets(written: Sequence[Written], allowed: frozenset[str]) -> list[type[ImageData]]:
    """The data sets that are named and may be imported, else MNIST; what is wrong with one is told where it counts."""
    found: list[type[ImageData]] = []
    for entry in written:
        if entry.key == ("data",) and (entry.source is not Source.CHECKPOINT or may_name(str(entry.value), allowed)):
            with suppress(LabError):
                cls = find_class(str(entry.value), (ImageData,), entry.where)
                found += [cls] if cls is not None and issubclass(cls, ImageData) else []
    return found or [MNIST]
