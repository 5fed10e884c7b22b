"""What times the runs, and the two that fit is measured against."""

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from support import quiet_trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from mnistlab import SDN8K, SyntheticDigits
from mnistlab.benchmark import template
from mnistlab.benchmark.clock import Clock
from mnistlab.benchmark.plain import Images, PlainLoop, in_memory
from mnistlab.classifier import Classifier


@pytest.fixture(scope="module")
def images() -> Images:
    """A small set."""
    return in_memory(SyntheticDigits(train_size=3_000, test_size=100, val_size=500))


def right(net: nn.Module, images: Images) -> float:
    """The share of the validation images that a net knows."""
    net.eval()
    with torch.inference_mode():
        return float((net(images.normalized(images.val)).argmax(1) == images.val_target).float().mean())


def test_the_plain_loop_learns(images: Images) -> None:
    """What is not trained is no floor."""
    net = SDN8K().net
    loop = PlainLoop(net, images, 32)
    assert right(net, images) < 0.3

    seconds = [loop.epoch(10_000) for _ in range(8)]

    assert min(seconds) > 0
    assert right(net, images) > 0.8
    assert loop.validate(256, 500) > 0


def test_the_template_learns_and_is_timed(images: Images, tmp_path: Path) -> None:
    """It makes the same steps, of as many images, as the others."""
    net = SDN8K().net

    clock = template.train(net, 10, images, 32, 80, 16, str(tmp_path))

    assert len(clock.steps) == len(clock.validations) == len(clock.closings) == 2
    assert right(net, images) > 0.5  # the last digits differ from processor to processor


def test_the_template_gives_the_images_that_the_loop_gives(images: Images) -> None:
    """One by one, to the last digit that matters."""
    data = template.ImageByImage(images.train, images.train_target, images.mean, images.std)

    for row in (0, 17, len(data) - 1):
        image, target = data[row]
        torch.testing.assert_close(image, images.normalized(images.train[row]))
        assert target == images.train_target[row]


class Waiting(LightningModule):
    """Waits a moment for a step, longer for a validation, longer still at an epoch's end."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        """0.01 s."""
        del batch, batch_idx
        time.sleep(0.01)
        return self.weight.sum()

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        """0.1 s."""
        del batch, batch_idx
        time.sleep(0.1)

    def on_train_epoch_end(self) -> None:
        """0.2 s."""
        time.sleep(0.2)

    def configure_optimizers(self) -> Any:
        """Any."""
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_the_clock_tells_steps_validation_and_the_rest_apart(tmp_path: Path) -> None:
    """Each is at least what was waited; and what is left over from a part of the steps is known."""
    clock = Clock()
    four, one = (DataLoader(TensorDataset(torch.zeros(count, 1))) for count in (4, 1))
    trainer: Trainer = quiet_trainer(tmp_path, max_epochs=3, callbacks=[clock])

    trainer.fit(Waiting(), four, one)

    assert len(clock.steps) == len(clock.validations) == len(clock.closings) == 3
    assert min(clock.steps) >= 0.04
    assert min(clock.validations) >= 0.1
    assert min(clock.closings) >= 0.2
    for whole, half, steps in zip(clock.epochs(), clock.epochs(0.5), clock.steps, strict=True):
        assert half - whole == pytest.approx(steps)


def test_what_is_timed_between_epochs_belongs_to_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands beside them."""

    def slow() -> float:
        time.sleep(0.5)
        return 0.5

    monkeypatch.setattr(Clock, "between", slow)
    clock = Clock()
    one = DataLoader(TensorDataset(torch.zeros(1, 1)))

    quiet_trainer(tmp_path, max_epochs=2, callbacks=[clock]).fit(Waiting(), one, one)

    assert clock.beside == [0.5, 0.5]
    assert max(*clock.steps, *clock.validations, *clock.closings) < 0.5


def test_the_plain_loop_makes_the_steps_of_fit(images: Images, tmp_path: Path) -> None:
    """As many, of as many images: otherwise no ratio means anything."""
    seen: list[int] = []

    class Counting(SDN8K):
        name = "counting"

        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            seen.append(len(batch[0]))
            return super().training_step(batch, batch_idx)

    data = SyntheticDigits(train_size=3_000, test_size=100, val_size=500, batch_size=128)
    model: Classifier = Counting()
    quiet_trainer(tmp_path).fit(model, datamodule=data)
    ours = list(seen)

    plain: list[int] = []
    net = SDN8K().net
    net.register_forward_pre_hook(lambda _, given: plain.append(len(given[0])))
    PlainLoop(net, images, 128).epoch(len(ours))

    assert plain == ours
