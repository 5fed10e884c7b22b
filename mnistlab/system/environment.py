"""The variables of the environment that stand for options which would be typed each time."""

import os

from mnistlab.text.addresses import kept_out
from mnistlab.text.nearest import suggestion

RUN_DIR, DATA_DIR, LOGGER = "MNISTLAB_RUN_DIR", "MNISTLAB_DATA_DIR", "MNISTLAB_LOGGER"

OPTIONS = {RUN_DIR: "run.dir", LOGGER: "logger"}
"""What counts where neither a command line nor a configuration says otherwise; `DATA_DIR` is for the data sets."""

_PREFIX = "MNISTLAB_"
_KNOWN = (RUN_DIR, DATA_DIR, LOGGER)
_OWN = ("MNISTLAB_FIRST_PROCESS", "MNISTLAB_TEST_")  # how names begin that nobody sets by hand


def said_by(variable: str) -> str | None:
    """What a variable says; None where it says nothing."""
    value = os.environ.get(variable)
    return kept_out(value) if value else None


def unknown() -> list[str]:
    """A sentence for each variable that is called like one of ours and is none."""
    names = sorted(name for name in os.environ if name.startswith(_PREFIX) and not name.startswith((*_KNOWN, *_OWN)))
    return [f"{name} means nothing.{suggestion(name, _KNOWN)} There are {', '.join(_KNOWN)}." for name in names]
