"""What this process is for: one that only measures needs no Lightning, which takes longer to import than torch."""

import gc
import sys

from mnistlab.system.later import import_later


class Purpose:
    """What is known of this process; it is decided once, before torch is imported."""

    runs_one_command = False  # and then ends: it is the program, and nobody's notebook
    begun: float | None = None  # when its command was called, by the monotonic clock
    only_measures = False  # nothing is trained in it: models and data sets are derived from light classes


def be_the_program() -> None:
    """Let this process import as one that runs a command and ends, or does the jobs of one."""
    gc.set_threshold(50_000, 20)  # or a fifth of the time that torch is imported in goes into looking for garbage
    Purpose.runs_one_command = True
    import_later()


def only_measure() -> None:
    """Let this process do without Lightning, unless it is there already or something else may come."""
    if Purpose.runs_one_command and "lightning" not in sys.modules:
        Purpose.only_measures = True
