"""A net that was given from Python, found again: in the session that has given it, or in the file that it has kept."""

from copy import deepcopy
from pathlib import Path

from torch import nn

from mnistlab.checkpoints.modules import read_module
from mnistlab.options.trust import vouched_for

_given: dict[Path, nn.Module] = {}


def remember(path: Path, net: nn.Module) -> None:
    """Keep a net as it is now for as long as this process lives.

    Args:
        path: What it is called in a configuration.
        net: The net, which may go on to change.
    """
    _given[path] = deepcopy(net)


class GivenNet(nn.Module):
    """A net that was given from Python, with the weights that it had then: made, it is that net and none of this class.

    A class and no function: of what a checkpoint may name here it is all there is.

    Args:
        path: Where it was kept.

    Raises:
        LabError: If this process does not have it, and neither has the file.
    """

    abstract = True  # nobody derives from it

    def __new__(cls, path: str) -> nn.Module:  # type: ignore[misc] # see above
        """The net."""
        there = Path(path)
        return deepcopy(_given[there]) if there in _given else read_module(there, vouched_for())

    def __init__(self, path: str) -> None:  # says the options; never called
        super().__init__()
        self.path = path
