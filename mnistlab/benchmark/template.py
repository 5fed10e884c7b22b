"""Training as templates for Lightning do it: image by image through PIL, metrics logged at each step."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger
from PIL import Image
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset
from torchmetrics import MaxMetric, MeanMetric
from torchmetrics.classification import MulticlassAccuracy
from torchvision import transforms

from mnistlab.benchmark.clock import Clock
from mnistlab.benchmark.plain import Images

Pair = tuple[Tensor, Tensor]


class ImageByImage(Dataset[tuple[Tensor, int]]):
    """What `torchvision.datasets.MNIST` does with a set that it has read.

    Args:
        images: (n, 1, height, width) uint8.
        targets: (n,) int64.
        mean: Of the pixels, from 0 to 1.
        std: Their standard deviation.
        before: What is done to each image first.
    """

    def __init__(
        self,
        images: Tensor,
        targets: Tensor,
        mean: float,
        std: float,
        before: Sequence[Callable[[Any], Any]] = (),
    ) -> None:
        self._images = images[:, 0]
        self._targets = targets
        steps = [*before, transforms.ToTensor(), transforms.Normalize((mean,), (std,))]
        self._transform = transforms.Compose(steps)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image: Tensor = self._transform(Image.fromarray(self._images[index].numpy(), mode="L"))
        return image, int(self._targets[index])


class TemplateData(LightningDataModule):
    """A loader for each split, without workers, which two cores gain nothing by."""

    def __init__(self, images: Images, batch_size: int) -> None:
        super().__init__()
        self._train = ImageByImage(images.train, images.train_target, images.mean, images.std)
        self._val = ImageByImage(images.val, images.val_target, images.mean, images.std)
        self._batch_size = batch_size

    def train_dataloader(self) -> DataLoader[tuple[Tensor, int]]:
        """Shuffled."""
        return DataLoader(self._train, batch_size=self._batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, int]]:
        """In order."""
        return DataLoader(self._val, batch_size=self._batch_size)


class TemplateModule(LightningModule):
    """A net, cross entropy, Adam, and a metric object for each figure.

    Args:
        net: The net.
        num_classes: Its number of classes.
    """

    def __init__(self, net: nn.Module, num_classes: int) -> None:
        super().__init__()
        self.net = net
        self.criterion = nn.CrossEntropyLoss()
        self.train_acc = MulticlassAccuracy(num_classes, average="micro")
        self.val_acc = MulticlassAccuracy(num_classes, average="micro")
        self.train_loss = MeanMetric()
        self.val_loss = MeanMetric()
        self.val_acc_best = MaxMetric()

    def training_step(self, batch: Pair, batch_idx: int) -> Tensor:
        """Loss and accuracy of a batch."""
        loss, preds, targets = self._step(batch)
        self.train_loss(loss)
        self.train_acc(preds, targets)
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True, prog_bar=True)
        self.log("train/acc", self.train_acc, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def validation_step(self, batch: Pair, batch_idx: int) -> None:
        """The same for a batch of validation images."""
        loss, preds, targets = self._step(batch)
        self.val_loss(loss)
        self.val_acc(preds, targets)
        self.log("val/loss", self.val_loss, on_step=False, on_epoch=True, prog_bar=True)
        self.log("val/acc", self.val_acc, on_step=False, on_epoch=True, prog_bar=True)

    def on_validation_epoch_end(self) -> None:
        """The best accuracy so far."""
        self.val_acc_best(self.val_acc.compute())
        self.log("val/acc_best", self.val_acc_best.compute(), sync_dist=True, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """Adam as it comes."""
        return Adam(self.parameters(), lr=1e-3)

    def _step(self, batch: Pair) -> tuple[Tensor, Tensor, Tensor]:
        images, targets = batch
        logits = self.net(images)
        return self.criterion(logits, targets), torch.argmax(logits, dim=1), targets


def train(
    net: nn.Module, num_classes: int, images: Images, batch_size: int, batches: int, val_batches: int, folder: str
) -> Clock:
    """Train for a warm-up epoch and one that counts; the clock that timed them."""
    clock = Clock()
    trainer = Trainer(
        max_epochs=2,
        limit_train_batches=batches,
        limit_val_batches=val_batches,
        num_sanity_val_steps=0,
        default_root_dir=folder,
        logger=CSVLogger(folder),
        callbacks=[ModelCheckpoint(monitor="val/acc", mode="max", save_last=True), TQDMProgressBar(), clock],
        enable_model_summary=False,
    )
    trainer.fit(TemplateModule(net, num_classes), datamodule=TemplateData(images, batch_size))
    return clock
