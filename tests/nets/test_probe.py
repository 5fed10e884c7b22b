"""What would fail in the first batch is found out before, on a copy of the net."""

from pathlib import Path

import pytest
import torch
from torch import nn

from mnistlab import main
from mnistlab.nets.probe import learns_from_single_images, try_image

GREY, COLOUR = (1, 28, 28), (3, 32, 32)


def dense(features: int) -> nn.Sequential:
    """A net for flat images whose batch normalization sees one value of each channel."""
    return nn.Sequential(nn.Flatten(), nn.Linear(features, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))


@pytest.mark.parametrize(
    ("net", "shape", "learns"),
    [
        (dense(784), GREY, False),
        (dense(3 * 32 * 32), COLOUR, False),
        (dense(784).eval(), GREY, True),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), COLOUR, True),
        (nn.Sequential(nn.Conv2d(3, 4, 32), nn.BatchNorm2d(4)), COLOUR, False),
        (nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.BatchNorm1d(26**2)), GREY, False),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 4), nn.LayerNorm(4)), GREY, True),
    ],
)
def test_two_values_of_a_channel_are_what_it_takes(net: nn.Module, shape: tuple[int, int, int], learns: bool) -> None:
    """Whatever the images; a part that rests needs none."""
    assert learns_from_single_images(net, shape) is learns


def test_images_of_another_shape_are_refused_in_words() -> None:
    """And those of the right one are not, though one image alone could not be trained on."""
    assert isinstance(try_image(dense(784), GREY), torch.Tensor)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        try_image(dense(100), GREY)
    with pytest.raises(RuntimeError, match="channels"):
        try_image(nn.Conv2d(3, 4, 3), GREY)


def test_the_net_and_the_random_numbers_are_left_alone() -> None:
    """A run that goes on has the same outcome as if nothing had been tried."""
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)

    assert learns_from_single_images(net, GREY)
    assert isinstance(try_image(net, GREY), torch.Tensor)

    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(module.training for module in net.modules())
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("--model=SDN8K --model.input_size=100", "--model.input_size"),
        ("--model=CNN8K --model.in_channels=3", "in_channels"),
    ],
)
def test_a_model_for_other_images_is_refused_before_any_work(
    here: Path, capsys: pytest.CaptureFixture[str], small_data: tuple[str, ...], command: str, option: str
) -> None:
    """With the shape of the data, and the option that says otherwise."""
    assert main(["fit", *command.split(), *small_data]) == 2

    message = capsys.readouterr().err
    assert "1x28x28" in message
    assert option in message
    assert not (here / "runs").exists()
