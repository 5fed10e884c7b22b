"""What this process is for: one that only measures needs no Lightning, which takes longer to import than torch."""

import sys


class Purpose:
    """What is known of this process; it is decided once, before models and data sets are imported."""

    runs_one_command = False  # and then ends: it is the program, and nobody's notebook
    only_measures = False  # nothing is trained in it: models and data sets are derived from light classes


def only_measure() -> None:
    """Let this process do without Lightning, unless it is there already or something else may come."""
    if Purpose.runs_one_command and "lightning" not in sys.modules:
        Purpose.only_measures = True
