"""Depthwise convolutions whose kernels are larger than the maps they see."""

from torch import Tensor, nn
from torch.nn import functional as F


class DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel by itself, padded by half its kernel; small maps cost only what they are.

    The edge of a kernel that meets nothing but padding is left out: of 7x7 values 5x5 for a map of 3x3, and one for a
    map of 1x1, where the whole kernel takes thirty times as long on a CPU.

    Shape: (batch, channels, height, width) -> (batch, channels, height / stride, width / stride), rounded up.

    Args:
        channels: Number of channels.
        kernel_size: Rows and columns of the kernel, an odd number.
        stride: Step from place to place.
        bias: Whether a constant is learnt for each channel.
    """

    def __init__(self, channels: int, kernel_size: int, stride: int = 1, *, bias: bool = True) -> None:
        super().__init__(channels, channels, kernel_size, stride, kernel_size // 2, groups=channels, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve with what meets the map."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        rows, columns = (_meeting(size, kernel, stride) for size in x.shape[2:])
        padding = kernel // 2 - rows.start, kernel // 2 - columns.start
        return F.conv2d(x, self.weight[:, :, rows, columns], self.bias, self.stride, padding, groups=len(self.weight))


def _meeting(size: int, kernel: int, stride: int) -> slice:
    """The part of a kernel's side that meets one of `size` places wherever it is laid."""
    padding = kernel // 2
    last = (size - 1) // stride * stride  # where the kernel's middle is at the end
    return slice(max(0, padding - last), min(kernel, size + padding))
