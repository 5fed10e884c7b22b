"""ConvNeXt-V2: its norms, its blocks, its maps."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mnistlab import ConvNeXt, ConvNeXt18K, ConvNeXt288K, ConvNeXt725K, main
from mnistlab.models.convnext import GRN, ConvNeXtBlock, LayerNorm2d, Widening
from mnistlab.nets import StochasticDepth


def test_grn_changes_nothing_at_the_start() -> None:
    """Gamma and beta are 0."""
    x = torch.randn(2, 3, 3, 5)

    assert torch.equal(GRN(5)(x), x)


def test_grn_strengthens_what_answers_over_the_whole_map() -> None:
    """A map of 1x2 and two channels by hand: norms 5 and 10, their mean 7.5, so 2/3 and 4/3."""
    grn = GRN(2)
    nn.init.constant_(grn.gamma, 3.0)
    nn.init.constant_(grn.beta, 0.5)
    x = torch.tensor([[[[3.0, 0.0], [4.0, 10.0]]]])

    # x + gamma * x * (its norm / the mean norm) + beta
    expected = torch.tensor([[[[3 + 6 + 0.5, 0.5], [4 + 8 + 0.5, 10 + 40 + 0.5]]]])

    torch.testing.assert_close(grn(x), expected)


def test_grn_looks_at_one_image_at_a_time() -> None:
    """Others in the batch have no part in it."""
    grn = GRN(5)
    nn.init.normal_(grn.gamma)
    x = torch.randn(3, 4, 4, 5)

    torch.testing.assert_close(grn(x)[1:2], grn(x[1:2]))


def test_grn_of_an_empty_map_is_finite() -> None:
    """Nothing is divided by 0, in the gradient neither."""
    grn, x = GRN(5), torch.zeros(1, 2, 2, 5, requires_grad=True)
    nn.init.ones_(grn.gamma)

    grn(x).sum().backward()

    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_grn_has_the_gradients_of_its_formula() -> None:
    """Of the map, of gamma and of beta, as finite differences have them."""
    grn, x = GRN(5).double(), torch.randn(3, 4, 2, 5, dtype=torch.float64, requires_grad=True)
    nn.init.normal_(grn.gamma)
    parameters = dict(grn.named_parameters())

    def formula(x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = torch.func.functional_call(grn, {"gamma": gamma, "beta": beta}, x)
        return out

    assert torch.autograd.gradcheck(formula, (x, parameters["gamma"], parameters["beta"]))


def test_grn_in_bfloat16_gives_what_its_parameters_are() -> None:
    """Of narrow maps, as autocast hands them on, it makes maps in the type of gamma and beta."""
    grn, x = GRN(5), torch.randn(2, 3, 3, 5, dtype=torch.bfloat16, requires_grad=True)
    nn.init.normal_(grn.gamma)
    out = grn(x)
    out.sum().backward()

    torch.testing.assert_close(out, grn(x.float()))
    assert x.grad is not None
    assert (out.dtype, x.grad.dtype) == (torch.float32, torch.bfloat16)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_widening_layer_is_torch_s_linear_one(dtype: torch.dtype) -> None:
    """Its values and all its gradients, of any number of places."""
    own, reference = Widening(3, 12, dtype=dtype), nn.Linear(3, 12, dtype=dtype)
    reference.load_state_dict(own.state_dict())
    for shape in ((2, 4, 5, 3), (7, 3), (0, 4, 4, 3)):
        x = torch.randn(shape, dtype=dtype, requires_grad=True)
        out, expected = own(x), reference(x)

        torch.testing.assert_close(out, expected)
        torch.testing.assert_close(
            torch.autograd.grad(out.square().sum(), [x, *own.parameters()]),
            torch.autograd.grad(expected.square().sum(), [x, *reference.parameters()]),
        )


def test_maps_have_their_channels_last_on_a_cpu() -> None:
    """In memory, forth and back, whatever the option says."""
    block, x = ConvNeXtBlock(4, drop=0.0), LayerNorm2d(4)(torch.randn(2, 4, 6, 6, requires_grad=True))
    out = block(x)
    (grad,) = torch.autograd.grad(out.square().sum(), x)

    assert out.is_contiguous(memory_format=torch.channels_last)
    assert grad.is_contiguous(memory_format=torch.channels_last)


def test_layer_norm_normalizes_the_channels_of_each_place() -> None:
    """What torch's LayerNorm gives for the values of one place."""
    norm, x = LayerNorm2d(5), torch.randn(2, 5, 3, 4)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)

    out = norm(x)

    assert out.shape == x.shape
    torch.testing.assert_close(out[1, :, 2, 3], F.layer_norm(x[1, :, 2, 3], (5,), norm.weight, norm.bias, norm.eps))


def test_a_block_is_the_paper_s() -> None:
    """Depthwise 7x7, LayerNorm, Linear to 4d, GELU, GRN, Linear to d, each with a bias, and the input added."""
    block, x = ConvNeXtBlock(4, drop=0.0), torch.randn(2, 4, 6, 6)
    norm, widen, _, grn, narrow = block.mlp
    nn.init.normal_(block.get_parameter("mlp.3.gamma"))

    y = F.conv2d(x, block.depthwise.weight, block.depthwise.bias, padding=3, groups=4).movedim(1, -1)
    expected = x + narrow(grn(F.gelu(widen(norm(y))))).movedim(-1, 1)

    torch.testing.assert_close(block(x), expected)
    assert (
        sum(parameter.numel() for parameter in block.parameters()) == 50 * 4 + 2 * 4 + 4 * 4 * 5 + 2 * 16 + 16 * 4 + 4
    )


def test_drop_path_grows_evenly_over_all_blocks() -> None:
    """From 0 in the first to what was asked for in the last; the small sizes have none."""

    def drops(model: nn.Module) -> list[float]:
        return [module.p for module in model.modules() if isinstance(module, StochasticDepth)]

    assert drops(ConvNeXt18K()) == [0.0] * 4
    assert drops(ConvNeXt288K()) == pytest.approx([0.1 * number / 9 for number in range(10)])
    assert drops(ConvNeXt725K()) == pytest.approx([0.2 * number / 14 for number in range(15)])


def test_drop_path_leaves_out_the_branch_of_whole_images() -> None:
    """An image keeps its input alone, or has the branch at 1 / (1 - p); in evaluation all have it as it is."""
    block, x = ConvNeXtBlock(4, drop=0.75), torch.randn(64, 4, 6, 6)
    branch = block.eval()(x) - x

    out = block.train()(x)

    dropped = (out == x).flatten(1).all(dim=1)
    assert 32 < dropped.sum() < 62
    torch.testing.assert_close(out[~dropped], (x + 4 * branch)[~dropped])


def test_maps_are_halved_by_the_stem_and_between_stages() -> None:
    """14, 7, 3, 1 at 28 pixels."""
    features = ConvNeXt18K().features(torch.randn(2, 1, 28, 28))

    assert [features[f"stage{number}"].shape[1:] for number in (1, 2, 3, 4)] == [
        (4, 14, 14), (8, 7, 7), (16, 3, 3), (32, 1, 1)
    ]  # fmt: skip


def test_large_images_in_colour() -> None:
    """224x224x3 with the stem of the paper."""
    model = ConvNeXt(depths=(1, 1, 1, 1), dims=(4, 8, 16, 32), stem_size=4, in_channels=3).eval()
    images = torch.randn(2, 3, 224, 224)

    assert model(images).shape == (2, 10)
    assert model.features(images)["stage4"].shape == (2, 32, 7, 7)


@pytest.mark.parametrize("option", ["depths", "dims"])
def test_there_are_four_stages(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Another number is refused by the option's name."""
    assert main(["fit", "--model=ConvNeXt", f"--model.{option}=[1, 2, 3]", "--data=SyntheticDigits"]) == 2

    error = capsys.readouterr().err
    assert f"--model.{option}=[1, 2, 3]" in error
    assert f"`{option}` must have 4 numbers" in error


def test_weights_begin_small_and_biases_at_zero() -> None:
    """A normal distribution of standard deviation 0.02 cut at 2, for every head too."""
    net = ConvNeXt725K(num_classes={"digit": 10, "loops": 3}).net
    layers = {name: part for name, part in net.named_modules() if isinstance(part, nn.Conv2d | nn.Linear)}

    assert {name for name in layers if name.startswith("heads")} == {"heads.digit", "heads.loops"}
    for name, layer in layers.items():
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.25), name
        assert layer.bias is not None
        assert not layer.bias.any(), name
