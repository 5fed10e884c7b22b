"""EfficientNet: maps, rounding, squeeze and stochastic depth."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn
from torchvision import ops
from torchvision.models import efficientnet_b0

from mnistlab import EfficientNet, EfficientNet4M, EfficientNet7M, EfficientNet22K, EfficientNet66K
from mnistlab.models.efficientnet import STAGES, MBConv, SqueezeExcitation, scaled
from mnistlab.nets import StochasticDepth


def blocks(model: nn.Module) -> list[MBConv]:
    """All inverted residual blocks, in their order."""
    return [module for module in model.modules() if isinstance(module, MBConv)]


def test_maps_shrink_five_times() -> None:
    """At 28 pixels the stem gives 14, the stages 14, 7, 4, 2, 2, 1 and 1."""
    features = EfficientNet22K().eval().features(torch.randn(2, 1, 28, 28))

    assert [value.shape[-1] for name, value in features.items() if "st" in name] == [14, 14, 7, 4, 2, 2, 1, 1]


def test_with_the_same_weights_it_is_the_reference() -> None:
    """The logits of torchvision's B0, up to rounding."""
    reference, model = efficientnet_b0().eval(), EfficientNet(in_channels=3, num_classes=1000).eval()
    images = torch.randn(2, 3, 64, 64)

    weights = zip(model.net.state_dict(), reference.state_dict().values(), strict=True)
    model.net.load_state_dict(dict(weights))

    torch.testing.assert_close(model(images), reference(images))


def test_stages_have_the_channels_and_blocks_of_the_paper() -> None:
    """At width and depth 1: B0."""
    model = EfficientNet4M().eval()
    features = model.features(torch.randn(2, 1, 28, 28))

    assert [value.shape[1] for value in features.values()] == [32, 16, 24, 40, 80, 112, 192, 320, 1280, 1280]
    numbers = [len(blocks(stage)) for stage in model.net.backbone.children() if blocks(stage)]
    assert numbers == [stage.blocks for stage in STAGES] == [1, 2, 2, 3, 3, 4, 1]


@pytest.mark.parametrize(
    ("channels", "width", "expected"),
    [(32, 1.0, 32), (32, 0.002, 8), (1280, 0.043, 56), (320, 0.043, 16), (32, 1.01, 40), (16, 0.5, 8), (24, 2.0, 48)],
)
def test_channels_are_rounded_up_to_eights(channels: int, width: float, expected: int) -> None:
    """Never down, and never to nothing."""
    assert scaled(channels, width) == expected


@pytest.mark.parametrize(("depth", "expected"), [(0.3, 8), (0.7, 15), (1.0, 16), (1.2, 23)])
def test_blocks_are_rounded_up_stage_by_stage(depth: float, expected: int) -> None:
    """A stage never loses its last block: 1, 2, 2, 3, 3, 4, 1 at depth 0.3 are 1, 1, 1, 1, 1, 2, 1."""
    assert len(blocks(EfficientNet(width=0.002, depth=depth))) == expected


def squeezed(model: nn.Module) -> Iterator[tuple[int, int, int]]:
    """Of each block its input channels, its expanded channels, and those of its squeezed layer."""
    for block in blocks(model):
        first = next(module for module in block.modules() if isinstance(module, nn.Conv2d))
        (squeeze,) = (module for module in block.modules() if isinstance(module, SqueezeExcitation))
        yield first.in_channels, squeeze.fc1.in_channels, squeeze.fc1.out_channels


def test_squeeze_is_a_quarter_of_the_input_or_of_the_expanded_channels() -> None:
    """The paper's rule in 4M, the wider one in 7M and the small sizes."""
    assert all(inner == before // 4 for before, _, inner in squeezed(EfficientNet4M()))
    for model in (EfficientNet7M(), EfficientNet66K(), EfficientNet22K()):
        assert all(inner == expanded // 4 for _, expanded, inner in squeezed(model))


def test_maps_have_their_channels_last_on_a_cpu() -> None:
    """In memory, from the stem on, whatever the option says."""
    features = EfficientNet22K().features(torch.randn(2, 1, 28, 28))

    for name in ("stem", "stage1", "stage2", "stage3"):
        assert features[name].is_contiguous(memory_format=torch.channels_last), name


def test_squeeze_and_excitation_is_torchvision_s() -> None:
    """Its values and all its gradients, with the same weights."""
    own, reference = SqueezeExcitation(6, 2).double(), ops.SqueezeExcitation(6, 2, activation=nn.SiLU).double()
    reference.load_state_dict(own.state_dict())
    x = torch.randn(3, 6, 5, 4, dtype=torch.float64, requires_grad=True)
    out, expected = own(x), reference(x)

    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(
        torch.autograd.grad(out.square().sum(), [x, *own.parameters()]),
        torch.autograd.grad(expected.square().sum(), [x, *reference.parameters()]),
    )


def test_only_blocks_that_keep_the_shape_add_their_input() -> None:
    """The first block of a stage does not, unless it changes neither the size nor the channels."""
    model = EfficientNet4M()
    kept = [[block.residual for block in blocks(stage)] for stage in model.net.backbone.children() if blocks(stage)]

    assert kept == [[False] + [True] * (stage.blocks - 1) for stage in STAGES]


def test_stochastic_depth_grows_evenly_over_all_blocks() -> None:
    """From 0 in the first to what was asked for in the last."""
    drops = [block.drop.p for block in blocks(EfficientNet(stochastic_depth=0.3, width=0.002))]

    assert drops == pytest.approx([0.3 * number / 15 for number in range(16)])


def test_stochastic_depth_leaves_out_the_branch_of_whole_images() -> None:
    """Each image has its branch scaled by 1 / (1 - p), or none of it; in evaluation all have it as it is."""
    block = MBConv(8, 8, STAGES[0], stride=1, squeeze_from="input", drop=0.5)
    block.branch = nn.Sequential()  # hands on what it gets
    x = torch.rand(64, 8, 4, 4) + 1

    out = block.train()(x)

    whole = [torch.equal(image, before) for image, before in zip(out, x, strict=True)]
    branched = [torch.equal(image, before + 2 * before) for image, before in zip(out, x, strict=True)]
    assert all(one != other for one, other in zip(whole, branched, strict=True))
    assert 16 < sum(whole) < 48
    assert torch.equal(block.eval()(x), 2 * x)


def test_dropout_and_stochastic_depth_can_be_left_out() -> None:
    """Then a net in training has nothing random."""
    model = EfficientNet22K(dropout=0.0, stochastic_depth=0.0)
    images = torch.randn(4, 1, 28, 28)

    assert {module.p for module in model.modules() if isinstance(module, nn.Dropout | StochasticDepth)} == {0.0}
    assert torch.equal(model(images), model(images))


def test_large_images_in_colour() -> None:
    """224x224x3, for which it was made; maps end at 7x7."""
    model = EfficientNet22K(in_channels=3).eval()
    images = torch.randn(1, 3, 224, 224)

    assert model(images).shape == (1, 10)
    assert model.features(images)["conv"].shape[-2:] == (7, 7)
