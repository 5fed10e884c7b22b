"""What this process is for: one that only measures needs no Lightning, which takes longer to import than torch."""

import sys
from typing import ClassVar


class Purpose:
    """Whether nothing is trained in this process: then models and data sets are derived from light classes.

    It is decided once, before these are imported.
    """

    only_measures: ClassVar[bool] = False


def only_measure() -> None:
    """Let this process do without Lightning, unless it is there already."""
    if "lightning" not in sys.modules:
        Purpose.only_measures = True
