"""One image through a net, before any work: what would fail in the first batch is found out here."""

from copy import deepcopy

import torch
from torch import nn

_TORCH_SAYS = "more than 1 value per channel"


def refusal(net: nn.Module, shape: tuple[int, int, int]) -> str | None:
    """Why a net does not take images of a shape, in torch's words; None where it does.

    Args:
        net: The net, which is left as it is.
        shape: Channels, height and width.
    """
    error = _tried(deepcopy(net).eval(), shape)
    return None if error is None else str(error).splitlines()[0]


def learns_from_single_images(net: nn.Module, shape: tuple[int, int, int]) -> bool:
    """Whether a net can be trained on batches of one image: batch normalization needs two values of each channel.

    Over a map it has many of them even in one image; parts that are frozen normalize nothing.

    Args:
        net: A net in the mode in which it is trained; it is left as it is.
        shape: Channels, height and width.
    """
    return _TORCH_SAYS not in str(_tried(deepcopy(net), shape))


def _tried(net: nn.Module, shape: tuple[int, int, int]) -> Exception | None:
    device = next((parameter.device for parameter in net.parameters()), torch.device("cpu"))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            net(torch.zeros(1, *shape, device=device))
        except (RuntimeError, ValueError) as error:
            return error
    return None
