"""Stochastic depth: branches left out by chance."""

from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """Leaves a branch out for some of the images of a batch in training, and makes up for it in the others.

    Source: Huang et al. (2016), arXiv:1603.09382; numbers are drawn as torchvision draws them.

    Shape: (batch, ...) -> the same.

    Args:
        p: Probability of leaving out the branch, drawn for each image.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, branch: Tensor) -> Tensor:
        """Multiply each image's branch by 0 or 1 / (1 - p)."""
        if not self.training or self.p == 0:
            return branch
        kept = branch.new_empty(len(branch), *[1] * (branch.ndim - 1)).bernoulli_(1 - self.p)
        return branch * (kept / (1 - self.p) if self.p < 1 else kept)

    def extra_repr(self) -> str:
        """What it is shown with."""
        return f"p={self.p}"
