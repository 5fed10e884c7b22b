"""Vision transformer: attention, positions, sizes that do not fit."""

import pytest
import torch
from torch import nn

from mnistlab import VisionTransformer, ViT38K, ViT210K, ViT821K, main
from mnistlab.models.vit import Attention, EncoderBlock, PatchEmbedding


def count(part: nn.Module) -> int:
    """The number of parameters."""
    return sum(parameter.numel() for parameter in part.parameters())


@pytest.mark.parametrize(
    ("model", "block", "head"),
    [(ViT38K, 8_544, 1_386), (ViT210K, 33_472, 4_810), (ViT821K, 132_480, 17_802)],
)
def test_a_block_and_the_head_have_exactly_these_parameters(
    model: type[VisionTransformer], block: int, head: int
) -> None:
    """The head is the pooler, which all labels share, and one linear layer."""
    net = model().net
    blocks = [part for part in net.modules() if isinstance(part, EncoderBlock)]

    assert {count(part) for part in blocks} == {block}
    assert count(net.backbone.get_submodule("pooler")) + count(net.heads) == head


def test_what_a_token_looks_at_adds_up_to_one() -> None:
    """And nothing is negative."""
    weights = Attention(embed_dim=12, num_heads=3).weights(torch.randn(2, 5, 12))

    assert weights.shape == (2, 3, 5, 5)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 3, 5))


def test_the_weights_that_are_shown_are_those_that_are_used() -> None:
    """The values mixed by them and projected are what attention gives."""
    attention, x = Attention(embed_dim=12, num_heads=3), torch.randn(2, 5, 12)
    values = attention.qkv(x)[..., 24:].unflatten(-1, (3, 4)).transpose(1, 2)

    mixed = (attention.weights(x) @ values).transpose(1, 2).flatten(2)

    torch.testing.assert_close(attention.projection(mixed), attention(x))


def test_attention_is_that_of_torch() -> None:
    """With the weights of `nn.MultiheadAttention`: its output, and its weights for each head."""
    reference = nn.MultiheadAttention(12, 3, batch_first=True)
    attention = Attention(embed_dim=12, num_heads=3)
    attention.qkv.load_state_dict({"weight": reference.in_proj_weight, "bias": reference.in_proj_bias})
    attention.projection.load_state_dict(reference.out_proj.state_dict())
    x = torch.randn(2, 5, 12)

    out, weights = reference(x, x, x, average_attn_weights=False)

    torch.testing.assert_close(attention(x), out)
    torch.testing.assert_close(attention.weights(x), weights)


def test_a_block_shows_what_it_looks_at_behind_its_norm() -> None:
    """The weights are those of the attention in it."""
    block, x = EncoderBlock(12, 3, dropout=0.0), torch.randn(2, 5, 12)

    assert torch.equal(block.attention_weights(x), block.attention.weights(block.norm1(x)))


def test_patches_have_positions_and_the_class_token_has_none() -> None:
    """49 of them in front of which the class token stands as it was learnt, the same for every image."""
    embedding = PatchEmbedding(image_size=28, patch_size=4, in_channels=1, embed_dim=8, dropout=0.0)
    images = torch.randn(2, 1, 28, 28)

    tokens = embedding(images)

    assert embedding.positions.shape == (1, 49, 8)
    assert tokens.shape == (2, 50, 8)
    assert torch.equal(tokens[:, :1], embedding.class_token.expand(2, 1, 8))
    patch = embedding.projection(images[:, :, 4:8, 8:12])[:, :, 0, 0]  # second row, third column
    torch.testing.assert_close(tokens[:, 1 + 7 + 2] - embedding.positions[:, 7 + 2], patch)


def test_without_positions_the_order_of_patches_does_not_matter() -> None:
    """What it knows about places it knows from them."""
    model = ViT38K().eval()
    images = torch.randn(2, 1, 28, 28)
    turned = images.unflatten(-1, (7, 4)).flip(3).flatten(-2)  # the columns of patches in reverse

    assert not torch.allclose(model(images), model(turned), atol=1e-6)
    nn.init.zeros_(model.get_parameter("net.backbone.embedding.positions"))
    torch.testing.assert_close(model(images), model(turned))


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"patch_size": 5}, ["`patch_size`", "28", "got 5", "1, 2, 4, 7, 14 or 28"]),
        ({"patch_size": 32}, ["`patch_size`", "28", "got 32", "1, 2, 4, 7, 14 or 28"]),
        (
            {"embed_dim": 30},
            ["`embed_dim`", "`num_heads`", "30 and 4", "28 or 32", "1, 2, 3, 5, 6, 10, 15 or 30 heads"],
        ),
        ({"embed_dim": 2}, ["`embed_dim`", "2 and 4", "an `embed_dim` of 4", "1 or 2 heads"]),
    ],
)
def test_sizes_that_do_not_divide_are_refused_with_those_that_do(
    options: dict[str, int], parts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """In Python, and in a line on the command line that names the option."""
    with pytest.raises(ValueError, match="must") as refused:
        VisionTransformer(**options)  # type: ignore[arg-type]  # a type checker cannot tell which option it is
    assert all(part in str(refused.value) for part in parts)

    ((name, value),) = options.items()
    assert main(["fit", "--model=VisionTransformer", f"--model.{name}={value}", "--data=SyntheticDigits"]) == 2
    error = capsys.readouterr().err
    assert f"--model.{name}={value}: " in error
    assert all(part in error for part in parts)


def test_other_images_and_patches() -> None:
    """224x224x3 in patches of 16."""
    model = VisionTransformer(image_size=224, patch_size=16, in_channels=3, embed_dim=16, layers=2).eval()

    assert model.features(torch.randn(2, 3, 224, 224))["embedding"].shape == (2, 1 + 14**2, 16)
    assert model(torch.randn(2, 3, 224, 224)).shape == (2, 10)


def test_weights_begin_small_and_biases_at_zero() -> None:
    """A normal distribution of standard deviation 0.02 cut at 2, for every head and token too."""
    model = ViT821K(num_classes={"digit": 10, "loops": 3})
    drawn = {
        name: parameter
        for name, parameter in model.net.named_parameters()
        if "norm" not in name and not name.endswith("bias")
    }
    biases = [parameter for name, parameter in model.net.named_parameters() if name.endswith("bias")]

    assert all(not bias.any() for bias in biases)
    assert len(biases) == 6 * 6 + 5  # of each block; of the projection, the last norm, the pooler, and each head
    for name, parameter in drawn.items():
        assert parameter.std().item() == pytest.approx(0.02, rel=0.25), name
        assert parameter.abs().max() <= 2.0, name


def test_dropout_reaches_tokens_and_both_branches() -> None:
    """One for the tokens, two in each block; without it a net in training has nothing random."""
    dropouts = [module for module in ViT38K(dropout=0.25).modules() if isinstance(module, nn.Dropout)]
    still, images = ViT38K(dropout=0.0), torch.randn(2, 1, 28, 28)

    assert [module.p for module in dropouts] == [0.25] * (1 + 2 * 4)
    assert torch.equal(still(images), still(images))


def test_of_the_last_block_only_the_class_token_is_worked_out() -> None:
    """Nothing else of it is read; the token is that of a block which works them all out."""
    short = EncoderBlock(12, 3, dropout=0.0, wanted=1)
    whole = EncoderBlock(12, 3, dropout=0.0)
    whole.load_state_dict(short.state_dict())
    x = torch.randn(2, 5, 12)

    assert {name: value.shape[1] for name, value in ViT38K().features(torch.randn(2, 1, 28, 28)).items()} == {
        "embedding": 50,
        "block1": 50,
        "block2": 50,
        "block3": 50,
        "block4": 1,
        "norm": 1,
        "pooler": 32,
    }
    assert short(x).shape == (2, 1, 12)
    torch.testing.assert_close(short(x), whole(x)[:, :1])
    torch.testing.assert_close(short.attention_weights(x), whole.attention_weights(x))


def test_a_short_block_teaches_all_tokens_before_it() -> None:
    """Its gradients are those of a whole block of which one token is read."""
    short = EncoderBlock(12, 3, dropout=0.0, wanted=1).double()
    x = torch.randn(2, 5, 12, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(short, (x,))
    short(x).sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum(dim=(0, 2)).min() > 0
