"""What every model keeps to; a new one is found here by itself."""

from pathlib import Path
from typing import Any

import pytest
import torch
from support import quiet_trainer
from torch import Tensor
from torch.nn import functional as F

from mnistlab import Classifier, LargeModel, MediumModel, ResidualMLP, SmallModel, SyntheticDigits, TinyModel
from mnistlab.options.classes import candidates

MODELS: list[type[Any]] = [
    cls for (cls,) in candidates((Classifier,)).values() if cls.__module__.startswith("mnistlab.")
]

COUNTS = {TinyModel: 135_562, SmallModel: 469_258, MediumModel: 2_517_514, LargeModel: 17_642_506}


def images(size: int) -> Tensor:
    """Noise in the shape of images, always the same."""
    return torch.randn(size, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("model", "count"), COUNTS.items())
def test_a_size_has_exactly_the_parameters_that_it_states(model: type[Any], count: int) -> None:
    """To the unit, and its docstring says the same."""
    assert sum(parameter.numel() for parameter in model().parameters()) == count
    assert f"{count:,} parameters" in (model.__doc__ or "")


def test_sizes_differ_in_numbers_only() -> None:
    """What a size does not pin is that of the family."""
    assert {cls.__mro__[1] for cls in COUNTS} == {ResidualMLP}
    assert all("forward" not in vars(cls) for cls in COUNTS)


@pytest.mark.parametrize("model", MODELS)
def test_logits_have_a_row_for_each_image_and_a_column_for_each_class(model: type[Any]) -> None:
    """Also for another number of classes."""
    assert model()(images(3)).shape == (3, 10)
    assert model(num_classes=47)(images(3)).shape == (3, 47)


@pytest.mark.parametrize("model", MODELS)
def test_several_heads_have_logits_of_their_own(model: type[Any]) -> None:
    """A mapping of names to numbers of classes makes one head each."""
    logits = model(num_classes={"digit": 10, "loops": 3})(images(2))

    assert {head: value.shape for head, value in logits.items()} == {"digit": (2, 10), "loops": (2, 3)}


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_has_a_finite_gradient(model: type[Any]) -> None:
    """None is left out of the graph."""
    net = model()
    F.cross_entropy(net(images(8)), torch.arange(8)).backward()

    gradients = {name: parameter.grad for name, parameter in net.named_parameters()}
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())


@pytest.mark.parametrize("model", [model for model in MODELS if model is not LargeModel])
def test_one_batch_can_be_learnt_by_heart(model: type[Any]) -> None:
    """Without dropout, noise with random labels is fitted in a few steps."""
    torch.manual_seed(0)
    net, batch, target = model(dropout=0.0), images(32), torch.arange(32) % 10
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(batch), target)
        loss.backward()
        optimizer.step()

    assert loss < 0.05
    assert (net(batch).argmax(dim=1) == target).all()


@pytest.mark.parametrize("model", MODELS)
def test_names_are_unique(model: type[Any]) -> None:
    """A run's folder has its name."""
    assert [other.name for other in MODELS].count(model.name) == 1


@pytest.mark.parametrize("model", [model for model in MODELS if model is not LargeModel])
def test_a_checkpoint_gives_back_the_same_model(model: type[Any], tmp_path: Path) -> None:
    """Built in Python, trained by Lightning, loaded in a notebook: the same logits to the bit."""
    net = model()
    trainer = quiet_trainer(tmp_path, limit_train_batches=2, limit_val_batches=0)
    trainer.fit(net, datamodule=SyntheticDigits(train_size=600, test_size=200, val_size=100))
    trainer.save_checkpoint(tmp_path / "model.ckpt")

    again = model.load_from_checkpoint(tmp_path / "model.ckpt")

    assert torch.equal(again.eval()(images(4)), net.eval()(images(4)))


@pytest.mark.parametrize("model", MODELS)
def test_a_net_is_plain_torch(model: type[Any]) -> None:
    """It runs without Lightning, and no configuration object is in it."""
    net = model().net

    assert not any(type(module).__module__.startswith("lightning") for module in net.modules())
    assert net(images(2)).shape == (2, 10)
