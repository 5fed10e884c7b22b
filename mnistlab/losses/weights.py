"""Class weights as the command line writes them."""

import torch
from jsonargparse.typing import register_type
from torch import Tensor


def register_tensor_type() -> None:
    """Let this process's parsers read a tensor from a list of numbers: `--model.loss.weight=[1,2,3]`.

    It changes every parser in the process, so the program calls it, never an import. Calling it twice is harmless.
    """
    register_type(Tensor, serializer=Tensor.tolist, deserializer=tensor_from_numbers)


def tensor_from_numbers(numbers: object) -> Tensor:
    """Make a float32 tensor of shape (n,) from a list of n numbers.

    Raises:
        ValueError: If it is not a list, is empty, or holds anything but numbers.
    """
    if isinstance(numbers, list) and numbers and all(type(number) in {int, float} for number in numbers):
        return torch.tensor(numbers, dtype=torch.float32)
    raise ValueError(f"A tensor must be a list of numbers, got {numbers!r}. Write it as [1, 2.5, 3].")
