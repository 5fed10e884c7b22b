"""Training as one writes it by hand for one net: nothing is counted, shown or kept."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW

from mnistlab.benchmark.clock import now


@dataclass(frozen=True)
class Images:
    """A set in memory, divided.

    Attributes:
        train: (n, channels, height, width) uint8.
        train_target: (n,) int64.
        val: (m, channels, height, width) uint8.
        val_target: (m,) int64.
        mean: Of the training pixels, from 0 to 1.
        std: Their standard deviation.
    """

    train: Tensor
    train_target: Tensor
    val: Tensor
    val_target: Tensor
    mean: float
    std: float

    def normalized(self, images: Tensor) -> Tensor:
        """uint8 images to float32 with mean 0 and standard deviation 1."""
        return images.float().mul_(1 / (255 * self.std)).sub_(self.mean / self.std)


class PlainLoop:
    """The floor: whole batches by index, fused AdamW, and no more.

    Args:
        net: The net, on the device of the images.
        images: The set.
        batch_size: Images in a batch.
    """

    def __init__(self, net: nn.Module, images: Images, batch_size: int) -> None:
        self._net = net
        self._images = images
        self._batch_size = batch_size
        self._optimizer = AdamW(net.parameters(), lr=1e-3, fused=True)

    def epoch(self, batches: int) -> float:
        """Train on so many batches of a new order; the seconds."""
        data = self._images
        self._net.train()
        begin = now()
        order = torch.randperm(len(data.train)).to(data.train.device)
        for rows in order[: batches * self._batch_size].split(self._batch_size):
            self._optimizer.zero_grad()
            F.cross_entropy(self._net(data.normalized(data.train[rows])), data.train_target[rows]).backward()
            self._optimizer.step()
        return now() - begin

    @torch.inference_mode()
    def validate(self, batch_size: int) -> float:
        """Count what is right in the validation images; the seconds."""
        data = self._images
        self._net.eval()
        begin = now()
        correct = torch.zeros((), dtype=torch.int64, device=data.val.device)
        for images, target in zip(data.val.split(batch_size), data.val_target.split(batch_size), strict=True):
            correct += (self._net(data.normalized(images)).argmax(dim=1) == target).sum()
        correct.item()
        return now() - begin
