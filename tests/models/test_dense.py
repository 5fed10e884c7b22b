"""Dense nets."""

import torch
from torch import nn

from mnistlab import SDN8K, SDN68K, SimpleDenseNet


def test_every_width_can_be_chosen() -> None:
    """Linear layers of the widths that were asked for, in their order, and a head on the last."""
    model = SimpleDenseNet(input_size=48, lin1_size=7, lin2_size=6, lin3_size=5, num_classes=4)

    assert widths(model) == [(48, 7), (7, 6), (6, 5), (5, 4)]


def test_the_sizes_are_those_of_their_names() -> None:
    """784-10-20-10-10 and 784-64-128-64-10."""
    assert widths(SDN8K()) == [(784, 10), (10, 20), (20, 10), (10, 10)]
    assert widths(SDN68K()) == [(784, 64), (64, 128), (128, 64), (64, 10)]


def test_a_layer_is_normalized_before_its_relu() -> None:
    """In training and in evaluation it computes what its definition does, layer by layer."""
    written = nn.Sequential(
        *(nn.Flatten(), nn.Linear(784, 10), nn.BatchNorm1d(10), nn.ReLU()),
        *(nn.Linear(10, 20), nn.BatchNorm1d(20), nn.ReLU()),
        *(nn.Linear(20, 10), nn.BatchNorm1d(10), nn.ReLU()),
        nn.Linear(10, 10),
    )
    net, images = SDN8K().net, torch.randn(5, 1, 28, 28)
    net.load_state_dict(dict(zip(net.state_dict(), written.state_dict().values(), strict=True)))

    assert torch.equal(net(images), written(images))
    assert torch.equal(net.eval()(images), written.eval()(images))


def widths(model: nn.Module) -> list[tuple[int, int]]:
    """Inputs and outputs of each linear layer."""
    return [(layer.in_features, layer.out_features) for layer in model.modules() if isinstance(layer, nn.Linear)]
