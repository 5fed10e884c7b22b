"""What a net looked at is where it did look, and the net is left as it was."""

import pytest
import torch
from torch import Tensor, nn

from mnistlab import CNN8K, SDN8K, Backbone, ConvNeXt18K, EfficientNet22K, TinyModel, ViT38K
from mnistlab.models import CompactCNN
from mnistlab.nets import Net
from mnistlab.nets.attribution import attribute, suitable

FAMILIES = {
    TinyModel: "gradient",
    SDN8K: "gradient",
    CNN8K: "gradcam",
    CompactCNN: "gradcam",
    EfficientNet22K: "gradcam",
    ConvNeXt18K: "gradcam",
    ViT38K: "attention",
}


def images(size: int = 3) -> Tensor:
    """Noise in the shape of normalized images, always the same."""
    return torch.randn(size, 1, 28, 28, generator=torch.Generator().manual_seed(0))


class Left(nn.Module):
    """Keeps the left half of a map and forgets the right."""

    def forward(self, x: Tensor) -> Tensor:
        """Multiply the right half by 0."""
        mask = torch.zeros_like(x)
        mask[..., : x.shape[-1] // 2] = 1
        return x * mask


class Half(nn.Module):
    """Adds the first of two channels to twice the second."""

    def forward(self, x: Tensor) -> Tensor:
        """Leave one channel."""
        return x[:, :1] + 2 * x[:, 1:]


def left_net() -> Net:
    """A net that adds up the light on the left: much light speaks for class 1, and against class 0."""
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = Net(Backbone(1, {"left": Left(), "pool": pool}), {"label": 2})
    head = net.heads["label"]
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[-1.0], [1.0]]))
        head.bias.zero_()
    return net


@pytest.mark.parametrize("method", ["gradcam", "gradient"])
def test_only_what_is_looked_at_is_hot(method: str) -> None:
    """A net that sees the left half alone has no heat on the right."""
    light = images().abs()
    assert method in ("gradcam", "gradient")
    heat = attribute(left_net(), light, "gradcam" if method == "gradcam" else "gradient")

    assert heat[..., :14].amax(dim=(1, 2)).tolist() == [1.0] * 3
    assert not heat[..., 14:].any()


def test_gradcam_is_the_maps_weighted_by_their_mean_gradients() -> None:
    """On a net with one channel that is the map itself, over its largest value."""
    light = images().abs()
    expected = light[:, 0, :, :14] / light[:, 0, :, :14].amax(dim=(1, 2), keepdim=True)

    torch.testing.assert_close(attribute(left_net(), light, "gradcam")[..., :14], expected)


def test_gradcam_gives_a_map_one_weight() -> None:
    """The mean of its gradients counts, also where they differ from place to place."""
    net = Net(Backbone(784, {"map": nn.Conv2d(1, 2, 1), "flat": nn.Sequential(Half(), nn.Flatten())}), {"label": 2})
    maps = net.backbone.get_submodule("map")(images()).detach()
    head = net.heads["label"]
    assert isinstance(head, nn.Linear)
    weight = head.weight[1].detach().unflatten(0, (1, 28, 28))
    gradients = torch.cat([weight, 2 * weight])
    expected = (gradients.mean(dim=(1, 2), keepdim=True) * maps).sum(dim=1).relu()

    heat = attribute(net, images(), "gradcam", target=torch.ones(3, dtype=torch.int64), stage="map")

    torch.testing.assert_close(heat, expected / expected.amax(dim=(1, 2), keepdim=True))


def test_gradcam_shows_what_speaks_for_the_class_only() -> None:
    """Light speaks against class 0: nothing is hot, and nothing is divided by 0."""
    heat = attribute(left_net(), images().abs(), "gradcam", target=torch.zeros(3, dtype=torch.int64))

    assert heat.eq(0).all()


@pytest.mark.parametrize("head", ["digit", "loops"])
def test_gradient_is_what_autograd_says(head: str) -> None:
    """Its absolute value for the logit of the class, for any head, over the largest of the image."""
    model = TinyModel(num_classes={"digit": 10, "loops": 3}).eval()
    batch, target = images().requires_grad_(), torch.tensor([0, 1, 2])
    logits = model(batch)[head]
    torch.stack([row[k] for row, k in zip(logits, target, strict=True)]).sum().backward()
    assert batch.grad is not None
    expected = batch.grad.abs()[:, 0]

    heat = model.explain(images(), "gradient", head=head, target=target)

    torch.testing.assert_close(heat, expected / expected.amax(dim=(1, 2), keepdim=True))


def test_attention_is_rolled_out_over_all_blocks() -> None:
    """As hand-multiplied matrices say: half a token, half what it looks at, block after block."""
    model = ViT38K().eval()
    rollout = torch.eye(50)
    with torch.no_grad():
        features = model.features(images(1))
        inputs = [features["embedding"], *(features[f"block{number}"] for number in (1, 2, 3))]
        for number, x in enumerate(inputs, start=1):
            block = model.net.backbone.get_submodule(f"block{number}")
            looks = block.get_submodule("attention").weights(block.get_submodule("norm1")(x))  # type: ignore[operator]
            rollout = (looks[0].mean(dim=0) + torch.eye(50)) / 2 @ rollout
    torch.testing.assert_close(rollout.sum(dim=1), torch.ones(50))
    patches = rollout[0, 1:]

    heat = model.explain(images(1), "attention")

    assert heat.shape == (1, 28, 28)
    hottest = patches.argmax().item()
    assert (heat[0].argmax().item() // 28 // 4, heat[0].argmax().item() % 28 // 4) == divmod(hottest, 7)
    centres = heat[0, 1::4, 1::4].flatten()
    assert torch.corrcoef(torch.stack([centres, patches]))[0, 1] > 0.8


@pytest.mark.parametrize("model", FAMILIES)
def test_a_net_in_training_is_left_as_it_was(model: type[TinyModel]) -> None:
    """Asking for its method moves no running statistics and needs no second image."""
    net = model()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    suitable(net.net, images()[:1])

    assert all(module.training for module in net.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize(("model", "method"), FAMILIES.items())
def test_each_family_has_a_method_that_suits(model: type[TinyModel], method: str) -> None:
    """`auto` takes it; heat is between 0 and 1, one map for each image, and an image alone has the same."""
    net = model().eval()
    assert suitable(net.net, images()) == method

    heat = net.explain(images())

    assert heat.shape == (3, 28, 28)
    assert heat.isfinite().all()
    assert heat.min() >= 0
    assert set(heat.amax(dim=(1, 2)).tolist()) <= {0.0, 1.0}
    torch.testing.assert_close(net.explain(images()[1:2])[0], heat[1], atol=1e-3, rtol=1e-3)
    assert not torch.equal(heat[0], heat[1])


@pytest.mark.parametrize("model", FAMILIES)
def test_a_net_is_left_as_it_was(model: type[TinyModel]) -> None:
    """No hook, no gradient, every module in its own mode, frozen parts frozen; after an error too."""
    net = model()
    next(net.net.children()).eval()
    next(net.parameters()).requires_grad_(False)
    modes = [module.training for module in net.modules()]
    wanted = [parameter.requires_grad for parameter in net.parameters()]
    state = {name: value.clone() for name, value in net.state_dict().items()}

    net.explain(images())
    net.explain(images(), "gradient")
    with pytest.raises(ValueError, match="head"):
        net.explain(images(), "gradient", head="nonsense")

    assert [module.training for module in net.modules()] == modes
    assert [parameter.requires_grad for parameter in net.parameters()] == wanted
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    for module in net.modules():
        hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        assert not any(hooks)


@pytest.mark.parametrize("model", FAMILIES)
def test_nothing_needs_to_be_trainable(model: type[TinyModel]) -> None:
    """A net that is frozen whole is explained as before, also where no gradients are kept."""
    net = model().eval()
    before = net.explain(images())
    net.requires_grad_(False)
    with torch.no_grad():
        torch.testing.assert_close(net.explain(images()), before)


def test_dropout_does_not_disturb() -> None:
    """In training mode the same is shown as in evaluation mode."""
    net = ViT38K(dropout=0.5)

    assert torch.equal(net.train().explain(images()), net.eval().explain(images()))


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        (CNN8K, {"method": "gradcam", "stage": "conv3"}, "Did you mean conv"),
        (CNN8K, {"method": "gradcam", "stage": "fc"}, "There are conv1, conv2, pool"),
        (TinyModel, {"method": "gradcam"}, "Use gradient"),
        (CNN8K, {"method": "attention"}, "Use gradcam or gradient"),
        (TinyModel, {"method": "gradient", "head": "digti"}, "`head` must be one of"),
    ],
)
def test_what_a_net_has_not_is_refused(model: type[TinyModel], options: dict[str, str], said: str) -> None:
    """With what it has, or the method that it can be explained by."""
    with pytest.raises(ValueError, match=said):
        model().explain(images(), **options)  # type: ignore[arg-type]
