"""Help and completion: what there is, shown from the catalogue without torch."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnistlab.catalogue import Catalogue


@cache
def known_catalogue() -> "Catalogue":
    """The catalogue, which is read once while somebody types."""
    from mnistlab.catalogue import load_catalogue  # noqa: PLC0415 - not for the overview

    return load_catalogue()
