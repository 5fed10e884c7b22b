"""How much a checkpoint may ask for: its file says how much it brings along."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor, nn, strided
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.nn.parameter import UninitializedParameter

from mnistlab.errors import LabError
from mnistlab.options.functions import weights_to_come

_MOST_VALUES, _DEEPEST, _LONGEST = 100_000, 50, 128
_SPARE_VALUES = 50_000_000  # made on the way and thrown away; 200 MB
_TOO_MUCH = ("allocate memory", "out of memory", "verflow")


def check_extent(value: object, where: str) -> None:
    """Refuse plain data that has no end, or that grows without bounds when it is written out.

    A file of a few lines can name a list within itself, or ten times in the next one, and so on.

    Raises:
        LabError: If there is far more in it than describes a model and its data.
    """
    rest, count = [(value, 0)], 0
    while rest:
        part, depth = rest.pop()
        count += 1
        if count > _MOST_VALUES or depth > _DEEPEST or (isinstance(part, int) and part.bit_length() > _LONGEST):
            raise LabError(f"{where} describes more than a run: it is nested too deeply, in itself, or without end.")
        inner = (*part.keys(), *part.values()) if isinstance(part, Mapping) else part
        rest.extend((each, depth + 1) for each in (inner if isinstance(inner, list | tuple) else ()))


@contextmanager
def made_for(weights: Mapping[str, object], path: Path) -> Iterator[None]:
    """Fetch no weights for a model, while it is made, and refuse one far larger than those that its checkpoint has.

    Torch touches the memory of a parameter after it has been counted here, so that a huge one costs nothing.

    Args:
        weights: What the checkpoint has.
        path: The checkpoint.

    Raises:
        LabError: If the model is too large.
    """
    most = 4 * sum(_values(weight) for weight in weights.values() if isinstance(weight, Tensor)) + _SPARE_VALUES
    too_large = LabError(f"{path} describes a model that is far larger than its own weights. It was not made.")
    made = 0

    def count(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal made
        del module, name
        if parameter is not None and not isinstance(parameter, UninitializedParameter):
            made += parameter.numel()
        if made > most:
            raise too_large

    handle = register_module_parameter_registration_hook(count)
    try:
        with weights_to_come():
            yield
    except (RuntimeError, TypeError, ValueError) as error:
        if any(words in str(error) for words in _TOO_MUCH):
            raise too_large from error
        raise
    finally:
        handle.remove()


def _values(weight: Tensor) -> int:
    """How many values a tensor has of its own: one that is spread out over many places counts once."""
    if weight.layout is not strided or weight.is_meta:
        return 0
    return min(weight.numel(), weight.untyped_storage().nbytes() // weight.itemsize)
