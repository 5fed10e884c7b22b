"""One image through a net, before any work: what would fail in the first batch is found out here."""

from copy import deepcopy

import torch
from torch import Tensor, nn

_TORCH_SAYS = "more than 1 value per channel"


def try_image(net: nn.Module, shape: tuple[int, int, int]) -> Tensor | dict[str, Tensor]:
    """What a net, which is left as it is, makes of an image with so many channels, rows and columns.

    Raises:
        RuntimeError: If it does not take such images; or ValueError, as torch says it.
    """
    return _tried(deepcopy(net).eval(), shape)


def learns_from_single_images(net: nn.Module, shape: tuple[int, int, int]) -> bool:
    """Whether a net can be trained on batches of one image: batch normalization needs two values of each channel.

    Over a map it has many of them even in one image; parts that are frozen normalize nothing. The net is in the mode in
    which it is trained, and is left as it is.
    """
    try:
        _tried(deepcopy(net), shape)
    except (RuntimeError, ValueError) as error:
        return _TORCH_SAYS not in str(error)
    return True


def _tried(net: nn.Module, shape: tuple[int, int, int]) -> Tensor | dict[str, Tensor]:
    device = next((parameter.device for parameter in net.parameters()), torch.device("cpu"))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        output: Tensor | dict[str, Tensor] = net(torch.zeros(1, *shape, device=device))
    return output
