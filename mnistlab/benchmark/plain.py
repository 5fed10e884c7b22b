"""Training as one writes it by hand for one net: nothing is counted, shown or kept."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW

from mnistlab.benchmark.clock import now
from mnistlab.data import ImageData


@dataclass(frozen=True)
class Images:
    """A set in memory, divided."""

    train: Tensor  # (n, channels, height, width) uint8
    train_target: Tensor  # (n,) int64
    val: Tensor  # (m, channels, height, width) uint8
    val_target: Tensor  # (m,) int64
    mean: float  # of the training pixels, from 0 to 1
    std: float  # their standard deviation

    def normalized(self, images: Tensor) -> Tensor:
        """uint8 images to float32 with mean 0 and standard deviation 1."""
        return images.float().mul_(1 / (255 * self.std)).sub_(self.mean / self.std)

    def to(self, device: torch.device) -> Self:
        """The same set on a device."""
        tensors = {name: getattr(self, name).to(device) for name in ("train", "train_target", "val", "val_target")}
        return replace(self, **tensors)


class PlainLoop:
    """The floor: whole batches by index, fused AdamW, and no more; on a GPU where there is one.

    Args:
        net: The net.
        images: The set.
        batch_size: Images in a batch.
    """

    def __init__(self, net: nn.Module, images: Images, batch_size: int) -> None:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._net = net.to(device)
        self._images = images.to(device)
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
    def validate(self, batch_size: int, most: int) -> float:
        """Count what is right in the validation images, `most` of them at most; the seconds."""
        data = self._images
        self._net.eval()
        begin = now()
        correct = torch.zeros((), dtype=torch.int64, device=data.val.device)
        images, target = data.val[:most].split(batch_size), data.val_target[:most].split(batch_size)
        for some, wanted in zip(images, target, strict=True):
            correct += (self._net(data.normalized(some)).argmax(dim=1) == wanted).sum()
        correct.item()
        return now() - begin


def in_memory(data: ImageData) -> Images:
    """The training and the validation images of a data set, as `fit` divides them."""
    data.prepare_data()
    data.setup("fit")
    train, val = data.train_dataloader(), data.val_dataloader()
    (pictures, targets), (held, held_targets) = [list(zip(*loader, strict=True)) for loader in (train, val)]
    name = next(iter(targets[0]))
    assert data.mean is not None
    assert data.std is not None
    return Images(
        torch.cat(pictures),
        torch.cat([target[name] for target in targets]),
        torch.cat(held),
        torch.cat([target[name] for target in held_targets]),
        data.mean,
        data.std,
    )
