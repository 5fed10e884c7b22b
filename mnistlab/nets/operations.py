"""How much a net computes for an image."""

import torch
from torch import Size, nn

from mnistlab.nets.probe import try_image


def multiply_adds(net: nn.Module, shape: tuple[int, int, int]) -> int:
    """The multiply-adds of products and convolutions that a net does for one image, which is left as it is.

    Half of what torch's counter of operations says: constants, activations, normalization and pooling are not counted,
    as is usual. On a CPU that counter misses attention, which is added here.

    Args:
        net: The net.
        shape: Channels, height and width of an image.

    Raises:
        RuntimeError: If it does not take such images; or ValueError, as torch says it.
    """
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415 - brings sympy in

    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001 - how torch calls it
    with FlopCounterMode(display=False, custom_mapping={fused: _attention}) as counter:
        try_image(net, shape)
    return int(counter.get_total_flops()) // 2


def _attention(query: Size, key: Size, value: Size, *_: object, **__: object) -> int:
    """The operations of both products: each query meets each key, and takes its share of each value."""
    *batch, queries, size = query
    return 2 * torch.Size(batch).numel() * queries * key[-2] * (size + value[-1])
