"""Optimizers and schedules: tried before any work, fused where they can be."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from support import quiet_trainer
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from mnistlab import SyntheticDigits, TinyModel


def optimizer_of(tmp_path: Path, **options: Any) -> Optimizer:
    """The optimizer that a model is trained with."""
    trainer = quiet_trainer(tmp_path, limit_train_batches=1, limit_val_batches=0)
    trainer.fit(TinyModel(**options), datamodule=SyntheticDigits(train_size=600, test_size=200, val_size=100))
    return trainer.optimizers[0]


@pytest.mark.parametrize("optimizer", [AdamW, Adam, SGD, partial(SGD, lr=0.1, momentum=0.9)])
def test_an_optimizer_is_fused_where_it_can_be(tmp_path: Path, optimizer: Any) -> None:
    """Nothing is to be set for it."""
    assert optimizer_of(tmp_path, optimizer=optimizer).defaults["fused"] is True


@pytest.mark.parametrize("optimizer", [partial(AdamW, fused=False), partial(AdamW, foreach=True)])
def test_what_the_user_decides_about_fusing_stays(tmp_path: Path, optimizer: Any) -> None:
    """An explicit choice is never changed."""
    assert not optimizer_of(tmp_path, optimizer=optimizer).defaults["fused"]


@pytest.mark.parametrize("optimizer", [RMSprop, lambda parameters: AdamW(parameters, lr=0.01)])
def test_an_optimizer_that_cannot_be_fused_is_used_as_it_is(tmp_path: Path, optimizer: Any) -> None:
    """One without such a kernel, and a function that takes nothing but the parameters."""
    assert not optimizer_of(tmp_path, optimizer=optimizer).defaults.get("fused")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": partial(SGD, lr=-3.0)}, "the optimizer cannot be used: Invalid learning rate: -3"),
        ({"optimizer": torch.optim.SparseAdam}, "the optimizer cannot be used: SparseAdam does not support dense"),
        ({"scheduler": torch.optim.lr_scheduler.StepLR}, "the scheduler cannot be used: .*step_size"),
        ({"loss": partial(torch.nn.CrossEntropyLoss, label_smoothing=2.0)}, "label_smoothing must be between"),
    ],
)
def test_a_refusal_comes_when_the_model_is_built(options: dict[str, Any], message: str) -> None:
    """It says which part, and what that part says."""
    with pytest.raises(ValueError, match=message):
        TinyModel(**options)


def test_trying_leaves_the_random_numbers_alone() -> None:
    """The weights of a model depend on its seed and on nothing that is tried."""
    torch.manual_seed(0)
    plain = TinyModel(optimizer=SGD, scheduler=None)
    torch.manual_seed(0)
    other = TinyModel(optimizer=AdamW)

    assert all(torch.equal(one, two) for one, two in zip(plain.parameters(), other.parameters(), strict=True))
