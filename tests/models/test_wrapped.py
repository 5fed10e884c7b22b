"""Nets of others, with their first and last layer fitted."""

import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from support import only_run
from torch import Tensor, nn
from torchvision.models import (
    GoogLeNet,
    SqueezeNet1_1_Weights,
    VisionTransformer,
    googlenet,
    resnet18,
    squeezenet1_1,
    swin_t,
    vit_b_16,
)

from mnistlab import Wrapped, config, main
from mnistlab.nets.attribution import suitable

WEIGHTS = SqueezeNet1_1_Weights.__base__
SQUEEZENET = ("--model=Wrapped", "--model.net=torchvision.models.squeezenet1_1")
OWN = ("--model=Wrapped", "--model.net=own_nets.perceptron")
EPOCH = ("--trainer.max_epochs=1",)

NETS = '''
"""Nets of a user."""
from typing import Literal
from torch import Tensor, nn

def perceptron(width: int = 8, act: Literal["relu", "gelu"] = "relu") -> nn.Module:
    """A perceptron.

    Args:
        width: Of the hidden layer.
        act: What follows it.
    """
    between = nn.ReLU() if act == "relu" else nn.GELU()
    return nn.Sequential(nn.Flatten(), nn.Linear(784, width), between, nn.Linear(width, 1000))

def untold(width=8, pretrained=False, **kw):
    if pretrained:
        raise RuntimeError("fetched")
    return perceptron(width, **kw)

def three():
    return 3

def told() -> int:
    return 3

def headless() -> nn.Module:
    return nn.Flatten()

def broken() -> nn.Module:
    raise KeyError("no such thing")

class Lines(nn.Module):
    """Two lines.

    Args:
        width: Of the first.
    """

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, width))
        self.fc = nn.Linear(width, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.body(images))
'''


@pytest.fixture(autouse=True)
def _own_nets(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nets in the current folder, which no other test has imported."""
    (here / "own_nets.py").write_text(NETS)
    monkeypatch.delitem(sys.modules, "own_nets", raising=False)


def images(channels: int = 1) -> Tensor:
    """Noise, always the same."""
    return torch.randn(4, channels, 28, 28, generator=torch.Generator().manual_seed(0))


def perceptron(*layers: nn.Module) -> nn.Sequential:
    """Sixteen features, and what makes of them."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 16), *layers)


def test_gray_images_are_seen_as_the_same_gray_in_each_colour() -> None:
    """Whatever the first convolution has learnt from colours is kept."""
    original = resnet18().eval()
    wrapped = Wrapped(deepcopy(original)).eval()
    original.fc = nn.Identity()

    torch.testing.assert_close(wrapped.net.backbone(images()), original(images().repeat(1, 3, 1, 1)))


def test_images_with_as_many_channels_leave_the_first_layer_as_it_is() -> None:
    """Nothing is changed that need not be."""
    original = resnet18()
    wrapped = Wrapped(deepcopy(original), in_channels=3)

    assert torch.equal(wrapped.net.backbone.state_dict()["net.conv1.weight"], original.conv1.weight)
    assert wrapped(images(3)).shape == (4, 10)
    assert wrapped.begin() == ["net: fc (512 to 1,000) is replaced."]


def test_the_last_layer_gives_way_to_a_head_for_each_label() -> None:
    """Linear as in ResNet, or a convolution as in SqueezeNet; heads of any kind are made for its features."""
    wrapped = Wrapped(squeezenet1_1(), num_classes={"digit": 10, "loops": 3})
    logits = wrapped(images())

    assert {name: tuple(each.shape) for name, each in logits.items()} == {"digit": (4, 10), "loops": (4, 3)}
    assert wrapped.begin() == [
        "net: features.0 takes 1 channel in place of 3; classifier.1 (512 to 1,000) is replaced."
    ]
    assert not wrapped.begin()


def test_a_last_layer_with_as_many_classes_keeps_its_weights() -> None:
    """A net that was trained for these classes is not made to learn them again, and nothing is said."""
    original = perceptron(nn.ReLU(), nn.Linear(16, 10))
    wrapped = Wrapped(deepcopy(original))

    torch.testing.assert_close(wrapped(images()), original(images()))
    assert wrapped.begin() == []


def test_probabilities_at_the_end_are_left_out() -> None:
    """Losses here take logits."""
    original = perceptron(nn.Linear(16, 10), nn.LogSoftmax(dim=1))
    wrapped = Wrapped(deepcopy(original))

    torch.testing.assert_close(wrapped(images()).log_softmax(dim=1), original(images()))
    assert wrapped.begin() == ["net: 3 (LogSoftmax) is left out."]


def test_the_logits_are_taken_from_a_net_that_gives_more_in_training() -> None:
    """GoogLeNet has two further outputs then."""
    with pytest.warns(FutureWarning, match="initialization"):
        wrapped = Wrapped(googlenet(aux_logits=True))

    assert isinstance(wrapped.net.backbone.net, GoogLeNet)
    assert wrapped.train()(images()).shape == (4, 10)
    assert wrapped.eval()(images()).shape == (4, 10)


def test_images_are_scaled_to_what_a_net_was_made_for() -> None:
    """A transformer takes one size only."""
    net = config(vit_b_16, image_size=32)
    wrapped = Wrapped(net, resize=32)

    assert wrapped(images()).shape == (4, 10)
    with pytest.raises(AssertionError, match="Expected 32 but got 28"):
        Wrapped(net)(images())


@pytest.mark.parametrize(
    ("net", "why"),
    [
        (nn.Flatten(), "`net` must end with a linear layer or a convolution"),
        (perceptron(nn.LazyLinear(10)), "2 of Sequential is lazy"),
        (nn.Linear(784, 10), "`net` must end with"),
    ],
)
def test_a_net_without_a_last_layer_is_refused(net: nn.Module, why: str) -> None:
    """There would be nothing to fit to the classes."""
    with pytest.raises(ValueError, match=why):
        Wrapped(net)


def test_a_layer_that_is_not_the_last_one_is_told() -> None:
    """What follows it gives something else than the features."""
    wrapped = Wrapped(perceptron(nn.Linear(16, 10), nn.Unflatten(1, (16, 1)), nn.AvgPool1d(1), Halved()))

    with pytest.raises(
        ValueError, match="2, the last layer that the net defines, takes 16 values, and what is before it gives 8"
    ):
        wrapped(images())


class Halved(nn.Module):
    """Leaves every second value out."""

    def forward(self, x: Tensor) -> Tensor:
        """Half of them."""
        return x[:, ::2]


def test_a_net_of_torchvision_is_trained_and_tested(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """What was changed is said; its checkpoint is enough, and needs no trust."""
    assert main(["fit", *SQUEEZENET, *small_data, *EPOCH]) == 0
    out, err = capsys.readouterr()
    assert "note: net: features.0 takes 1 channel in place of 3; classifier.1 (512 to 1,000) is replaced." in err
    assert "--trust" not in out

    run = only_run(here / "runs")
    for file in ("checkpoints/best.ckpt", "model.safetensors"):
        assert main(["test", f"--ckpt_path={run / file}"]) == 0
        assert f"test/acc  {accuracy_in(out)}" in capsys.readouterr().out
    assert main(["predict", "--ckpt_path=last"]) == 0


def accuracy_in(out: str) -> str:
    """What `fit` says at its end."""
    return out.partition("test  acc ")[2].partition(" %")[0]


def test_a_net_of_ones_own_is_tested_once_it_is_vouched_for(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """By its package, or by the same net typed."""
    assert main(["fit", *OWN, "--model.net.width=6", *small_data, *EPOCH]) == 0
    capsys.readouterr()
    run = only_run(here / "runs")

    assert main(["test", f"--ckpt_path={run}"]) == 2
    assert "own_nets.perceptron, which is no part of a net" in capsys.readouterr().err
    assert main(["test", f"--ckpt_path={run}", "--trust=own_nets"]) == 0
    assert main(["test", f"--ckpt_path={run}", *OWN]) == 0


@pytest.mark.parametrize(
    "more",
    [
        ("--model.freeze=backbone",),
        ("--model.freeze=backbone.net.1", "--trainer.callbacks=Unfreeze", "--trainer.callbacks.epoch=1"),
        ("--model.loss=FocalLoss", "--model.head=MLPHead", "--model.channels_last=true"),
        ("--data.labels=MeasuredLabels", "--model.losses.loops=MSELoss"),
        ("--model.resize=28", "--model.optimizer=SGD", "--model.metrics=Top3Accuracy"),
        pytest.param(("--model.compile=true",), marks=pytest.mark.slow),
    ],
)
def test_the_lab_does_with_it_what_it_does_with_its_own(more: tuple[str, ...], small_data: tuple[str, ...]) -> None:
    """Freezing, losses, heads, several labels, metrics."""
    assert main(["fit", *OWN, *small_data, "--trainer.max_epochs=2", *more]) == 0


def test_another_one_begins_from_its_weights(small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Their layers have the same names; and what it looks at is explained."""
    assert main(["fit", *OWN, *small_data, *EPOCH]) == 0
    assert main(["explain", "--ckpt_path=last", "--trust=own_nets", "--images=2"]) == 0
    capsys.readouterr()

    assert main(["fit", *OWN, "--model.init_from=last", *small_data, *EPOCH]) == 0
    assert "2 of 2 layers taken" in capsys.readouterr().err


def test_a_function_need_not_say_what_it_gives(here: Path, small_data: tuple[str, ...]) -> None:
    """As many of those that people have."""
    typed = ("--model=Wrapped", "--model.net=own_nets.untold", "--model.net.width=6", "--model.net.act=gelu")
    assert main(["fit", *typed, *small_data, *EPOCH]) == 0
    assert main(["test", f"--ckpt_path={only_run(here / 'runs')}", "--trust=own_nets"]) == 0


def test_options_of_which_nothing_is_known_are_left_to_the_function(small_data: tuple[str, ...]) -> None:
    """What one of two functions behind `**kwargs` takes: MobileNet's width."""
    net = ("--model=Wrapped", "--model.net=torchvision.models.mobilenet_v3_small")
    assert main(["fit", *net, *small_data, *EPOCH, "--trainer.limit_train_batches=1"]) == 0
    assert (
        main(["fit", *net, "--model.net.width_mult=0.5", *small_data, *EPOCH, "--trainer.limit_train_batches=1"]) == 0
    )


@pytest.mark.parametrize(
    ("net", "method", "stage"),
    [
        (resnet18, "gradcam", "net.layer2"),
        (squeezenet1_1, "gradcam", "net.features.4"),
        (lambda: VisionTransformer(32, 4, 1, 4, 32, 64), "gradient", "net.conv_proj"),
        (swin_t, "gradient", "net.features.0.0"),
    ],
)
def test_the_last_maps_of_a_net_are_what_is_explained(net: Callable[[], nn.Module], method: str, stage: str) -> None:
    """Of transformers gradients are: their only maps are patches. No hook stays, also where all of it is frozen."""
    wrapped = Wrapped(net(), resize=32 if "proj" in stage else None, freeze="backbone").eval()
    wrapped.begin()

    assert suitable(wrapped.net, images()) == method
    assert torch.equal(wrapped.explain(images(), "gradcam"), wrapped.explain(images(), "gradcam", stage=stage))
    assert not any(part._forward_hooks for part in wrapped.modules())
    with pytest.raises(ValueError, match=r"must be one with maps, got net\.x"):
        wrapped.explain(images(), "gradcam", stage="net.x")


@pytest.mark.usefixtures("inline")
def test_which_net_can_be_swept(small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Like any class."""
    choice = "--model.net=choice:own_nets.perceptron,own_nets.Lines"

    assert main(["sweep", "--model=Wrapped", choice, *small_data, *EPOCH]) == 0
    assert "2 finished" in capsys.readouterr().out


def test_the_options_of_a_function_are_typed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Those behind its `**kwargs` are of the class of its net."""
    assert main(["fit", "--model=Wrapped", "--model.net.help=torchvision.models.resnet18"]) == 0
    shown = capsys.readouterr().out
    assert "--model.net.zero_init_residual" in shown
    assert "IMAGENET1K_V1" in shown
    assert main(["fit", "--model=Wrapped", "--model.net.help=own_nets.perceptron"]) == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("--model.net.width=8", "Of the hidden layer", "relu or gelu"))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("resnet18", "no net is called resnet18. Write the path of a class or a function"),
        ("torchvision.models.resnet19", "Did you mean resnet18"),
        ("own_nets.untold --model.net.widht=3", "Did you mean width?"),
        ("own_nets.told", "Write def told(...) -> nn.Module."),
        ("own_nets.three", "`net` must be a torch module, got 3"),
        ("own_nets.headless", "`net` must end with a linear layer or a convolution"),
        ("own_nets.Literal", "has no class or function Literal"),
        ("no_such_module.net", "there is no module no_such_module"),
        ("torch.nn.functional.relu", "does not say that it gives a torch module"),
        ("torch.optim.SGD", "is not of the kind that is wanted"),
        ("null", "model.net cannot be null"),
        ("own_nets.perceptron --model.net.width=x", "width of perceptron must be a whole number, got x"),
        ("own_nets.perceptron --model.net.withd=3", "Did you mean width?"),
        ("torchvision.models.squeezenet1_1 --model.net.weights=NONE", "must be IMAGENET1K_V1 or null, got NONE"),
        ("torchvision.models.alexnet", "does not take the images of SyntheticDigits, 1x28x28"),
        ("torchvision.models.alexnet", "Scale them to what it was made for, such as --model.resize=224."),
    ],
)
def test_what_is_wrong_with_a_net_is_told_in_a_line(
    typed: str, told: str, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is trained."""
    assert main(["fit", "--model=Wrapped", *f"--model.net={typed}".split(), *small_data]) == 2

    err = capsys.readouterr().err
    assert told in err
    assert "Traceback" not in err


def test_an_error_of_a_net_itself_is_told_with_its_line(
    small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no fault of the input."""
    assert main(["fit", "--model=Wrapped", "--model.net=own_nets.broken", *small_data]) == 1
    assert "KeyError: 'no such thing' (in " in capsys.readouterr().err


def test_a_net_is_named_in_a_preset_of_python() -> None:
    """The function itself, or one with options."""
    node = config(Wrapped, net=config(squeezenet1_1, dropout=0.1))

    assert config(Wrapped, net=squeezenet1_1).specification.init_args["net"]["init_args"]["dropout"] == 0.5
    assert node.clone({"net.dropout": 0.2}).specification.init_args["net"]["init_args"]["dropout"] == 0.2
    assert node.build()(images()).shape == (4, 10)


def test_trained_weights_are_not_fetched_where_a_checkpoint_has_the_weights(
    here: Path, small_data: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither torchvision's nor those of a function with an option `pretrained`; once they are, to begin with."""
    fetched: list[object] = []

    def fetch(weights: object, **options: object) -> dict[str, Tensor]:
        fetched.append((weights, options))
        return dict(squeezenet1_1().state_dict())

    monkeypatch.setattr(WEIGHTS, "get_state_dict", fetch)
    assert main(["fit", *SQUEEZENET, "--model.net.weights=IMAGENET1K_V1", *small_data, *EPOCH]) == 0
    assert len(fetched) == 1

    run = only_run(here / "runs")
    assert main(["test", f"--ckpt_path={run}"]) == 0
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 0
    Wrapped.load_from_checkpoint(run / "checkpoints" / "last.ckpt")
    assert len(fetched) == 1
    assert WEIGHTS.get_state_dict is fetch

    typed = ("--model=Wrapped", "--model.net=own_nets.untold", "--model.net.pretrained=true")
    assert main(["fit", *typed, *small_data, *EPOCH]) == 1
    assert main(["fit", *typed[:2], *small_data, *EPOCH]) == 0
    assert main(["test", "--ckpt_path=last", *typed]) == 0


def test_a_net_of_timm_is_trained_and_explained(
    small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """By its name, or a class with all its options."""
    pytest.importorskip("timm", reason="needs timm: pip install 'mnistlab[timm]'")
    net = ("--model=Wrapped", "--model.net=timm.create_model", "--model.net.model_name=resnet10t", "--model.resize=56")
    assert main(["fit", *net, *small_data, *EPOCH, "--trainer.limit_train_batches=1"]) == 0
    assert main(["explain", "--ckpt_path=last", "--trust=timm", "--images=1"]) == 0
    assert "explained by gradcam" in capsys.readouterr().out

    sizes = ("img_size=28", "patch_size=7", "embed_dim=16", "depth=1", "num_heads=2", "in_chans=1")
    options = [f"--model.net.{size}" for size in sizes]
    assert (
        main(["fit", "--model=Wrapped", "--model.net=timm.models.VisionTransformer", *options, *small_data, *EPOCH])
        == 0
    )


@pytest.mark.slow
def test_a_program_of_its_own_trains_it_too(here: Path, small_data: tuple[str, ...]) -> None:
    """There what torchvision needs of torch is imported late."""
    for arguments in (("fit", *SQUEEZENET, *small_data, *EPOCH), ("test", "--ckpt_path=last")):
        command = [sys.executable, "-m", "mnistlab", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here)
        assert done.returncode == 0, done.stderr


def test_a_net_in_place_of_a_model_is_told_how_to_be_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """It derives from nothing of the lab's."""
    assert main(["fit", "--model=torch.nn.Linear"]) == 2

    assert "take the net as it is: --model=Wrapped --model.net=torch.nn.Linear" in capsys.readouterr().err
