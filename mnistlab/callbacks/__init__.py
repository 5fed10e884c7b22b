"""What happens beside the training steps, one idea per file."""

from mnistlab.callbacks.answering import Answering
from mnistlab.callbacks.epoch_bar import EpochBar
from mnistlab.callbacks.position import Position
from mnistlab.callbacks.random_state import RandomState
from mnistlab.callbacks.unfreeze import Unfreeze

__all__ = ["Answering", "EpochBar", "Position", "RandomState", "Unfreeze"]
