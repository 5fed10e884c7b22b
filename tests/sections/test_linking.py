"""The data and the model of a configuration know of each other."""

import subprocess
import sys

_NEEDY = """
from mnistlab import SyntheticDigits
from mnistlab.data import LabelScheme

class NeedyData(SyntheticDigits):
    def __init__(self, path: str, **kwargs) -> None:
        super().__init__(**kwargs)

class NeedyLabels(LabelScheme):
    def __init__(self, path: str) -> None:
        self.heads = {"thickness": 5}

import mnistlab.data
for cls in (NeedyData, NeedyLabels):
    cls.__module__ = "mnistlab.data"
    setattr(mnistlab.data, cls.__name__, cls)

from mnistlab import main

main(["fit", "--model=MultiheadCNN422K", "--data=SyntheticDigits", "--print_config"])
"""


def test_a_class_of_ours_that_needs_options_is_passed_over() -> None:
    """What there is with some labels is told of the others; so it is in tables, which have a test of their own."""
    done = subprocess.run([sys.executable, "-c", _NEEDY], capture_output=True, text=True, timeout=120, check=True)

    assert "Use --data=" in done.stderr
    assert "Needy" not in done.stderr
