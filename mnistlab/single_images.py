"""Which nets cannot be trained on one image at a time: batch normalization needs two values of each channel."""

from copy import deepcopy

import torch
from torch import Tensor, nn

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_TORCH_SAYS = "more than 1 value per channel"
_SIDE = 28


def learns_from_single_images(net: nn.Module) -> bool:
    """Whether a net can be trained on batches of one image; tried on a copy where there is reason to doubt it.

    Over a map, batch normalization has many values of a channel even in one image; parts that are frozen normalize
    nothing. What else a net may refuse is not judged here.

    Args:
        net: A net in the mode in which it is trained.
    """
    if not any(isinstance(module, _NORMS) and module.training for module in net.modules()):
        return True
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            deepcopy(net)(_image(net))
        except ValueError as error:
            return _TORCH_SAYS not in str(error)
        except RuntimeError:  # it takes images of another shape, which only a batch can show
            return True
    return True


def _image(net: nn.Module) -> Tensor:
    """One image, as far as the first layer says what that is."""
    first = next((module for module in net.modules() if isinstance(module, nn.Conv2d | nn.Linear)), None)
    if isinstance(first, nn.Linear):
        return torch.zeros(1, 1, 1, first.in_features, dtype=first.weight.dtype)
    channels, dtype = (1, None) if first is None else (first.in_channels, first.weight.dtype)
    return torch.zeros(1, channels, _SIDE, _SIDE, dtype=dtype)
