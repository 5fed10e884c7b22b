"""Class weights: as the command line writes them, and which of them are refused."""

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


def check_length(option: str, weight: Tensor, num_classes: int) -> None:
    """Refuse class weights that are not one number for each class.

    Args:
        option: What the message calls them, such as "`weight` of CrossEntropyLoss".
        weight: The weights, (num_classes,) where they are right.
        num_classes: Length of a row of logits.

    Raises:
        ValueError: If the shape is another.
    """
    if weight.shape != (num_classes,):
        shape = len(weight) if weight.dim() == 1 else f"a tensor of shape {tuple(weight.shape)}"
        raise ValueError(f"{option} must hold {num_classes} numbers, one for each class (num_classes), got {shape}.")


def check_numbers(option: str, weight: Tensor) -> None:
    """Refuse class weights that no mean can be taken with.

    Args:
        option: What the message calls them, such as "`weight` of CrossEntropyLoss".
        weight: The weights, any shape.

    Raises:
        ValueError: If one is negative or not finite, or none is above 0.
    """
    if not (weight.isfinite().all() and weight.ge(0).all() and weight.sum() > 0):
        raise ValueError(f"{option} must hold finite numbers from 0 on, not all 0, got {weight.tolist()}.")
