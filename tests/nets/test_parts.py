"""Nets put together from a backbone and heads, those of the lab and those of a user."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from support import quiet_trainer
from torch import Tensor, nn

from mnistlab import (
    SDN8K,
    Assembled,
    Backbone,
    ConvNeXt18K,
    Head,
    SimpleDenseNet,
    SyntheticDigits,
    TinyModel,
    ViT38K,
    main,
)
from mnistlab.errors import LabError
from mnistlab.models.cnn import CNNBackbone
from mnistlab.models.convnext import ConvNeXtBackbone
from mnistlab.models.dense import DenseBackbone
from mnistlab.models.efficientnet import EfficientNetBackbone
from mnistlab.models.mlp import ResidualMLPBackbone
from mnistlab.models.vit import ViTBackbone
from mnistlab.nets import LinearHead, MLPHead, Net

BACKBONES: list[Backbone] = [
    ResidualMLPBackbone(),
    DenseBackbone(),
    CNNBackbone(),
    EfficientNetBackbone(width=0.002, depth=0.3),
    ViTBackbone(),
    ConvNeXtBackbone(),
]

PARTS = '''
"""Parts of a user."""
from torch import Tensor, nn
from mnistlab import Backbone, Head
from mnistlab.options.numbers import PositiveInt

class {stem}Backbone(Backbone):
    """One convolution.

    Args:
        channels: Of the convolution.
    """

    def __init__(self, channels: PositiveInt = 4) -> None:
        stages = {{"conv": nn.Conv2d(1, channels, 3), "pool": nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten())}}
        super().__init__(16 * channels, stages)

class {stem}Head(Head):
    """One linear layer, scaled.

    Args:
        scale: What the logits are multiplied by.
    """

    def __init__(self, in_features: int, num_classes: int, scale: float = 1.0) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, num_classes)
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        return self.scale * self.linear(features)
'''


class Stripes(Backbone):
    """The mean of each row: a user's own backbone."""

    def __init__(self, rows: int = 28) -> None:
        super().__init__(rows, {"mean": RowMean(), "norm": nn.LayerNorm(rows)})


class RowMean(nn.Module):
    """(batch, 1, rows, columns) -> (batch, rows)."""

    def forward(self, images: Tensor) -> Tensor:
        """Forget where in its row a pixel is."""
        return images.mean(dim=(1, 3))


class Cosine(Head):
    """Logits from directions alone: a user's own head."""

    def __init__(self, in_features: int, num_classes: int, scale: float = 10.0) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(num_classes, in_features))
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        """Compare with each direction."""
        return self.scale * torch.cosine_similarity(features[:, None], self.directions, dim=2)


def images(size: int = 2) -> Tensor:
    """Noise."""
    return torch.randn(size, 1, 28, 28)


@pytest.mark.parametrize("backbone", BACKBONES, ids=lambda backbone: type(backbone).__name__)
def test_the_last_stage_gives_what_the_backbone_gives(backbone: Backbone) -> None:
    """Stages have names, each is fed with what the one before gives, and the last gives `num_features` values."""
    backbone.eval()
    batch = images()

    features = backbone.features(batch)

    assert list(features) == [name for name, _ in backbone.named_children()]
    assert all(name.isidentifier() for name in features)
    assert torch.equal(list(features.values())[-1], backbone(batch))
    assert backbone(batch).shape == (2, backbone.num_features)
    inputs = [batch, *features.values()]
    for before, (name, after) in zip(inputs, features.items(), strict=False):
        assert torch.equal(backbone.get_submodule(name)(before), after)


@pytest.mark.parametrize("model", [TinyModel, ViT38K, ConvNeXt18K])
def test_a_model_shows_the_features_that_its_head_sees(model: Callable[[], Assembled]) -> None:
    """Of its stages by name; the head makes the logits of the last."""
    net, batch = model().eval(), images()
    *_, last = net.features(batch).values()

    assert torch.equal(net.net.heads["label"](last), net(batch))


def test_features_lead_back_to_the_weights() -> None:
    """They are no copies: a loss on inner features trains the stages before."""
    net = SDN8K()
    net.features(images(4))["lin2"].square().mean().backward()

    stages = {name: stage for name, stage in net.net.backbone.named_children() if name.startswith("lin")}
    trained = {name for name, stage in stages.items() if all(p.grad is not None for p in stage.parameters())}
    assert trained == {"lin1", "lin2"}


def test_one_head_gives_a_tensor_and_several_give_one_each() -> None:
    """Each head is the net of its label alone, on the same features."""
    backbone, batch = CNNBackbone(2, 2, 8).eval(), images()
    one = Net(backbone, {"digit": 10})
    several = Net(backbone, {"digit": 10, "loops": 3})
    one.heads["digit"].load_state_dict(several.heads["digit"].state_dict())

    logits = several(batch)

    assert list(logits) == ["digit", "loops"]
    assert torch.equal(one(batch), logits["digit"])
    assert logits["loops"].shape == (2, 3)
    assert len({id(head) for head in several.heads.values()}) == 2


def test_several_heads_compile_and_are_exported() -> None:
    """A mapping of logits is no obstacle."""
    net, batch = Net(CNNBackbone(2, 2, 8), {"digit": 10, "loops": 3}).eval(), images()
    expected = net(batch)

    compiled = torch.compile(net, backend="aot_eager", fullgraph=True)(batch)
    exported = torch.export.export(net, (batch,)).module()(batch)

    torch.testing.assert_close(compiled, expected)
    torch.testing.assert_close(exported, expected)


def test_heads_have_the_layers_that_they_say() -> None:
    """Of one linear layer, or with a hidden one of its own for each label."""
    linear, plain, hidden = LinearHead(6, 3), LinearHead(6, 3, bias=False), MLPHead(6, 3, hidden_dim=5, dropout=0.5)

    assert [list(parameter.shape) for parameter in linear.parameters()] == [[3, 6], [3]]
    assert [list(parameter.shape) for parameter in plain.parameters()] == [[3, 6]]
    assert [list(parameter.shape) for parameter in hidden.parameters()] == [[5, 6], [5], [3, 5], [3]]
    assert [module.p for module in hidden.modules() if isinstance(module, nn.Dropout)] == [0.5]
    assert all(head(torch.randn(4, 6)).shape == (4, 3) for head in (linear, plain, hidden))


def test_every_label_has_the_head_that_was_chosen() -> None:
    """With its options, and as many logits as the label has classes."""
    model = SimpleDenseNet(head=partial(MLPHead, hidden_dim=7), num_classes={"digit": 10, "loops": 3})

    heads = model.net.heads
    assert {type(head) for head in heads.values()} == {MLPHead}
    assert [list(parameter.shape) for parameter in heads["digit"].parameters()] == [[7, 256], [7], [10, 7], [10]]
    assert [list(parameter.shape) for parameter in heads["loops"].parameters()] == [[7, 256], [7], [3, 7], [3]]


def test_own_parts_train(tmp_path: Path) -> None:
    """In Python: an own backbone under an own head, with another option than its default."""
    model = Assembled(Stripes(), head=partial(Cosine, scale=3.0))
    before = {name: value.clone() for name, value in model.net.named_parameters()}
    data = SyntheticDigits(train_size=200, test_size=20, val_size=20)

    quiet_trainer(tmp_path, limit_val_batches=0).fit(model, datamodule=data)

    assert list(model.features(images())) == ["mean", "norm"]
    assert model(images()).abs().max() <= 3.0
    assert before.keys() == {"backbone.norm.weight", "backbone.norm.bias", "heads.label.directions"}
    assert not any(torch.equal(value, before[name]) for name, value in model.net.named_parameters())


def test_own_parts_come_back_from_a_checkpoint_when_they_are_given(tmp_path: Path) -> None:
    """Who hands them over trusts them; the logits are the same to the bit."""
    parts: dict[str, Any] = {"backbone": Stripes(), "head": partial(Cosine, scale=3.0)}
    model = Assembled(Stripes(), head=partial(Cosine, scale=3.0))
    trainer = quiet_trainer(tmp_path, limit_val_batches=0)
    trainer.fit(model, datamodule=SyntheticDigits(train_size=200, test_size=20, val_size=20))
    trainer.save_checkpoint(tmp_path / "own.ckpt")

    with pytest.raises(LabError, match="Stripes"):
        Assembled.load_from_checkpoint(tmp_path / "own.ckpt")
    again = Assembled.load_from_checkpoint(tmp_path / "own.ckpt", **parts)

    batch = images(4)
    assert torch.equal(again.eval()(batch), model.eval()(batch))


PARTS_CHOSEN = ("--model=Assembled", "--model.backbone=CNNBackbone", "--model.backbone.conv1_channels=4")


def test_parts_are_chosen_on_the_command_line(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """And the checkpoint says which they were: it is tested without naming them again, to the same accuracy."""
    chosen = (*PARTS_CHOSEN, "--model.head=MLPHead", "--model.head.hidden_dim=9")
    assert main(["fit", *chosen, *small_data, "--trainer.max_epochs=1"]) == 0
    fitted = capsys.readouterr().out

    assert main(["test", "--ckpt_path=last"]) == 0

    (checkpoint,) = here.glob("runs/assembled/*/checkpoints/last.ckpt")
    model = Assembled.load_from_checkpoint(checkpoint)
    tested = capsys.readouterr().out
    assert model.get_parameter("net.backbone.conv1.0.weight").shape[0] == 4
    assert model.get_parameter("net.heads.label.0.weight").shape == (9, 128)
    (accuracy,) = (line.split()[1] for line in tested.splitlines() if "test/acc" in line)
    assert f"acc {accuracy} %" in " ".join(fitted[fitted.index("test  acc") :].split())


def test_own_parts_are_chosen_on_the_command_line(here: Path, small_data: tuple[str, ...]) -> None:
    """From a module in the current folder, with their options; a checkpoint of them asks to be trusted."""
    stem = "Parts" + "".join(part for part in here.name if part.isalnum())
    module = f"module_{stem.lower()}"
    (here / f"{module}.py").write_text(PARTS.format(stem=stem))
    chosen = (
        "--model=Assembled",
        f"--model.backbone={module}.{stem}Backbone",
        "--model.backbone.channels=3",
        f"--model.head={module}.{stem}Head",
        "--model.head.scale=2",
    )
    assert main(["fit", *chosen, *small_data, "--trainer.max_epochs=1", "--run.test=false"]) == 0

    assert main(["test", "--ckpt_path=last"]) == 2
    assert main(["test", "--ckpt_path=last", f"--trust={module}"]) == 0


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--model=Assembled"], ["--model=Assembled", "backbone", "--model.backbone="]),
        (["--model=Assembled", "--model.backbone=CNNBakbone"], ["CNNBakbone", "Did you mean CNNBackbone"]),
        ([*PARTS_CHOSEN, "--model.backbone.conv3_channels=4"], ["conv3_channels", "Did you mean conv", "_channels"]),
        ([*PARTS_CHOSEN, "--model.backbone.fc_size=0"], ["--model.backbone.fc_size=0", "above 0", "got 0"]),
        ([*PARTS_CHOSEN, "--model.head=Linear"], ["--model.head=Linear", "Did you mean LinearHead", "MLPHead"]),
        (["--model=CNN8K", "--model.head.hidden_dim=3"], ["hidden_dim", "LinearHead"]),
    ],
)
def test_parts_that_are_not_there_are_told_with_those_that_are(
    options: list[str], parts: list[str], small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, with the option."""
    assert main(["fit", *options, *small_data]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert all(part in line for part in parts), line
