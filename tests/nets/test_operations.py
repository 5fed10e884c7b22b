"""Multiply-adds, counted once more by another counter, which looks at other calls."""

import re
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torchvision.models import mobilenet_v3_small, shufflenet_v2_x0_5

from mnistlab import Classifier, ViT210K, Wrapped, config
from mnistlab.nets.operations import multiply_adds
from mnistlab.options.classes import candidates

GREY = (1, 28, 28)
MODELS = sorted(
    (
        entry
        for (entry,) in candidates((Classifier,)).values()
        if entry.__module__.startswith("mnistlab.models.") and "parameters" in (entry.__doc__ or "").partition("\n")[0]
    ),
    key=lambda cls: int("".join(re.findall(r"([\d,]+) parameters", cls.__doc__ or "")[:1]).replace(",", "")),
)
"""Those that say how many parameters they have, the smallest first."""

SMALLEST = list({cls.__module__: cls for cls in reversed(MODELS)}.values())
"""Of each family the one with the fewest."""


class Counter(TorchFunctionMode):
    """Counts by the shapes that functions of torch are called with, where torch's own looks at kernels below them."""

    def __init__(self) -> None:
        super().__init__()
        self.total: int = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call it, and count."""
        del types
        result = func(*args, **(kwargs or {}))
        if func is F.linear:
            self.total += result.numel() * args[0].shape[-1]
        elif func is F.conv2d or func is torch.conv2d:
            self.total += result.numel() * prod(args[1].shape[1:])
        elif func is F.scaled_dot_product_attention:
            query, key, value = args
            self.total += query.shape[:-1].numel() * key.shape[-2] * (query.shape[-1] + value.shape[-1])
        elif func is torch.addmm:
            self.total += result.numel() * args[1].shape[-1]
        elif func in (torch.matmul, Tensor.matmul, Tensor.__matmul__):
            self.total += result.numel() * args[0].shape[-1]
        return result


def counted_otherwise(net: nn.Module, shape: tuple[int, int, int] = GREY) -> int:
    """What the other counter says."""
    with torch.no_grad(), Counter() as counter:
        net.eval()(torch.zeros(1, *shape))
    assert isinstance(counter.total, int)
    return counter.total


@pytest.mark.parametrize("model", SMALLEST)
def test_both_counters_agree_on_every_family(model: type[Any]) -> None:
    """To the unit: products of linear layers, convolutions with the part of a kernel that is used, and attention."""
    net = model().net

    assert multiply_adds(net, GREY) == counted_otherwise(net) > 0


@pytest.mark.slow
@pytest.mark.parametrize("model", [model for model in MODELS if model not in SMALLEST])
def test_both_counters_agree_on_every_size(model: type[Any]) -> None:
    """The large ones too."""
    net = model().net

    assert multiply_adds(net, GREY) == counted_otherwise(net)


@pytest.mark.parametrize("made", [mobilenet_v3_small, shufflenet_v2_x0_5])
def test_nets_of_others_are_counted_too(made: Callable[[], nn.Module]) -> None:
    """On images of another size and in colour."""
    net = Wrapped(config(made), in_channels=3).net

    assert multiply_adds(net, (3, 40, 36)) == counted_otherwise(net, (3, 40, 36))


def test_a_linear_layer_is_counted_by_hand() -> None:
    """Its constants are not counted."""
    assert multiply_adds(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), GREY) == 7_840


def test_attention_is_counted_by_hand() -> None:
    """Of a CPU's kernel, which torch's counter does not know: 8 blocks of a class token and 49 patches."""
    net = ViT210K().net
    without = multiply_adds(net, GREY)
    queries = [50] * 5 + [1]  # of the last block only the class token is worked out

    class Nothing(nn.Module):
        """No attention at all."""

        def forward(self, x: Tensor, wanted: int | None = None) -> Tensor:
            """What is looked at."""
            return x[:, :wanted]

    products = sum(2 * 64 * 50 * count for count in queries)
    layers = sum(64 * 64 * (2 * count + 2 * 50) for count in queries)
    for block in net.backbone.children():
        if hasattr(block, "attention"):
            block.attention = Nothing()
    assert without - multiply_adds(net, GREY) == products + layers


def test_a_net_is_left_as_it_is() -> None:
    """Also the mode in which it is trained."""
    net = nn.Sequential(nn.Conv2d(1, 2, 3), norm := nn.BatchNorm2d(2)).train()
    multiply_adds(net, GREY)

    assert net.training
    assert norm.num_batches_tracked == torch.tensor(0)
