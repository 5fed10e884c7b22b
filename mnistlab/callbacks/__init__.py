"""What happens beside the training steps, one idea per file.

Lightning asks each callback six times a step, and each of them costs a hundredth of a small net's step: the lab adds
few, and none that has nothing to do.
"""

from mnistlab.callbacks.answering import Answering
from mnistlab.callbacks.continuity import Continuity
from mnistlab.callbacks.epoch_bar import EpochBar
from mnistlab.callbacks.unfreeze import Unfreeze

__all__ = ["Answering", "Continuity", "EpochBar", "Unfreeze"]
