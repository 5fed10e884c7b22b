"""What happens beside the training steps, one idea per file; profilers too.

Those that have nothing to do at a step derive from `Epochwise`, so that they cost nothing there.
"""

from mnistlab.callbacks.answering import Answering
from mnistlab.callbacks.budget import Budget
from mnistlab.callbacks.continuity import Continuity
from mnistlab.callbacks.epoch_bar import EpochBar, EpochLines
from mnistlab.callbacks.pace import Pace
from mnistlab.callbacks.profiling import NoProfiler, TimeTable
from mnistlab.callbacks.unfreeze import Unfreeze

__all__ = [
    "Answering",
    "Budget",
    "Continuity",
    "EpochBar",
    "EpochLines",
    "NoProfiler",
    "Pace",
    "TimeTable",
    "Unfreeze",
]
