"""What happens beside the training steps, one idea per file."""

from mnistlab.callbacks.random_state import RandomState

__all__ = ["RandomState"]
