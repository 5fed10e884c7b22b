"""Class weights on the command line."""

import pytest
import torch
from jsonargparse import ArgumentParser
from torch import nn

from mnistlab.losses import LossLike
from mnistlab.losses.weights import register_tensor_type, tensor_from_numbers


def test_numbers_become_a_float_tensor() -> None:
    """Whole numbers too, since class weights are multiplied."""
    assert torch.equal(tensor_from_numbers([1, 2.5, 3]), torch.tensor([1.0, 2.5, 3.0]))


@pytest.mark.parametrize("written", [[], 3, "abc", ["1"], [True], [[1, 2]], {"a": 1}, None])
def test_anything_else_is_refused(written: object) -> None:
    """And the message shows what came."""
    with pytest.raises(ValueError, match="list of numbers") as refusal:
        tensor_from_numbers(written)

    assert repr(written) in str(refusal.value)


class Model:
    """Takes a loss as a model does."""

    def __init__(self, loss: LossLike = nn.CrossEntropyLoss) -> None:
        self.loss = loss


def test_the_command_line_reads_weights_and_saves_them_readably() -> None:
    """Registered twice, which is harmless; what is saved reads back."""
    register_tensor_type()
    register_tensor_type()
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Model, "model")
    parsed = parser.parse_args(["--model.loss=torch.nn.CrossEntropyLoss", "--model.loss.weight=[1,2,3]"])

    for config in (parsed, parser.parse_string(parser.dump(parsed))):
        loss = parser.instantiate(config).model.loss
        assert isinstance(loss, nn.CrossEntropyLoss)
        assert loss.weight is not None
        assert loss.weight.tolist() == [1, 2, 3]
    assert parser.instantiate(parser.parse_args([])).model.loss is nn.CrossEntropyLoss
