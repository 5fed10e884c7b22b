"""Nets of two convolutions."""

import pytest
import torch
from torch import Tensor, nn

from mnistlab import CNN8K, CNN68K, CNN421K, MultiheadCNN422K, SimpleCNN
from mnistlab.data.labels import DigitTable
from mnistlab.nets import Dropout

LABELS = DigitTable()


@pytest.mark.parametrize(
    ("model", "channels", "fc_size"), [(CNN8K, (3, 6), 25), (CNN68K, (8, 20), 68), (CNN421K, (32, 64), 128)]
)
def test_the_sizes_differ_in_channels_and_the_dense_layer(
    model: type[SimpleCNN], channels: tuple[int, int], fc_size: int
) -> None:
    """Both convolutions have a bias, and the dense layer sees a map of 7x7."""
    first, second, dense, _ = (layer for layer in model().net.modules() if isinstance(layer, nn.Conv2d | nn.Linear))

    assert (first.weight.shape, second.weight.shape) == ((channels[0], 1, 3, 3), (channels[1], channels[0], 3, 3))
    assert first.bias is not None
    assert second.bias is not None
    assert dense.weight.shape == (fc_size, 49 * channels[1])


def test_a_convolution_is_normalized_before_its_relu_and_halved_by_the_maximum() -> None:
    """In training, with dropout, and in evaluation it computes what its definition does, layer by layer."""
    written = nn.Sequential(
        *(nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(294, 25), nn.ReLU(), Dropout(0.4), nn.Linear(25, 10)),
    )
    net = CNN8K(dropout=0.4).net
    net.load_state_dict(dict(zip(net.state_dict(), written.state_dict().values(), strict=True)))

    for images in (torch.randn(5, 1, 36, 36), torch.randn(5, 1, 28, 28)):
        logits, others = after_seed(net.train(), images), after_seed(written.train(), images)
        assert torch.equal(logits, others)
        logits.square().sum().backward()
        others.square().sum().backward()
        for ours, theirs in zip(net.parameters(), written.parameters(), strict=True):
            assert ours.grad is not None
            assert theirs.grad is not None
            assert torch.equal(ours.grad, theirs.grad)
        assert torch.equal(net.eval()(images), written.eval()(images))


def after_seed(net: nn.Module, images: Tensor) -> Tensor:
    """The logits, with the same values dropped each time."""
    torch.manual_seed(1)
    logits: Tensor = net(images)
    return logits


def test_maps_are_halved_twice_and_pooled_to_seven() -> None:
    """28, 14, 7, whatever comes after depends on that only."""
    assert maps(SimpleCNN(), torch.randn(2, 1, 28, 28)) == [14, 7, 7]
    assert maps(SimpleCNN(in_channels=3), torch.randn(2, 3, 64, 64)) == [32, 16, 7]


def test_large_images_in_colour() -> None:
    """224x224x3, and the net is no larger for it but in the first layer."""
    model = SimpleCNN(in_channels=3).eval()

    assert model(torch.randn(2, 3, 224, 224)).shape == (2, 10)
    assert size(model) - size(SimpleCNN()) == 2 * 9 * 32


def test_three_heads_share_all_but_the_last_layer() -> None:
    """Each is one linear layer, and their sizes are those of the labels."""
    model = MultiheadCNN422K()

    assert model.heads == {"digit": 10, **LABELS.heads} == {"digit": 10, "thickness": 5, "smoothness": 3}
    assert size(model.net.heads) == 129 * (10 + 5 + 3)
    assert size(model.net.backbone) == size(CNN421K().net.backbone)
    assert {head: logits.shape for head, logits in model(torch.randn(2, 1, 28, 28)).items()} == {
        "digit": (2, 10),
        "thickness": (2, 5),
        "smoothness": (2, 3),
    }


def test_the_digit_counts_twice_as_much_as_the_other_labels() -> None:
    """Loss = digit + 0.5 thickness + 0.5 smoothness, unless told otherwise."""
    losses = {"digit": torch.tensor(1.0), "thickness": torch.tensor(10.0), "smoothness": torch.tensor(100.0)}

    assert MultiheadCNN422K().objective.total(losses) == 1 + 5 + 50
    assert MultiheadCNN422K(loss_weights={"digit": 0.0, "smoothness": 2.0}).objective.total(losses) == 10 + 200


def maps(model: SimpleCNN, images: Tensor) -> list[int]:
    """The side of each stage's map."""
    return [features.shape[-1] for features in model.features(images).values() if features.dim() == 4]


def size(part: nn.Module) -> int:
    """The number of parameters."""
    return sum(parameter.numel() for parameter in part.parameters())
