"""What every model keeps to; a new one is found here by itself."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support import quiet_trainer
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import shufflenet_v2_x0_5

from mnistlab import (
    SDN8K,
    Assembled,
    Classifier,
    ConvNeXt,
    ConvNeXt725K,
    EfficientNet,
    EfficientNet4M,
    EfficientNet7M,
    EfficientNet22K,
    EfficientNet66K,
    LargeModel,
    MultiheadCNN422K,
    SimpleCNN,
    SimpleDenseNet,
    SyntheticDigits,
    TinyModel,
    VisionTransformer,
    ViT821K,
    Wrapped,
    config,
    main,
)
from mnistlab.models.cnn import CNNBackbone
from mnistlab.nets import Dropout, StochasticDepth
from mnistlab.options.classes import candidates

MODELS: list[type[Any]] = [
    cls for (cls,) in candidates((Classifier,)).values() if cls.__module__.startswith("mnistlab.")
]
"""All of them, by name."""

SIZES = [cls for cls in MODELS if cls.__mro__[1] in MODELS and cls.__mro__[1] is not Assembled]
"""Those that pin the numbers of a family."""

NEEDED: dict[type[Any], Callable[[], dict[str, Any]]] = {
    Assembled: lambda: {"backbone": CNNBackbone(4, 8, 32)},
    Wrapped: lambda: {"net": config(shufflenet_v2_x0_5)},
    MultiheadCNN422K: lambda: {"num_classes": 10, "loss_weights": None},  # by itself it has three heads
}
"""The options without which a class is no net of one head."""

STATED: dict[type[Any], int] = {
    cls: int(stated[1].replace(",", ""))
    for cls in MODELS
    if (stated := re.search(r"[;,] ([\d,]+) parameters", (cls.__doc__ or "").partition("\n")[0]))
}
"""The parameters of each class that says their number."""

TRAINED_BY: dict[type[Any], tuple[str, float, float]] = {
    SimpleDenseNet: ("Adam", 1e-3, 0),
    SimpleCNN: ("Adam", 1e-3, 1e-4),
    EfficientNet: ("Adam", 1e-3, 1e-4),
    VisionTransformer: ("AdamW", 1e-3, 1e-2),
    ConvNeXt: ("AdamW", 1e-3, 1e-2),
}
"""Of each family the optimizer, its rate and its weight decay."""

HEAVY = {
    LargeModel, EfficientNet, EfficientNet66K, EfficientNet4M, EfficientNet7M, VisionTransformer, ViT821K, ConvNeXt,
    ConvNeXt725K,
}  # fmt: skip
"""Those that take seconds where a contract takes many steps or traces the net, and have a smaller or an equal one."""

EVERY = [pytest.param(model, marks=[pytest.mark.slow] if model in HEAVY else []) for model in MODELS]

SMALLEST = list({cls.__module__: cls for cls in sorted(STATED, key=lambda cls: STATED[cls], reverse=True)}.values())
"""Of each family the one with the fewest parameters: sizes differ in numbers only, so what is traced is the same."""


def make(cls: type[Any], **options: Any) -> Any:
    """A model of one head, unless the options say otherwise."""
    needed = NEEDED[cls]() if cls in NEEDED else {}
    return cls(**{**needed, **options})


def images(size: int) -> Tensor:
    """Noise in the shape of images, always the same."""
    return torch.randn(size, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def without_dropout(model: nn.Module) -> None:
    """Let every value and every branch through."""
    for module in model.modules():
        if isinstance(module, nn.Dropout | StochasticDepth):
            module.p = 0.0


def loss_and_gradients(net: Callable[[Tensor], Tensor], model: nn.Module) -> list[Tensor]:
    """The loss of four images in training, and its gradient for every parameter; the same draws each time."""
    torch.manual_seed(0)
    model.zero_grad()
    loss = F.cross_entropy(net(images(4)), torch.arange(4))
    loss.backward()
    return [loss.detach(), *(parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None)]


@pytest.mark.parametrize("model", STATED)
def test_a_model_has_exactly_the_parameters_that_it_states(model: type[Any]) -> None:
    """To the unit, in the first line of its docstring."""
    assert sum(parameter.numel() for parameter in model().parameters()) == STATED[model]


@pytest.mark.parametrize("model", SIZES)
def test_sizes_differ_in_numbers_only(model: type[Any]) -> None:
    """A size has a name and other defaults, and says its count; what it does is that of the family."""
    own = {name for name, value in vars(model).items() if callable(value) or hasattr(value, "__get__")}
    stated = re.search(r"; ([\d,]+) parameters", (model.__doc__ or "").partition("\n")[0])

    assert own == {"__init__"}
    assert stated is not None
    assert int(stated[1].replace(",", "")) == sum(parameter.numel() for parameter in model().parameters())


@pytest.mark.parametrize(
    ("model", "family"), [(model, family) for family in TRAINED_BY for model in MODELS if issubclass(model, family)]
)
def test_all_sizes_of_a_family_are_trained_alike_by_default(model: type[Any], family: type[Any]) -> None:
    """With its optimizer, and a schedule that follows the run."""
    defaults = model().recorded().init_args
    options = defaults["optimizer"]["init_args"]

    assert defaults["scheduler"]["class_path"] == "mnistlab.schedules.WarmupCosine"
    trained_by = (defaults["optimizer"]["class_path"].rpartition(".")[2], options["lr"], options["weight_decay"])
    assert trained_by == TRAINED_BY[family]
    assert defaults["scheduler"]["init_args"]["min_lr"] == (1e-5 if trained_by[0] == "AdamW" else 0)


@pytest.mark.parametrize("model", MODELS)
def test_logits_have_a_row_for_each_image_and_a_column_for_each_class(model: type[Any]) -> None:
    """Also for another number of classes."""
    assert make(model)(images(2)).shape == (2, 10)
    assert make(model, num_classes=47)(images(3)).shape == (3, 47)


@pytest.mark.parametrize("model", MODELS)
def test_several_heads_have_logits_of_their_own(model: type[Any]) -> None:
    """A mapping of names to numbers of classes makes one head each."""
    logits = make(model, num_classes={"digit": 10, "loops": 3})(images(2))

    assert {head: value.shape for head, value in logits.items()} == {"digit": (2, 10), "loops": (2, 3)}


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_has_a_finite_gradient(model: type[Any]) -> None:
    """None is left out of the graph."""
    net = make(model)
    F.cross_entropy(net(images(8)), torch.arange(8)).backward()

    gradients = {name: parameter.grad for name, parameter in net.named_parameters()}
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())


@pytest.mark.parametrize("model", EVERY)
def test_one_batch_can_be_learnt_by_heart(model: type[Any]) -> None:
    """Without dropout, noise with random labels is fitted in a few steps."""
    net, batch, target = make(model), images(10), torch.arange(10)
    without_dropout(net)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for _ in range(300):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(batch), target)
        if loss < 0.1:
            break
        loss.backward()
        optimizer.step()

    assert loss < 0.1
    assert (net(batch).argmax(dim=1) == target).all()


@pytest.mark.parametrize("model", MODELS)
def test_one_image_is_enough_in_evaluation(model: type[Any]) -> None:
    """Its logits are those that it has among others."""
    net = make(model).eval()

    torch.testing.assert_close(net(images(3)[:1]), net(images(3))[:1])


@pytest.mark.parametrize("model", EVERY)
def test_the_same_seed_gives_the_same_weights(model: type[Any]) -> None:
    """Bit for bit after three steps with dropout, by the model's own optimizer."""

    def trained() -> dict[str, Tensor]:
        torch.manual_seed(1)
        net = make(model)
        optimizer = net.arguments["optimizer"](net.parameters())
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(net(images(4)), torch.arange(4)).backward()
            optimizer.step()
        state: dict[str, Tensor] = net.state_dict()
        return state

    first, second = trained(), trained()

    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("model", MODELS)
def test_names_are_unique(model: type[Any]) -> None:
    """A run's folder has its name."""
    assert [other.name for other in MODELS].count(model.name) == 1


@pytest.mark.parametrize("model", EVERY)
def test_a_checkpoint_gives_back_the_same_model(model: type[Any], tmp_path: Path) -> None:
    """Built in Python, trained by Lightning, loaded in a notebook: the same logits to the bit."""
    net = make(model)
    trainer = quiet_trainer(tmp_path, limit_train_batches=2, limit_val_batches=0)
    trainer.fit(net, datamodule=SyntheticDigits(batch_size=8, train_size=100, test_size=10, val_size=10))
    trainer.save_checkpoint(tmp_path / "model.ckpt")

    again = model.load_from_checkpoint(tmp_path / "model.ckpt")

    assert torch.equal(again.eval()(images(4)), net.eval()(images(4)))


@pytest.mark.parametrize("model", MODELS)
def test_a_net_is_plain_torch(model: type[Any]) -> None:
    """It runs without Lightning, and no configuration object is in it."""
    net = make(model).net

    assert not any(type(module).__module__.startswith("lightning") for module in net.modules())
    assert net(images(2)).shape == (2, 10)


@pytest.mark.parametrize("model", [*SMALLEST, MultiheadCNN422K])
def test_a_net_compiles_in_one_piece(model: type[Any]) -> None:
    """No graph break, forward and backward; the loss and the gradients are those of the plain net with its dropout."""
    net = make(model).net
    torch.compiler.reset()
    for part in net.modules():
        if isinstance(part, Dropout):
            part.forward = nn.Dropout(part.p).forward  # type: ignore[assignment]  # what is compiled draws so

    compiled = loss_and_gradients(torch.compile(net, backend="aot_eager", fullgraph=True), net)

    torch.testing.assert_close(compiled, loss_and_gradients(net, net))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on the CPU")
@pytest.mark.parametrize("model", SMALLEST)
def test_the_stages_of_a_net_compile_to_code(model: type[Any]) -> None:
    """By inductor, which is what `--model.compile` uses; its sums run in another order, and dropout draws others.

    Of several stages the first two, since code takes seconds for each: the later ones are alike.
    """
    stages = nn.Sequential(*list(make(model).net.backbone)[:2], nn.Flatten())
    without_dropout(stages)
    torch.compiler.reset()

    compiled = loss_and_gradients(torch.compile(stages, fullgraph=True, options={"compile_threads": 1}), stages)

    torch.testing.assert_close(compiled, loss_and_gradients(stages, stages), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("model", SMALLEST)
def test_a_net_is_exported_for_batches_of_any_size(model: type[Any]) -> None:
    """By torch.export, with the same logits."""
    net = make(model).net.eval()
    batch = {0: torch.export.Dim("batch")}

    exported = torch.export.export(net, (images(2),), dynamic_shapes=(batch,)).module()

    for size in (1, 5):
        torch.testing.assert_close(exported(images(size)), net(images(size)))


@pytest.mark.parametrize("model", [TinyModel, SDN8K, EfficientNet22K])
def test_a_net_that_needs_two_images_to_learn_says_so(
    model: type[Any], here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Before any work, where its batch normalization would have one value of each channel."""
    assert main(["fit", f"--model={model.__name__}", *small_data, "--data.batch_size=1"]) == 2

    error = capsys.readouterr().err
    assert "--data.batch_size=1" in error
    assert model.__name__ in error
    assert "batch normalization" in error
    assert "2 or more" in error
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["--model=CNN8K"], ["--model=ViT38K"], ["--model=ConvNeXt18K"], ["--model=SDN8K", "--model.freeze=backbone"]],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.usefixtures("here")
def test_a_net_that_can_learn_from_single_images_does(arguments: list[str], small_data: tuple[str, ...]) -> None:
    """A map has many values of a channel, and what is frozen normalizes with what it has."""
    steps = ["--trainer.max_steps=3", "--trainer.limit_val_batches=1", "--run.test=false"]

    assert main(["fit", *arguments, *small_data, "--data.batch_size=1", *steps]) == 0
